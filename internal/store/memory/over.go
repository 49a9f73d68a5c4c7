package memory

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/ourodb/ouro/internal/store"
)

// Over is an engine that answers from memory and keeps everything in another, from
// which it fills itself when it opens: the paper's in-memory buffer with a
// persistent backing store (section 5). It takes as much memory as the data and its
// keys, and a bit; reads never touch a disk.
type Over struct {
	backing store.Engine

	apply sync.Mutex // one Apply at a time, so that both have one order
	front *Engine
}

var _ store.Engine = (*Over)(nil)

// NewOver returns an engine over backing, which is its alone from then on, filled
// with what that holds. Most bounds the length of all keys and values: beyond it
// Apply returns [store.ErrFull]; 0 is no bound. What is there already is taken,
// however much it is.
func NewOver(backing store.Engine, most int64) (*Over, error) {
	front := New(Options{MaxBytes: most})
	err := backing.Range(nil, nil, func(key, value []byte) bool {
		front.data.set(bytes.Clone(key), bytes.Clone(value))
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read the store into memory: %w", err)
	}
	return &Over{backing: backing, front: front}, nil
}

// Get implements [store.Engine].
func (o *Over) Get(key []byte, fn func(value []byte)) (bool, error) { return o.front.Get(key, fn) }

// Range implements [store.Engine].
func (o *Over) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	return o.front.Range(lo, hi, fn)
}

// Apply implements [store.Engine]: the engine below decides whether the batch is
// taken, and when it is synced.
func (o *Over) Apply(b *store.Batch, synced func(error)) error {
	o.apply.Lock()
	defer o.apply.Unlock()
	if err := o.room(b); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	t := &told{over: o, synced: synced}
	if err := o.backing.Apply(b, t.below); err != nil {
		if errors.Is(err, store.ErrDead) {
			o.front.Fail(err)
		}
		return err
	}
	err := o.front.Apply(b, func(error) {})
	t.shown()
	return err
}

// told passes on that a batch is synced, but not before it is visible.
type told struct {
	over   *Over
	synced func(error)

	mu      sync.Mutex
	visible bool
	early   *error // told below before that
}

// below is called by the engine below.
func (t *told) below(err error) {
	if err != nil {
		t.over.front.Fail(err)
	}
	t.mu.Lock()
	visible := t.visible
	if !visible {
		t.early = &err
	}
	t.mu.Unlock()
	if visible {
		t.synced(err)
	}
}

// shown says that the batch is visible.
func (t *told) shown() {
	t.mu.Lock()
	t.visible = true
	early := t.early
	t.mu.Unlock()
	if early != nil {
		t.synced(*early)
	}
}

// room reports whether there is some in memory for what a batch sets.
func (o *Over) room(b *store.Batch) error {
	o.front.mu.Lock()
	defer o.front.mu.Unlock()
	return o.front.room(b)
}

// Checkpoint implements [store.Engine]: the copy is one of the engine below.
func (o *Over) Checkpoint(dir string) error { return o.backing.Checkpoint(dir) }

// Usage implements [store.Engine]: that of the engine below.
func (o *Over) Usage() (store.Usage, error) { return o.backing.Usage() }

// Close implements [store.Engine].
func (o *Over) Close() error {
	o.apply.Lock()
	defer o.apply.Unlock()
	err := o.backing.Close()
	if ferr := o.front.Close(); err == nil {
		err = ferr
	}
	return err
}
