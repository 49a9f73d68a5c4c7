package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The traces that a move must withstand (RULES R13 to R16), on whole nodes: A, B and C
// hold everything, and D takes the place of one of them.

// strict is a cluster of A, B and C, and D in none, where w replicas acknowledge and r
// answer, primaries alone.
func strict(t *testing.T, r, w int) *World {
	t.Helper()
	cfg := Config{}
	b := &cfg.Buckets.Default
	b.N, b.R, b.W, b.PR, b.PW = 3, r, w, r, w
	world := newChangingWorld(t, cfg, "D")
	world.RunFor(5 * time.Second) // the disks of the founders are named
	return world
}

// replace lets D take the place of a member.
func (w *World) replace(t *testing.T, old ring.NodeID) {
	t.Helper()
	done := w.Issue("A", member.Change{Kind: member.Replace, Old: old, Member: member.Member{Node: ring.Node{ID: "D", Weight: 1}, Addr: "D"}})
	w.RunFor(time.Second)
	if !done.Done || done.Err != nil {
		t.Fatalf("%+v", *done)
	}
}

// rewrite replaces what a key has, and says whether that was acknowledged.
func (w *World) rewrite(t *testing.T, at ring.NodeID, value string, seen ouro.Context) bool {
	t.Helper()
	_, err := w.Put(at, key, text(value), ouro.WithContext(seen)).Wait()
	return err == nil
}

// context reads a key for what it has.
func (w *World) context(t *testing.T, at ring.NodeID) ouro.Context {
	t.Helper()
	res, err := w.Get(at, key).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return res.Context
}

// neverWithout asks a node for a key: it shows the value that was acknowledged, or
// answers nothing.
func (w *World) neverWithout(t *testing.T, at ring.NodeID, value string) {
	t.Helper()
	res, err := w.Get(at, key).Wait()
	switch {
	case err != nil && ouro.CodeOf(err) != ouro.NotFound:
	case !slices.ContainsFunc(res.Siblings, func(s ouro.Sibling) bool { return string(s.Data) == value }):
		t.Errorf("%s shows %q, and %q was acknowledged (%v)", at, res.Siblings, value, err)
	}
	if w.broken != nil {
		t.Error(w.broken)
	}
}

// ends lets everything through again, and looks at what has become of the key.
func (w *World) ends(t *testing.T, value string) {
	t.Helper()
	w.Lose(nil)
	w.settles(t, "at the end")
	for _, m := range w.Place().Members() {
		w.shows(t, m.ID, key, value)
	}
}

// later says whether a message tells of a link beyond a number.
func later(m *node.Message, number uint64) bool {
	return m.Kind == node.KindChain && m.Chain.Number > number && (m.Chain.Kind == chain.Tell || m.Chain.Kind == chain.Chosen || m.Chain.Kind == chain.Page)
}

// A write was acknowledged by A and B. The newcomer can compare with C alone, which
// lacks it: the move does not end (RULES R16).
func TestRules_R16_OneSourceIsTooFew(t *testing.T) {
	w := strict(t, 2, 2)
	mute := func(from, to ring.NodeID, m *node.Message) bool { return to == "C" && m.Kind == node.KindAsk }
	w.Lose(mute)
	must(t, w.Put("A", key, text("v")))
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool {
		if from != "C" && to != "C" && (from == "D" || to == "D") { // that they know of the move it may hear
			switch m.Kind {
			case node.KindAsk, node.KindAnswer:
				return true
			case node.KindSurvey:
				return m.Survey.Look != replica.Roots
			case node.KindFound:
				return m.Found.Look != replica.Roots
			}
		}
		return from != "D" && mute(from, to, m)
	})
	w.replace(t, "A")
	w.RunFor(2 * time.Minute)
	w.Cut("C", "A")
	w.Cut("C", "B")
	w.Cut("D", "A")
	w.Cut("D", "B")
	w.RunFor(5 * time.Second)
	w.neverWithout(t, "C", "v")
	for _, from := range []ring.NodeID{"C", "D"} {
		w.Heal(from, "A")
		w.Heal(from, "B")
	}
	w.ends(t, "v")
}

// C does not hear that it is to be replaced. Where all must acknowledge and one may
// answer, the move does not end before it has: it would go on answering alone (R16).
func TestRules_R16_WithoutTheSealNothingEnds(t *testing.T) {
	w := strict(t, 1, 3)
	must(t, w.Put("A", key, text("v1")))
	seen := w.context(t, "A")
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool {
		return to == "C" && later(m, 2) || from == "C" && m.Kind == node.KindChain && m.Chain.Kind == chain.Prepare
	})
	w.replace(t, "C")
	w.RunFor(2 * time.Minute)
	if n := w.mustID("C").steward.core.Place().Number(); n > 2 || moving(w) == 0 && w.stats.Ring.Ended == 0 {
		t.Fatalf("C is at link %d, %+v", n, w.stats.Ring)
	}
	if w.rewrite(t, "A", "v2", seen) {
		w.neverWithout(t, "C", "v2")
	}
	w.Lose(nil)
	w.settles(t, "at the end")
	if w.rewrite(t, "B", "v3", w.context(t, "B")) {
		w.ends(t, "v3")
	}
}

// B and C know that D comes in C's place, not that it is there. A write at the new list
// alone is not missed by a read at both (R14).
func TestRules_R14_AReadNeedsBothLists(t *testing.T) {
	w := strict(t, 2, 2)
	must(t, w.Put("A", key, text("v1")))
	seen := w.context(t, "A")
	w.RunFor(time.Second)
	w.replace(t, "C")
	number := func(id ring.NodeID) uint64 { return w.mustID(id).steward.core.Place().Number() }
	for end := w.now + time.Minute; moving(w) < w.cfg.Q || number("B") != number("A") || number("C") != number("A"); {
		if w.RunFor(time.Millisecond); w.now > end {
			t.Fatal("nothing moves")
		}
	}
	began := number("A")
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool { return (to == "B" || to == "C") && later(m, began) })
	for end := w.now + 2*time.Minute; number("A") == began; {
		if w.RunFor(time.Millisecond); w.now > end {
			t.Fatal("the move does not end")
		}
	}
	w.RunFor(5 * time.Second)
	if number("B") != began || number("C") != began || number("D") == began {
		t.Fatalf("A is at link %d, B at %d, C at %d, D at %d", number("A"), number("B"), number("C"), number("D"))
	}
	if !w.rewrite(t, "A", "v2", seen) {
		t.Fatal("A and D are two of the new list, and have not taken a write")
	}
	w.neverWithout(t, "B", "v2")
	w.neverWithout(t, "C", "v2")
	w.ends(t, "v2")
}

// B and C have not heard of the move yet, and take a write by themselves, after the
// newcomer asked B for all it has: B does not answer it before it knows (R16).
func TestRules_R16_WhoDoesNotKnowIsNoSource(t *testing.T) {
	w := strict(t, 2, 2)
	must(t, w.Put("A", key, text("v1")))
	seen := w.context(t, "A")
	w.RunFor(time.Second)
	unheard := func(from, to ring.NodeID, m *node.Message) bool {
		return (to == "B" || to == "C") && later(m, 2) || from != "A" && m.Kind == node.KindChain && m.Chain.Kind == chain.Prepare
	}
	w.Lose(unheard)
	w.replace(t, "C")
	w.RunFor(time.Minute)
	if moving(w) < w.cfg.Q || w.mustID("B").steward.core.Place().Number() > 2 {
		t.Fatalf("%d partitions move, B is at link %d: %v, %+v", moving(w), w.mustID("B").steward.core.Place().Number(), w.unsettled(), w.stats.Ring)
	}
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool {
		return unheard(from, to, m) || (from == "B" || from == "C") && to == "A" && (m.Kind == node.KindAsk || m.Kind == node.KindForward)
	})
	if !w.rewrite(t, "B", "v2", seen) {
		t.Fatal("B and C have not taken a write")
	}
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool { // D has the write if it asks for it, and A from D alone
		return (from == "B" || from == "C") && (to == "A" || to == "D") && m.Kind == node.KindAsk
	})
	for end := w.now + 5*time.Minute; moving(w) > 0 && w.now < end; {
		w.RunFor(10 * time.Millisecond)
	}
	if moving(w) > 0 {
		t.Fatal("the move does not end")
	}
	for _, from := range []ring.NodeID{"A", "D"} {
		w.Cut(from, "B")
		w.Cut(from, "C")
	}
	w.RunFor(5 * time.Second)
	w.neverWithout(t, "A", "v2")
	for _, from := range []ring.NodeID{"A", "D"} {
		w.Heal(from, "B")
		w.Heal(from, "C")
	}
	w.ends(t, "v2")
}

// Two halves of a cluster of four are both told to change: neither does, as neither is
// more than half, and both changes are made when they meet (R12, R13, H4).
func TestRules_H4_HalfAClusterMovesNothing(t *testing.T) {
	w := newChangingWorld(t, Config{Nodes: []ring.Node{{ID: "A", Weight: 1}, {ID: "B", Weight: 1}, {ID: "C", Weight: 1}, {ID: "D", Weight: 1}}}, "E", "F")
	w.RunFor(5 * time.Second) // the disks of the founders are named
	must(t, w.Put("A", key, text("v")))
	for _, a := range []ring.NodeID{"A", "B", "E"} {
		for _, b := range []ring.NodeID{"C", "D", "F"} {
			w.Cut(a, b)
		}
	}
	before := w.Place().Number()
	w.Join("A", "E")
	w.Join("C", "F")
	w.RunFor(2 * time.Minute)
	if n := w.Place().Number(); n != before {
		t.Errorf("half of the cluster has gone from link %d to %d", before, n)
	}
	for _, a := range []ring.NodeID{"A", "B", "E"} {
		for _, b := range []ring.NodeID{"C", "D", "F"} {
			w.Heal(a, b)
		}
	}
	w.RunFor(5 * time.Second)
	w.settles(t, "after they met")
	if n := len(w.Place().Members()); n != 6 {
		t.Errorf("there are %d members", n)
	}
	w.shows(t, "F", key, "v")
}
