package disk

import (
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// maxSweep bounds how many bytes of records one sweep looks at, whatever it is
// asked for: it runs between requests, on their goroutine.
const maxSweep = 1 << 20

// Sweep looks through the node's own records from the place from (nil: the
// first) on, at about limit bytes of them, for those of which nothing is shown or
// nothing will be some day.
func (r *Runner) Sweep(from []byte, limit int) replica.Sweep {
	var s replica.Sweep
	limit = min(limit, maxSweep)
	lo, hi := store.AllRecords()
	if from != nil {
		lo = from
	}
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		if s.Bytes >= limit {
			s.Next = slices.Clone(key)
			return false
		}
		s.Bytes += len(key) + len(value)
		partition, bucket, name, ok := store.SplitKey(key)
		if !ok || !r.mine(partition) {
			return true
		}
		if due, crowded := r.replica.MortalOf(value); due != 0 || crowded {
			s.Found = append(s.Found, replica.Mortal{Partition: partition, Key: ring.NewKey(string(bucket), string(name)), Due: due, Crowded: crowded})
		}
		return true
	})
	if err != nil {
		return replica.Sweep{Err: fmt.Errorf("sweep of records: %w", err)}
	}
	return s
}

// Mortals returns the records that the last Run left in the engine and of which
// nothing is shown any more, or nothing will be some day. They are good until the
// next Run.
func (r *Runner) Mortals() []replica.Mortal { return r.mortals }
