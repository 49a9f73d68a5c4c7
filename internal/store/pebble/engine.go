// Package pebble is the default storage engine: the log-structured merge tree
// of github.com/cockroachdb/pebble, committed without waiting for the disk.
package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	cockroach "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"

	"github.com/ourodb/ouro/internal/store"
)

// Engine is a [store.Engine] in a folder. All methods are safe for concurrent
// use; concurrent calls of Apply take turns.
type Engine struct {
	db   *cockroach.DB
	dir  string
	log  *logger
	lock *cockroach.Lock
	gate gate
	room store.Room
	dead atomic.Pointer[error]

	opened atomic.Bool
	leaked atomic.Bool // a panic left something of the library open
	apply  sync.Mutex  // one Apply at a time, so that syncs are in its order
	queue  chan unsynced
	waiter sync.WaitGroup
}

var _ store.Engine = (*Engine)(nil)

// Open opens the store in dir and makes it where there is none. The error wraps
// [store.ErrLocked] where another process, or this one, has it open.
func Open(dir string, o Options) (*Engine, error) {
	watched := o.FS == nil
	o = o.withDefaults()
	e := &Engine{dir: dir, queue: make(chan unsynced, o.MaxUnsynced)}
	if err := o.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := cockroach.LockDirectory(dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, lockError(err))
	}
	opts := o.library(e)
	if watched {
		opts.WithFSDefaults() // it reports a slow disk
	}
	opts.Lock = lock
	e.lock = lock
	e.room = store.Room{Reserve: o.Reserve, Free: freeOn(o.FS, dir)}
	if e.db, err = openDB(dir, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), lock.Close())
	}
	e.opened.Store(true)
	e.waiter.Add(1)
	go e.await()
	return e, nil
}

// openDB opens the library's store. What it panics with, it returns.
func openDB(dir string, opts *cockroach.Options) (db *cockroach.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	db, err = cockroach.Open(dir, opts)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "format major version"):
		err = fmt.Errorf("the store was written by a newer version of ouro; use that version or a newer one, there is no way back: %w", err)
	case isIncomplete(err):
		err = fmt.Errorf("%w: files are missing or cut off, as in a copy that was not finished: %w", store.ErrDamaged, err)
	default:
		err = mapError(err)
	}
	return db, err
}

// isIncomplete says whether a store does not open since files of it are not there, or
// not whole.
func isIncomplete(err error) bool {
	text := err.Error()
	return errors.Is(err, fs.ErrNotExist) || strings.Contains(text, "object size mismatch") || strings.Contains(text, "is not pristine")
}

// lockError tells a lock held from other failures to lock.
func lockError(err error) error {
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held") {
		return fmt.Errorf("%w: %w", store.ErrLocked, err)
	}
	return fmt.Errorf("lock the folder: %w", err)
}

// Get implements [store.Engine].
func (e *Engine) Get(key []byte, fn func(value []byte)) (bool, error) {
	if err := e.enter(); err != nil {
		return false, fmt.Errorf("get: %w", err)
	}
	defer e.gate.leave()
	value, closer, err := e.lookUp(key)
	switch {
	case errors.Is(err, cockroach.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("get: %w", mapError(err))
	}
	// A value in a file of its own that can't be read is shown as an empty one; only
	// the iterator below knows.
	if it, ok := closer.(interface{ Error() error }); ok && it.Error() != nil {
		return false, fmt.Errorf("get: %w", mapError(errors.Join(it.Error(), closer.Close())))
	}
	fn(value)
	return true, mapError(closer.Close())
}

// Range implements [store.Engine].
func (e *Engine) Range(lo, hi []byte, fn func(key, value []byte) bool) (err error) {
	if err := e.enter(); err != nil {
		return fmt.Errorf("range: %w", err)
	}
	defer e.gate.leave()
	if hi != nil && bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	it, err := e.db.NewIter(&cockroach.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return fmt.Errorf("range: %w", mapError(err))
	}
	defer func() {
		if cerr := it.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("range: %w", mapError(cerr))
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		value, verr := e.valueOf(it)
		if verr != nil {
			return fmt.Errorf("range: %w", mapError(verr))
		}
		if !fn(it.Key(), value) {
			return nil
		}
	}
	return nil // the iterator's own error comes from Close
}

// Checkpoint implements [store.Engine]: hard links where dir is on the same
// file system, copies where not. It syncs the log first.
func (e *Engine) Checkpoint(dir string) error {
	if err := e.enter(); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer e.gate.leave()
	if err := e.db.Checkpoint(dir, cockroach.WithFlushedWAL()); err != nil {
		return fmt.Errorf("checkpoint: %w", mapError(err))
	}
	return nil
}

// Usage implements [store.Engine].
func (e *Engine) Usage() (store.Usage, error) {
	if err := e.enter(); err != nil {
		return store.Usage{}, fmt.Errorf("usage: %w", err)
	}
	defer e.gate.leave()
	free, err := e.room.Free()
	if err != nil {
		return store.Usage{}, fmt.Errorf("usage: %w", err)
	}
	return store.Usage{DiskBytes: int64(e.db.Metrics().DiskSpaceUsage()), FreeBytes: free}, nil
}

// Close implements [store.Engine]. It waits for calls that are under way. After
// a failed sync it leaves the library alone, for nothing it would still do to
// the files could be trusted; only the lock goes, when the process does.
func (e *Engine) Close() error {
	if !e.gate.close() {
		return fmt.Errorf("close: %w", store.ErrClosed)
	}
	close(e.queue)
	e.waiter.Wait()
	if err := e.deadErr(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if err := errors.Join(e.closeDB(), e.lock.Close()); err != nil {
		return fmt.Errorf("close: %w", mapError(err))
	}
	return nil
}

// enter begins a call: the store stays open until gate.leave.
func (e *Engine) enter() error {
	if err := e.deadErr(); err != nil {
		return err
	}
	if !e.gate.enter() {
		return store.ErrClosed
	}
	return nil
}

// die ends the engine for good and returns why: the first reason given.
func (e *Engine) die(err error) error {
	dead := fmt.Errorf("%w: %w", store.ErrDead, mapError(err))
	e.dead.CompareAndSwap(nil, &dead)
	return *e.dead.Load()
}

func (e *Engine) deadErr() error {
	if p := e.dead.Load(); p != nil {
		return *p
	}
	return nil
}

// mapError marks what the contract has a name for.
func mapError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case isDamage(err):
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	default:
		return err
	}
}

// isDamage says whether the library has read something else than it once wrote. Not
// all of what fails a checksum is marked so by it: files of values are not, nor is
// what does not parse when a store is opened.
func isDamage(err error) bool {
	for _, says := range []error{record.ErrInvalidChunk, record.ErrZeroedChunk, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, says) {
			return true
		}
	}
	if cockroach.IsCorruptionError(err) {
		return true
	}
	text := err.Error()
	for _, says := range []string{"checksum mismatch", "corrupt", "invalid", "malformed"} {
		if strings.Contains(text, says) {
			return true
		}
	}
	return false
}
