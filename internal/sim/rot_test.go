package sim

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/scrub"
)

// TestWhatRotsIsFoundUnasked: records and all leaves of trees rot on one node, nobody
// reads and nobody compares, and within the time of a round all is as it was.
func TestWhatRotsIsFoundUnasked(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		cfg := Config{Scrub: true}
		cfg.Node.Scrub = scrub.Config{Within: 10 * time.Second, Slice: 512}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var keys []ouro.Key
		for i := range 60 {
			keys = append(keys, keyIn("b", fmt.Sprint("k", i)))
			must(t, w.Put("B", keys[i], text("v"), ouro.W(3)))
		}
		for i := 0; i < len(keys); i += 7 {
			w.Rot("A", keys[i])
		}
		w.RotLeaves("A")
		a := w.mustID("A")
		if len(a.rotten) != 9 || w.rottenLeaves(a) == 0 {
			t.Fatalf("%d records and %d leaves are rotten", len(a.rotten), w.rottenLeaves(a))
		}
		for range 5 {
			w.RunFor(2 * time.Second)
			if restarts {
				w.Crash("A")
				w.Restart("A")
			}
		}
		w.RunFor(3 * time.Second) // of which one is the wait before others are asked
		if w.findRotten(); len(a.rotten) > 0 || w.rottenLeaves(a) > 0 {
			t.Errorf("restarts %v: %d records and %d leaves are rotten still", restarts, len(a.rotten), w.rottenLeaves(a))
		}
		w.addUp(a, "after a round")
		for _, key := range keys {
			_, mine, _ := w.state(a, key)
			if _, others, found := w.state(w.mustID("B"), key); !found || !bytes.Equal(mine, others) {
				t.Errorf("restarts %v: A and B differ in %v", restarts, key)
			}
		}
		if w.broken != nil {
			t.Errorf("restarts %v: %v", restarts, w.broken)
		}
	}
}

// TestALeafRotsForGood: a leaf that rots again, in the same place, is not as it was
// before (seed 43).
func TestALeafRotsForGood(t *testing.T) {
	w, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	must(t, w.Put("B", keyIn("b", "k"), text("v"), ouro.W(3)))
	a := w.mustID("A")
	sound := map[string][]byte{}
	for _, key := range w.leavesOf(a) {
		_, _ = a.disk.Engine.Get(key, func(v []byte) { sound[string(key)] = bytes.Clone(v) })
	}
	for seed := range uint64(20) {
		for range 3 {
			w.rotLeaves(a, stream(seed, 1))
		}
	}
	if len(a.leaves) == 0 {
		t.Fatal("none rots")
	}
	for key, rotted := range a.leaves {
		if slices.ContainsFunc(rotted, func(v []byte) bool { return bytes.Equal(v, sound[key]) }) {
			t.Errorf("the leaf %q is sound, and is taken for a rotten one", key)
		}
	}
}
