package sim

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
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
