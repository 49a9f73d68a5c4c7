package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
)

// An outage of an hour, and one of two nodes for ten minutes, in which clients go on: nobody
// takes what those hold, and no detector makes a change of the ring. When they are back
// they have their places, and what they missed (paper, sections 4.8.1a and 4.8.3c).
func TestPaper_4_8_1_AnOutageMovesNothing(t *testing.T) {
	cfg := Config{Q: 16}
	for _, id := range []ring.NodeID{"A", "B", "C", "D", "E"} {
		cfg.Nodes = append(cfg.Nodes, ring.Node{ID: id, Weight: 1})
	}
	w := newChangingWorld(t, cfg)
	w.settles(t, "at first")
	holds := func() string {
		v := w.newest()
		all := fmt.Sprintf("link %d %x, ring %x, %d changes", v.Place.Number(), v.Place.Hash(), v.Ring.Hash(), len(w.mustID("A").steward.core.History().Changes()))
		for p := range uint32(v.Place.Q()) {
			all += fmt.Sprint("\n", p, " ", v.Place.Of(p))
		}
		return all
	}
	before := holds()
	for _, out := range []struct {
		down    string
		minutes int
	}{{"B", 60}, {"CD", 10}} {
		down, minutes := out.down, out.minutes
		for _, id := range down {
			w.Crash(ring.NodeID(id))
		}
		for i := range minutes {
			must(t, w.Put("A", keyIn("b", fmt.Sprint(down, i)), text("v")))
			w.RunFor(time.Minute)
		}
		if after := holds(); after != before {
			t.Errorf("%s was down for %d minutes, and before it\n%s\nand then\n%s", down, minutes, before, after)
		}
		for _, id := range down {
			w.Restart(ring.NodeID(id))
		}
		w.RunFor(time.Minute)
		w.settles(t, "after an outage")
		for i := range minutes {
			w.shows(t, ring.NodeID(down[:1]), keyIn("b", fmt.Sprint(down, i)), "v")
		}
		if after := holds(); after != before {
			t.Errorf("%s is back, and before it\n%s\nand then\n%s", down, before, after)
		}
	}
}
