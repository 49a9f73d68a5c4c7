package disk

import (
	"encoding/binary"
	"fmt"

	"github.com/ourodb/ouro/internal/store"
)

// Belongs returns the id of the data folder that the data in an engine belongs
// to, 0 where it says none.
func Belongs(e store.Engine) (disk uint64, err error) {
	if disk, err = numberUnder(e, store.DiskKey()); err != nil {
		return 0, fmt.Errorf("whose data it is can't be read: %w", err)
	}
	return disk, nil
}

// LastStart returns the last start of the node that the data in an engine knows of, 0
// where it knows of none.
func LastStart(e store.Engine) (start uint64, err error) {
	if start, err = numberUnder(e, store.StartKey()); err != nil {
		return 0, fmt.Errorf("at which start the data was used last can't be read: %w", err)
	}
	return start, nil
}

// numberUnder returns the number that is stored under a key, 0 where none is.
func numberUnder(e store.Engine, key []byte) (number uint64, err error) {
	_, err = e.Get(key, func(v []byte) {
		if len(v) == 8 {
			number = binary.BigEndian.Uint64(v)
		}
	})
	return number, err
}

// NoteStart notes in an engine which start of the node this is. Synced is called as with
// [store.Engine].
func NoteStart(e store.Engine, start uint64, synced func(error)) error {
	var b store.Batch
	b.Set(store.StartKey(), binary.BigEndian.AppendUint64(nil, start))
	return e.Apply(&b, synced)
}
