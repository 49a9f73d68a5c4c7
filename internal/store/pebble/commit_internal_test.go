package pebble

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ourodb/ouro/internal/store"
)

// TestPanicOfTheLibrary checks that a panic at a commit ends the engine, not
// the process.
func TestPanicOfTheLibrary(t *testing.T) {
	e, err := Open("/s", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	batch := e.db.NewBatch()
	if err := batch.Set([]byte("a"), []byte("1"), nil); err != nil {
		t.Fatal(err)
	}
	if err := e.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.commit(batch); !errors.Is(err, store.ErrDead) {
		t.Errorf("commit to a closed library: %v", err)
	}
	if _, err := e.Get([]byte("a"), func([]byte) {}); !errors.Is(err, store.ErrDead) {
		t.Errorf("get afterwards: %v", err)
	}
}
