package coord

import (
	"os"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/effort"
)

// lists are the list in force, and the one that the partition is on its way to, if
// it is.
func (c *cast) lists() []set {
	if c.new == 0 {
		return []set{c.primaries()}
	}
	return []set{1<<c.old - 1, c.new}
}

// listsOf tells those from each other who are in different lists.
func (c *cast) listsOf(i int) (lists byte) {
	for k, l := range c.lists() {
		if l.has(i) {
			lists |= 1 << k
		}
	}
	return lists
}

func (c *cast) newcomer(i int) bool { return c.listsOf(i) == 2 }

// need is what must be had in a list.
type need struct{ all, strict int }

// count is how many of some count in a list, and how many of them are in it.
func (c *cast) count(s, list set) (all, strict int) {
	for i := range c.n {
		switch {
		case !s.has(i):
		case list.has(i):
			all++
			strict++
		case i >= c.prim:
			all++
		}
	}
	return all, strict
}

// met says whether some are enough in each list.
func (c *cast) met(s set, needs ...need) bool {
	for k, l := range c.lists() {
		if all, strict := c.count(s, l); all < needs[k].all || strict < needs[k].strict {
			return false
		}
	}
	return true
}

// common is what the owner of a machine tells it.
func (c *cast) common(ticket uint64, left time.Duration, numbers, later Numbers) Common {
	r := Common{Ticket: ticket, Self: nodeName(c.self), Numbers: numbers, More: c.more}
	r.Numbers.Timeout = left
	if c.new == 0 {
		return r
	}
	r.Next = &Next{Numbers: later}
	for i := range c.prim {
		if c.new.has(i) {
			r.Next.List = append(r.Next.List, nodeName(i))
		}
	}
	return r
}

// joint is a cast of two lists: the first so many are in force.
func joint(old, prim int, new set) cast { return cast{old: old, prim: prim, n: prim, new: new} }

// jointCasts are the ways in which a partition moves: one node in the stead of
// another, one more, one less, with the coordinator in both lists, leaving or
// coming, or none of them, and with one of each kind dead.
func jointCasts() []cast {
	const a, b, c, d = set(1), set(2), set(4), set(8)
	var all []cast
	for _, m := range []cast{joint(1, 2, b), joint(1, 2, a|b), joint(2, 2, a), joint(2, 3, a|c), joint(2, 3, a|b|c)} {
		all = append(all, m)
		for i := range m.prim {
			self := m
			self.self = i
			all = append(all, self)
			if i > 0 {
				dead := m
				dead.down = 1 << i
				all = append(all, dead)
			}
		}
	}
	late, none := joint(2, 3, a|c), joint(2, 3, a|c)
	late.patience = 40 * time.Second
	none.n, none.self = 4, 3
	all = append(all, late, none)
	for _, m := range []cast{joint(1, 2, b), joint(2, 3, a|c)} { // one stands in, where one fails
		m.n++
		m.down = 1 << (m.prim - 1)
		all = append(all, m)
		m.down, m.doubt, m.patience = 0, 1<<(m.prim-1), 40*time.Second
		all = append(all, m)
	}
	if !effort.Small() {
		dead := joint(3, 4, a|b|d)
		dead.down = d
		all = append(all, dead)
	}
	for _, m := range []cast{joint(1, 1, 0), joint(2, 2, 0), joint(1, 2, a|b), joint(2, 3, a|c)} {
		if m.prim > 2 && effort.Small() {
			break
		}
		m.moves = true
		all = append(all, m)
	}
	return all
}

// of returns the numbers in each list where so many of each are asked for: as many
// as the list has, at most.
func (c *cast) of(n Numbers) (old, later Numbers) {
	in := func(list set) Numbers {
		m, k := n, list.len()
		m.N, m.R, m.W, m.PR, m.PW, m.DW = k, min(n.R, k), min(n.W, k), min(n.PR, k), min(n.PW, k), min(n.DW, k)
		return m
	}
	old = in(c.lists()[0])
	if c.new != 0 {
		later = in(c.new)
	}
	return old, later
}

// wide says that a cast is one of three nodes or more, of which the settings with
// the most histories take minutes.
func wide(c *cast) bool { return c.n > 2 && os.Getenv("OURO_EXHAUSTIVE") == "" }

func TestJointPutHistories(t *testing.T) { // RULES R14, R15
	effort.Unraced(t)
	began, settings := time.Now(), 0
	var histories uint64
	for _, c := range jointCasts() {
		for _, n := range []Numbers{{R: 1, W: 1}, {R: 1, W: 2}, {R: 1, W: 2, PW: 2}, {R: 1, W: 1, DW: 2}} {
			old, later := c.of(n)
			for _, retry := range []bool{false, true} {
				if retry && (c.n > 3 || c.patience > 0 || wide(&c)) {
					break
				}
				histories += putScenario{numbers: old, later: later, cast: c, retry: retry}.run(t)
				settings++
			}
		}
	}
	t.Logf("%d histories of the Put machine in two lists in %d settings, %v", histories, settings, time.Since(began).Round(time.Millisecond))
}

func TestJointGetHistories(t *testing.T) { // RULES R14, R15, R33
	effort.Unraced(t)
	began, settings := time.Now(), 0
	l := newLattice()
	var histories uint64
	for _, c := range jointCasts() {
		for _, has := range [][most]int8{{hasX, absent, absent}, {absent, hasX, absent}, {hasX, hasX, absent}, {absent, absent, hasX}, {hasX, hasY, tombstone, absent}} {
			if c.n > 3 && has[3] == absent && has[0] != hasX {
				continue
			}
			for _, n := range []Numbers{{R: 1, W: 1}, {R: 2, W: 1}, {R: 1, W: 1, PR: 1}, {R: 2, W: 1, PR: 2}} {
				if wide(&c) && n.PR > 0 && (n.PR == 1 || has[2] == tombstone) {
					continue
				}
				old, later := c.of(n)
				histories += getScenario{lattice: l, numbers: old, later: later, has: has, cast: c}.run(t)
				settings++
			}
		}
	}
	t.Logf("%d histories of the Get machine in two lists in %d settings, %v", histories, settings, time.Since(began).Round(time.Millisecond))
}

// A newcomer in the list of a bucket, and the places beyond it.
func TestListsOfAMachine(t *testing.T) {
	var c common
	for _, id := range []ring.NodeID{"a", "b", "c", "d", "e"} {
		c.add(&Replica{ID: id, Up: true}, "a")
	}
	c.enterLists(&Common{Numbers: Numbers{N: 3}, Next: &Next{List: []ring.NodeID{"d", "b", "a"}, Numbers: Numbers{N: 3}}})
	if c.prim != 4 || c.old != 0b0111 || c.new != 0b1011 || c.newcomers() != 0b1000 {
		t.Errorf("%d primaries, old %b, new %b", c.prim, c.old, c.new)
	}
}
