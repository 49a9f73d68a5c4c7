package pebble

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ourodb/ouro/internal/store"
)

// space keeps the file system from running full: a full disk under the log is
// a failed sync, after which the engine is dead, so writes stop before it.
type space struct {
	fs      vfs.FS
	dir     string
	reserve int64 // bytes to leave free; negative: any
	left    int64 // bytes that may be applied before free space is measured again
}

// The amount applied between two measurements is an eighth of what is free
// above the reserve, as compactions may write several times as much, and at
// most 16 MiB.
const (
	measureShare = 8
	measureMost  = 16 << 20
)

// take accounts for a batch, or returns [store.ErrFull]. A batch that only
// deletes always passes, for it makes room. It belongs to Apply.
func (s *space) take(b *store.Batch) error {
	sets := false
	for i := range b.Changes {
		s.left -= int64(len(b.Changes[i].Key) + len(b.Changes[i].Value))
		sets = sets || b.Changes[i].Op == store.Set
	}
	if s.reserve < 0 || s.left > 0 || !sets {
		return nil
	}
	free, err := s.free()
	switch {
	case err != nil:
		return fmt.Errorf("measure free space: %w", err)
	case free < 0:
		s.left = measureMost
	case free < s.reserve:
		return fmt.Errorf("%w: %d MiB are left on the file system and %d MiB are kept for flushes and compactions; free some space",
			store.ErrFull, free>>20, s.reserve>>20)
	default:
		s.left = min(measureMost, (free-s.reserve)/measureShare)
	}
	return nil
}

// free returns the bytes left on the file system, -1 where that is unknown.
func (s *space) free() (int64, error) {
	usage, err := s.fs.GetDiskUsage(s.dir)
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
		return -1, nil
	case err != nil:
		return 0, err
	}
	return int64(usage.AvailBytes), nil
}
