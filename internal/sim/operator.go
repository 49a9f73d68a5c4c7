package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Ring says what becomes of the ring in a run.
type Ring string

// What there is to choose from.
const (
	RingFixed Ring = ""     // it stays as it is
	RingOnly  Ring = "only" // it changes, and nothing else goes wrong
	RingAlso  Ring = "also" // it changes among faults
)

// ringShape is what a seed draws of the changes to a ring.
type ringShape struct {
	changes int           // how many there are to be
	every   time.Duration // mean time between two
}

// operator changes the ring of a world again and again. It keeps at least as many
// members as the greatest n, so that no bucket is promised less meanwhile.
type operator struct {
	w      *World
	rand   *rand.Rand
	shape  ringShape
	cut    bool // it may cut the nodes in two before it makes two changes at once
	least  int  // members that must stay
	in     []ring.NodeID
	fresh  []ring.NodeID // in no cluster yet
	begun  []*Issued
	halves *nemesis
	stop   bool
}

// employ lets an operator begin, where the ring changes.
func (w *World) employ(s *shape, n *nemesis) *operator {
	o := &operator{w: w, rand: stream(s.cfg.Seed, streamRing), shape: s.ring, cut: len(s.kinds) > 0, least: w.cfg.Buckets.MostN(), halves: n}
	for _, n := range w.cfg.Nodes {
		o.in = append(o.in, n.ID)
	}
	for _, n := range w.cfg.Spares {
		o.fresh = append(o.fresh, n.ID)
	}
	if s.ring.changes > 0 {
		o.next()
	}
	return o
}

func (o *operator) next() {
	o.w.after(spread(o.rand, o.shape.every), func() {
		if o.stop || o.shape.changes == 0 {
			return
		}
		o.change()
		o.next()
	})
}

// end makes no more changes.
func (o *operator) end() {
	o.stop = true
	for _, i := range o.begun {
		if i.Done && i.Err == nil {
			o.w.stats.Ring.made(i.kind)
		}
	}
}

// change draws what to do.
func (o *operator) change() {
	switch o.rand.IntN(8) {
	case 0, 1:
		o.join()
	case 2:
		o.leave()
	case 3:
		o.replace()
	case 4:
		o.reweigh()
	case 5, 6:
		if id := o.join(); id != "" { // and gone again, as a rule before it has all
			o.w.after(spread(o.rand, o.shape.every/2), func() { o.take(id, o.at()) })
		}
	default:
		if o.cut {
			o.halves.strike(kindSplit)
		}
		o.join()
		o.leave()
	}
}

// at draws a member that is up; nil: there is none.
func (o *operator) at() *machine {
	var up []*machine
	for _, m := range o.w.nodes {
		if m.alive && slices.Contains(o.in, m.id) && m.steward.core.Cluster() != nil {
			up = append(up, m)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return pick(o.rand, up...)
}

// issue makes a change at a node, and calls failed where it was refused: what became
// of it otherwise is not known before the end.
func (o *operator) issue(m *machine, c member.Change, failed func()) {
	o.shape.changes--
	o.w.tracef("OPERATOR at %s: %s", m.id, c)
	i := o.w.Issue(m.id, c)
	i.kind, i.failed = c.Kind, failed
	o.begun = append(o.begun, i)
}

// newcomer takes one of those that are in no cluster.
func (o *operator) newcomer() (member.Member, bool) {
	if len(o.fresh) == 0 {
		return member.Member{}, false
	}
	i := o.rand.IntN(len(o.fresh))
	id := o.fresh[i]
	o.fresh = slices.Delete(o.fresh, i, i+1)
	return member.Member{Node: ring.Node{ID: id, Weight: 1}, Addr: string(id)}, true
}

func (o *operator) join() ring.NodeID {
	at := o.at()
	if at == nil {
		return ""
	}
	m, ok := o.newcomer()
	if !ok {
		return ""
	}
	o.in = append(o.in, m.ID)
	o.issue(at, member.Change{Kind: member.Add, Member: m}, func() { o.forget(m.ID) })
	return m.ID
}

func (o *operator) leave() {
	if len(o.in) > 0 {
		o.take(pick(o.rand, o.in...), o.at())
	}
}

// take takes a member out of the cluster, if enough are certain to be left.
func (o *operator) take(id ring.NodeID, at *machine) {
	if at == nil || !slices.Contains(o.in, id) || o.certain() <= o.least {
		return
	}
	o.forget(id)
	o.issue(at, member.Change{Kind: member.Remove, Member: member.Member{Node: ring.Node{ID: id}}}, func() { o.in = append(o.in, id) })
}

// certain is how many are members whatever becomes of what was not answered.
func (o *operator) certain() int {
	n := len(o.in)
	for _, i := range o.begun {
		if !i.Done {
			n--
		}
	}
	return n
}

func (o *operator) replace() {
	at := o.at()
	if at == nil || o.certain() < o.least {
		return
	}
	m, ok := o.newcomer()
	if !ok {
		return
	}
	old := pick(o.rand, o.in...)
	o.forget(old)
	o.in = append(o.in, m.ID)
	o.issue(at, member.Change{Kind: member.Replace, Old: old, Member: m}, func() {
		o.forget(m.ID)
		o.in = append(o.in, old)
	})
}

func (o *operator) reweigh() {
	if at := o.at(); at != nil {
		id := pick(o.rand, o.in...)
		o.issue(at, member.Change{Kind: member.Reweigh, Member: member.Member{Node: ring.Node{ID: id, Weight: 1 + o.rand.IntN(3)}}}, func() {})
	}
}

func (o *operator) forget(id ring.NodeID) {
	o.in = slices.DeleteFunc(o.in, func(x ring.NodeID) bool { return x == id })
}
