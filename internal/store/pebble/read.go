package pebble

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	cockroach "github.com/cockroachdb/pebble/v2"

	"github.com/ourodb/ouro/internal/store"
)

// nameless is what the library panics with where a file of values is missing, cut off, or
// damaged where it ends: it means to tell which file that is, and does not know.
const nameless = "unknown metadata type: <nil>"

// lookUp returns a value, which is good until closer is closed.
//
// A panic leaves open what the library had opened for this key, and with it all that is
// as old: once there was one, values are looked up by iterators, which can be closed.
func (e *Engine) lookUp(key []byte) (value []byte, closer io.Closer, err error) {
	if e.leaked.Load() {
		return e.seek(key)
	}
	defer func() {
		if errors.Is(err, store.ErrDamaged) {
			e.leaked.Store(true)
		}
	}()
	defer e.catch(&err)
	return e.db.Get(key)
}

// seek is lookUp by an iterator.
func (e *Engine) seek(key []byte) (value []byte, closer io.Closer, err error) {
	it, err := e.db.NewIter(&cockroach.IterOptions{LowerBound: key, UpperBound: append(append([]byte{}, key...), 0)})
	if err != nil {
		return nil, nil, err
	}
	if !it.First() {
		if err := it.Close(); err != nil {
			return nil, nil, err
		}
		return nil, nil, cockroach.ErrNotFound
	}
	if value, err = e.valueOf(it); err != nil {
		return nil, nil, errors.Join(err, it.Close())
	}
	return value, it, nil
}

// valueOf returns the value that an iterator is at.
func (e *Engine) valueOf(it *cockroach.Iterator) (value []byte, err error) {
	defer e.catch(&err)
	return it.ValueAndErr()
}

// closeDB closes the library's store. Of what a panic left open that complains, or panics,
// when all else is done.
func (e *Engine) closeDB() (err error) {
	if e.leaked.Load() {
		defer func() {
			_ = recover()
			err = nil
		}()
	}
	return e.db.Close()
}

// catch is deferred around what may panic as above.
func (e *Engine) catch(err *error) {
	switch p := recover(); p {
	case nil:
	case nameless:
		*err = fmt.Errorf("%w: a file of values (.blob) is missing, or can't be opened", store.ErrDamaged)
		e.log.damaged(cockroach.DataCorruptionInfo{Path: filepath.Join(e.dir, "*.blob"), Details: *err})
	default:
		panic(p)
	}
}
