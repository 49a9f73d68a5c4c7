package disk

import (
	"fmt"
	"strings"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// listNames lists records of a bucket, in the order of their positions. A page ends
// between two positions, never between two records of one.
func (r *Runner) listNames(s *replica.Survey, found *replica.Found) error {
	whole := merkle.Whole(s.Partition, r.config.PartitionBits)
	if s.Span.First > s.Span.Last || s.Span.First < whole.First || whole.Last < s.Span.Last {
		return errSpan
	}
	lo, hi := store.RecordRange(s.Partition, s.Bucket, s.Span.First, s.Span.Last)
	found.Until = s.Span.Last
	seen, size, at := 0, 0, uint64(0)
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		_, _, name, ok := store.SplitKey(key)
		if !ok {
			return true
		}
		position := store.PositionIn(key)
		if (seen >= maxKeys || size > maxKeyBytes) && position != at {
			found.Until = at
			return false
		}
		seen++
		size += len(value)
		at = position
		if !strings.HasPrefix(string(name), s.Prefix) {
			return true
		}
		if outline, err := replica.Outline(value); err == nil {
			found.Names = append(found.Names, replica.Named{Name: string(name), State: outline})
		} else {
			unreadable(found, s, string(name))
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("records of partition %d: %w", s.Partition, err)
	}
	return nil
}
