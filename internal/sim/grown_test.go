package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A node that had joined, or a founder whose lists are not those of the founding any
// more, loses its disk. What it held is not on that, nor in any list of members: it
// waits until it has learned it from the others, recovers it, and has all of it again.
func TestANodeOfAClusterThatGrewLosesItsDisk(t *testing.T) {
	for _, lost := range []ring.NodeID{"D", "A"} {
		w := newChangingWorld(t, Config{Compare: true, Q: 16, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "E"}}}, "D")
		w.settles(t, "at first")
		w.Join("B", "D")
		w.RunFor(5 * time.Second)
		w.settles(t, "after D joined")
		for _, id := range []ring.NodeID{"C", "E"} { // A and D hold all then
			w.Leave("B", id)
			w.RunFor(5 * time.Second)
			w.settles(t, "after "+string(id)+" left")
		}
		for i := range 20 {
			must(t, w.Put("B", keyIn("b", fmt.Sprint(i)), text("v"), ouro.W(3)))
		}
		w.Crash(lost)
		w.Wipe(lost)
		w.Restart(lost)
		marked := map[int]bool{}
		for range 120 {
			w.RunFor(500 * time.Millisecond)
			if all, err := w.mustID(lost).runner.Recoveries(); err == nil && w.mustID(lost).alive {
				marked[len(all)] = true
			}
		}
		if !marked[16] {
			t.Errorf("%s lost all of 16 partitions, and had marked %v", lost, marked)
		}
		w.settles(t, "after the disk of "+string(lost)+" was lost")
		if w.RunFor(3 * time.Minute); w.Recovering(lost) {
			t.Errorf("%s recovers still", lost)
		}
		for i := range 20 {
			key := keyIn("b", fmt.Sprint(i))
			if _, ok := w.State(lost, key); !ok && slices.Contains(w.Primaries(key), lost) {
				t.Errorf("%s has not %v again", lost, key)
			}
		}
	}
}
