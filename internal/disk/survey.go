package disk

import (
	"errors"
	"fmt"
	"math"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// Bounds of one survey: it runs between requests, on their goroutine.
const (
	maxRoots     = 64      // roots in a page
	maxLeaves    = 1 << 14 // leaves added up for a page of roots, but for the last root
	maxKeys      = 512     // keys in a page
	maxKeyBytes  = 1 << 20 // of records read for a page, but for the last one
	maxAddUpSize = 8 << 20 // of records read to add up dirty leaves, but for the last one
)

// surveyed is an answer that waits for what it shows to be synced.
type surveyed struct {
	seq   uint64
	found replica.Found
}

// Survey looks at what is stored of a partition. [Runner.Founds] has the answer
// once all that was applied before is synced: an asker that finds the same as it
// holds itself may rely on it, after a power failure too (RULES R28, R35).
func (r *Runner) Survey(now clock.Now, s *replica.Survey, facts *[]fact.Fact) {
	found := replica.Found{ID: s.ID, Look: s.Look, Status: replica.Have, Recovering: r.replica.Recovering(s.Partition)}
	if err := r.look(s, &found); err != nil {
		*facts = append(*facts, fact.Fact{Kind: fact.Refused, At: now.Mono, Note: "survey: " + err.Error()})
		if fatal(err) {
			r.stop(err)
		}
		found = replica.Found{ID: s.ID, Look: s.Look, Status: replica.Failed, Reason: replica.IOError}
	}
	r.rotten(found.Rotten...)
	if found.Unreadable > 0 {
		*facts = append(*facts, fact.Fact{Kind: fact.Damaged, At: now.Mono, N: found.Unreadable, Note: s.Bucket + ": found while comparing"})
	}
	r.surveyed = append(r.surveyed, surveyed{r.seq, found})
	r.urge(r.seq)
}

// Founds appends the answers to surveys that may be given by now. It is to be
// called after [Runner.Survey] and [Runner.Synced].
func (r *Runner) Founds(dst *[]replica.Found) {
	left := r.surveyed[:0]
	for i := range r.surveyed {
		if s := &r.surveyed[i]; s.seq <= r.waiting.synced || s.found.Status == replica.Failed {
			*dst = append(*dst, s.found)
		} else {
			left = append(left, *s)
		}
	}
	clear(r.surveyed[len(left):])
	if r.surveyed = left; r.dead != nil {
		r.surveyed = nil
	}
}

func (r *Runner) look(s *replica.Survey, found *replica.Found) error {
	switch {
	case r.dead != nil:
		return r.dead
	case s.Look == replica.Names:
		return r.listNames(s, found)
	case s.Look != replica.Roots && !r.within(s):
		return errSpan
	case s.Look == replica.Keys:
		return r.listKeys(s, found)
	}
	dirty, err := r.lookAtLeaves(s, found)
	for i, size := 0, 0; err == nil && i < len(dirty); i++ {
		if size > maxAddUpSize { // the next survey goes on with the others
			found.Status, found.Reason = replica.Failed, replica.Overloaded
			return nil
		}
		size, err = r.addUp(dirty[i], size)
	}
	if err != nil || len(dirty) == 0 {
		return err
	}
	if dirty, err = r.lookAtLeaves(s, found); len(dirty) > 0 { // one was too large, and is in halves now
		found.Status, found.Reason = replica.Failed, replica.Overloaded
	}
	return err
}

var errSpan = errors.New("not a span of the partition's tree")

// within says whether a survey's span is one of its partition and, of parts, one
// that a leaf may have.
func (r *Runner) within(s *replica.Survey) bool {
	whole := merkle.Whole(s.Partition, r.config.PartitionBits)
	_, ok := s.Span.Depth()
	ok = ok || s.Look == replica.Keys && s.Span.First <= s.Span.Last
	return ok && whole.First <= s.Span.First && s.Span.Last <= whole.Last
}

// lookAtLeaves finds roots or parts. It returns the leaves that are dirty, whose
// sums are missing in what it found.
func (r *Runner) lookAtLeaves(s *replica.Survey, found *replica.Found) (dirty []leafID, err error) {
	found.Roots, found.Parts, found.Next = nil, nil, ""
	var lo, hi []byte
	var larger *leafID // the leaf that the span is only a part of
	var visit func(id leafID, l leaf) bool
	if s.Look == replica.Parts {
		_, hi = store.LeafRange(s.Partition, s.Bucket)
		lo = store.AppendLeafKey(nil, s.Partition, s.Bucket, s.Span.First)
		visit = func(id leafID, l leaf) bool { return addPart(found, s.Span, id, l, &larger) }
	} else {
		lo, hi = store.LeafRange(s.Partition, "")
		if s.After != "" {
			_, lo = store.LeafRange(s.Partition, s.After)
		}
		seen := 0
		visit = func(id leafID, l leaf) bool {
			seen++
			return addRoot(found, id.bucket, l, seen)
		}
	}
	t := treeID{partition: s.Partition}
	err = r.engine.Range(lo, hi, func(key, value []byte) bool {
		_, name, last, ok := store.SplitLeafKey(key)
		if !ok {
			return true
		}
		if t.bucket != string(name) {
			t.bucket = string(name)
		}
		id := leafID{t, last}
		l, readable := readLeaf(value)
		if !readable || l.dirty {
			dirty = append(dirty, id)
			return true
		}
		return visit(id, l)
	})
	if err == nil && larger != nil && len(dirty) == 0 {
		return nil, r.partOf(*larger, s.Span, found)
	}
	if err != nil {
		return nil, fmt.Errorf("leaves of partition %d: %w", s.Partition, err)
	}
	return dirty, nil
}

// addPart adds a leaf to the part that it is in; false behind the span. Of a leaf
// that goes beyond the span the records tell.
func addPart(found *replica.Found, span merkle.Span, id leafID, l leaf, larger **leafID) bool {
	at := id.span(l)
	depth, _ := span.Depth()
	switch {
	case at.First > span.Last:
		return false
	case l.depth < depth:
		*larger = &id
		return false
	case l.count == 0 && l.sum == merkle.Sum{}:
		return true
	}
	number := merkle.NumberOf(depth, at.First, l.depth)
	if n := len(found.Parts); n == 0 || found.Parts[n-1].Number != number {
		found.Parts = append(found.Parts, merkle.Part{Number: number})
	}
	p := &found.Parts[len(found.Parts)-1]
	p.Count, p.Sum = p.Count+l.count, merkle.Add(p.Sum, l.sum)
	return true
}

// partOf finds a span that is a part of a leaf, as one part.
func (r *Runner) partOf(id leafID, span merkle.Span, found *replica.Found) error {
	t, err := r.tally(id.treeID, span, math.MaxInt)
	if err == nil && t.count > 0 {
		found.Parts = append(found.Parts, merkle.Part{Number: 1, Count: t.count, Sum: t.sum})
	}
	return err
}

// addRoot adds a leaf to its root, which is the last of the list; false where that
// is for the next page.
func addRoot(found *replica.Found, bucket string, l leaf, seen int) bool {
	n := len(found.Roots)
	if n == 0 || found.Roots[n-1].Bucket != bucket {
		if n == maxRoots || n > 0 && seen > maxLeaves {
			found.Next = found.Roots[n-1].Bucket
			return false
		}
		found.Roots = append(found.Roots, replica.Root{Bucket: bucket})
		n++
	}
	root := &found.Roots[n-1]
	root.Count, root.Sum = root.Count+l.count, merkle.Add(root.Sum, l.sum)
	return true
}

// addUp adds up a dirty leaf from its records, and returns size and that of what
// it read. One that is too large for that is split.
func (r *Runner) addUp(id leafID, size int) (int, error) {
	r.reset()
	r.trees.remove(id) // which may be whole in memory where it is not on the disk
	at, err := r.plot(id.treeID, id.last)
	if err != nil {
		return size, err
	}
	p := &r.plots[at]
	t, err := r.tally(id.treeID, p.id.span(p.leaf), maxAddUpSize)
	if err != nil {
		return size, err
	}
	if t.more && p.leaf.depth < merkle.MaxDepth {
		p.leaf.dirty, p.leaf.count = true, t.count
		err = r.split(at)
	} else {
		p.leaf.dirty, p.leaf.sum, p.leaf.count = false, t.sum, t.count
	}
	if err != nil {
		return size, err
	}
	r.putPlots(&r.batch)
	return size + t.size, r.applyLeaves()
}

// listKeys lists the records of a span.
func (r *Runner) listKeys(s *replica.Survey, found *replica.Found) error {
	lo, hi := store.RecordRange(s.Partition, s.Bucket, s.Span.First, s.Span.Last)
	if s.After != "" {
		k := ring.NewKey(s.Bucket, s.After)
		lo = append(store.AppendRecordKey(nil, s.Partition, s.Bucket, k.Pos.Hi, s.After), 0)
	}
	size, seen := 0, ""
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		_, _, name, ok := store.SplitKey(key)
		if !ok {
			return true
		}
		if len(found.Keys) == maxKeys || seen != "" && size+len(value) > maxKeyBytes {
			found.Next = seen
			return false
		}
		seen = string(name)
		size += len(value)
		if digest, _, err := r.replica.Member(seen, value); err == nil {
			found.Keys = append(found.Keys, replica.Listed{Name: seen, Digest: digest})
		} else {
			unreadable(found, s, seen)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("records of partition %d: %w", s.Partition, err)
	}
	return nil
}

// unreadable notes a record of a page that can't be read.
func unreadable(found *replica.Found, s *replica.Survey, name string) {
	found.Unreadable++
	if len(found.Rotten) < maxRotten {
		found.Rotten = append(found.Rotten, replica.Rotten{Partition: s.Partition, Key: ring.NewKey(s.Bucket, name)})
	}
}

// Marks returns which partitions are to be compared with whom, as marked by an
// earlier run and by this one so far.
func (r *Runner) Marks() []replica.Mark {
	var marks []replica.Mark
	lo, hi := store.DoubtRange()
	err := r.engine.Range(lo, hi, func(key, _ []byte) bool {
		if partition, node, ok := store.SplitDoubtKey(key); ok && r.mine(partition) {
			marks = append(marks, replica.Mark{Partition: partition, Peer: ring.NodeID(node)})
		}
		return true
	})
	if err != nil {
		r.stop(fmt.Errorf("read marks: %w", err))
	}
	return marks
}
