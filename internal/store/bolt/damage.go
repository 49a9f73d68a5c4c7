package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"

	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/ourodb/ouro/internal/store"
)

func (f *file) path() string { return filepath.Join(f.dir, fileName) }

// guard turns a panic of the library into an error: that is how it answers a damaged
// page. It reads the file as memory, so a page that the disk can't read, or that is
// behind the end of a file that was cut off, is a fault, which is made a panic as well
// instead of the end of the process. What guard returns is to be deferred. The panics of
// a caller's function, while calling is true, go on.
func (f *file) guard(err *error, calling *bool) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if calling != nil && *calling {
			return
		}
		if p := recover(); p != nil {
			if _, fault := p.(interface{ Addr() uintptr }); fault {
				p = "a page can't be read: the file is cut off, or the disk failed"
			}
			*err = f.damaged(fmt.Errorf("%w: %s: %v", store.ErrDamaged, f.path(), p))
		}
	}
}

// damaged marks an error of the library that speaks of damage, and tells of it.
func (f *file) damaged(err error) error {
	for _, says := range []error{bbolterrors.ErrInvalid, bbolterrors.ErrChecksum, bbolterrors.ErrVersionMismatch} {
		if errors.Is(err, says) {
			err = fmt.Errorf("%w: %s: %w", store.ErrDamaged, f.path(), err)
		}
	}
	if errors.Is(err, store.ErrDamaged) && f.onDamage != nil {
		f.onDamage(f.path())
	}
	return err
}

// pageBytes is the size of a page of memory, at least.
const pageBytes = 4 << 10

// touch reads a byte of every page of b: what can't be read of it is found here, and not
// by whoever is shown it.
func touch(b []byte) {
	if len(b) == 0 {
		return
	}
	sum := b[len(b)-1]
	for i := 0; i < len(b); i += pageBytes {
		sum ^= b[i]
	}
	runtime.KeepAlive(sum)
}
