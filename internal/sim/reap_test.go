package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// newReapingWorld returns a world in which tombstones go fast.
func newReapingWorld(t *testing.T, cfg Config) *World {
	t.Helper()
	cfg.Reap = true
	cfg.Epochs.Every, cfg.Epochs.Tell = 200*time.Millisecond, 50*time.Millisecond
	cfg.Node.Reap.Delay, cfg.Node.Reap.Every = 50*time.Millisecond, time.Second
	return newWorld(t, cfg)
}

// must does a call that has to succeed.
func must(t *testing.T, c *Call) ouro.Result {
	t.Helper()
	res, err := c.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// gone checks that no node stores anything under the key.
func (w *World) gone(t *testing.T, key ouro.Key) {
	t.Helper()
	for _, m := range w.nodes {
		if s, _, found := w.state(m, key); found {
			t.Errorf("%s still holds %s", m.id, tell(&s))
		}
	}
}

// A deleted key goes from every disk when all primaries have voted for its
// tombstone, and the world comes to rest.
func TestPaper_9_4(t *testing.T) {
	w := newReapingWorld(t, Config{})
	put := must(t, w.Put("A", key, text("milk")))
	must(t, w.Delete("A", key, ouro.WithContext(put.Context)))
	if s, ok := w.State("A", key); !ok || len(s.Versions) != 0 {
		t.Fatalf("A holds %v, %v after the delete, not a tombstone", s, ok)
	}
	w.RunUntilIdle()
	w.gone(t, key)
	if w.Now() > 3*time.Second {
		t.Errorf("it took %v", w.Now())
	}
}

// shows checks what a read of all replicas shows.
func (w *World) shows(t *testing.T, at ring.NodeID, key ouro.Key, want ...string) {
	t.Helper()
	res, err := w.Get(at, key, ouro.R(3)).Wait()
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		t.Fatal(err)
	}
	got := make([]string, len(res.Siblings))
	for i := range res.Siblings {
		got[i] = string(res.Siblings[i].Data)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s shows %q, not %q", at, got, want)
	}
}

// holding matches joins of states that hold a version.
func holding(m *node.Message) bool {
	if !Joins(m) {
		return false
	}
	s, err := causal.DecodeState(m.Op.State)
	return err == nil && len(s.Versions) > 0
}

// All primaries are equal and nobody keeps a hint, and yet a copy is on its way:
// it arrives after the tombstone was reaped, and is refused.
func TestRules_H5_CopyArrivesAfterTheReaping(t *testing.T) {
	w := newReapingWorld(t, Config{Net: NetConfig{Detect: time.Hour}})
	held := w.Hold("A", "C", holding)
	put := must(t, w.Put("A", key, text("milk")))
	must(t, w.Delete("A", key, ouro.WithContext(put.Context)))
	w.RunUntilIdle()
	w.gone(t, key)
	if held.Len() == 0 {
		t.Fatal("no copy was held back")
	}
	held.Let()
	w.RunUntilIdle()
	w.gone(t, key)
	w.shows(t, "C", key)
}

// A context of before the reaping is an honest one: what is written under it is
// stored, no alarm is raised, and nothing swallows it.
func TestRules_H18_ContextOfBeforeTheReaping(t *testing.T) {
	w := newReapingWorld(t, Config{})
	put := must(t, w.Put("A", key, text("milk")))
	del := must(t, w.Delete("B", key, ouro.WithContext(put.Context)))
	w.RunUntilIdle()
	w.gone(t, key)
	for i, old := range []ouro.Context{put.Context, del.Context} {
		value := string(rune('a' + i))
		res := must(t, w.Put("A", key, text(value), ouro.WithContext(old)))
		w.RunUntilIdle()
		w.shows(t, "B", key, value)
		must(t, w.Delete("C", key, ouro.WithContext(res.Context)))
		w.RunUntilIdle()
		w.gone(t, key)
	}
}

// Doomstone: a fallback keeps a tombstone for a primary that is away, the key is
// created again, and the hint is handed over late. The tombstone swallows nothing:
// while it is kept nothing is reaped, so that everything that is newer says so.
func TestField_3_Doomstone(t *testing.T) {
	for _, again := range []bool{false, true} {
		w := newReapingWorld(t, Config{Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}}})
		owners := w.Preference(key)
		first, away := owners[0], owners[2]
		put := must(t, w.Put(first, key, text("old"), ouro.W(3)))
		w.Crash(away)
		w.RunFor(time.Second)
		must(t, w.Delete(first, key, ouro.WithContext(put.Context), ouro.W(3)))
		w.RunFor(10 * time.Second)
		if s, ok := w.State(first, key); !ok || len(s.Versions) != 0 {
			t.Fatalf("with a primary away %s holds %v, %v, not the tombstone", first, s, ok)
		}
		want := []string{}
		if again {
			must(t, w.Put(first, key, text("new"), ouro.W(3)))
			want = append(want, "new")
		}
		w.Restart(away)
		w.RunUntilIdle()
		for _, id := range owners[:3] {
			w.shows(t, id, key, want...)
		}
		if !again {
			w.gone(t, key)
		}
	}
}

// kv679: the coordinator creates a key again whose tombstone was reaped, with an
// actor of its own, and no copy of the old life is left to claim it.
func TestField_3_CreatedAgainAfterTheReaping(t *testing.T) {
	w := newReapingWorld(t, Config{})
	held := w.Hold("A", "B", Joins)
	put := must(t, w.Put("A", key, text("old")))
	must(t, w.Delete("A", key, ouro.WithContext(put.Context)))
	w.RunFor(20 * time.Millisecond)
	held.link.filter = nil // what is held stays
	w.RunUntilIdle()
	w.gone(t, key)
	must(t, w.Put("A", key, text("new")))
	w.RunUntilIdle()
	held.Let()
	w.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		w.shows(t, id, key, "new")
	}
}

// What has expired for long goes as if it was deleted, also where a replica was
// away meanwhile (riak#981); a version that is not due stays.
func TestField_17_ExpiredIsReaped(t *testing.T) {
	cfg := Config{}
	cfg.Node.Reap.Expired = 500 * time.Millisecond
	w := newReapingWorld(t, cfg)
	lasting := keyIn("b", "lasting")
	w.Crash("C")
	must(t, w.Put("A", key, text("milk"), func(o *ouro.Options) { o.TTL = time.Second }))
	must(t, w.Put("A", lasting, text("bread"), func(o *ouro.Options) { o.TTL = 48 * time.Hour }))
	w.RunFor(3 * time.Second)
	w.shows2(t, "A", key)
	w.Restart("C")
	w.RunFor(20 * time.Second)
	w.gone(t, key)
	w.shows(t, "B", lasting, "bread")
}

// shows2 is shows where one replica is away.
func (w *World) shows2(t *testing.T, at ring.NodeID, key ouro.Key) {
	t.Helper()
	if _, err := w.Get(at, key, ouro.R(2)).Wait(); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("%s shows what has expired: %v", at, err)
	}
}

// An lww bucket keeps a delete as a version; nobody shows it any more, so it goes
// too (RULES R23).
func TestDeleteInAnLWWBucketIsReaped(t *testing.T) {
	cfg := Config{}
	cfg.Buckets.Default.LWW = true
	w := newReapingWorld(t, cfg)
	must(t, w.Put("A", key, text("milk")))
	must(t, w.Put("B", key, text("bread")))
	must(t, w.Delete("C", key))
	w.RunFor(20 * time.Second)
	w.gone(t, key)
	must(t, w.Put("A", key, text("eggs")))
	w.shows(t, "B", key, "eggs")
}
