package disk

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// VerifyLeaves is [Verify] of all there is: it says what is not as it must be;
// nil where nothing is.
func VerifyLeaves(e store.Engine, r *replica.Replica, partitionBits uint) error {
	all := replica.Verified{}
	for {
		all = all.With(Verify(e, r, partitionBits, nil, all.Next, math.MaxInt))
		switch {
		case all.Err != nil:
			return all.Err
		case all.Next != nil && len(all.Wrong) < maxWrong:
		case len(all.Wrong) == 0:
			return nil
		default:
			return errors.New(strings.Join(all.Wrong[:min(len(all.Wrong), 8)], "; "))
		}
	}
}

// Verify adds up leaves from the records in an engine, from the place from on
// (nil: the first), at about limit bytes of records, and compares. It looks at
// partitions that are mine; nil: all. The engine must not change meanwhile.
func Verify(e store.Engine, r *replica.Replica, partitionBits uint, mine func(uint32) bool, from []byte, limit int) replica.Verified {
	v := verifier{engine: e, replica: r, bits: partitionBits, mine: mine, limit: limit}
	v.run(from)
	return v.out
}

// Verify is [Verify] of this runner's partitions. It is to be called between runs:
// a leaf and its records are of one moment then.
func (r *Runner) Verify(from []byte, limit int) replica.Verified {
	if r.dead != nil {
		return replica.Verified{Err: r.dead}
	}
	return Verify(r.engine, r.replica, r.config.PartitionBits, r.config.Mine, from, min(limit, maxSweep))
}

// verifier verifies one slice: first which trees there must be, as there are
// records; then, tree by tree, that the leaves follow each other from one end to
// the other and are the sums of what is under them.
type verifier struct {
	engine  store.Engine
	replica *replica.Replica
	bits    uint
	mine    func(uint32) bool
	limit   int
	size    int
	later   bool // the leaf to go on with was another's in an earlier slice
	out     replica.Verified

	// Of the scrubber, who mends what is wrong.
	large  *largeLeaf // what is known of a leaf that is too large for one slice; nil: all are read whole
	doubts []leafID   // trees, and positions in them whose leaf is to be added up anew
	back   []byte     // the place before the first of those that are wrong
	within bool       // a leaf was not read to its end, which is for the next slice
	rotten []replica.Rotten
}

// What is found in a slice, which ends there.
const (
	maxWrong  = 16
	maxRotten = 64
)

// wrong notes what is not as it must be: what is at a position of a tree.
func (v *verifier) wrong(t treeID, pos uint64, format string, args ...any) {
	v.doubts = append(v.doubts, leafID{t, pos})
	if v.back == nil && v.large != nil {
		v.back = v.out.Next
	}
	v.out.Wrong = append(v.out.Wrong, fmt.Sprintf("partition %d, bucket %s: ", t.partition, t.bucket)+fmt.Sprintf(format, args...))
}

// run verifies from a place on.
func (v *verifier) run(from []byte) {
	v.out.Next, v.later = from, store.IsLeaf(from)
	if !v.later {
		v.trees()
	}
	if v.out.Err == nil && store.IsLeaf(v.out.Next) {
		v.leaves()
	}
}

func (v *verifier) over() bool {
	return v.size > v.limit || len(v.out.Wrong) >= maxWrong || len(v.rotten) >= maxRotten || v.back != nil || v.within
}

func (v *verifier) skips(partition uint32) bool { return v.mine != nil && !v.mine(partition) }

// treeCost is what it takes to look for a tree, as bytes of records.
const treeCost = 4 << 10

// trees looks for records whose tree is missing.
func (v *verifier) trees() {
	from, end := store.AllRecords()
	if v.out.Next != nil {
		from = v.out.Next
	}
	for {
		if v.out.Next = from; v.over() {
			return
		}
		t, found := treeID{}, false
		v.out.Err = v.engine.Range(from, end, func(key, _ []byte) bool {
			partition, bucket, _, ok := store.SplitKey(key)
			t, found = treeID{partition, string(bucket)}, ok
			return !ok
		})
		if v.out.Err != nil {
			return
		}
		if !found {
			v.out.Next, _ = store.AllLeaves()
			return
		}
		from = store.NextHolding(t.partition, t.bucket)
		if v.size += treeCost; v.skips(t.partition) {
			continue
		}
		v.out.Trees++
		any := false
		lo, hi := store.LeafRange(t.partition, t.bucket)
		if v.out.Err = v.engine.Range(lo, hi, func(_, _ []byte) bool {
			any = true
			return false
		}); v.out.Err != nil {
			return
		}
		if !any {
			v.wrong(t, merkle.Whole(t.partition, v.bits).First, "it has records and no tree")
		}
	}
}

// stored is a leaf as it was met.
type stored struct {
	id       leafID
	leaf     leaf
	readable bool
}

// leaves adds up leaf by leaf.
func (v *verifier) leaves() {
	const page = 256
	for !v.over() {
		var list []stored
		from := v.out.Next
		_, end := store.AllLeaves()
		v.out.Err = v.engine.Range(from, end, func(key, value []byte) bool {
			partition, bucket, last, ok := store.SplitLeafKey(key)
			if ok && (len(list) > 0 || !bytes.Equal(key, from)) { // from is the last one of before
				l, readable := readLeaf(value)
				list = append(list, stored{leafID{treeID{partition, string(bucket)}, last}, l, readable})
			}
			return len(list) < page
		})
		if v.out.Err != nil {
			return
		}
		if len(list) == 0 {
			if v.ends(v.out.Next, treeID{}); v.out.Err == nil {
				v.out.Next = nil
			}
			return
		}
		for i := 0; i < len(list) && !v.over() && v.out.Err == nil; i++ {
			id := list[i].id
			if v.ends(v.out.Next, id.treeID); v.skips(id.partition) {
				_, v.out.Next = store.LeafRange(id.partition, "")
				v.size += treeCost
				break
			}
			v.leafAfter(v.out.Next, &list[i])
			if v.within {
				return
			}
			v.out.Next = store.AppendLeafKey(nil, id.partition, id.bucket, id.last)
		}
		if v.out.Err != nil {
			return
		}
	}
}

// ends checks that a leaf, given by its key, ends its tree, if the next is of
// another.
func (v *verifier) ends(key []byte, next treeID) {
	partition, bucket, last, ok := store.SplitLeafKey(key)
	t := treeID{partition, string(bucket)}
	if !ok || t == next || v.skips(partition) {
		return
	}
	if end := merkle.Whole(partition, v.bits).Last; last != end {
		v.wrong(t, end, "its leaves end at %016x, not at %016x", last, end)
	}
}

// leafAfter checks a leaf, given the key of the one before it.
func (v *verifier) leafAfter(before []byte, s *stored) {
	begins := merkle.Whole(s.id.partition, v.bits).First
	if partition, bucket, last, ok := store.SplitLeafKey(before); ok && (treeID{partition, string(bucket)}) == s.id.treeID {
		begins = last + 1
	}
	if own := s.id.span(s.leaf); v.later && own.Holds(begins) {
		begins = own.First // it was merged with the one before meanwhile
	}
	v.later = false
	span := merkle.Span{First: begins, Last: s.id.last}
	switch {
	case !s.readable:
		v.out.Leaves++
		v.out.Doubtful++
		v.wrong(s.id.treeID, s.id.last, "the leaf to %016x can't be read", s.id.last)
		return
	case s.id.span(s.leaf) != span:
		v.out.Leaves++
		v.wrong(s.id.treeID, begins, "the leaf to %016x is of depth %d and follows %016x", s.id.last, s.leaf.depth, begins)
		return
	}
	t, whole := v.tally(s, span)
	if v.out.Err != nil || !whole {
		return
	}
	v.out.Leaves++
	switch {
	case s.leaf.dirty || len(t.rotten) > 0:
		v.out.Doubtful++
		if s.leaf.dirty {
			v.doubts = append(v.doubts, s.id)
		}
	case t.sum != s.leaf.sum:
		v.wrong(s.id.treeID, s.id.last, "the leaf %016x to %016x is not the sum of its %d records", span.First, span.Last, t.count)
	case t.count != s.leaf.count:
		v.wrong(s.id.treeID, s.id.last, "the leaf %016x to %016x has %d records and says %d", span.First, span.Last, t.count, s.leaf.count)
	}
}

// tally adds up the records under a leaf; false where that goes on in the next
// slice, or can't be said.
func (v *verifier) tally(s *stored, span merkle.Span) (tally, bool) {
	var t tally
	whole := true
	if v.large == nil {
		if t, v.out.Err = addUp(v.engine, v.replica, s.id.treeID, span, math.MaxInt); v.out.Err == nil {
			v.read(s.id.treeID, &t)
		}
	} else {
		t, whole, v.out.Err = v.large.addUp(v, s, span)
	}
	if v.out.Err != nil {
		return tally{}, false
	}
	return t, whole
}

// read counts records that were read.
func (v *verifier) read(t treeID, part *tally) {
	v.size += part.size + leafLen
	v.out.Records += int(part.count)
	v.out.Unreadable += len(part.rotten)
	v.out.Bytes += int64(part.size)
	for _, name := range part.rotten {
		v.rotten = append(v.rotten, replica.Rotten{Partition: t.partition, Key: ring.NewKey(t.bucket, name)})
	}
}
