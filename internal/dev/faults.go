package dev

import (
	"time"

	"github.com/ourodb/ouro/client"
)

// faults holds what every node does to every peer: at[i][j] is what node i does
// to its link with node j, both counted from 0.
type faults struct {
	at   [][]fault
	used bool // something was set: nodes must be told, if only to heal
}

type fault struct {
	dropOut, dropIn bool
	delay           time.Duration
}

func newFaults(nodes int) *faults {
	f := &faults{at: make([][]fault, nodes)}
	for i := range f.at {
		f.at[i] = make([]fault, nodes)
	}
	return f
}

// grow makes room for one more node.
func (f *faults) grow() {
	for i := range f.at {
		f.at[i] = append(f.at[i], fault{})
	}
	f.at = append(f.at, make([]fault, len(f.at)+1))
}

// cut parts the named nodes from all others. One way, what they send is lost
// and what they hear is not.
func (f *faults) cut(named []bool, oneWay bool) {
	f.across(named, func(in, out *fault) {
		in.dropOut, out.dropIn = true, true
		if !oneWay {
			in.dropIn, out.dropOut = true, true
		}
	})
}

// slow delays what the named nodes send to any node.
func (f *faults) slow(named []bool, by time.Duration) {
	for i := range f.at {
		for j := range f.at[i] {
			if named[i] && i != j {
				f.at[i][j].delay = by
			}
		}
	}
}

// heal takes back every fault on the links of the named nodes.
func (f *faults) heal(named []bool) {
	for i := range f.at {
		for j := range f.at[i] {
			if named[i] || named[j] {
				f.at[i][j] = fault{}
			}
		}
	}
}

// across calls set with both ends of each link between a named node and one
// that is not.
func (f *faults) across(named []bool, set func(in, out *fault)) {
	for i := range f.at {
		for j := range f.at {
			if named[i] && !named[j] {
				set(&f.at[i][j], &f.at[j][i])
			}
		}
	}
}

// parted reports whether anything is lost between nodes i and j.
func (f *faults) parted(i, j int) bool {
	a, b := f.at[i][j], f.at[j][i]
	return a.dropOut || a.dropIn || b.dropOut || b.dropIn
}

// of returns what node i does, by peer.
func (f *faults) of(i int) map[string]client.Fault {
	m := make(map[string]client.Fault, len(f.at))
	for j, x := range f.at[i] {
		if j != i {
			m[NodeID(j+1)] = client.Fault{DropOut: x.dropOut, DropIn: x.dropIn, Delay: x.delay}
		}
	}
	return m
}
