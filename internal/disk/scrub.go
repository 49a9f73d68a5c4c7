package disk

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// ScrubNote returns what an earlier run noted of how far shard index of so many had
// come in reading everything back; nil: nothing.
func (r *Runner) ScrubNote() []byte {
	var note []byte
	_, err := r.engine.Get(r.scrubKey(), func(v []byte) { note = bytes.Clone(v) })
	if err != nil {
		return nil // a round begins anew
	}
	return note
}

func (r *Runner) scrubKey() []byte {
	return store.AppendScrubKey(nil, r.config.Shard, max(r.config.Shards, 1))
}

// Scrub reads back what this runner stores from the place from on (nil: the
// first), at about limit bytes of it, and keeps the note, where there is one. It
// goes through the records and the leaves of trees, each leaf with the records
// under it; then through what is kept for others; then through the side records.
// Leaves that are not the sums of their records are added up anew, records kept
// for others that can't be read go, and the node's own are told. It is to be called
// between runs: a leaf and its records are of one moment then.
func (r *Runner) Scrub(now clock.Now, from []byte, limit int, note []byte, facts *[]fact.Fact) replica.Scrubbed {
	if r.dead != nil {
		return replica.Scrubbed{Verified: replica.Verified{Err: r.dead}}
	}
	var found replica.Scrubbed
	if r.note(now, note, facts); limit <= 0 || r.dead != nil {
		return found
	}
	limit = min(limit, maxSweep)
	switch {
	case store.IsPending(from):
		r.scrubPending(now, from, limit, &found, facts)
	case store.IsSide(from):
		r.scrubSides(from, limit, &found)
	default:
		r.scrubTrees(now, from, limit, &found, facts)
	}
	if u, err := r.engine.Usage(); err == nil {
		found.Size = u.DiskBytes
	}
	if found.Err != nil {
		found.Next, found.Skip = nil, behind(from)
		if fatal(found.Err) {
			r.stop(found.Err)
		}
	}
	return found
}

// behind returns where to go on behind a place that can't be read: with the next
// partition, and after the last with what comes then.
func behind(from []byte) []byte {
	if next := store.NextPartition(from); next != nil {
		return next
	}
	return after(from)
}

// note keeps how far all was read back. Where that fails it is kept with a later
// slice.
func (r *Runner) note(now clock.Now, note []byte, facts *[]fact.Fact) {
	if note == nil {
		return
	}
	r.reset()
	r.batch.Set(r.scrubKey(), note)
	r.mayFail(now, "note of the scrubber", r.commit(), facts)
}

// mayFail states that something could not be stored that is stored another time,
// unless the engine is at its end.
func (r *Runner) mayFail(now clock.Now, what string, err error, facts *[]fact.Fact) bool {
	switch {
	case err == nil:
		return false
	case fatal(err):
		r.stop(err)
	}
	r.trees.clear()
	*facts = append(*facts, fact.Fact{Kind: fact.Refused, At: now.Mono, Note: what + ": " + err.Error()})
	return true
}

// after returns the first place behind all of the kind of one: first trees are
// looked for and then added up, then what is kept for others is read, and then the
// side records; nil: that was the last.
func after(from []byte) []byte {
	var lo []byte
	switch {
	case store.IsPending(from):
		lo, _ = store.SideRange()
	case store.IsSide(from):
		return nil
	case store.IsLeaf(from):
		lo, _ = store.PendingRange()
	default:
		lo, _ = store.AllLeaves()
	}
	return lo
}

// scrubTrees looks at the records and the leaves of trees.
func (r *Runner) scrubTrees(now clock.Now, from []byte, limit int, found *replica.Scrubbed, facts *[]fact.Fact) {
	if from == nil { // a round begins
		r.mended = nil
	}
	if !bytes.Equal(r.large.before, from) {
		r.large = largeLeaf{}
	}
	v := verifier{
		engine: r.engine, replica: r.replica, bits: r.config.PartitionBits, mine: r.config.Mine, limit: limit,
		large: &r.large,
	}
	v.run(from)
	if v.out.Err != nil && !bytes.Equal(v.out.Next, from) {
		v.out.Err = nil // the next slice begins with what can't be read
	}
	found.Verified, found.Rotten = v.out, v.rotten
	found.Bytes = int64(v.size) // what it costs to look counts, or a small store would be looked at all the time
	r.rotten(v.rotten...)
	r.mend(now, v.doubts, found, facts)
	switch {
	case found.Err != nil:
	case store.IsLeaf(v.back) && !bytes.Equal(v.back, r.mended):
		found.Next, r.mended = v.back, v.back // what was not reached is looked at once more
	case found.Next == nil:
		found.Next, _ = store.PendingRange()
	}
}

// mend adds up anew the leaves at some positions. What memory has of their trees
// goes: it may be whole where the disk is not.
func (r *Runner) mend(now clock.Now, doubts []leafID, found *replica.Scrubbed, facts *[]fact.Fact) {
	for _, id := range doubts {
		r.trees.drop(id.partition, id.bucket)
		r.reset()
		r.touched = append(r.touched, touched{tree: id.treeID, pos: id.last, dirty: true})
		err := r.commit()
		if err == nil {
			_, err = r.addUp(id, 0)
		}
		if r.mayFail(now, "scrub: a leaf can't be added up", err, facts) {
			return // the next round finds it again
		}
		found.Mended++
	}
}

// scrubPending reads back what is kept for others. Of one that can't be read
// nobody can say what is owed: it goes, and what it said is had from the others
// that took the write when they compare.
func (r *Runner) scrubPending(now clock.Now, from []byte, limit int, found *replica.Scrubbed, facts *[]fact.Fact) {
	r.reset()
	lost := 0
	_, hi := store.PendingRange()
	found.Err = r.scrubRange(from, hi, limit, found, func(rec replica.Rotten, value []byte) {
		if _, err := r.replica.Hold(value); err != nil {
			lost++
			r.losePending(&rec, value)
		}
	})
	if found.Err == nil && !r.mayFail(now, "scrub", r.commit(), facts) {
		found.Lost = lost
	}
}

// losePending puts into the batch that a pending record goes which can't be read.
// Where not even its stamp can, it is counted on until the next start: that may
// hold up reaping, and loses nothing (RULES E1).
func (r *Runner) losePending(rec *replica.Rotten, value []byte) {
	r.key = store.AppendPendingKey(r.key[:0], rec.Partition, rec.Key.Bucket, rec.Key.Pos.Hi, rec.Key.Name)
	r.batch.Delete(r.key)
	r.grow(len(value), 0)
	if _, stamp, _, err := replica.DecodePending(value); err == nil {
		r.restamped = append(r.restamped, restamped{stamp, -1})
	}
}

// scrubSides finds records that can't be read by their side records: they are to
// be healed, and after a restart nobody may have met them.
func (r *Runner) scrubSides(from []byte, limit int, found *replica.Scrubbed) {
	_, hi := store.SideRange()
	found.Err = r.scrubRange(from, hi, limit, found, func(rec replica.Rotten, _ []byte) { found.Rotten = append(found.Rotten, rec) })
}

// scrubRange reads back records of the runner's partitions in a range of engine
// keys.
func (r *Runner) scrubRange(lo, hi []byte, limit int, found *replica.Scrubbed, visit func(rec replica.Rotten, value []byte)) error {
	seen := 0
	found.Next = after(lo)
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		if found.Bytes > int64(limit) || seen >= maxRotten {
			found.Next = slices.Clone(key)
			return false
		}
		found.Bytes += int64(len(key) + len(value))
		partition, bucket, name, ok := store.SplitKey(key)
		if ok && r.mine(partition) {
			seen++
			visit(replica.Rotten{Partition: partition, Key: ring.NewKey(string(bucket), string(name))}, value)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

// largeLeaf is a leaf whose records are read back in several slices.
type largeLeaf struct {
	before  []byte // the place before it; nil: there is none
	id      leafID
	leaf    leaf // as it was at first
	changed bool // since: its sum can't be judged
	tally   tally
}

// addUp reads on. It returns false where that was not all, or where the leaf has
// changed meanwhile; the next round judges it then.
func (l *largeLeaf) addUp(v *verifier, s *stored, span merkle.Span) (tally, bool, error) {
	lo, hi := store.RecordRange(s.id.partition, s.id.bucket, span.First, span.Last)
	if l.before != nil && l.id == s.id {
		lo = l.tally.next
		l.changed = l.changed || l.leaf != s.leaf
	} else {
		*l = largeLeaf{id: s.id, leaf: s.leaf}
	}
	part, err := addUpRange(v.engine, v.replica, s.id.treeID, lo, hi, v.limit)
	if err != nil {
		*l = largeLeaf{}
		return tally{}, false, err
	}
	v.read(s.id.treeID, &part)
	all := &l.tally
	all.sum, all.count, all.next = merkle.Add(all.sum, part.sum), all.count+part.count, part.next
	all.rotten = append(all.rotten, part.rotten...)
	if part.more {
		l.before, v.within = v.out.Next, true
		return tally{}, false, nil
	}
	whole := *l
	*l = largeLeaf{}
	return whole.tally, !whole.changed, nil
}
