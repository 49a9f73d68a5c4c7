// Package buffer is the paper's write buffer (section 6.1) as a layer over any
// storage engine: what is applied waits in memory, is visible at once, and is
// handed on by a writer, all that came meanwhile in one batch. Reads look in the
// buffer first.
package buffer

import (
	"fmt"
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/store"
)

// DefaultMaxBytes is how much waits in a buffer that is not told otherwise.
const DefaultMaxBytes = 8 << 20

// Options are the settings of a buffer.
type Options struct {
	// MaxBytes bounds what waits in memory, about twice: so much may be on its way
	// to the engine below while so much is gathered. Apply waits for room. 0 means
	// [DefaultMaxBytes].
	MaxBytes int64
	// Window is for how long lazy batches may gather before they are handed on, where
	// nothing that is waited for comes, and no more than half of MaxBytes: the paper's
	// periodic write. 0: not at all.
	Window time.Duration
	// Direct lets a batch that is not lazy pass by where nothing waits before it: for
	// an engine that itself syncs many batches at once.
	Direct bool
}

// Admitter is an engine that can say beforehand whether it has room for a batch.
// Once a batch is in the buffer it is visible, and that the engine below refuses it
// is the end of both.
type Admitter interface {
	// Admit returns the error with which Apply would refuse a batch for want of room.
	Admit(b *store.Batch) error
}

// Engine is a [store.Engine] with a buffer before another.
type Engine struct {
	inner  store.Engine
	most   int64
	window time.Duration
	direct bool

	apply sync.Mutex   // one Apply at a time
	begin sync.RWMutex // held to read while nothing new may begin its way to inner

	mu      sync.Mutex
	changed sync.Cond // on mu: room, work, a layer handed on, closed or dead
	active  *layer    // gathers
	urgent  bool      // somebody waits for what is in it, or its time is over
	timer   *time.Timer
	moving  *layer // is being handed on; nil: none
	handed  uint64 // layers that were handed on
	closed  bool
	dead    error
	done    chan struct{} // closed when the writer has ended
}

var _ store.Engine = (*Engine)(nil)

// New returns inner with a buffer before it. From then on inner is the buffer's
// alone.
func New(inner store.Engine, o Options) *Engine {
	e := &Engine{inner: inner, most: o.MaxBytes, window: o.Window, direct: o.Direct, active: newLayer(), done: make(chan struct{})}
	if e.most <= 0 {
		e.most = DefaultMaxBytes
	}
	e.changed.L = &e.mu
	go e.write()
	return e
}

// Get implements [store.Engine].
func (e *Engine) Get(key []byte, fn func(value []byte)) (bool, error) {
	e.mu.Lock()
	if err := e.usable(); err != nil {
		e.mu.Unlock()
		return false, fmt.Errorf("get: %w", err)
	}
	found, ok := e.active.find(key)
	if !ok && e.moving != nil {
		found, ok = e.moving.find(key)
	}
	e.mu.Unlock()
	switch {
	case !ok:
		return e.inner.Get(key, fn)
	case found.deleted:
		return false, nil
	}
	fn(found.value) // values never change once they are here
	return true, nil
}

// Apply implements [store.Engine].
func (e *Engine) Apply(b *store.Batch, synced func(error)) error {
	if err := check(b); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	e.apply.Lock()
	defer e.apply.Unlock()
	if e.direct && !b.Lazy && e.idle() {
		return e.pass(b, synced)
	}
	if a, ok := e.inner.(Admitter); ok {
		if err := a.Admit(b); err != nil {
			return fmt.Errorf("apply: %w", err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.active.bytes >= e.most && e.usable() == nil {
		e.changed.Wait()
	}
	if err := e.usable(); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	e.active.apply(b)
	e.active.waiting = append(e.active.waiting, synced)
	e.press(!b.Lazy || e.window <= 0)
	return nil
}

// press says, with mu held, that something was applied: that the writer is to come
// now, or that it is to come when the window is over.
func (e *Engine) press(now bool) {
	switch {
	case now, e.active.bytes >= e.most/2:
		e.urgent = true
		e.changed.Broadcast()
	case e.timer == nil && !e.urgent:
		e.timer = time.AfterFunc(e.window, e.over)
	}
}

// over is called when the window of the active layer is over, or maybe that of one
// before it, which costs an early write.
func (e *Engine) over() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.urgent = !e.active.empty()
	e.changed.Broadcast()
}

// idle says whether nothing waits. As Apply holds apply it stays so.
func (e *Engine) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active.empty() && e.moving == nil && e.usable() == nil
}

// pass gives a batch to the engine below at once. Until every Range that has begun
// has its moment that waits, as the writer does.
func (e *Engine) pass(b *store.Batch, synced func(error)) error {
	e.begin.Lock()
	defer e.begin.Unlock()
	return e.inner.Apply(b, func(err error) {
		if err != nil {
			err = e.die(err)
		}
		synced(err)
	})
}

func check(b *store.Batch) error {
	for i := range b.Changes {
		if op := b.Changes[i].Op; op < store.Set || op > store.DeleteRange {
			return fmt.Errorf("change %d of the batch has the unknown operation %d", i, op)
		}
	}
	return nil
}

// Checkpoint implements [store.Engine]. What was applied before the call is in the
// copy.
func (e *Engine) Checkpoint(dir string) error {
	if err := e.flush(); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return e.inner.Checkpoint(dir)
}

// flush waits until all that is applied by now was handed on.
func (e *Engine) flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	until := e.handed
	if e.moving != nil {
		until++
	}
	if !e.active.empty() {
		until++
		e.urgent = true
		e.changed.Broadcast()
	}
	for e.handed < until && e.usable() == nil {
		e.changed.Wait()
	}
	return e.usable()
}

// Usage implements [store.Engine]: that of the engine below.
func (e *Engine) Usage() (store.Usage, error) {
	e.mu.Lock()
	err := e.usable()
	e.mu.Unlock()
	if err != nil {
		return store.Usage{}, fmt.Errorf("usage: %w", err)
	}
	return e.inner.Usage()
}

// Close implements [store.Engine]: what waits is handed on first.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return fmt.Errorf("close: %w", store.ErrClosed)
	}
	e.closed = true
	e.changed.Broadcast()
	e.mu.Unlock()
	<-e.done
	err := e.inner.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead != nil {
		return fmt.Errorf("close: %w", e.dead)
	}
	return err
}

// usable says why the engine can't be used, with mu held.
func (e *Engine) usable() error {
	switch {
	case e.dead != nil:
		return e.dead
	case e.closed:
		return store.ErrClosed
	}
	return nil
}
