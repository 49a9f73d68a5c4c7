// Package fault is a layer over any storage engine that misbehaves as a test
// asks: it fails, dawdles, loses part of a batch or shows rotten values.
package fault

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/store"
)

// Op is what an engine is asked to do.
type Op uint8

// The operations in which faults may happen. A Sync happens when the engine
// below has synced a batch and before its caller is told.
const (
	Get Op = 1 + iota
	Range
	Apply
	Sync
	Checkpoint
	Usage
)

// Fault is what goes wrong in one operation. The zero value is nothing.
type Fault struct {
	// Err is returned in place of doing anything. For a Sync it is given to the
	// waiting caller, and the engine is dead from then on.
	Err error
	// Delay comes before anything else.
	Delay time.Duration
	// Lose silently drops that many changes from the end of an applied batch,
	// all of them where it has fewer: a torn or lost write.
	Lose int
	// Rot flips the lowest bit of the last byte of the value that a Get shows.
	Rot bool
}

// Plan decides what goes wrong. key is that of a Get or of the first change of
// an Apply, the lower end of a Range, and nil otherwise. It is called from the
// goroutine of the operation.
type Plan func(op Op, key []byte) Fault

// Engine is a [store.Engine] with faults.
type Engine struct {
	inner store.Engine
	plan  Plan

	mu   sync.Mutex
	dead error // of the failed sync
}

var _ store.Engine = (*Engine)(nil)

// New returns inner with the faults of plan.
func New(inner store.Engine, plan Plan) *Engine { return &Engine{inner: inner, plan: plan} }

// Get implements [store.Engine].
func (e *Engine) Get(key []byte, fn func(value []byte)) (bool, error) {
	f, err := e.meet(Get, key)
	if err != nil {
		return false, fmt.Errorf("get: %w", err)
	}
	return e.inner.Get(key, func(value []byte) {
		if f.Rot && len(value) > 0 {
			value = bytes.Clone(value)
			value[len(value)-1] ^= 1
		}
		fn(value)
	})
}

// Range implements [store.Engine].
func (e *Engine) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	if _, err := e.meet(Range, lo); err != nil {
		return fmt.Errorf("range: %w", err)
	}
	return e.inner.Range(lo, hi, fn)
}

// Apply implements [store.Engine].
func (e *Engine) Apply(b *store.Batch, synced func(error)) error {
	var key []byte
	if b.Len() > 0 {
		key = b.Changes[0].Key
	}
	f, err := e.meet(Apply, key)
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if f.Lose > 0 {
		b = &store.Batch{Changes: b.Changes[:max(0, b.Len()-f.Lose)]}
	}
	return e.inner.Apply(b, func(err error) { synced(e.sync(err)) })
}

// sync meets the faults of a sync that ended with err.
func (e *Engine) sync(err error) error {
	f := e.plan(Sync, nil)
	time.Sleep(f.Delay)
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.Err != nil && e.dead == nil {
		e.dead = fmt.Errorf("%w: %w", store.ErrDead, f.Err)
	}
	if e.dead != nil {
		return e.dead
	}
	return err
}

// Checkpoint implements [store.Engine].
func (e *Engine) Checkpoint(dir string) error {
	if _, err := e.meet(Checkpoint, nil); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return e.inner.Checkpoint(dir)
}

// Usage implements [store.Engine].
func (e *Engine) Usage() (store.Usage, error) {
	if _, err := e.meet(Usage, nil); err != nil {
		return store.Usage{}, fmt.Errorf("usage: %w", err)
	}
	return e.inner.Usage()
}

// Close implements [store.Engine]. Nothing goes wrong in it by plan, but an
// engine that died says so.
func (e *Engine) Close() error {
	err := e.inner.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead != nil && err == nil {
		return fmt.Errorf("close: %w", e.dead)
	}
	return err
}

// meet asks the plan, waits, and returns what the operation goes on with, or
// the error in its place.
func (e *Engine) meet(op Op, key []byte) (Fault, error) {
	f := e.plan(op, key)
	time.Sleep(f.Delay)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead != nil {
		return f, e.dead
	}
	return f, f.Err
}
