// Package stage is what the examples play on: a cluster that can be broken. It is
// simulated in this process, where everything happens the same way each time, or a
// cluster of processes that 'ouro dev' runs.
package stage

import (
	"fmt"
	"io"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/sim"
)

// Nodes is how many nodes a stage has. They are counted from 1.
const Nodes = 3

// Stage is a cluster, and what can be done to it.
type Stage interface {
	// Store is the cluster as seen through one node.
	Store(node int) ouro.Store
	// Cut parts a node from the others; Heal takes all cuts back.
	Cut(node int) error
	Heal() error
	// Kill ends a node as kill -9 does; Start starts it again.
	Kill(node int) error
	Start(node int) error
	// Wait lets time go by, so that what is under way arrives.
	Wait(d time.Duration)
}

// LWW is the bucket of a simulated stage that shows the last write only.
const LWW = "sessions"

// Simulated is a stage in this process. Its clocks can be set wrong.
type Simulated struct{ world *sim.World }

// NewSimulated returns one in which every node is up and nothing is stored.
func NewSimulated() (*Simulated, error) {
	b := member.Bucket{N: 3, R: 2, W: 2, Timeout: time.Second}
	last := b
	last.LWW = true
	cfg := sim.Config{
		Seed: 1, Compare: true, Net: sim.NetConfig{Jitter: 500 * time.Microsecond},
		Buckets: node.Buckets{Default: b, Named: map[string]member.Bucket{LWW: last}},
	}
	for i := range Nodes {
		cfg.Nodes = append(cfg.Nodes, ring.Node{ID: id(i + 1)})
	}
	w, err := sim.New(cfg)
	return &Simulated{w}, err
}

func id(i int) ring.NodeID { return ring.NodeID(fmt.Sprint("n", i)) }

// Store implements [Stage].
func (s *Simulated) Store(i int) ouro.Store { return s.world.Store(id(i)) }

// Cut implements [Stage].
func (s *Simulated) Cut(i int) error {
	for other := range Nodes {
		if other+1 != i {
			s.world.Cut(id(i), id(other+1))
		}
	}
	s.world.RunFor(time.Second) // the nodes notice
	return nil
}

// Heal implements [Stage].
func (s *Simulated) Heal() error {
	for i := range Nodes {
		for other := range i {
			for s.world.CutOff(id(i+1), id(other+1)) {
				s.world.Heal(id(i+1), id(other+1))
			}
		}
	}
	s.world.RunFor(5 * time.Second) // they compare what they hold
	return nil
}

// Kill implements [Stage].
func (s *Simulated) Kill(i int) error {
	s.world.Crash(id(i))
	s.world.RunFor(time.Second)
	return nil
}

// Start implements [Stage].
func (s *Simulated) Start(i int) error {
	s.world.Restart(id(i))
	s.world.RunFor(5 * time.Second)
	return nil
}

// Wait implements [Stage].
func (s *Simulated) Wait(d time.Duration) { s.world.RunFor(d) }

// Skew sets the clock of a node wrong, by so much ahead.
func (s *Simulated) Skew(i int, ahead time.Duration) { s.world.Jump(id(i), ahead) }

// Dev is a stage of processes.
type Dev struct {
	dir    string
	stores []*client.Client
}

// NewDev returns the cluster of three or more nodes that 'ouro dev --dir DIR' runs.
func NewDev(dir string) (*Dev, error) {
	info, err := dev.ReadInfo(dir)
	if err != nil {
		return nil, err
	}
	if len(info.Nodes) < Nodes {
		return nil, fmt.Errorf("the cluster in %s has %d nodes, and the example needs %d", dir, len(info.Nodes), Nodes)
	}
	d := &Dev{dir: dir}
	for _, n := range info.Nodes {
		s, err := client.New(n.Client)
		if err != nil {
			return nil, err
		}
		d.stores = append(d.stores, s)
	}
	return d, nil
}

// Store implements [Stage].
func (d *Dev) Store(i int) ouro.Store { return d.stores[i-1] }

// Cut implements [Stage].
func (d *Dev) Cut(i int) error { return d.do(dev.Command{Verb: dev.Cut, Nodes: []int{i}}) }

// Heal implements [Stage].
func (d *Dev) Heal() error { return d.do(dev.Command{Verb: dev.Heal}) }

// Kill implements [Stage].
func (d *Dev) Kill(i int) error { return d.do(dev.Command{Verb: dev.Kill, Nodes: []int{i}}) }

// Start implements [Stage].
func (d *Dev) Start(i int) error { return d.do(dev.Command{Verb: dev.Start, Nodes: []int{i}}) }

// Wait implements [Stage].
func (d *Dev) Wait(t time.Duration) { time.Sleep(t) }

func (d *Dev) do(c dev.Command) error {
	_, err := dev.Call(d.dir, c)
	time.Sleep(time.Second) // the nodes notice
	return err
}

// Open returns the dev cluster in a folder, or a simulated one where that is "".
func Open(dir string) (Stage, error) {
	if dir == "" {
		return NewSimulated()
	}
	return NewDev(dir)
}

// Say writes one line of what an example tells.
func Say(out io.Writer, format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
