package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A write is held by nobody but a stand-in, which becomes a newcomer of its key's
// partition and never arrives, as the operator changes his mind. What it keeps is owed
// to those in the list in force, and is there after the abort: a newcomer pays nobody,
// itself least of all (RULES R34).
func TestRules_R34_ANewcomerPaysNobody(t *testing.T) {
	w := newChangingWorld(t, Config{Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}}}, "E")
	w.settles(t, "at first")
	w.RunFor(5 * time.Second) // the disks of the founders are named
	list := w.Primaries(key)
	standIn := w.Preference(key)[3]
	w.Crash(list[0])
	others := list[1:]
	for _, id := range others {
		w.Cut(standIn, id)
	}
	w.RunFor(10 * time.Second)
	must(t, w.Put(standIn, key, text("v"), ouro.W(1)))
	// From here on it says nothing of what it holds: it neither pays nor compares.
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool {
		return from == standIn && (m.Kind == node.KindAsk || m.Kind == node.KindSurvey || m.Kind == node.KindFound)
	})
	for _, id := range others {
		w.Heal(standIn, id)
	}
	w.RunFor(5 * time.Second)
	p := w.ring.Partition(ring.NewKey(key.Bucket, key.Name).Pos)
	w.Join(others[0], "E") // so that there are three
	w.Leave(others[0], others[1])
	w.until(t, "the stand-in is a newcomer", func() bool { return w.Place().Of(p).Newcomer(standIn) })
	w.until(t, "the stand-in knows of it", func() bool { return w.view(w.mustID(standIn)).Place.Of(p).Newcomer(standIn) })
	for _, id := range others { // it can't even try to pay those: all that is left is itself
		w.Cut(standIn, id)
	}
	w.RunFor(40 * time.Second)
	if !w.Place().Of(p).Newcomer(standIn) {
		t.Fatal("it has arrived")
	}
	w.Leave(others[0], standIn)
	w.until(t, "its move is aborted", func() bool { return !w.Place().Of(p).Newcomer(standIn) })
	for _, id := range others {
		w.Heal(standIn, id)
	}
	w.RunFor(20 * time.Second)
	w.Lose(nil)
	w.Restart(list[0])
	w.settles(t, "at the end")
	w.shows(t, others[0], key, "v")
	if _, there := w.State(standIn, key); there {
		t.Error("who has left still holds it")
	}
}

// until lets the world go on until something is so.
func (w *World) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := w.now + 10*time.Minute; !so() && w.broken == nil; {
		if w.RunFor(10 * time.Millisecond); w.now > end {
			t.Fatalf("it never happens that %s: %v", what, w.unsettled())
		}
	}
	if w.broken != nil {
		t.Fatal(w.broken)
	}
}
