package disk

import (
	"encoding/binary"
	"fmt"

	"github.com/ourodb/ouro/internal/store"
)

// LastStart returns the last start of the node that the data in an engine knows of, 0
// where it knows of none.
func LastStart(e store.Engine) (start uint64, err error) {
	_, err = e.Get(store.StartKey(), func(v []byte) {
		if len(v) == 8 {
			start = binary.BigEndian.Uint64(v)
		}
	})
	if err != nil {
		return 0, fmt.Errorf("at which start the data was used last can't be read: %w", err)
	}
	return start, nil
}

// NoteStart notes in an engine which start of the node this is. Synced is called as with
// [store.Engine].
func NoteStart(e store.Engine, start uint64, synced func(error)) error {
	var b store.Batch
	b.Set(store.StartKey(), binary.BigEndian.AppendUint64(nil, start))
	if err := e.Apply(&b, synced); err != nil {
		return fmt.Errorf("that the data is used can't be noted in it: %w", err)
	}
	return nil
}
