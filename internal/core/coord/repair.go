package coord

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
)

// confirm begins what a strict get does where replicas differ: the merged state
// goes to every primary that is not known to have it, and the answer waits
// until so many have it durably that every later strict get meets one of them
// (R32).
func (g *Get) confirm(now clock.Now, e *Effects) {
	g.settle = true
	fresh := g.counted &^ g.stale()
	for i := range g.prim {
		if g.lost.has(i) || fresh.has(i) {
			continue
		}
		o := g.op(now, settleRound, i)
		o.State, o.Stamp = g.bytes, g.stamp
		g.sent.add(i)
		if g.counted.has(i) {
			g.state(e, fact.Repaired, now, i, 0, "before the answer")
		}
		g.send(now, e, i, o)
	}
	g.settled(now, e)
}

// settled ends the wait that confirm began, once it is certain how it ends.
func (g *Get) settled(now clock.Now, e *Effects) {
	if !g.fresh.known {
		g.fresh = g.find(g.bytes)
	}
	have := g.acked | g.counted&g.primaries()&^g.stale() // replies show it too, late ones included
	can := have | (g.waiting[settleRound]|g.waiting[firstRound])&g.primaries()
	switch {
	case g.settledBy(have):
		g.succeed(now, e, true)
	case !g.settledBy(can):
		g.succeed(now, e, false)
	}
}

// await waits, once the answer is out, for those that have not replied. A late
// digest that nobody in hand explains is worth asking for its state.
func (g *Get) await(now clock.Now, e *Effects) {
	for i := range g.n {
		same := g.same(i)
		if !same.has(i) || g.fresh.known && g.sums[i] == g.fresh.sum {
			continue
		}
		if ask := same &^ g.lost; same&(g.body|g.waiting[againRound]) == 0 && ask != 0 {
			g.read(now, e, againRound, ask.first(), true)
		}
	}
	if g.outstanding() == 0 {
		g.repair(now, e)
	}
}

// repair brings every stale replica up to date, each by one message that nobody
// waits for, and ends the request (paper, section 5, read repair). Whoever sends
// them says so: where many reads have seen the same, one sends them for all.
func (g *Get) repair(now clock.Now, e *Effects) {
	g.done = true
	before := g.bytes
	g.merge(now, e, g.everyone())
	if string(before) != string(g.bytes) {
		g.sent = 0
	}
	stale := g.stale() &^ (g.sent | g.lost)
	if g.bytes == nil {
		stale = 0 // a late digest whose state did not come: nothing to tell
	}
	for i := range g.n {
		if !stale.has(i) {
			continue
		}
		o := g.op(now, settleRound, i)
		o.State, o.Stamp, o.Silent = g.bytes, g.stamp, true
		e.ask(g.ids[i], o)
	}
	g.waiting = [rounds]set{}
}
