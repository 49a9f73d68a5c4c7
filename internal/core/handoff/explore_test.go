package handoff_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// scope is which histories are explored: all of so many events, of the kinds
// that it allows beside the usual ones.
type scope struct {
	name    string
	targets []ring.NodeID // to whom the holder's writes are owed
	down    []ring.NodeID // cannot be reached to begin with
	aged    time.Duration // how old the first write is
	depth   int

	toggles []ring.NodeID   // can be reached or not any more, once in a history
	rings   [][]ring.NodeID // of which one becomes the list of primaries, once
	restart bool            // of the holder, once
	deaf    bool            // no ask is duplicated, no answer either
	faulty  bool            // nodes answer what they should not
}

// choices lists what may happen next.
func (w *world) choices() []func() {
	var c []func()
	if w.scans > 0 {
		c = append(c, w.scan)
	}
	if w.writes < 2 {
		c = append(c, w.write)
	}
	for i := range w.asks {
		c = append(c,
			func() { w.deliver(i, true); w.asks = slices.Delete(w.asks, i, i+1) },
			func() { w.asks = slices.Delete(w.asks, i, i+1) })
		if !w.scope.deaf {
			c = append(c, func() { w.deliver(i, true) }) // and again later
		}
		if w.scope.faulty {
			c = append(c, func() { w.deliver(i, false) }, func() { w.shelve(i) })
		}
	}
	for i := range w.answers {
		c = append(c, func() { w.answer(i); w.answers = slices.Delete(w.answers, i, i+1) })
		if !w.scope.deaf {
			c = append(c, func() { w.answer(i) })
		}
	}
	if len(w.ops) > 0 {
		c = append(c, w.do)
	}
	c = append(c, w.changes()...)
	return append(c, func() { w.tick(11 * time.Second) })
}

// changes lists what the scope allows besides.
func (w *world) changes() []func() {
	var c []func()
	for _, id := range w.scope.toggles {
		if n := w.nodes[id]; w.turns == 0 {
			c = append(c, func() { w.turns++; w.toggle(n) })
		}
	}
	for _, list := range w.scope.rings {
		if len(w.lists) == 1 {
			c = append(c, func() { w.lists = append(w.lists, list) })
		}
	}
	if w.scope.restart && w.restarts == 0 {
		c = append(c, func() { w.restarts++; w.start(); w.tick(0) })
	}
	return c
}

func (w *world) toggle(n *node) {
	if n.down = !n.down; n.down {
		w.machine.Down(w.now, n.id, w, &w.effects)
	} else {
		w.machine.Back(n.id)
	}
	w.drain()
}

// checkPaid fails where somebody is owed a record no more without good reason.
func (w *world) checkPaid(before []ring.NodeID, had causal.Claims) {
	after := w.owed()
	for _, id := range before {
		if !slices.Contains(after, id) && !w.justified(id, after, had) {
			w.t.Fatalf("%s is owed nothing any more; owed before %v, after %v, lists of primaries %v", id, before, after, w.lists)
		}
	}
}

// justified says whether a target may be taken off the list: it has the record;
// or two others have it and know that it missed it; or it is no primary.
func (w *world) justified(id ring.NodeID, owed []ring.NodeID, had causal.Claims) bool {
	if w.has(w.nodes[id]).Contains(had) || w.marked(self, id, had) {
		return true
	}
	marked := 0
	for _, n := range w.lists[0] {
		if n != id && w.marked(n, id, had) {
			marked++
		}
	}
	if marked >= 2 {
		return true
	}
	return slices.ContainsFunc(w.lists, func(list []ring.NodeID) bool {
		return !slices.Contains(list, id) && w.served(list, owed, had)
	})
}

// marked says whether a node holds a record and was told that another missed it.
func (w *world) marked(at, missed ring.NodeID, had causal.Claims) bool {
	return slices.ContainsFunc(w.nodes[at].told, func(t told) bool { return t.missed == missed && t.had.Contains(had) })
}

// served says whether a list of primaries has a record, or is owed it.
func (w *world) served(list, owed []ring.NodeID, had causal.Claims) bool {
	holders, all := 0, true
	for _, id := range list {
		has := w.has(w.nodes[id]).Contains(had)
		if has && id == self {
			return true
		}
		if has {
			holders++
		}
		all = all && (has || slices.Contains(owed, id))
	}
	return all || holders >= 2
}

// explore runs every history of a scope, each from the beginning, and then lets
// all go well.
func explore(t *testing.T, s *scope) int {
	histories := 0
	var how []int
	for {
		w := newWorld(t, s)
		width := make([]int, 0, s.depth)
		for i := range s.depth {
			c := w.choices()
			width = append(width, len(c))
			if i == len(how) {
				how = append(how, 0)
			}
			c[how[i]]()
		}
		w.settle(how)
		histories++
		i := s.depth - 1
		for ; i >= 0 && how[i]+1 == width[i]; i-- {
			how = how[:i]
		}
		if i < 0 || t.Failed() {
			return histories
		}
		how[i]++
	}
}

// settle lets everything arrive; in the end nothing may be owed.
func (w *world) settle(how []int) {
	for _, n := range w.nodes {
		n.down = false
	}
	for range 40 {
		for w.scans > 0 {
			w.scan()
		}
		for len(w.asks) > 0 {
			w.deliver(0, true)
			w.asks = w.asks[1:]
		}
		for len(w.answers) > 0 {
			w.answer(0)
			w.answers = w.answers[1:]
		}
		for len(w.ops) > 0 {
			w.do()
		}
		if w.pending == nil {
			return
		}
		w.tick(11 * time.Second)
	}
	w.t.Fatalf("after %v: what is owed is not handed over, though all goes well", how)
}

// TestEveryOrder: whatever is lost, late, duplicated, written meanwhile, out of
// reach or replaced, a target is owed a record until it has it, or those who
// shall see to it have; and nothing is owed in the end.
func TestEveryOrder(t *testing.T) {
	a, list := []ring.NodeID{"a"}, func(ids ...ring.NodeID) []ring.NodeID { return ids }
	aged := 4 * time.Hour
	for _, s := range []scope{
		{name: "one target", targets: a, depth: 7},
		{name: "two targets", targets: list("a", "b"), depth: 5},
		{name: "false answers", targets: a, depth: 6, faulty: true, deaf: true},
		{name: "old, the target out of reach", targets: a, down: a, aged: aged, depth: 6, deaf: true, toggles: list("a", "b")},
		{name: "old, two out of reach", targets: list("a", "b"), down: list("a", "b"), aged: aged, depth: 6, deaf: true, toggles: list("a", "b")},
		{name: "old, false answers", targets: a, down: a, aged: aged, depth: 5, deaf: true, faulty: true},
		{name: "the target is replaced", targets: a, depth: 6, deaf: true, rings: [][]ring.NodeID{list("b", "c", "x")}},
		{name: "the target is replaced and out of reach", targets: a, down: a, depth: 6, deaf: true, rings: [][]ring.NodeID{list("b", "c", "x")}},
		{name: "old, the target is replaced", targets: a, down: a, aged: aged, depth: 6, deaf: true, rings: [][]ring.NodeID{list("b", "c", "x"), list("b", "c", self)}},
		{name: "the holder becomes a primary", targets: list("a", "b"), down: a, depth: 5, deaf: true, rings: [][]ring.NodeID{list("a", "b", self), list("b", "c", self)}},
		{name: "the holder starts again", targets: a, depth: 6, deaf: true, restart: true},
		{name: "old, the holder starts again", targets: a, down: a, aged: aged, depth: 6, deaf: true, restart: true, toggles: a},
	} {
		t.Run(s.name, func(t *testing.T) {
			began := time.Now()
			t.Logf("%d events: %d histories in %v", s.depth, explore(t, &s), time.Since(began).Round(time.Millisecond))
		})
	}
}
