package disk

import (
	"encoding/binary"
	"fmt"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// recover notes how far the recovery of a partition has come, or that it is
// over: then the replica counts again, at once, as it has compared; should the
// note be lost, it compares once more.
func (r *Runner) recover(op *replica.Op, s *staged) {
	r.key = store.AppendProgressKey(r.key[:0], op.Partition)
	if len(op.State) > 0 {
		r.batch.Set(r.key, op.State)
		progress := progressOf(op.State)
		r.replica.SetRecovering(op.Partition, &progress)
	} else {
		r.batch.Delete(r.key)
		r.replica.SetRecovering(op.Partition, nil)
	}
	s.answer = replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have}
	s.changed, s.aside = true, true
}

// beside runs an operation whose record fails its checksum on the side record
// (RULES R10). A Heal puts a whole record in the stead of both.
func (r *Runner) beside(now clock.Now, op *replica.Op, s *staged, facts *[]fact.Fact) {
	id := record{op.Partition, op.Key.Bucket, op.Key.Name, sideRecord}
	k := &op.Key
	r.key = store.AppendSideKey(r.key[:0], op.Partition, k.Bucket, k.Pos.Hi, k.Name)
	side, ok := r.overlay[id]
	if !ok {
		_, err := r.engine.Get(r.key, func(stored []byte) { side = append([]byte{}, stored...) })
		if err != nil {
			s.answer = r.readFailed(now, op, err, facts).Answer
			return
		}
	}
	res := r.replica.Beside(now, side, op, facts)
	s.answer = res.Answer
	if op.Verb == replica.Heal && res.Answer.Status == replica.Have {
		r.replace(op, id, &res)
		s.changed = true
		return
	}
	if s.changed = res.Record != nil; s.changed {
		r.change(id, &res, before{})
		s.aside = true
	}
}

// restore is for an operation on a record which memory has whole and the disk can't read.
// A Heal stores it anew, even where others added nothing to it. Whatever is stored makes
// its leaf dirty, which may have been added up without it.
func restore(now clock.Now, op *replica.Op, record []byte, res *replica.Result, facts *[]fact.Fact) {
	if op.Verb == replica.Heal && res.Answer.Status == replica.Have {
		if res.Record == nil {
			res.Record = record
		}
		*facts = append(*facts, fact.Fact{Kind: fact.Healed, Ticket: op.ID, At: now.Mono, N: 1})
	}
	res.Unreadable = res.Record != nil || res.Drop
}

// rotten notes records whose copy on disk was found to be unreadable.
func (r *Runner) rotten(all ...replica.Rotten) {
	for i := range all {
		k := &all[i].Key
		r.cache.lost(k.Pos.Lo, store.AppendRecordKey(nil, all[i].Partition, k.Bucket, k.Pos.Hi, k.Name))
	}
}

// replace puts the healed record in the place of the one that can't be read, and
// lets the side record go. R.key is that of the side record.
func (r *Runner) replace(op *replica.Op, side record, res *replica.Result) {
	r.batch.Delete(r.key)
	r.overlay[side] = nil
	own := side
	own.kind = ownRecord
	r.key = appendKey(r.key[:0], op)
	r.change(own, res, before{})
	r.adjust(op, &replica.Result{Unreadable: true})
	if due, _ := r.replica.MortalOf(res.Record); due != 0 { // or no sweep may ever look for it
		r.mortals = append(r.mortals, replica.Mortal{Partition: op.Partition, Key: op.Key, Due: due})
	}
}

// Holds says whether an engine has any record: the node's own, one beside it, or
// one that is kept for others.
func Holds(e store.Engine) (any bool, err error) {
	for _, bounds := range []func() (lo, hi []byte){store.AllRecords, store.SideRange, store.PendingRange} {
		lo, hi := bounds()
		if err := e.Range(lo, hi, func(_, _ []byte) bool {
			any = true
			return false
		}); err != nil || any {
			return any, err
		}
	}
	return false, nil
}

// Found says that the data in an engine belongs to the data folder of that id,
// and, where any are given, that those partitions are recovering since the
// wall-clock time given, whatever progress was made under another id. Synced is
// called as with [store.Engine].
func Found(e store.Engine, disk uint64, recovering []uint32, since int64, synced func(error)) error {
	var b store.Batch
	b.Set(store.DiskKey(), binary.BigEndian.AppendUint64(nil, disk))
	if len(recovering) > 0 {
		lo, hi := store.ProgressRange()
		b.DeleteRange(lo, hi)
	}
	progress := replica.AppendProgress(nil, &replica.Progress{Since: since})
	for _, p := range recovering {
		b.Set(store.AppendProgressKey(nil, p), progress)
	}
	return e.Apply(&b, synced)
}

// Away says that those partitions, where they do not recover, are to be compared
// before they count again: the node was away for longer than anybody keeps what it
// missed (paper, section 4.6; PAPER 9.10).
func Away(e store.Engine, partitions []uint32, since int64, synced func(error)) error {
	var b store.Batch
	progress := replica.AppendProgress(nil, &replica.Progress{Since: since, Away: true})
	for _, p := range partitions {
		key := store.AppendProgressKey(nil, p)
		partly := false // what recovers in some buckets was away in all of them
		there, err := e.Get(key, func(value []byte) { partly = len(progressOf(value).Buckets) > 0 })
		switch {
		case err != nil:
			return fmt.Errorf("what is recovering can't be read: %w", err)
		case partly:
			b.Set(key, replica.AppendProgress(nil, &replica.Progress{Since: since}))
		case !there:
			b.Set(key, progress)
		}
	}
	if err := e.Apply(&b, synced); err != nil {
		return fmt.Errorf("what is recovering can't be stored: %w", err)
	}
	return nil
}

// Recovering is a partition in which the replica recovers.
type Recovering struct {
	Partition uint32
	Progress  replica.Progress
}

// Recoveries returns the partitions of this runner that are recovering, and
// tells its replica. It is to be called before anything is run. Progress that
// can't be read is none.
func (r *Runner) Recoveries() ([]Recovering, error) {
	var all []Recovering
	lo, hi := store.ProgressRange()
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		p, ok := store.SplitProgressKey(key)
		if !ok || !r.mine(p) {
			return true
		}
		progress := progressOf(value)
		all = append(all, Recovering{p, progress})
		r.replica.SetRecovering(p, &progress)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("what is recovering can't be read: %w", err)
	}
	return all, nil
}

// AllRecover says whether partitions are all marked as recovering in an engine, in all
// buckets, and not only since the node was away.
func AllRecover(e store.Engine, partitions []uint32) (bool, error) {
	for _, p := range partitions {
		marked := false
		_, err := e.Get(store.AppendProgressKey(nil, p), func(value []byte) {
			progress := progressOf(value)
			marked = !progress.Away && len(progress.Buckets) == 0
		})
		if err != nil {
			return false, fmt.Errorf("what is recovering can't be read: %w", err)
		}
		if !marked {
			return false, nil
		}
	}
	return true, nil
}

// progressOf reads progress; what can't be read is none.
func progressOf(value []byte) replica.Progress {
	p, err := replica.DecodeProgress(value)
	if err != nil {
		return replica.Progress{}
	}
	return p
}

// AnyRecovering says whether an engine has partitions that are recovering.
func AnyRecovering(e store.Engine) (bool, error) {
	any := false
	lo, hi := store.ProgressRange()
	err := e.Range(lo, hi, func(_, _ []byte) bool {
		any = true
		return false
	})
	if err != nil {
		return false, fmt.Errorf("what is recovering can't be read: %w", err)
	}
	return any, nil
}
