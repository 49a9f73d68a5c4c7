package sim

import (
	"errors"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

var key = ouro.Key{Bucket: "b", Name: "k"}

func text(s string) ouro.Value { return ouro.Value{Data: []byte(s)} }

func newWorld(t *testing.T, cfg Config) *World {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.broken != nil {
			t.Errorf("%v", w.broken)
		}
	})
	return w
}

func TestWorldAnswersPutAndGetAtEveryNode(t *testing.T) {
	w := newWorld(t, Config{})
	if _, err := w.Put("A", key, text("hello")).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		res, err := w.Get(id, key).Wait()
		if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "hello" {
			t.Errorf("get at %s: %v %v", id, res.Siblings, err)
		}
	}
	w.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		if s, ok := w.State(id, key); !ok || len(s.Versions) != 1 {
			t.Errorf("%s stores %v, %v", id, s, ok)
		}
	}
	if w.Now() > 3*time.Second {
		t.Errorf("it took %v of virtual time", w.Now())
	}
}

func TestWorldFaults(t *testing.T) {
	w := newWorld(t, Config{})
	w.Crash("C")
	if _, err := w.Put("A", key, text("one")).Wait(); err != nil {
		t.Errorf("put with one of three down: %v", err)
	}
	w.Pause("B")
	if _, err := w.Put("A", key, text("two")).Wait(); ouro.CodeOf(err) != ouro.TimedOut {
		t.Errorf("put with one node down and one standing still: %v", err)
	}
	w.Resume("B")
	w.Restart("C")
	w.RunFor(time.Second)
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		w.FailWrites(id, store.ErrFull)
	}
	_, err := w.Put("A", key, text("three")).Wait()
	var e *ouro.Error
	if !errors.As(err, &e) || e.Code != ouro.DiskFull || e.Outcome != ouro.NotDone {
		t.Errorf("put with all disks full: %v", err)
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		w.FailWrites(id, nil)
	}
	w.Cut("A", "B")
	w.Cut("A", "C")
	if _, err := w.Get("A", key).Wait(); err == nil {
		t.Error("get at a node that is cut off: it was answered")
	}
	w.Heal("A", "B")
	w.Heal("A", "C")
	w.RunFor(time.Second)
	res, err := w.Get("C", key, ouro.R(3)).Wait()
	if err != nil || len(res.Siblings) != 2 {
		t.Errorf("get after healing: %v %v", res.Siblings, err)
	}
}
