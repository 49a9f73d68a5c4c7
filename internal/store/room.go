package store

import "fmt"

// DefaultReserve is how much of a file system is left free where nothing else is
// said.
const DefaultReserve = 256 << 20

// Room keeps a file system from running full under an engine: writes stop before it,
// for a full disk under a log is a failed sync, after which the engine is dead.
type Room struct {
	// Reserve is how many bytes to leave free; 0 means [DefaultReserve], negative
	// none.
	Reserve int64
	// Free returns how many bytes are left, -1 where that is not known.
	Free func() (int64, error)

	left int64 // bytes that may be applied before free space is measured again
}

// The amount applied between two measurements is an eighth of what is free
// above the reserve, as compactions may write several times as much, and at
// most 16 MiB.
const (
	measureShare = 8
	measureMost  = 16 << 20
)

// Take accounts for a batch, or returns [ErrFull]. A batch that only deletes always
// passes, for it makes room. Calls take turns.
func (r *Room) Take(b *Batch) error {
	sets := false
	for i := range b.Changes {
		r.left -= int64(len(b.Changes[i].Key) + len(b.Changes[i].Value))
		sets = sets || b.Changes[i].Op == Set
	}
	if r.Reserve < 0 || r.left > 0 || !sets {
		return nil
	}
	reserve := r.Reserve
	if reserve == 0 {
		reserve = DefaultReserve
	}
	free, err := r.Free()
	switch {
	case err != nil:
		return fmt.Errorf("measure free space: %w", err)
	case free < 0:
		r.left = measureMost
	case free < reserve:
		return fmt.Errorf("%w: %d MiB are left on the file system and %d MiB are kept for what the engine itself writes; free some space",
			ErrFull, free>>20, reserve>>20)
	default:
		r.left = min(measureMost, (free-reserve)/measureShare)
	}
	return nil
}
