package buffer_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/buffer"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]buffer.Options{"Defaults": {}, "Small": {MaxBytes: 1}} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{Name: "buffer", Volatile: true, Open: func(dir string) (store.Engine, error) {
				inner := memory.New(memory.Options{})
				if _, err := os.Stat(dir); err == nil {
					if inner, err = memory.Open(dir, memory.Options{}); err != nil {
						return nil, err
					}
				}
				return buffer.New(inner, o), nil
			}})
		})
	}
}

// held is an engine that lets a batch through when its test says so.
type held struct {
	store.Engine
	let     chan error
	mu      sync.Mutex
	batches []int // changes of each that came
}

func (h *held) came() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.batches)
}

func (h *held) Apply(b *store.Batch, synced func(error)) error {
	h.mu.Lock()
	h.batches = append(h.batches, b.Len())
	h.mu.Unlock()
	if err := <-h.let; err != nil {
		return err
	}
	return h.Engine.Apply(b, synced)
}

func set(t *testing.T, e store.Engine, key, value string, synced func(error)) {
	t.Helper()
	var b store.Batch
	b.Set([]byte(key), []byte(value))
	if err := e.Apply(&b, synced); err != nil {
		t.Fatal(err)
	}
}

func dump(t *testing.T, e store.Engine) []string {
	t.Helper()
	var all []string
	if err := e.Range(nil, nil, func(k, v []byte) bool {
		all = append(all, string(k)+"="+string(v))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhatWaitsIsVisibleAndNotSynced: what the engine below has not yet taken is
// read, in its turn, and nobody is told that it is stored; what came meanwhile goes
// on as one batch.
func TestWhatWaitsIsVisibleAndNotSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := memory.New(memory.Options{})
		h := &held{Engine: below, let: make(chan error)}
		set(t, below, "b", "old", func(error) {})
		set(t, below, "d", "old", func(error) {})
		set(t, below, "e", "old", func(error) {})
		e := buffer.New(h, buffer.Options{})
		var told []string
		tell := func(what string) func(error) {
			return func(err error) { told = append(told, fmt.Sprint(what, " ", err)) }
		}
		set(t, e, "a", "1", tell("a"))
		synctest.Wait() // a is on its way
		set(t, e, "b", "2", tell("b"))
		var b store.Batch
		b.Set([]byte("c"), []byte("never"))
		b.DeleteRange([]byte("c"), []byte("e"))
		b.Delete([]byte("e"))
		b.Set([]byte("f"), []byte("3"))
		if err := e.Apply(&b, tell("rest")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got, want := dump(t, e), []string{"a=1", "b=2", "f=3"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if found, err := e.Get([]byte("d"), func([]byte) {}); found || err != nil {
			t.Errorf("what a range took with it is found: %v, %v", found, err)
		}
		if got, want := dump(t, below), []string{"b=old", "d=old", "e=old"}; !slices.Equal(got, want) {
			t.Errorf("the engine below has %q, want %q", got, want)
		}
		if len(told) > 0 {
			t.Errorf("%q was told before anything is stored", told)
		}
		h.let <- nil
		h.let <- nil
		synctest.Wait()
		if want := []string{"a <nil>", "b <nil>", "rest <nil>"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if want := []int{1, 4}; !slices.Equal(h.batches, want) {
			t.Errorf("batches of %d changes, want %d: the range, b, e and f", h.batches, want)
		}
		if got, want := dump(t, below), []string{"a=1", "b=2", "f=3"}; !slices.Equal(got, want) {
			t.Errorf("then the engine below has %q, want %q", got, want)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFullBufferWaits: Apply waits for room; nothing is refused, nothing grows.
func TestFullBufferWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &held{Engine: memory.New(memory.Options{}), let: make(chan error)}
		e := buffer.New(h, buffer.Options{MaxBytes: 100})
		applied := 0
		go func() {
			for i := range 10 {
				set(t, e, fmt.Sprint("k", i), "0123456789", func(error) {})
				applied++
			}
		}()
		synctest.Wait()
		if applied < 2 || applied > 4 {
			t.Errorf("%d batches were taken, want two buffers full", applied)
		}
		close(h.let)
		synctest.Wait()
		if applied != 10 {
			t.Errorf("%d batches were taken when there was room", applied)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRangeWhileItIsWritten: a range goes on with its moment while what it saw in
// the buffer, and what was applied later, reaches the engine below.
func TestRangeWhileItIsWritten(t *testing.T) {
	e := buffer.New(memory.New(memory.Options{}), buffer.Options{})
	defer e.Close()
	for i := range 20 {
		key := fmt.Sprintf("k%02d", i)
		set(t, e, key, "1", func(error) {})
		seen := 0
		err := e.Range(nil, nil, func(k, v []byte) bool {
			synced := make(chan error)
			set(t, e, "k00", "1", func(err error) { synced <- err })
			set(t, e, "z"+string(k), "later", func(err error) { synced <- err })
			<-synced
			<-synced
			if seen++; k[0] != 'k' {
				t.Fatalf("round %d: %q was applied later", i, k)
			}
			return true
		})
		if err != nil || seen != i+1 {
			t.Fatalf("round %d: %d pairs, error %v", i, seen, err)
		}
		var b store.Batch
		b.DeleteRange([]byte("z"), []byte("zz"))
		if err := e.Apply(&b, func(error) {}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWriteBufferDies: where what was shown can't be written the engine is dead, and
// all who wait are told.
func TestWriteBufferDies(t *testing.T) {
	broken := errors.New("broken")
	for name, plan := range map[string]fault.Plan{
		"refused":  func(op fault.Op, _ []byte) fault.Fault { return fault.Fault{Err: on(op == fault.Apply, broken)} },
		"unsynced": func(op fault.Op, _ []byte) fault.Fault { return fault.Fault{Err: on(op == fault.Sync, broken)} },
	} {
		t.Run(name, func(t *testing.T) {
			e := buffer.New(fault.New(memory.New(memory.Options{}), plan), buffer.Options{})
			told := make(chan error, 2)
			set(t, e, "a", "1", func(err error) { told <- err })
			if err := <-told; !errors.Is(err, store.ErrDead) || !errors.Is(err, broken) || strings.Count(err.Error(), store.ErrDead.Error()) != 1 {
				t.Errorf("told %v", err)
			}
			var b store.Batch
			for what, err := range map[string]error{
				"apply": e.Apply(&b, func(error) {}),
				"range": e.Range(nil, nil, func(_, _ []byte) bool { return true }),
				"close": e.Close(),
			} {
				if !errors.Is(err, store.ErrDead) {
					t.Errorf("%s of a dead engine: %v", what, err)
				}
			}
		})
	}
}

func on(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

// roomless has no room.
type roomless struct{ store.Engine }

func (roomless) Admit(*store.Batch) error { return store.ErrFull }

func TestRefusedBeforeItIsVisible(t *testing.T) {
	e := buffer.New(roomless{memory.New(memory.Options{})}, buffer.Options{})
	defer e.Close()
	var b store.Batch
	b.Set([]byte("a"), nil)
	if err := e.Apply(&b, func(error) { t.Error("told") }); !errors.Is(err, store.ErrFull) {
		t.Errorf("apply without room: %v", err)
	}
	if got := dump(t, e); len(got) > 0 {
		t.Errorf("what was refused is there: %q", got)
	}
}

// slow is an engine whose Range takes a while to begin.
type slow struct {
	store.Engine
	before func()
}

func (s slow) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	s.before()
	return s.Engine.Range(lo, hi, fn)
}

// TestRangeKeepsLaterBatchesBack: what is applied after a range has looked at the
// buffer does not reach the engine below before that has its moment.
func TestRangeKeepsLaterBatchesBack(t *testing.T) {
	var e *buffer.Engine
	synced := make(chan error, 1)
	e = buffer.New(slow{memory.New(memory.Options{}), func() {
		set(t, e, "later", "1", func(err error) { synced <- err })
		select {
		case <-synced:
			t.Error("a batch went past a range that has begun")
			synced <- nil
		case <-time.After(30 * time.Millisecond):
		}
	}}, buffer.Options{})
	defer e.Close()
	if got := dump(t, e); len(got) > 0 {
		t.Errorf("the range shows %q, which was applied later", got)
	}
	if err := <-synced; err != nil {
		t.Error(err)
	}
}

// TestLazyBatchesGather: what nobody waits for stays in the buffer for the window, or
// until half of it is full or somebody waits for what came after it; then it goes on as
// one batch.
func TestLazyBatchesGather(t *testing.T) {
	for _, direct := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			below := memory.New(memory.Options{})
			h := &held{Engine: below, let: make(chan error, 100)}
			for range 100 {
				h.let <- nil
			}
			e := buffer.New(h, buffer.Options{Window: time.Second, MaxBytes: 4000, Direct: direct})
			var synced atomic.Int64
			apply := func(lazy bool, size int) {
				t.Helper()
				var b store.Batch
				b.Set(fmt.Append(nil, synced.Load(), h.came(), size), make([]byte, size))
				b.Lazy = lazy
				if err := e.Apply(&b, func(error) { synced.Add(1) }); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			expect := func(when string, batches, told int) {
				t.Helper()
				if h.came() != batches || synced.Load() != int64(told) {
					t.Errorf("direct=%t, %s: %d batches went on and %d were synced, want %d and %d", direct, when, h.came(), synced.Load(), batches, told)
				}
			}
			apply(true, 1)
			apply(true, 2)
			time.Sleep(time.Second - 1)
			synctest.Wait()
			expect("within the window", 0, 0)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			expect("after it", 1, 2)
			apply(true, 1)
			apply(false, 2)
			expect("where somebody waits", 2, 4)
			apply(true, 2000)
			expect("half full", 3, 5)
			apply(false, 1)
			expect("nothing waits before it", 4, 6)
			apply(true, 1)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			expect("closed", 5, 7)
		})
	}
}
