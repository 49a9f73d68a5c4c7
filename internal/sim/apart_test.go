package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
)

// apart is a world of two rings that were formed apart.
func apart(t *testing.T, cfg Config) *World {
	t.Helper()
	cfg.Compare, cfg.Apart = true, []ring.Node{{ID: "D"}, {ID: "E"}, {ID: "F"}}
	return newChangingWorld(t, cfg)
}

// fill writes keys with a name before them at a node of a ring.
func (w *World) fillRing(t *testing.T, at ring.NodeID, keys int) {
	t.Helper()
	for i := range keys {
		must(t, w.Put(at, keyIn("b", fmt.Sprint(at, i)), text(fmt.Sprint("v", at, i))))
	}
}

// showAll looks for what was written at one node from all.
func (w *World) showAll(t *testing.T, at ring.NodeID, keys int) {
	t.Helper()
	for i := range keys {
		for _, m := range w.nodes {
			w.shows(t, m.id, keyIn("b", fmt.Sprint(at, i)), fmt.Sprint("v", at, i))
		}
	}
}

// TestPaper_4_8_2_RingsFormedApartMerge: what was acknowledged in either ring is shown
// by every node of the one that they become.
func TestPaper_4_8_2_RingsFormedApartMerge(t *testing.T) {
	w := apart(t, Config{})
	w.RunFor(time.Minute)
	w.fillRing(t, "A", 20)
	w.fillRing(t, "D", 20)
	w.Introduce()
	w.RunFor(10 * time.Second)
	w.settles(t, "after the rings met")
	if n := len(w.Place().Members()); n != 6 {
		t.Fatalf("there are %d members", n)
	}
	w.showAll(t, "A", 20)
	w.showAll(t, "D", 20)
	if w.settleRing(); w.broken != nil {
		t.Error(w.broken)
	}
}
