// Package storetest holds what every storage engine must pass: a conformance
// suite ([Run]) and a model-based test of random histories ([Agree]).
package storetest

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ourodb/ouro/internal/store"
)

// Subject is an engine under test.
type Subject struct {
	Name string
	// Open opens the store in dir and makes it where there is none.
	Open func(dir string) (store.Engine, error)
	// Volatile says that the engine keeps nothing in its folder: data survive
	// only in checkpoints, and folders are not locked.
	Volatile bool
	// Dir returns a folder name in which nothing was stored yet. Nil: a fresh
	// folder of the operating system.
	Dir func(t testing.TB) string
}

func (s Subject) dir(t testing.TB) string {
	if s.Dir != nil {
		return s.Dir(t)
	}
	return filepath.Join(t.TempDir(), "store")
}

// Run checks that the subject keeps the contract of [store.Engine].
func Run(t *testing.T, s Subject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"SetGetDelete", testSetGetDelete},
		{"OddKeysAndValues", testOddKeysAndValues},
		{"RangeOrderAndBounds", testRange},
		{"RangeSeesOneMoment", testRangeSeesOneMoment},
		{"LaterChangesSeeEarlier", testLaterChangesSeeEarlier},
		{"DeleteRange", testDeleteRange},
		{"UnknownChange", testUnknownChange},
		{"BatchIsReusable", testBatchReuse},
		{"SyncedInOrderOnce", testSynced},
		{"ManyCallers", testManyCallers},
		{"Usage", testUsage},
		{"Closed", testClosed},
		{"Reopen", testReopen},
		{"Locked", testLocked},
		{"Checkpoint", testCheckpoint},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
}

// open opens a fresh store that is closed when the test ends.
func open(t *testing.T, s Subject) store.Engine {
	t.Helper()
	return openDir(t, s, s.dir(t))
}

func openDir(t *testing.T, s Subject, dir string) store.Engine {
	t.Helper()
	e, err := s.Open(dir)
	if err != nil {
		t.Fatalf("open %s: %v", dir, err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

// apply applies the changes that fill makes and waits for their sync.
func apply(t *testing.T, e store.Engine, fill func(*store.Batch)) {
	t.Helper()
	var b store.Batch
	fill(&b)
	synced := make(chan error, 1)
	if err := e.Apply(&b, func(err error) { synced <- err }); err != nil {
		t.Fatalf("apply: %v", err)
	}
	if err := <-synced; err != nil {
		t.Fatalf("sync: %v", err)
	}
}

func set(t *testing.T, e store.Engine, pairs ...string) {
	t.Helper()
	apply(t, e, func(b *store.Batch) {
		for i := 0; i < len(pairs); i += 2 {
			b.Set([]byte(pairs[i]), []byte(pairs[i+1]))
		}
	})
}

// want checks that key holds value.
func want(t *testing.T, e store.Engine, key, value string) {
	t.Helper()
	var got string
	found, err := e.Get([]byte(key), func(v []byte) { got = string(v) })
	switch {
	case err != nil:
		t.Errorf("get %q: %v", key, err)
	case !found:
		t.Errorf("get %q: not found", key)
	case got != value:
		t.Errorf("get %q: %d bytes %.40q, want %d bytes %.40q", key, len(got), got, len(value), value)
	}
}

func wantNone(t *testing.T, e store.Engine, key string) {
	t.Helper()
	found, err := e.Get([]byte(key), func(v []byte) { t.Errorf("get %q: called with %.40q", key, v) })
	if err != nil || found {
		t.Errorf("get %q: found %v, error %v", key, found, err)
	}
}

// keys lists the keys from lo to hi (nil: the end).
func keys(t *testing.T, e store.Engine, lo, hi []byte) []string {
	t.Helper()
	out := []string{}
	err := e.Range(lo, hi, func(key, _ []byte) bool {
		out = append(out, string(key))
		return true
	})
	if err != nil {
		t.Errorf("range %q %q: %v", lo, hi, err)
	}
	return out
}
