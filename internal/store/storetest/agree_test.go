package storetest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/pebble"
	"github.com/ourodb/ouro/internal/store/storetest"
)

func memorySubject() storetest.Subject {
	return storetest.Subject{Name: "memory", Volatile: true, Open: func(dir string) (store.Engine, error) {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return memory.New(memory.Options{}), nil
		}
		return memory.Open(dir, memory.Options{})
	}}
}

// pebbleSubject keeps its stores on a file system in memory.
func pebbleSubject(name string, o pebble.Options) storetest.Subject {
	o.FS = vfs.NewMem()
	made := 0
	return storetest.Subject{
		Name: name,
		Open: func(dir string) (store.Engine, error) { return pebble.Open(dir, o) },
		Dir: func(testing.TB) string {
			made++
			return fmt.Sprintf("/%s-%d", name, made)
		},
	}
}

// onDisk keeps its stores in folders of the test's.
func onDisk(name string, open func(dir string) (store.Engine, error)) storetest.Subject {
	return storetest.Subject{Name: name, Open: open, Dir: func(t testing.TB) string { return filepath.Join(t.TempDir(), name) }}
}

// memoryOver answers from memory and keeps everything in another's store.
func memoryOver(below storetest.Subject) storetest.Subject {
	open := below.Open
	below.Name = "memory over " + below.Name
	below.Open = func(dir string) (store.Engine, error) {
		backing, err := open(dir)
		if err != nil {
			return nil, err
		}
		return memory.NewOver(backing, 0)
	}
	return below
}

func TestEnginesAgree(t *testing.T) {
	storetest.Agree(t,
		memorySubject(),
		onDisk("bolt", func(dir string) (store.Engine, error) { return bolt.Open(dir, bolt.Options{Reserve: -1}) }),
		memoryOver(onDisk("bolt", func(dir string) (store.Engine, error) {
			return bolt.Open(dir, bolt.Options{Reserve: -1, MaxBuffer: 64})
		})),
		memoryOver(pebbleSubject("pebble", pebble.Options{})),
		pebbleSubject("separating", pebble.Options{SeparateFrom: 32}),
		pebbleSubject("small", pebble.Options{SeparateFrom: -1, MemTableBytes: 64 << 10, MaxUnsynced: 1}),
	)
}
