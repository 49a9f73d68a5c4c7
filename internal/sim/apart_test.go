package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/effort"
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

// TestRingsFormedApartMergeThroughFaults: the same while either ring changes, clients
// write to both, nodes crash and links are cut. Nothing that was acknowledged is lost,
// whatever had been reaped in either, and whichever of them was in a later epoch; and
// nothing is stored twice, as each put has an id by which another coordinator knows it.
func TestRingsFormedApartMergeThroughFaults(t *testing.T) {
	seeds := uint64(12)
	if effort.Small() {
		seeds = 3
	}
	for seed := range seeds {
		w := apart(t, Config{Seed: seed, Q: 16, Spares: []ring.Node{{ID: "G"}, {ID: "H"}}})
		w.RunFor(5 * time.Second)
		young := []ring.NodeID{"D", "E", "F"}
		old := []ring.NodeID{"A", "B", "C"}
		rings := [][]ring.NodeID{old, young}
		for i := range 40 { // the epochs of one ring go on for longer
			at := rings[(seed+uint64(i/30))%2][i%3]
			must(t, w.Put(at, keyIn("b", fmt.Sprint("gone", i)), text("v")))
			must(t, w.Delete(at, keyIn("b", fmt.Sprint("gone", i))))
			w.RunFor(time.Second)
		}
		written := map[string]string{}
		var keys []string
		tried := 0
		write := func(d time.Duration) {
			for end := w.now + d; w.now < end && w.broken == nil; tried++ {
				at := [][]ring.NodeID{old, young}[tried%2][tried/2%3]
				key := fmt.Sprint("k", tried)
				if w.mustID(at).alive {
					if _, err := w.Put(at, keyIn("b", key), text("v"+key), ouro.RequestID(key)).Wait(); err == nil {
						written[key], keys = "v"+key, append(keys, key)
					}
				}
				w.RunFor(50 * time.Millisecond)
			}
		}
		write(2 * time.Second)
		w.Issue("D", member.Change{Kind: member.Add, Member: member.Member{Node: ring.Node{ID: "G", Weight: 1}, Addr: "G"}})
		write(time.Duration(seed%4) * 500 * time.Millisecond)
		w.Issue("A", member.Change{Kind: member.Add, Member: member.Member{Node: ring.Node{ID: "H", Weight: 1}, Addr: "H"}})
		write(time.Duration(seed%3) * 700 * time.Millisecond)
		w.Introduce()
		write(time.Duration(seed%5) * 300 * time.Millisecond)
		w.Crash("E")
		w.Cut("F", "B")
		write(time.Second)
		w.Restart("E")
		w.Crash(old[seed%3])
		write(time.Duration(seed%4) * time.Second)
		w.Restart(old[seed%3])
		w.Heal("F", "B")
		write(time.Second)
		w.RunFor(30 * time.Second)
		w.settles(t, fmt.Sprint("seed ", seed, ": after it all"))
		if n := len(w.Place().Members()); n != 8 {
			t.Fatalf("seed %d: there are %d members", seed, n)
		}
		for _, key := range keys {
			for _, m := range w.nodes {
				w.shows(t, m.id, keyIn("b", key), written[key])
			}
		}
		for i := range 40 {
			w.shows(t, "A", keyIn("b", fmt.Sprint("gone", i)))
		}
		if w.settleRing(); w.broken != nil {
			t.Errorf("seed %d: %v", seed, w.broken)
		}
		if t.Failed() || len(keys) < 50 {
			t.Fatalf("seed %d: %d of %d writes were acknowledged", seed, len(keys), tried)
		}
	}
}
