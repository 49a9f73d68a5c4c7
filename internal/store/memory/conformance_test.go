package memory_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/pebble"
	"github.com/ourodb/ouro/internal/store/storetest"
)

// open starts from a checkpoint where there is one.
func open(dir string) (store.Engine, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return memory.New(memory.Options{}), nil
	}
	return memory.Open(dir, memory.Options{})
}

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Subject{Name: "memory", Open: open, Volatile: true})
}

func TestOverConforms(t *testing.T) {
	for name, below := range map[string]func(dir string) (store.Engine, error){
		"bolt":   func(dir string) (store.Engine, error) { return bolt.Open(dir, bolt.Options{Reserve: -1}) },
		"pebble": func(dir string) (store.Engine, error) { return pebble.Open(dir, pebble.Options{Reserve: -1}) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{Name: "memory over " + name, Open: func(dir string) (store.Engine, error) {
				backing, err := below(dir)
				if err != nil {
					return nil, err
				}
				return memory.NewOver(backing, 0)
			}})
		})
	}
}

// TestOverIsBounded: what would not fit into memory is refused, what makes room is
// not, and reads go on.
func TestOverIsBounded(t *testing.T) {
	below := memory.New(memory.Options{})
	e, err := memory.NewOver(below, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var b store.Batch
	b.Set([]byte("abc"), []byte("1234567"))
	if err := e.Apply(&b, func(error) {}); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.Set([]byte("d"), nil)
	if err := e.Apply(&b, func(error) { t.Error("told") }); !errors.Is(err, store.ErrFull) {
		t.Errorf("one byte too many: %v", err)
	}
	if found, err := below.Get([]byte("d"), func([]byte) {}); found || err != nil {
		t.Errorf("what was refused is below: %v, %v", found, err)
	}
	b.Reset()
	b.Delete([]byte("abc"))
	if err := e.Apply(&b, func(error) {}); err != nil {
		t.Errorf("a delete: %v", err)
	}
}

// TestOverTellsWhatIsSyncedBelow: what is applied is shown at once and told when the
// engine below has synced it, in order; what a power failure leaves below has all that
// was told.
func TestOverTellsWhatIsSyncedBelow(t *testing.T) {
	for synced := range 4 {
		below := memory.New(memory.Options{Manual: true})
		e, err := memory.NewOver(below, 0)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, name := range []string{"a", "b", "c"} {
			var b store.Batch
			b.Set([]byte(name), []byte("v"))
			if err := e.Apply(&b, func(err error) { told = append(told, fmt.Sprint(name, " ", err)) }); err != nil {
				t.Fatal(err)
			}
			if found, err := e.Get([]byte(name), func([]byte) {}); !found || err != nil {
				t.Errorf("%s is not shown: %v", name, err)
			}
		}
		if len(told) > 0 {
			t.Errorf("%q is told before anything is synced", told)
		}
		below.SyncTo(synced)
		if want := []string{"a <nil>", "b <nil>", "c <nil>"}[:synced]; !slices.Equal(told, want) {
			t.Errorf("with %d synced %q is told", synced, told)
		}
		after, err := memory.NewOver(below.Crash(0), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := contents(t, after), []string{"a=v", "b=v", "c=v"}[:synced]; !slices.Equal(got, want) {
			t.Errorf("with %d synced a power failure leaves %q", synced, got)
		}
	}
}

// TestOverDiesWithWhatIsBelow: after a failed sync nothing more is shown.
func TestOverDiesWithWhatIsBelow(t *testing.T) {
	below := fault.New(memory.New(memory.Options{}), func(op fault.Op, _ []byte) (f fault.Fault) {
		if op == fault.Sync {
			f.Err = errors.New("broken")
		}
		return f
	})
	e, err := memory.NewOver(below, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b store.Batch
	b.Set([]byte("a"), []byte("1"))
	told := make(chan error, 1)
	if err := e.Apply(&b, func(err error) { told <- err }); err != nil && !errors.Is(err, store.ErrDead) {
		t.Fatal(err)
	}
	if err := <-told; !errors.Is(err, store.ErrDead) {
		t.Errorf("told %v", err)
	}
	if _, err := e.Get([]byte("a"), func([]byte) { t.Error("shown") }); !errors.Is(err, store.ErrDead) {
		t.Errorf("get: %v", err)
	}
	if err := e.Close(); !errors.Is(err, store.ErrDead) {
		t.Errorf("close: %v", err)
	}
}
