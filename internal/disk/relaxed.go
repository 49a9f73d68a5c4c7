package disk

import (
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// In a bucket whose durability is not all, an acknowledgement need not wait for the
// disk. What it promises may then be gone after an unclean stop, so that the node
// must come back as recovering there (RULES R9); that it must is on disk before the
// first such acknowledgement is given: a mark for each partition and bucket, which
// goes when the node has stopped cleanly.
//
// What was not synced when a process ends is the end of what was applied. So the
// rest of the node's state never depends on anything that is lost.

// relaxedMark names such a mark.
type relaxedMark struct {
	partition uint32
	bucket    string
}

// relax decides whether an operation that asks for it may be answered before it is
// synced: reads, and those for which the mark is on the disk. A pending record needs
// none: a fallback counts for nothing that is strict.
func (r *Runner) relax(op *replica.Op, s *staged) {
	switch {
	case !op.Relaxed || s.answer.Status != replica.Have && s.answer.Status != replica.DontKnow && s.answer.Status != replica.Absent:
		return
	case op.Verb == replica.Read, op.Pending:
		s.relaxed = true
		return
	case op.Verb != replica.Write && op.Verb != replica.Join:
		return
	}
	id := relaxedMark{op.Partition, op.Key.Bucket}
	seq, marked := r.marks[id]
	if !marked {
		seq = r.seq + 1
		r.key = store.AppendBufferedKey(r.key[:0], id.partition, id.bucket)
		r.batch.Set(r.key, nil)
		r.marks[id] = seq
		r.marking = append(r.marking, id)
		s.marked = true
	}
	s.relaxed = seq <= r.waiting.synced
}

// unmark forgets the marks of a batch that was not stored.
func (r *Runner) unmark() {
	for _, id := range r.marking {
		delete(r.marks, id)
	}
}

// waits says whether an operation has an answer that waits for its sync.
func (s *staged) waits(synced uint64) bool {
	return !s.relaxed && !s.op.Silent && s.seq > synced && s.answer.Status != replica.Failed
}

// lazy says whether the batch of this run may stay in a write buffer: there is
// something relaxed in it, and nothing that is waited for.
func (r *Runner) lazy() bool {
	if len(r.waiting.batches) >= r.config.MaxBatches/2 {
		return false
	}
	relaxed := false
	for i := range r.staged {
		s := &r.staged[i]
		if s.waits(r.waiting.synced) || s.changed && s.aside {
			return false
		}
		relaxed = relaxed || s.relaxed && s.changed
	}
	return relaxed
}

// urge sees to it that what was applied by batch seq is synced soon: somebody waits.
func (r *Runner) urge(seq uint64) {
	if seq <= r.pushed || seq <= r.waiting.synced || r.dead != nil {
		return
	}
	r.batch.Reset()
	if err := r.apply(); err != nil && fatal(err) {
		r.stop(err)
	}
}

// urgeAnswers is urge for whatever in this run waits.
func (r *Runner) urgeAnswers() {
	last := uint64(0)
	for i := range r.staged {
		if s := &r.staged[i]; s.waits(r.waiting.synced) {
			last = max(last, s.seq)
		}
	}
	r.urge(last)
}

// apply gives the batch to the engine, as the next one.
func (r *Runner) apply() error {
	seq := r.seq + 1
	if err := r.engine.Apply(&r.batch, func(err error) { r.onSync(seq, err) }); err != nil {
		return err
	}
	r.seq = seq
	if !r.batch.Lazy {
		r.pushed = seq
	}
	r.waiting.open()
	return nil
}

// loadMarks finds the marks that are on the disk.
func (r *Runner) loadMarks() {
	lo, hi := store.BufferedRange()
	err := r.engine.Range(lo, hi, func(key, _ []byte) bool {
		if p, bucket, ok := store.SplitBufferedKey(key); ok && r.mine(p) {
			r.marks[relaxedMark{p, string(bucket)}] = 0
		}
		return true
	})
	if err != nil {
		r.stop(fmt.Errorf("the marks of buckets that are not durable can't be read: %w", err))
	}
}

// Lost marks, before anything is run, what may be gone of the writes that were
// acknowledged before they were synced, where the node has not stopped cleanly: in
// those partitions and buckets the replica recovers, and what it had compared before
// counts no more (RULES R9, R10). It returns of how many. Synced is called as with
// [store.Engine].
func Lost(e store.Engine, since int64, synced func(error)) (partitions int, err error) {
	marks, err := relaxedMarks(e)
	if err != nil {
		return 0, err
	}
	var b store.Batch
	for len(marks) > 0 {
		p := marks[0].partition
		progress := replica.Progress{Since: since}
		for len(marks) > 0 && marks[0].partition == p {
			progress.Buckets = append(progress.Buckets, marks[0].bucket)
			marks = marks[1:]
		}
		key := store.AppendProgressKey(nil, p)
		if _, err := e.Get(key, func(value []byte) {
			old := progressOf(value)
			if progress.Since = old.Since; len(old.Buckets) == 0 {
				progress.Buckets = nil
			} else {
				progress.Buckets = slices.Compact(slices.Sorted(slices.Values(append(progress.Buckets, old.Buckets...))))
			}
		}); err != nil {
			return 0, fmt.Errorf("what is recovering can't be read: %w", err)
		}
		if len(progress.Buckets) > replica.MaxRecoveringBuckets {
			progress.Buckets = nil
		}
		b.Set(key, replica.AppendProgress(nil, &progress))
		partitions++
	}
	if err := e.Apply(&b, synced); err != nil {
		return 0, fmt.Errorf("what is recovering can't be stored: %w", err)
	}
	return partitions, nil
}

// relaxedMarks lists the marks on the disk, by partition.
func relaxedMarks(e store.Engine) (marks []relaxedMark, err error) {
	lo, hi := store.BufferedRange()
	err = e.Range(lo, hi, func(key, _ []byte) bool {
		if p, bucket, ok := store.SplitBufferedKey(key); ok {
			marks = append(marks, relaxedMark{p, string(bucket)})
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("what may be lost of the write buffer can't be read: %w", err)
	}
	return marks, nil
}

// Stopped takes the marks away: all that was applied is synced before that is, and
// nothing will be applied after it. Synced is called as with [store.Engine].
func Stopped(e store.Engine, synced func(error)) error {
	var b store.Batch
	b.DeleteRange(store.BufferedRange())
	if err := e.Apply(&b, synced); err != nil {
		return fmt.Errorf("that the node has stopped cleanly can't be stored: %w", err)
	}
	return nil
}
