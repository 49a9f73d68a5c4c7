package coord

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
)

// While a partition moves it is in two lists, the one in force and the one it is
// on its way to (RULES R14), and what is enough must be enough in each of them by
// itself. One node may count in both, so that no particular node is needed: a
// newcomer that is dead stops nobody (H13). Who stands in counts in both.
//
// A newcomer has not got everything yet. It counts in its own list alone, as a
// witness that the partition is no further; so what it does not have, or does not
// know, is never taken for the truth: that takes as many of the list in force.

// Next is the list that a partition is on its way to, and what must be met in it.
type Next struct {
	List    []ring.NodeID
	Numbers Numbers
}

// Most returns how many of each list count.
func (c *Common) Most() int {
	if c.Next == nil {
		return c.Numbers.N
	}
	return max(c.Numbers.N, c.Next.Numbers.N)
}

// enterLists tells who is in which list: the first places are those of the list in force, after
// them come the newcomers.
func (c *common) enterLists(r *Common) {
	c.prim = min(r.Numbers.N, c.n)
	c.old, c.new, c.next = c.primaries(), 0, r.Next
	if r.Next == nil {
		return
	}
	for c.prim < c.n && slices.Contains(r.Next.List, c.ids[c.prim]) {
		c.prim++
	}
	for i := range c.prim {
		if slices.Contains(r.Next.List, c.ids[i]) {
			c.new.add(i)
		}
	}
}

// newcomers are the primaries in the new list only.
func (c *common) newcomers() set { return c.primaries() &^ c.old }

// in returns how many of some count in a list: stand-ins do in each, a primary
// where it is named.
func (c *common) in(s, list set) int { return (s &^ (c.primaries() &^ list)).len() }

// reads says whether the replies of some are enough for a read in each list.
func (c *common) reads(s set) bool {
	return c.numbers.reads(c.in(s, c.old), (s&c.old).len()) &&
		(c.next == nil || c.next.Numbers.reads(c.in(s, c.new), (s&c.new).len()))
}

// writes says whether the acknowledgements of some, of which those that are strong
// count for pw and those that are durable for dw, are enough for a write in each
// list.
func (c *common) writes(s, strong, durable set) bool {
	return c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.in(durable, c.old)) &&
		(c.next == nil || c.next.Numbers.writes(c.in(s, c.new), (strong&c.new).len(), c.in(durable, c.new)))
}

// strictly says whether some are as many primaries in each list as a strict read or
// write must have.
func (c *common) strictly(s set, kind func(*Numbers) int) bool {
	return (s&c.old).len() >= kind(&c.numbers) && (c.next == nil || (s&c.new).len() >= kind(&c.next.Numbers))
}

func pr(n *Numbers) int { return n.PR }
func pw(n *Numbers) int { return n.PW }

// settledBy says whether some are so many in each list that every later strict
// read meets one of them, and as many as must answer one: so what is shown is on as
// many whether the replies agreed or not, and a move that compares with enough for
// that misses nothing (R16, R32).
func (c *common) settledBy(s set) bool {
	return (s&c.old).len() >= c.numbers.settled() &&
		(c.next == nil || (s&c.new).len() >= c.next.Numbers.settled())
}
