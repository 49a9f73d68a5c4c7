package disk

import (
	"errors"
	"fmt"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// vacate lets all go that this node holds of a partition, or of a bucket in it,
// for itself. It is one batch of a few changes however much there is, so that
// there is all of it or nothing after a crash. No record is left that could go
// on with its life: what is minted in its stead begins a new one (RULES R2).
func (r *Runner) vacate(now clock.Now, op *replica.Op, done *[]replica.Answer, facts *[]fact.Fact) {
	reason := r.refuseVacate()
	if reason == replica.None {
		if err := r.applyVacate(op); err != nil {
			*facts = append(*facts, fact.Fact{Kind: fact.Refused, Ticket: op.ID, At: now.Mono, Note: "the engine refused to let a partition go: " + err.Error()})
			reason = replica.IOError
		}
	}
	switch {
	case op.Silent:
	case reason != replica.None:
		*done = append(*done, failed(op, reason))
	default:
		r.waiting.add(r.seq, replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Durable: true})
	}
}

func (r *Runner) refuseVacate() replica.Reason {
	switch {
	case r.dead != nil:
		return replica.IOError
	case r.waiting.answers >= r.config.MaxWaiting, len(r.waiting.batches) >= r.config.MaxBatches:
		return replica.Overloaded
	default:
		return replica.None
	}
}

func (r *Runner) applyVacate(op *replica.Op) error {
	r.batch.Reset()
	store.DeleteHolding(&r.batch, op.Partition, op.Key.Bucket)
	if op.Key.Bucket == "" {
		r.putArrival(op)
	}
	if err := r.apply(); err != nil {
		if r.Refresh(); fatal(err) {
			r.stop(err)
		}
		return err
	}
	r.replica.Vacated(op.Partition)
	r.cache.dropAll(string(store.HoldingPrefix(op.Partition, op.Key.Bucket)))
	r.trees.drop(op.Partition, op.Key.Bucket)
	return nil
}

// arrive notes that a partition is being taken over, or that this is over.
func (r *Runner) arrive(op *replica.Op, s *staged) {
	r.putArrival(op)
	s.answer = replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have}
	s.changed, s.aside = true, true
}

func (r *Runner) putArrival(op *replica.Op) {
	r.key = store.AppendArrivalKey(r.key[:0], op.Partition)
	if len(op.State) > 0 {
		r.batch.Set(r.key, op.State)
	} else {
		r.batch.Delete(r.key)
	}
}

// Holdings returns what is stored of this runner's partitions. It looks up one
// record of each bucket in each partition. Where one lies in what is damaged the trees
// tell, which are wherever there are records. See [Runner.Err].
func (r *Runner) Holdings() replica.Holdings {
	var all replica.Holdings
	lo, end := store.AllRecords()
	err := r.addHeld(&all, lo, end)
	if errors.Is(err, store.ErrDamaged) {
		all.Buckets = nil
		lo, end = store.AllLeaves()
		err = r.addHeld(&all, lo, end)
	}
	if err != nil {
		r.stop(fmt.Errorf("what is held can't be read: %w", err))
		return replica.Holdings{}
	}
	lo, end = store.ArrivalRange()
	err = r.engine.Range(lo, end, func(key, value []byte) bool {
		if p, ok := store.SplitArrivalKey(key); ok && r.mine(p) {
			number, mixed := replica.ReadArrival(value)
			all.Arrivals = append(all.Arrivals, replica.Arrival{Partition: p, Number: number, Mixed: mixed})
		}
		return true
	})
	if err != nil {
		r.stop(fmt.Errorf("what is being taken over can't be read: %w", err))
	}
	return all
}

// addHeld adds the buckets in each partition of which there are records, or leaves.
func (r *Runner) addHeld(all *replica.Holdings, lo, end []byte) error {
	for lo != nil {
		from := lo
		lo = nil
		err := r.engine.Range(from, end, func(key, _ []byte) bool {
			partition, bucket, ok := store.SplitHeld(key)
			if !ok {
				return true
			}
			if lo = store.NextHolding(partition, string(bucket)); store.IsLeaf(key) {
				_, lo = store.LeafRange(partition, string(bucket))
			}
			if r.mine(partition) {
				all.Buckets = append(all.Buckets, replica.Holding{Partition: partition, Bucket: string(bucket)})
			}
			return false
		})
		if err != nil {
			return err
		}
	}
	return nil
}
