package disk

import (
	"bytes"
	"fmt"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// Bounds of what one batch does to the shape of trees, besides the records that
// it is about. A leaf that is left too large is split by the next batch.
const (
	splitsEver  = 4       // in a batch, however small
	splitsEach  = 4       // one more for so many changes of records
	maxSplitLen = 1 << 20 // of records read to split a leaf: beyond it both halves are dirty
)

// plot is a leaf that the batch of this run touches, or did until it was split or
// merged.
type plot struct {
	id     leafID
	before leaf // as stored
	leaf   leaf // as the batch leaves it
	halves int  // where its halves are, the lower and then the upper; 0: it has none
	into   int  // where that is into which it was merged; 0: it was not
	shrunk bool // it lost a record
	fresh  bool // it is not stored yet
	anew   bool // what is stored within its span can't be read and goes
}

func (p *plot) gone() bool { return p.halves > 0 || p.into > 0 }

// plot returns where the leaf of a position is among those of the batch, as it is
// stored.
func (r *Runner) plot(t treeID, pos uint64) (int, error) {
	id, l, anew, err := r.cover(t, pos)
	if err != nil {
		return 0, err
	}
	at, found := r.plotted[id]
	if !found {
		if len(r.plots) == 0 {
			r.plots = append(r.plots, plot{into: -1}) // so that 0 is none
		}
		at = len(r.plots)
		r.plots = append(r.plots, plot{id: id, before: l, leaf: l, anew: anew, fresh: anew})
		r.plotted[id] = at
	}
	return at, nil
}

// now returns where the leaf of a position is that a plot has become.
func (r *Runner) now(at int, pos uint64) int {
	for {
		switch p := &r.plots[at]; {
		case p.into > 0:
			at = p.into
		case p.halves == 0:
			return at
		case r.plots[p.halves].id.last < pos:
			at = p.halves + 1
		default:
			at = p.halves
		}
	}
}

// splitPlots splits the leaves that have too many records. They are still as they
// are stored, so that the records under them are those in the engine.
func (r *Runner) splitPlots() error {
	left := splitsEver + len(r.touched)/splitsEach
	for i := 1; i < len(r.plots) && left > 0; i++ { // the halves too
		p := &r.plots[i]
		if int(p.leaf.count) <= r.config.LeafKeys || p.leaf.depth == merkle.MaxDepth {
			continue
		}
		left--
		if err := r.split(i); err != nil {
			return err
		}
	}
	return nil
}

// split puts two halves in the place of a leaf. Only the lower half is read: the
// upper one is what remains.
func (r *Runner) split(at int) error {
	id, l := r.plots[at].id, r.plots[at].leaf
	lower, upper := id.span(l).Halves()
	a := leaf{depth: l.depth + 1, dirty: l.dirty, count: l.count / 2}
	b := leaf{depth: l.depth + 1, dirty: l.dirty, count: l.count - l.count/2}
	if !l.dirty {
		t, err := r.tally(id.treeID, lower, maxSplitLen)
		if err != nil {
			return err
		}
		if a.dirty = len(t.rotten) > 0 || t.more || t.count > l.count; a.dirty {
			b.dirty = true
		} else {
			a.sum, a.count = t.sum, t.count
			b.sum, b.count = merkle.Sub(l.sum, t.sum), l.count-t.count
		}
	}
	r.plots[at].halves = len(r.plots)
	r.plots = append(r.plots,
		plot{id: leafID{id.treeID, lower.Last}, leaf: a, fresh: true},
		plot{id: leafID{id.treeID, upper.Last}, leaf: b, fresh: true})
	return nil
}

// mergePlots merges halves that became small.
func (r *Runner) mergePlots() error {
	for i := 1; i < len(r.plots); i++ { // what they are merged into too
		p := &r.plots[i]
		if p.gone() || !p.shrunk || !r.small(p.leaf, leaf{}) || uint(p.leaf.depth) == r.config.PartitionBits {
			continue
		}
		sibling := p.id.span(p.leaf).Sibling(p.leaf.depth)
		at, err := r.plot(p.id.treeID, sibling.Last)
		if err != nil {
			return err
		}
		at = r.now(at, sibling.Last)
		p, o := &r.plots[i], &r.plots[at] // which may have moved
		if o.leaf.depth != p.leaf.depth || !r.small(p.leaf, o.leaf) {
			continue
		}
		whole := plot{
			id:     leafID{p.id.treeID, max(p.id.last, o.id.last)},
			leaf:   leaf{depth: p.leaf.depth - 1, count: p.leaf.count + o.leaf.count, sum: merkle.Add(p.leaf.sum, o.leaf.sum)},
			shrunk: true, fresh: true,
		}
		p.into, o.into = len(r.plots), len(r.plots)
		r.plots = append(r.plots, whole)
	}
	return nil
}

// small says whether two leaves have so few records that they may be one.
func (r *Runner) small(a, b leaf) bool {
	return !a.dirty && !b.dirty && int(a.count+b.count) <= r.config.LeafKeys/4
}

// tally is what records add up to.
type tally struct {
	sum    merkle.Sum
	count  uint32
	rotten []string // names of those that can't be read
	size   int
	more   bool   // not all were read
	next   []byte // the engine key of the first that was not
}

// tally adds up the records of a span of a tree, no more than limit bytes of them
// but for the last.
func (r *Runner) tally(t treeID, s merkle.Span, limit int) (tally, error) {
	all, err := addUp(r.engine, r.replica, t, s, limit)
	for _, name := range all.rotten { // what memory has of them is not in the sum
		r.rotten(replica.Rotten{Partition: t.partition, Key: ring.NewKey(t.bucket, name)})
	}
	return all, err
}

// addUp adds up the records of a span of a tree. Whoever replaces one that can't be
// read makes its leaf dirty again.
func addUp(e store.Engine, rep member, t treeID, s merkle.Span, limit int) (tally, error) {
	lo, hi := store.RecordRange(t.partition, t.bucket, s.First, s.Last)
	return addUpRange(e, rep, t, lo, hi, limit)
}

// addUpRange is addUp for a range of engine keys of records.
func addUpRange(e store.Engine, rep member, t treeID, lo, hi []byte, limit int) (tally, error) {
	var all tally
	err := e.Range(lo, hi, func(key, value []byte) bool {
		if all.more = all.size > limit; all.more {
			all.next = bytes.Clone(key)
			return false
		}
		all.size += len(value)
		if _, _, name, ok := store.SplitKey(key); ok {
			all.count++
			if _, sum, err := rep.Member(string(name), value); err == nil {
				all.sum = merkle.Add(all.sum, sum)
			} else {
				all.sum = merkle.Add(all.sum, rep.Unreadable(string(name), value))
				all.rotten = append(all.rotten, string(name))
			}
		}
		return true
	})
	if err != nil {
		return tally{}, fmt.Errorf("records of partition %d: %w", t.partition, err)
	}
	return all, nil
}

// member is what tells what a record adds to its leaf.
type member interface {
	Member(name string, stored []byte) (digest, sum merkle.Sum, err error)
	Unreadable(name string, stored []byte) merkle.Sum
}
