package disk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// Bounds of one scan of the pending records, whatever it asks for: it runs
// between requests, on their goroutine.
const (
	maxPage      = 256
	maxPageBytes = 1 << 20
)

var errKey = errors.New("not the engine key of a pending record")

// PendingBytes returns how much the pending records of this runner take.
func (r *Runner) PendingBytes() int64 { return r.pendingBytes.Load() }

// Owing returns what the pending records were, by target, that an earlier run
// had left when this one began.
func (r *Runner) Owing() []replica.Owing { return r.owing }

// Scan returns the pending records from the place from (nil: the first) on, at
// most limit of them. Records that were not synced yet are among them: whoever
// is sent one syncs it.
func (r *Runner) Scan(from []byte, limit int) replica.Page {
	var page replica.Page
	limit = min(limit, maxPage)
	size := 0
	lo, hi := store.PendingRange()
	if from != nil {
		lo = from
	}
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		if len(page.Held) > 0 && (len(page.Held) >= limit || size+len(value) > maxPageBytes) {
			page.Next = slices.Clone(key)
			return false
		}
		h, mine, err := r.held(key, value)
		switch {
		case !mine:
		case err != nil:
			page.Damaged++
		default:
			size += len(value)
			page.Held = append(page.Held, h)
		}
		return true
	})
	if err != nil {
		return replica.Page{Err: fmt.Errorf("scan of pending records: %w", err)}
	}
	page.Bytes, page.Max = r.PendingBytes(), max(r.config.MaxPending, 1)
	return page
}

// held reads one pending record; false where it is another runner's.
func (r *Runner) held(key, value []byte) (replica.Held, bool, error) {
	partition, bucket, name, ok := store.SplitKey(key)
	if !ok {
		return replica.Held{}, true, errKey
	}
	if !r.mine(partition) {
		return replica.Held{}, false, nil
	}
	h, err := r.replica.Hold(value)
	h.Partition, h.Key = partition, ring.NewKey(string(bucket), string(name))
	h.Size = len(key) + len(value)
	return h, true, err
}

func (r *Runner) mine(partition uint32) bool {
	return r.config.Mine == nil || r.config.Mine(partition)
}

// countPending counts what an earlier run left, and for whom.
func (r *Runner) countPending() {
	lo, hi := store.PendingRange()
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		if partition, _, _, ok := store.SplitKey(key); !ok || r.mine(partition) {
			r.pendingBytes.Add(int64(len(key) + len(value)))
			r.countOwed(value, len(key)+len(value))
			if stamp, ok := replica.StampOf(value); ok {
				r.stamps[stamp]++
			}
		}
		return true
	})
	if err != nil {
		r.stop(fmt.Errorf("count pending records: %w", err))
	}
}

// countOwed counts a record for those to whom it is owed. One that is damaged is
// owed to nobody that could be told.
func (r *Runner) countOwed(value []byte, size int) {
	owed, _, _, err := replica.DecodePending(value)
	if err != nil {
		return
	}
	for _, o := range owed {
		i, found := slices.BinarySearchFunc(r.owing, o.Target, func(a replica.Owing, t ring.NodeID) int { return cmp.Compare(a.Target, t) })
		if !found {
			r.owing = slices.Insert(r.owing, i, replica.Owing{Target: o.Target})
		}
		r.owing[i].Add(size, o.Since)
	}
}

// grow notes that a pending record of before bytes, 0: none, has after now, once
// the batch is stored.
func (r *Runner) grow(before, after int) {
	if before > 0 {
		before += len(r.key)
	}
	if after > 0 {
		after += len(r.key)
	}
	r.growth += int64(after - before)
}

// before is what a pending record was before an operation; zero for others.
type before struct {
	size  int
	stamp uint64
	there bool // it had a stamp
}

func (r *Runner) before(op *replica.Op, stored []byte) before {
	if !op.Pending {
		return before{}
	}
	was := before{size: len(stored)}
	was.stamp, was.there = replica.StampOf(stored)
	return was
}

// restamped is one pending record more, or one less, with a stamp.
type restamped struct {
	stamp uint64
	by    int
}

// restamp notes what becomes of a pending record's stamp once the batch is
// stored.
func (r *Runner) restamp(was before, record []byte) {
	if was.there {
		r.restamped = append(r.restamped, restamped{was.stamp, -1})
	}
	if stamp, ok := replica.StampOf(record); ok {
		r.restamped = append(r.restamped, restamped{stamp, 1})
	}
}

func (r *Runner) countStamps() {
	for _, c := range r.restamped {
		if r.stamps[c.stamp] += c.by; r.stamps[c.stamp] == 0 {
			delete(r.stamps, c.stamp)
		}
	}
}

// LowestStamp returns the lowest stamp among the pending records, as applied, and
// whether there are any (RULES E1). Where the replica recovers its own records
// count as old ones kept for others: a disk that was put back may have voted for a
// tombstone in its earlier life and hold what was deleted again. It stays in its
// epoch, and so holds up the others, until it has compared.
func (r *Runner) LowestStamp() (uint64, bool) {
	if s := r.replica.Standing(); r.replica.RecoversAny() {
		return s.Of(0), true
	}
	lowest, any := uint64(0), false
	for stamp := range r.stamps {
		if !any || stamp < lowest {
			lowest, any = stamp, true
		}
	}
	standing := r.replica.Standing()
	return standing.Of(lowest), any
}
