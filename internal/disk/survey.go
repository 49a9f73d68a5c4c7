package disk

import (
	"fmt"

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
	if found.Unreadable > 0 {
		*facts = append(*facts, fact.Fact{Kind: fact.Damaged, At: now.Mono, N: found.Unreadable, Note: s.Bucket + ": found while comparing"})
	}
	r.surveyed = append(r.surveyed, surveyed{r.seq, found})
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
	if err == nil && len(dirty) > 0 {
		_, err = r.lookAtLeaves(s, found)
	}
	return err
}

// lookAtLeaves finds roots or leaves. It returns the leaves that are dirty,
// whose sums are missing in what it found.
func (r *Runner) lookAtLeaves(s *replica.Survey, found *replica.Found) (dirty []leafID, err error) {
	found.Roots, found.Leaves, found.Next = nil, nil, ""
	bucket := ""
	if s.Look == replica.Leaves {
		bucket = s.Bucket
	}
	lo, hi := store.LeafRange(s.Partition, bucket)
	if s.Look == replica.Roots && s.After != "" {
		_, lo = store.LeafRange(s.Partition, s.After)
	}
	var at string // the bucket of the leaf before
	buckets := 0
	err = r.engine.Range(lo, hi, func(key, value []byte) bool {
		_, name, number, ok := store.SplitLeafKey(key)
		if !ok {
			return true
		}
		if at != string(name) {
			if buckets == maxRoots {
				found.Next = at
				return false
			}
			at = string(name)
			buckets++
		}
		l := readLeaf(value)
		switch {
		case l.dirty:
			dirty = append(dirty, leafID{treeID{s.Partition, at}, number})
		case s.Look == replica.Leaves:
			found.Leaves = append(found.Leaves, merkle.Leaf{Number: number, Sum: l.sum})
		default:
			addRoot(found, at, l.sum)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("leaves of partition %d: %w", s.Partition, err)
	}
	return dirty, nil
}

// addRoot adds a leaf to its root, which is the last of the list.
func addRoot(found *replica.Found, bucket string, sum merkle.Sum) {
	if n := len(found.Roots); n > 0 && found.Roots[n-1].Bucket == bucket {
		found.Roots[n-1].Sum = merkle.Add(found.Roots[n-1].Sum, sum)
		return
	}
	found.Roots = append(found.Roots, replica.Root{Bucket: bucket, Sum: sum})
}

// addUp adds up a dirty leaf from its records, and returns size and that of
// what it read. Records that can't be read are not in the sum: whoever replaces
// one makes the leaf dirty again.
func (r *Runner) addUp(id leafID, size int) (int, error) {
	var l leaf
	first, last := merkle.Span(id.partition, id.number, r.config.PartitionBits)
	lo, hi := store.RecordRange(id.partition, id.bucket, first, last)
	err := r.engine.Range(lo, hi, func(key, value []byte) bool {
		size += len(value)
		if _, _, name, ok := store.SplitKey(key); ok {
			if _, sum, err := r.replica.Member(string(name), value); err == nil {
				l.sum = merkle.Add(l.sum, sum)
			}
		}
		return true
	})
	if err != nil {
		return size, fmt.Errorf("records of leaf %d of partition %d: %w", id.number, id.partition, err)
	}
	var b store.Batch
	r.putLeaf(&b, id, l)
	return size, r.applyLeaf(&b, id, l)
}

// applyLeaf applies a batch that changes a leaf and no record.
func (r *Runner) applyLeaf(b *store.Batch, id leafID, l leaf) error {
	seq := r.seq + 1
	if err := r.engine.Apply(b, func(err error) { r.onSync(seq, err) }); err != nil {
		r.trees.clear()
		return err
	}
	r.seq = seq
	r.waiting.open()
	r.trees.put(id, l)
	return nil
}

// listKeys lists the records of a leaf.
func (r *Runner) listKeys(s *replica.Survey, found *replica.Found) error {
	first, last := merkle.Span(s.Partition, s.Leaf, r.config.PartitionBits)
	lo, hi := store.RecordRange(s.Partition, s.Bucket, first, last)
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
			found.Unreadable++
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("records of partition %d: %w", s.Partition, err)
	}
	return nil
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
