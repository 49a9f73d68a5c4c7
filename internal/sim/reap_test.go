package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
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

func (w *World) epochOf(id ring.NodeID) uint64 { return w.mustID(id).steward.epochs.Status().Epoch }

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
