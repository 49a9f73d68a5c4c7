// Package bolt is a storage engine over the B+tree of go.etcd.io/bbolt: one file,
// read without copying, written in transactions. It is for stores that are read far
// more than written; docs/operate/engines.md says when to choose it.
package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bbolt "go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/datadir"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/buffer"
)

const (
	fileName = "data.bolt"

	// mapBytes is how much of the address space the file is mapped to from the start.
	// A transaction that outgrows the map waits for every reader, and a reader that
	// waits for that transaction would wait for ever.
	mapBytes = 256 << 30

	// lockWait is how long the library tries to lock the file. It tries once at least.
	lockWait = time.Millisecond
)

// bucket is the library's bucket that holds everything.
var bucket = []byte("ouro")

// Options are the settings of an engine.
type Options struct {
	// Reserve is how many bytes of the file system are left free: Apply returns
	// [store.ErrFull] rather than go below it. 0 means [store.DefaultReserve],
	// negative none.
	Reserve int64
	// MaxBuffer bounds what waits for its transaction: see [buffer.Options].
	MaxBuffer int64
	// Window is for how long what nobody waits for may gather: see [buffer.Options].
	Window time.Duration
	// OnDamage is told of the file where something in it can't be read, again and again,
	// from any goroutine; it must not block. Nil: nobody is.
	OnDamage func(file string)
}

// Open opens the store in dir and makes it where there is none. All that is applied
// while a transaction is being synced goes into the next. The error wraps
// [store.ErrLocked] where another process, or this one, has it open.
func Open(dir string, o Options) (store.Engine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	f := &file{dir: dir, onDamage: o.OnDamage}
	f.room = store.Room{Reserve: o.Reserve, Free: func() (int64, error) { return free(dir) }}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return buffer.New(f, buffer.Options{MaxBytes: o.MaxBuffer, Window: o.Window}), nil
}

// file is a [store.Engine] that syncs within Apply. It is used through a buffer.
type file struct {
	dir      string
	db       *bbolt.DB
	room     store.Room
	onDamage func(file string)
}

var _ interface {
	store.Engine
	buffer.Admitter
} = (*file)(nil)

func (f *file) open() (err error) {
	defer f.guard(&err, nil)()
	f.db, err = bbolt.Open(f.path(), 0o600, &bbolt.Options{
		Timeout: lockWait, InitialMmapSize: mapBytes, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
	})
	if err != nil {
		if errors.Is(err, bbolterrors.ErrTimeout) {
			return store.ErrLocked
		}
		return f.damaged(err)
	}
	err = f.db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return errors.Join(err, f.db.Close())
	}
	return datadir.SyncFolder(f.dir) // else the file itself may be gone after a power failure
}

// Get implements [store.Engine].
func (f *file) Get(key []byte, fn func(value []byte)) (found bool, err error) {
	calling := false
	defer f.guard(&err, &calling)()
	err = f.db.View(func(tx *bbolt.Tx) error {
		k, v := tx.Bucket(bucket).Cursor().Seek(key)
		if found = k != nil && bytes.Equal(k, key); found {
			touch(v)
			calling = true
			fn(v)
			calling = false
		}
		return nil
	})
	return found, wrap("get", err)
}

// Range implements [store.Engine].
func (f *file) Range(lo, hi []byte, fn func(key, value []byte) bool) (err error) {
	calling := false
	defer f.guard(&err, &calling)()
	return wrap("range", f.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, v := c.Seek(lo); k != nil && (hi == nil || bytes.Compare(k, hi) < 0); k, v = c.Next() {
			touch(k)
			touch(v)
			calling = true
			on := fn(k, v)
			calling = false
			if !on {
				return nil
			}
		}
		return nil
	}))
}

// Admit implements [buffer.Admitter].
func (f *file) Admit(b *store.Batch) error { return f.room.Take(b) }

// Apply implements [store.Engine]. It returns when the transaction is synced.
func (f *file) Apply(b *store.Batch, synced func(error)) (err error) {
	err = func() (err error) {
		defer f.guard(&err, nil)()
		return f.db.Update(func(tx *bbolt.Tx) error {
			in := tx.Bucket(bucket)
			for i := range b.Changes {
				if err := change(in, &b.Changes[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	if err != nil {
		return wrap("apply", err)
	}
	synced(nil)
	return nil
}

func change(in *bbolt.Bucket, c *store.Change) error {
	switch c.Op {
	case store.Set:
		return in.Put(c.Key, c.Value)
	case store.Delete:
		return in.Delete(c.Key)
	case store.DeleteRange:
		return deleteRange(in, c.Key, c.Value)
	}
	return fmt.Errorf("the unknown operation %d", c.Op)
}

// deleteRange lists keys before it deletes them, some at a time: a cursor loses its
// place when a page goes.
func deleteRange(in *bbolt.Bucket, lo, hi []byte) error {
	const some = 1024
	for {
		var keys [][]byte
		c := in.Cursor()
		for k, _ := c.Seek(lo); k != nil && bytes.Compare(k, hi) < 0 && len(keys) < some; k, _ = c.Next() {
			keys = append(keys, bytes.Clone(k))
		}
		for _, k := range keys {
			if err := in.Delete(k); err != nil {
				return err
			}
		}
		if len(keys) < some {
			return nil
		}
	}
}

// Checkpoint implements [store.Engine].
func (f *file) Checkpoint(dir string) (err error) {
	defer f.guard(&err, nil)()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return wrap("checkpoint", f.db.View(func(tx *bbolt.Tx) error {
		to, err := os.OpenFile(filepath.Join(dir, fileName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = tx.WriteTo(to)
		if err == nil {
			err = to.Sync()
		}
		return errors.Join(err, to.Close(), datadir.SyncFolder(dir))
	}))
}

// Usage implements [store.Engine]: DiskBytes is the size of the file, which grows
// and does not shrink.
func (f *file) Usage() (u store.Usage, err error) {
	info, err := os.Stat(f.path())
	if err != nil {
		return u, fmt.Errorf("usage: %w", err)
	}
	u.DiskBytes = info.Size()
	u.FreeBytes, err = free(f.dir)
	return u, wrap("usage", err)
}

// Close implements [store.Engine].
func (f *file) Close() (err error) {
	defer f.guard(&err, nil)()
	return wrap("close", f.db.Close())
}

func wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bbolterrors.ErrDatabaseNotOpen):
		err = store.ErrClosed
	case errors.Is(err, unix.ENOSPC):
		err = fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// free returns the bytes left on the file system.
func free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}
