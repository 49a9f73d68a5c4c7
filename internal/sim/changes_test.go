package sim

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/effort"
)

func newChangingWorld(t *testing.T, cfg Config, spares ...ring.NodeID) *World {
	t.Helper()
	cfg.Changes, cfg.Reap = true, true
	if os.Getenv("OURO_TRACE") != "" {
		cfg.Trace = os.Stderr
	}
	for _, id := range spares {
		cfg.Spares = append(cfg.Spares, ring.Node{ID: id, Weight: 1})
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// settles waits for as long as a change may take.
func (w *World) settles(t *testing.T, after string) {
	t.Helper()
	for end := w.now + 10*time.Minute; !w.Settled() && w.now < end && w.broken == nil; {
		w.RunFor(time.Second)
	}
	if w.broken != nil {
		t.Fatalf("%s: %v", after, w.broken)
	}
	if w.Settled() {
		return
	}
	for _, m := range w.nodes {
		if m.alive {
			v := m.steward.core.View()
			t.Logf("%s: ring %d nodes, links %+v, left over %d", m.id, len(v.Ring.Nodes()), m.steward.core.Links(), m.core.LeftOver())
		}
	}
	t.Fatalf("%s it has not settled in ten minutes", after)
}

// A cluster of three grows to five and shrinks again, and loses nothing.
func TestAClusterGrowsAndShrinks(t *testing.T) {
	w := newChangingWorld(t, Config{Compare: true}, "D", "E")
	for i := range 20 {
		must(t, w.Put("A", keyIn("b", fmt.Sprint(i)), text(fmt.Sprint("v", i))))
	}
	shown := func(after string) {
		t.Helper()
		for i := range 20 {
			for _, m := range w.newest().Place.Members() {
				w.shows(t, m.ID, keyIn("b", fmt.Sprint(i)), fmt.Sprint("v", i))
			}
		}
	}
	w.settles(t, "at first")
	if n := w.Place().Number(); n != 2 {
		t.Errorf("the disks of the founders are named by link %d", n)
	}
	for _, step := range []struct {
		what string
		do   func() *Issued
		size int
	}{
		{"after D joined", func() *Issued { return w.Join("A", "D") }, 4},
		{"after E joined at D", func() *Issued { return w.Join("D", "E") }, 5},
		{"after B left", func() *Issued { return w.Leave("A", "B") }, 4},
		{"after A left", func() *Issued { return w.Leave("C", "A") }, 3},
	} {
		done := step.do()
		w.RunFor(5 * time.Second)
		if !done.Done || done.Err != nil {
			t.Fatalf("%s: %+v", step.what, *done)
		}
		w.settles(t, step.what)
		if n := len(w.Place().Members()); n != step.size {
			t.Fatalf("%s there are %d members", step.what, n)
		}
		shown(step.what)
	}
	if _, ok := w.State("A", keyIn("b", "1")); ok {
		t.Error("A has left and still holds something")
	}
}

// Who leaves is a member until it has handed on what it holds: to every node that
// holds it now.
func TestALeaverStaysUntilItHasHandedOn(t *testing.T) {
	w := newChangingWorld(t, Config{Compare: true, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}}})
	for i := range 20 {
		must(t, w.Put("B", keyIn("b", fmt.Sprint(i)), text("v"), ouro.W(3)))
	}
	w.settles(t, "at first")
	w.Cut("A", "D")
	w.Leave("B", "A")
	w.RunFor(time.Minute)
	for p := range uint32(w.Place().Q()) {
		if w.Place().Of(p).Moving() || w.Place().Of(p).Holds("A") {
			t.Fatalf("partition %d is at %+v", p, w.Place().Of(p))
		}
	}
	if _, ok := w.Place().Member("A"); !ok || w.mustID("A").core.LeftOver() == 0 {
		t.Errorf("A is no member any more, %d partitions are left over there", w.mustID("A").core.LeftOver())
	}
	if w.handedOn(w.mustID("A")) {
		t.Error("A has handed on what it holds, while D can't be reached")
	}
	w.Heal("A", "D")
	w.settles(t, "after A has left")
	for _, m := range w.nodes { // an old disk of A's counts for nothing from now on (seed 1687 of the ring among faults)
		if got, want := w.handedOn(m), m.id == "A"; got != want {
			t.Errorf("%s has handed on all: %v", m.id, got)
		}
	}
}

// A node joins and another leaves while nodes crash, lose their disks, are cut off and
// clients write: every acknowledged write is shown at the end, and nothing is left
// where it does not belong.
func TestChangesThroughFaults(t *testing.T) {
	seeds := uint64(16)
	if effort.Small() {
		seeds = 4
	}
	for seed := range seeds {
		w := newChangingWorld(t, Config{Compare: true, Seed: seed, Q: 16}, "D", "E")
		w.settles(t, "at first")
		tried := 0
		var written []int
		write := func(d time.Duration) {
			for end := w.now + d; w.now < end && w.broken == nil; tried++ {
				at := []ring.NodeID{"B", "C"}[tried%2]
				if _, err := w.Put(at, keyIn("b", fmt.Sprint(tried)), text(fmt.Sprint("v", tried))).Wait(); err == nil {
					written = append(written, tried)
				}
				w.RunFor(50 * time.Millisecond)
			}
		}
		write(time.Second)
		w.Join("B", "D")
		write(time.Duration(seed%5+1) * 300 * time.Millisecond)
		w.Crash("D")
		write(time.Second)
		w.Restart("D")
		write(time.Second)
		w.Crash("A")
		if seed%3 == 0 {
			w.Wipe("A")
		}
		write(time.Second)
		w.Restart("A")
		w.Join("C", "E")
		write(time.Second)
		w.Leave("C", "A")
		w.Cut("A", "B")
		write(2 * time.Second)
		w.Heal("A", "B")
		w.settles(t, fmt.Sprint("seed ", seed, ": after it all"))
		for _, i := range written {
			for _, m := range w.Place().Members() {
				w.shows(t, m.ID, keyIn("b", fmt.Sprint(i)), fmt.Sprint("v", i))
			}
			if _, ok := w.State("A", keyIn("b", fmt.Sprint(i))); ok {
				t.Fatalf("seed %d: A has left and holds key %d", seed, i)
			}
		}
		if len(written) < 100 {
			t.Errorf("seed %d: only %d of %d writes were acknowledged", seed, len(written), tried)
		}
	}
}
