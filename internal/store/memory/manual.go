package memory

import (
	"bytes"
	"fmt"

	"github.com/ourodb/ouro/internal/store"
)

// Pending returns how many batches are applied and not synced.
func (e *Engine) Pending() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.pending)
}

// SyncTo syncs the first n of the pending batches (all of them where there are
// fewer) and calls what waits for them, in order, before it returns. An engine
// that has failed syncs nothing.
func (e *Engine) SyncTo(n int) {
	for ; n > 0; n-- {
		e.mu.Lock()
		if e.dead != nil || e.closed || len(e.pending) == 0 {
			e.mu.Unlock()
			return
		}
		first := e.pop()
		e.synced = first.after
		e.mu.Unlock()
		first.synced(nil)
	}
}

// Sync syncs every batch pending when it is called.
func (e *Engine) Sync() { e.SyncTo(e.Pending()) }

// Fail is the failed sync: every pending batch gets an error that wraps err and
// [store.ErrDead], in order, and every later call returns it. What was pending
// may or may not be there after a [Engine.Crash].
func (e *Engine) Fail(err error) {
	e.mu.Lock()
	if e.dead == nil && !e.closed {
		e.dead = fmt.Errorf("%w: %w", store.ErrDead, err)
	}
	dead := e.dead
	waiting := append([]unsynced(nil), e.pending...)
	for i := range e.pending {
		e.pending[i].synced = func(error) {}
	}
	e.mu.Unlock()
	for _, w := range waiting {
		w.synced(dead)
	}
}

// Crash ends the engine as a power failure would and returns what starts again
// from its disk: all that was synced and the first keep of the pending batches
// (all of them where there are fewer). What waited is never called.
func (e *Engine) Crash(keep int) *Engine {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := e.synced
	switch keep = min(keep, len(e.pending)); {
	case !e.manual:
		left = e.data
	case keep > 0:
		left = e.pending[keep-1].after
	}
	e.closed, e.pending = true, nil
	return newEngine(left.clone(), Options{Manual: e.manual})
}

// pop removes the first pending batch, with mu held.
func (e *Engine) pop() unsynced {
	first := e.pending[0]
	e.pending[0] = unsynced{}
	e.pending = e.pending[1:]
	return first
}

// Copy returns another engine with what is synced by now: a copy of the disk.
func (e *Engine) Copy() *Engine {
	e.mu.Lock()
	defer e.mu.Unlock()
	from := &e.data
	if e.manual {
		from = &e.synced
	}
	return newEngine(from.clone(), Options{Manual: e.manual})
}

// Damage changes what the disk has under a key, as a disk that rots does: at once
// and without a word. Fn returns the new value, and must not write to the old.
func (e *Engine) Damage(key []byte, fn func(value []byte) []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	images := []*image{&e.data, &e.synced}
	for i := range e.pending {
		images = append(images, &e.pending[i].after)
	}
	for _, m := range images {
		if m.tree == nil {
			continue // not manual: nothing is ever unsynced
		}
		if value, ok := m.get(key); ok {
			m.set(bytes.Clone(key), fn(value))
		}
	}
}
