package sim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/scrub"
	"github.com/ourodb/ouro/internal/core/transfer"
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

// TestWhatNobodyHasEndsNoRound: more records rot that no other node has than are kept in
// mind, and the rest is read back all the same.
func TestWhatNobodyHasEndsNoRound(t *testing.T) {
	cfg := Config{Nodes: []ring.Node{{ID: "A"}}, Scrub: true}
	cfg.Buckets.Default.N = 1
	cfg.Node.Recovery.Wait = time.Second
	cfg.Node.Scrub = scrub.Config{Within: 10 * time.Second, Slice: 4 << 10}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const keys = 1200
	for i := range keys {
		must(t, w.Put("A", keyIn("b", fmt.Sprint("k", i)), text("v"), ouro.W(1)))
	}
	for i := range keys {
		w.Rot("A", keyIn("b", fmt.Sprint("k", i)))
	}
	a := w.mustID("A")
	rotted := w.clock(a).Wall
	for range 90 {
		w.RunFor(time.Second)
		if last := a.core.Scrubs(w.clock(a)).Last; last.Began > rotted {
			if last.Rotten != keys {
				t.Errorf("a round has met %d records that can't be read, of %d", last.Rotten, keys)
			}
			return
		}
	}
	t.Errorf("no round ends: %+v", a.core.Scrubs(w.clock(a)))
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

// TestTheOnlyCopyRots: the only node has a record that can't be read, and gets another.
// What it held is not taken for nothing: the move waits, both say which key it is, and
// go on once it is put anew.
func TestTheOnlyCopyRots(t *testing.T) {
	cfg := Config{Nodes: []ring.Node{{ID: "A"}}}
	cfg.Buckets.Default.N = 3
	w := newChangingWorld(t, cfg, "B")
	w.RunFor(5 * time.Second)
	must(t, w.Put("A", key, text("v"), ouro.W(1)))
	w.Rot("A", key)
	w.Crash("A") // in its memory it was whole
	w.Restart("A")
	w.Join("A", "B")
	w.RunFor(3 * time.Minute)
	if w.broken != nil || w.Settled() {
		t.Fatalf("it has moved without what can't be read: %v", w.broken)
	}
	if u := w.mustID("A").core.Unhealed(nil, 16); len(u) != 1 || u[0].Key.Name != key.Name || !strings.Contains(u[0].Failed, "put the key anew") {
		t.Errorf("A tells %+v", u)
	}
	moves := w.mustID("B").core.Transfers(nil)
	if !slices.ContainsFunc(moves, func(p transfer.Pending) bool { return strings.Contains(p.Failed, "records there can't be read (1)") }) {
		t.Errorf("B tells %+v", moves)
	}
	must(t, w.Put("A", key, text("anew"), ouro.W(1)))
	w.settles(t, "once it is put anew")
	if _, state, _ := w.state(w.mustID("B"), key); !bytes.Contains(state, []byte("anew")) {
		t.Errorf("B holds %q", state)
	}
}

// TestALeaverHandsOnWhatIsBesideARottenRecord: a write is taken beside a record that
// can't be read, by nobody else, and the node leaves before the record is whole again.
func TestALeaverHandsOnWhatIsBesideARottenRecord(t *testing.T) {
	cfg := Config{Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}}}
	cfg.Node.Recovery.Wait = time.Minute
	w := newChangingWorld(t, cfg)
	w.settles(t, "at first")
	w.RunFor(5 * time.Second)
	list := w.Primaries(key)
	leaver, stays := list[0], list[1]
	must(t, w.Put(leaver, key, text("v"), ouro.W(3)))
	w.Rot(leaver, key)
	w.Crash(leaver)
	w.Restart(leaver)
	w.RunFor(2 * time.Second)
	for _, m := range w.nodes {
		if m.id != leaver {
			w.Cut(leaver, m.id)
		}
	}
	w.RunFor(10 * time.Second)
	must(t, w.Put(leaver, key, text("beside"), ouro.W(1)))
	w.RunFor(5 * time.Second)
	for _, m := range w.nodes {
		if m.id != leaver {
			w.Heal(leaver, m.id)
		}
	}
	w.RunFor(2 * time.Second)
	w.Leave(stays, leaver)
	w.RunFor(time.Second)
	w.settles(t, "once it has left")
	if _, there := w.State(leaver, key); there {
		t.Error("it still holds it")
	}
	if _, state, _ := w.state(w.mustID(stays), key); !bytes.Contains(state, []byte("beside")) {
		t.Errorf("%s holds %q", stays, state)
	}
}
