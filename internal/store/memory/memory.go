// Package memory is a storage engine that keeps everything in memory. It serves
// nodes that need not outlive their process, tests, and the simulator, whose
// disks it is: there its owner decides when a batch counts as synced and what a
// crash leaves behind, and nothing in it runs by itself.
package memory

import (
	"fmt"
	"sync"

	"github.com/ourodb/ouro/internal/store"
)

// Options say how an engine syncs.
type Options struct {
	// Manual leaves every batch unsynced until SyncTo or Sync is called. Without
	// it a batch counts as synced as soon as it is applied.
	Manual bool
	// MaxBytes bounds the length of all keys and values: beyond it Apply returns
	// [store.ErrFull]; 0: no bound. What is there already is taken, however much it
	// is, and a batch that sets nothing always passes.
	MaxBytes int64
}

// Engine is a [store.Engine] in memory. All methods are safe for concurrent
// use. Its FreeBytes are -1.
type Engine struct {
	mu      sync.Mutex
	data    image // what readers see
	synced  image // Manual: what a crash certainly leaves
	pending []unsynced
	manual  bool
	most    int64 // of the data's bytes; 0: any
	dead    error // set by Fail
	closed  bool
}

// unsynced is a batch that was applied and not synced.
type unsynced struct {
	after  image // the data after it
	synced func(error)
}

var _ store.Engine = (*Engine)(nil)

// New returns an empty engine.
func New(o Options) *Engine { return newEngine(emptyImage(), o) }

func newEngine(data image, o Options) *Engine {
	e := &Engine{data: data, manual: o.Manual, most: o.MaxBytes}
	if o.Manual {
		e.synced = e.data.clone()
	}
	return e
}

// Get implements [store.Engine].
func (e *Engine) Get(key []byte, fn func(value []byte)) (bool, error) {
	e.mu.Lock()
	if err := e.usable(); err != nil {
		e.mu.Unlock()
		return false, fmt.Errorf("get: %w", err)
	}
	value, ok := e.data.get(key)
	e.mu.Unlock()
	if ok {
		fn(value) // values never change once stored
	}
	return ok, nil
}

// Range implements [store.Engine].
func (e *Engine) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	e.mu.Lock()
	if err := e.usable(); err != nil {
		e.mu.Unlock()
		return fmt.Errorf("range: %w", err)
	}
	snapshot := e.data.clone()
	e.mu.Unlock()
	snapshot.ascend(lo, hi, fn)
	return nil
}

// Apply implements [store.Engine].
func (e *Engine) Apply(b *store.Batch, synced func(error)) error {
	e.mu.Lock()
	if err := e.usable(); err != nil {
		e.mu.Unlock()
		return fmt.Errorf("apply: %w", err)
	}
	if err := e.room(b); err != nil {
		e.mu.Unlock()
		return fmt.Errorf("apply: %w", err)
	}
	if err := e.data.apply(b); err != nil {
		e.mu.Unlock()
		return err
	}
	if e.manual {
		e.pending = append(e.pending, unsynced{e.data.clone(), synced})
		e.mu.Unlock()
		return nil
	}
	e.mu.Unlock()
	synced(nil)
	return nil
}

// room reports whether there is some for what a batch sets, with mu held.
func (e *Engine) room(b *store.Batch) error {
	if e.most <= 0 {
		return nil
	}
	sets := int64(0)
	for i := range b.Changes {
		if b.Changes[i].Op == store.Set {
			sets += int64(len(b.Changes[i].Key) + len(b.Changes[i].Value))
		}
	}
	if sets > 0 && e.data.bytes+sets > e.most {
		return fmt.Errorf("%w: %d MiB are in memory and %d are allowed (memory-limit)", store.ErrFull, e.data.bytes>>20, e.most>>20)
	}
	return nil
}

// Usage implements [store.Engine]: DiskBytes is the length of all keys and
// values.
func (e *Engine) Usage() (store.Usage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.usable(); err != nil {
		return store.Usage{}, fmt.Errorf("usage: %w", err)
	}
	return store.Usage{DiskBytes: e.data.bytes, FreeBytes: -1}, nil
}

// Close implements [store.Engine]: what waits is synced first.
func (e *Engine) Close() error {
	e.mu.Lock()
	closed, dead := e.closed, e.dead
	e.mu.Unlock()
	switch {
	case closed:
		return fmt.Errorf("close: %w", store.ErrClosed)
	case dead == nil:
		e.Sync()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.dead != nil {
		return fmt.Errorf("close: %w", e.dead)
	}
	return nil
}

// usable says why the engine cannot be used, with mu held.
func (e *Engine) usable() error {
	if e.closed {
		return store.ErrClosed
	}
	return e.dead
}
