// Package store is the contract between Ouro and a storage engine. Engines live
// in the packages below it; storetest holds the suite that each must pass.
//
// An engine is an ordered map from bytes to bytes with atomic batches. It knows
// nothing of replication: records carry their own version and checksum.
package store

import "errors"

// Errors that engines return, wrapped with what they were doing.
var (
	ErrClosed = errors.New("store: engine is closed")
	ErrLocked = errors.New("store: data folder is in use by another process")
	ErrFull   = errors.New("store: disk is full")
	// ErrDamaged comes from an engine that has read back something else than it once
	// wrote: what lies there can't be told, and is not absent.
	ErrDamaged = errors.New("store: what is on the disk is damaged")
	// ErrDead comes from an engine after a sync error: nothing more is stored
	// or shown by it, and its process must end.
	ErrDead = errors.New("store: engine stopped after a failed sync")
)

// Engine is a storage engine. All methods may be called from any goroutine;
// concurrent calls of Apply take turns.
type Engine interface {
	// Get calls fn with the value stored under key and returns true, or returns
	// false where there is none. The value is valid only during fn.
	Get(key []byte, fn func(value []byte)) (bool, error)

	// Range calls fn with every pair from key lo (included) to hi (excluded; nil
	// means no end) in key order, until fn returns false. It sees one moment of
	// the store. Key and value are valid only during fn.
	Range(lo, hi []byte, fn func(key, value []byte) bool) error

	// Apply makes the batch visible, all of it or nothing, and returns. When it
	// has reached stable storage synced is called once with nil, from any
	// goroutine and in the order of the Apply calls of one caller; it must not
	// block. After a sync error synced gets that error, as do all later ones:
	// the engine is dead and its process must end (an fsync is never retried).
	// An error returned by Apply itself means that nothing of the batch is
	// visible; synced is then not called. The batch may be reused as soon as
	// Apply returns.
	Apply(b *Batch, synced func(error)) error

	// Checkpoint writes a copy of the store as of some moment during the call
	// to dir, which must not exist. The copy opens as a store.
	Checkpoint(dir string) error

	// Usage reports how much the store holds.
	Usage() (Usage, error)

	// Close syncs what was applied and releases the store.
	Close() error
}

// Usage is what a store holds.
type Usage struct {
	DiskBytes int64 // bytes on disk, or in memory for an engine without one
	FreeBytes int64 // bytes left on its file system; -1 where that has no meaning
}

// Batch is a list of changes, applied as one. The zero value is empty.
type Batch struct {
	Changes []Change
	// Lazy says that nobody waits for its sync: an engine with a write buffer may
	// leave it there for a while. Any later batch that is not lazy takes it along.
	Lazy bool
	// Admitted says that the engine was asked beforehand whether it has room for this,
	// and must not refuse it for want of that (see package buffer).
	Admitted bool
	buf      []byte
}

// Change is one change in a [Batch]: a set, a delete, or a range delete.
type Change struct {
	Op    ChangeOp
	Key   []byte
	Value []byte // Set: the value; DeleteRange: the end of the range, excluded
}

// ChangeOp says what a [Change] does.
type ChangeOp uint8

// The kinds of change. Later changes of a batch see earlier ones.
const (
	Set ChangeOp = 1 + iota
	Delete
	DeleteRange
)

// Set stores value under key. Both are copied.
func (b *Batch) Set(key, value []byte) {
	b.Changes = append(b.Changes, Change{Set, b.copy(key), b.copy(value)})
}

// SetShared stores value under key without copying value, which must not change
// until the batch is reset. The key is copied.
func (b *Batch) SetShared(key, value []byte) {
	b.Changes = append(b.Changes, Change{Set, b.copy(key), value})
}

// Delete removes key.
func (b *Batch) Delete(key []byte) {
	b.Changes = append(b.Changes, Change{Op: Delete, Key: b.copy(key)})
}

// DeleteRange removes every key from lo (included) to hi (excluded).
func (b *Batch) DeleteRange(lo, hi []byte) {
	b.Changes = append(b.Changes, Change{DeleteRange, b.copy(lo), b.copy(hi)})
}

// Len returns the number of changes.
func (b *Batch) Len() int { return len(b.Changes) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	clear(b.Changes)
	b.Changes, b.buf, b.Lazy, b.Admitted = b.Changes[:0], b.buf[:0], false, false
}

// copy keeps p in the batch's own memory. Earlier slices stay valid when the
// memory grows: append leaves the old array to them.
func (b *Batch) copy(p []byte) []byte {
	n := len(b.buf)
	b.buf = append(b.buf, p...)
	return b.buf[n:len(b.buf):len(b.buf)]
}
