package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Who leaves has stood in for one that is down. It is a member until what it keeps is
// with that one, or with others who keep it in its stead: nothing is lost with it.
func TestALeaverHandsOnWhatItKeepsForOthers(t *testing.T) {
	for _, comesBack := range []bool{true, false} {
		w := newChangingWorld(t, Config{Nodes: []ring.Node{{ID: "A", Weight: 1}, {ID: "B", Weight: 1}, {ID: "C", Weight: 1}, {ID: "D", Weight: 1}, {ID: "E", Weight: 1}}})
		w.settles(t, "at first")
		w.RunFor(10 * time.Second) // their disks are named
		order := w.Preference(key)
		down, standIn := order[2], order[3]
		w.Crash(down)
		w.RunFor(time.Second)
		must(t, w.Put(order[0], key, text("v")))
		w.RunFor(time.Second)
		if w.Kept(standIn) == 0 {
			t.Fatalf("%s keeps nothing for %s", standIn, down)
		}
		w.Leave(order[0], standIn)
		w.RunFor(time.Minute)
		kept := int64(0)
		for _, id := range order {
			if id != down {
				kept += w.Kept(id)
			}
		}
		held := 0
		for _, id := range w.Primaries(key) {
			if _, ok := w.State(id, key); ok && id != down {
				held++
			}
		}
		if _, in := w.Place().Member(standIn); !in && kept == 0 && held < 3 {
			t.Errorf("%s has gone, nobody keeps what it kept for %s, and %d hold it", standIn, down, held)
		}
		if !comesBack { // it can be given up: the stand-in goes on without it
			w.forceRemove(order[0], down)
		} else {
			w.Restart(down)
		}
		w.settles(t, "after it all")
		if _, in := w.Place().Member(standIn); in || w.Kept(standIn) > 0 {
			t.Errorf("%s still is there, and keeps %d bytes", standIn, w.Kept(standIn))
		}
		for _, id := range w.Primaries(key) {
			if _, ok := w.State(id, key); !ok {
				t.Errorf("%s has not got what %s kept", id, standIn)
			}
		}
		if w.broken != nil {
			t.Error(w.broken)
		}
	}
}
