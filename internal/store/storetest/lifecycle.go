package storetest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/store"
)

func testClosed(t *testing.T, s Subject) {
	e := open(t, s)
	set(t, e, "a", "1")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	_, getErr := e.Get([]byte("a"), func([]byte) { t.Error("get called back") })
	_, usageErr := e.Usage()
	var b store.Batch
	b.Set([]byte("a"), []byte("2"))
	for what, err := range map[string]error{
		"get":        getErr,
		"usage":      usageErr,
		"range":      e.Range(nil, nil, func(_, _ []byte) bool { t.Error("range called back"); return false }),
		"apply":      e.Apply(&b, func(error) { t.Error("apply called back") }),
		"checkpoint": e.Checkpoint(filepath.Join(t.TempDir(), "c")),
		"close":      e.Close(),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s of a closed engine: %v", what, err)
		}
	}
}

func testReopen(t *testing.T, s Subject) {
	if s.Volatile {
		t.Skip("the engine is volatile: only a checkpoint outlives it")
	}
	dir := s.dir(t)
	for round := range 3 {
		e := openDir(t, s, dir)
		if round > 0 {
			want(t, e, "a", "1")
			if got := keys(t, e, nil, nil); !slices.Equal(got, []string{"a", "c"}) {
				t.Fatalf("after reopening %d times: %q", round, got)
			}
		}
		// The last batch is closed upon without waiting for its sync.
		var b store.Batch
		b.Set([]byte("a"), []byte("1"))
		b.Set([]byte("b"), []byte("2"))
		b.Set([]byte("c"), nil)
		b.Delete([]byte("b"))
		if err := e.Apply(&b, func(error) {}); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func testLocked(t *testing.T, s Subject) {
	if s.Volatile {
		t.Skip("the engine is volatile: it has no folder to lock")
	}
	dir := s.dir(t)
	e := openDir(t, s, dir)
	set(t, e, "a", "1")
	if _, err := s.Open(dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("second open of one folder: %v", err)
	}
	want(t, e, "a", "1")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, openDir(t, s, dir), "a", "1")
}

// testCheckpoint checks that a checkpoint opens as a store with the contents of
// its moment, and stands alone.
func testCheckpoint(t *testing.T, s Subject) {
	dir := s.dir(t)
	e := openDir(t, s, dir)
	set(t, e, "a", "1", "b", "")
	copied := s.dir(t) + "-checkpoint"
	if err := e.Checkpoint(copied); err != nil {
		t.Fatal(err)
	}
	if err := e.Checkpoint(copied); err == nil {
		t.Error("a second checkpoint went into the same folder")
	} else if !errors.Is(err, os.ErrExist) {
		t.Errorf("a second checkpoint into the same folder: %v, want one that wraps os.ErrExist", err)
	}
	set(t, e, "a", "2", "c", "3")
	c := openDir(t, s, copied)
	want(t, c, "a", "1")
	want(t, c, "b", "")
	wantNone(t, c, "c")
	set(t, c, "a", "4")
	want(t, e, "a", "2")
	want(t, c, "a", "4")
}
