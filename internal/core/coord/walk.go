package coord

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A request involves the first n nodes of the walk that are healthy (paper,
// sections 4.5 and 4.6): the key's primaries, and for each of them that fails
// another node that stands in for it. A stand-in works on a pending record,
// which it owes to its primary, so that what it holds comes home.

// everyone is the set of all nodes in the list.
func (c *common) everyone() set { return 1<<c.n - 1 }

// primaries is the set of those that hold the key.
func (c *common) primaries() set { return 1<<c.prim - 1 }

// standing is the set of those that take part and are expected to answer.
func (c *common) standing() set { return c.chosen &^ (c.lost | c.doubt) }

// enlist chooses who takes part, until as many have done what they were asked,
// or are expected to, as the key has primaries, and returns whom it added. The healthy come first, in the order
// of the walk; where none is left, those in doubt. Primaries in doubt are asked
// besides where without them fewer than strict primaries are.
func (c *common) enlist(now clock.Now, e *Effects, strict func(*Numbers) int, served set) set {
	before := c.chosen
	c.chosen |= c.primaries() &^ (c.lost | c.doubt&^c.tried)
	if c.self >= 0 {
		c.chosen.add(c.self)
	}
	for (c.standing() | served).len() < c.prim {
		rest := c.everyone() &^ (c.chosen | c.lost)
		if rest == 0 {
			e.More = e.More || c.more
			break
		}
		if healthy := rest &^ c.doubt; healthy != 0 {
			rest = healthy
		}
		c.choose(now, e, rest.first())
	}
	if !c.strictly(c.standing()|served, strict) {
		c.chosen |= c.primaries() &^ c.lost
	}
	return c.chosen &^ before
}

// choose lets a node take part.
func (c *common) choose(now clock.Now, e *Effects, i int) {
	if i >= c.prim {
		p := c.uncovered()
		c.owes[i] = uint8(p)
		c.state(e, fact.StoodIn, now, i, 0, string(c.ids[p]))
	}
	c.chosen.add(i)
}

// uncovered is the first failing primary that nobody stands in for, or if there
// is none, nobody who is expected to answer.
func (c *common) uncovered() int {
	failing := c.primaries() & (c.lost | c.doubt)
	held, kept := set(0), set(0)
	for i := c.prim; i < c.n; i++ {
		if i == c.self || !c.chosen.has(i) || c.lost.has(i) {
			continue
		}
		held.add(int(c.owes[i]))
		if !c.doubt.has(i) {
			kept.add(int(c.owes[i]))
		}
	}
	for _, s := range [...]set{failing &^ held, failing &^ kept, failing} {
		if s != 0 {
			return s.first()
		}
	}
	return 0
}

// targets are the primaries to which a stand-in owes what it stores. A
// coordinator that is no primary owes it to all, since it does not know yet who
// will get it.
func (c *common) targets(i int) []ring.NodeID {
	if i == c.self {
		return append([]ring.NodeID(nil), c.ids[:c.prim]...)
	}
	return []ring.NodeID{c.ids[c.owes[i]]}
}

// extend takes in nodes further down the walk. Those already known and those
// that cannot be reached are left out.
func (c *common) extend(replicas []Replica) {
	c.more = false
	for i := range replicas {
		if r := &replicas[i]; r.Up && c.place(r.ID) < 0 {
			c.add(r, "")
		}
	}
}

// overdue finds those that were silent for longer than one is patient, takes
// them for doubtful, and sets when to look again.
func (c *common) overdue(now clock.Now) set {
	next, late := now.Mono+c.patience, set(0)
	out := c.outstanding() &^ c.doubt
	for i := range c.n {
		if !out.has(i) {
			continue
		}
		if due := c.at[i] + c.patience; due <= now.Mono {
			late.add(i)
		} else {
			next = min(next, due)
		}
	}
	c.doubt |= late
	c.patient = next
	return late
}

// impatient is [common.overdue] with a word about each of them.
func (c *common) impatient(now clock.Now, e *Effects) {
	late := c.overdue(now)
	for i := range c.n {
		if late.has(i) {
			c.state(e, fact.Silent, now, i, 0, c.verb)
		}
	}
}
