package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// A leaf of a tree, as stored under its own engine key, version 1. The leaves of
// a tree cover the positions of its partition without a gap; a tree without
// members has none.
//
//	byte     1, the version of the form
//	byte     0; 1: it is dirty, the sum does not count
//	byte     its depth (merkle.Span)
//	4 bytes  big-endian, how many records are in it
//	16 bytes big-endian, the sum
//	4 bytes  little-endian CRC-32C of all before
//
// It is written in the batch that changes its records, so that it survives a
// crash exactly as they do (DESIGN 6). A leaf is dirty where what a record added
// to it can't be told any more, and until it was added up anew (RULES R26).
const (
	leafVersion = 1
	leafLen     = 1 + 1 + 1 + 4 + 16 + 4
)

// leaf is one leaf as it is known. Where it is dirty count is an estimate.
type leaf struct {
	sum   merkle.Sum
	count uint32
	depth uint8
	dirty bool
}

func appendLeaf(dst []byte, l leaf) []byte {
	start := len(dst)
	dst = append(dst, leafVersion, 0, l.depth)
	if l.dirty {
		dst[start+1] = 1
	}
	dst = binary.BigEndian.AppendUint32(dst, l.count)
	dst = binary.BigEndian.AppendUint64(dst, l.sum.Hi)
	dst = binary.BigEndian.AppendUint64(dst, l.sum.Lo)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readLeaf returns a stored leaf; false for one that can't be read.
func readLeaf(b []byte) (leaf, bool) {
	if len(b) != leafLen || b[0] != leafVersion || b[1] > 1 || b[2] > merkle.MaxDepth ||
		crc32.Checksum(b[:leafLen-4], castagnoli) != binary.LittleEndian.Uint32(b[leafLen-4:]) {
		return leaf{}, false
	}
	return leaf{
		dirty: b[1] == 1, depth: b[2], count: binary.BigEndian.Uint32(b[3:]),
		sum: merkle.Sum{Hi: binary.BigEndian.Uint64(b[7:]), Lo: binary.BigEndian.Uint64(b[15:])},
	}, true
}

// more adds to how many records a leaf has.
func (l *leaf) more(by int) { l.count = uint32(max(0, int(l.count)+by)) }

// treeID names a tree, and leafID a leaf of one by where it ends.
type treeID struct {
	partition uint32
	bucket    string
}

type leafID struct {
	treeID
	last uint64
}

// span returns the span of a leaf.
func (id leafID) span(l leaf) merkle.Span { return merkle.Around(id.last, l.depth) }

// touched is a change of a record, as its tree sees it.
type touched struct {
	tree  treeID
	pos   uint64
	by    merkle.Sum
	more  int
	dirty bool
	plot  int
}

// adjust notes what an operation does to its leaf.
func (r *Runner) adjust(op *replica.Op, res *replica.Result) {
	r.touched = append(r.touched, touched{
		tree: treeID{op.Partition, op.Key.Bucket}, pos: op.Key.Pos.Hi,
		by: res.Leaf, more: res.Members, dirty: res.Unreadable,
	})
}

// putLeaves puts every leaf that is touched into the batch, once. Leaves that are
// too large are split before, and those that became small are merged after.
func (r *Runner) putLeaves() error {
	for i := range r.touched {
		t := &r.touched[i]
		at, err := r.plot(t.tree, t.pos)
		if err != nil {
			return err
		}
		t.plot = at
	}
	if err := r.splitPlots(); err != nil {
		return err
	}
	for i := range r.touched {
		t := &r.touched[i]
		p := &r.plots[r.now(t.plot, t.pos)]
		p.leaf.more(t.more)
		p.shrunk = p.shrunk || t.more < 0
		if p.leaf.dirty = p.leaf.dirty || t.dirty; p.leaf.dirty {
			p.leaf.sum = merkle.Sum{}
		} else {
			p.leaf.sum = merkle.Add(p.leaf.sum, t.by)
		}
	}
	if err := r.mergePlots(); err != nil {
		return err
	}
	r.putPlots(&r.batch)
	return nil
}

// putPlots puts what became of leaves into a batch.
func (r *Runner) putPlots(b *store.Batch) {
	for i := 1; i < len(r.plots); i++ {
		if p := &r.plots[i]; p.anew {
			s := p.id.span(p.leaf)
			b.DeleteRange(store.AppendLeafKey(nil, p.id.partition, p.id.bucket, s.First), store.AppendLeafKey(nil, p.id.partition, p.id.bucket, s.Last))
		}
	}
	for i := 1; i < len(r.plots); i++ {
		p := &r.plots[i]
		r.key = store.AppendLeafKey(r.key[:0], p.id.partition, p.id.bucket, p.id.last)
		switch {
		case p.gone(): // its key is that of its upper half, or of what it was merged into
			if p.into > 0 && r.plots[p.into].id != p.id {
				b.Delete(r.key)
			}
		case r.none(p):
			b.Delete(r.key)
		case p.leaf != p.before || p.fresh:
			r.form = appendLeaf(r.form[:0], p.leaf)
			b.Set(r.key, r.form)
		}
	}
}

// none says whether a leaf is that of a tree without members, which is not stored.
func (r *Runner) none(p *plot) bool {
	return p.leaf == leaf{depth: uint8(r.config.PartitionBits)}
}

// keepLeaves remembers the leaves of the batch just applied.
func (r *Runner) keepLeaves() {
	for i := 1; i < len(r.plots); i++ {
		switch p := &r.plots[i]; {
		case !p.gone():
			r.trees.put(p.id, p.leaf)
		case p.into > 0 && r.plots[p.into].id != p.id:
			r.trees.remove(p.id)
		}
	}
}

// Doubt makes the leaf of a key be added up anew before anything is told of it.
// It is for whoever changes the engine's records beneath the runner.
func (r *Runner) Doubt(op *replica.Op) error {
	r.reset()
	r.adjust(op, &replica.Result{Unreadable: true})
	if err := r.putLeaves(); err != nil {
		return err
	}
	return r.applyLeaves()
}

// applyLeaves applies a batch that changes leaves and no record.
func (r *Runner) applyLeaves() error {
	defer r.reset()
	if r.batch.Len() == 0 {
		return nil
	}
	if err := r.apply(); err != nil {
		r.trees.clear()
		return err
	}
	r.keepLeaves()
	return nil
}

// cover returns the leaf of a position as the engine has it. That of a tree
// without members is empty.
func (r *Runner) cover(t treeID, pos uint64) (id leafID, l leaf, anew bool, err error) {
	if id, l, ok := r.trees.get(t, pos); ok {
		return id, l, false, nil
	}
	found := false
	r.key = store.AppendLeafKey(r.key[:0], t.partition, t.bucket, pos)
	_, end := store.LeafRange(t.partition, t.bucket)
	err = r.engine.Range(r.key, end, func(key, value []byte) bool {
		if _, _, last, ok := store.SplitLeafKey(key); ok {
			l, found = readLeaf(value)
			id = leafID{t, last}
			found = found && id.span(l).Holds(pos)
		}
		return false
	})
	if err != nil {
		return leafID{}, leaf{}, false, fmt.Errorf("leaf of partition %d: %w", t.partition, err)
	}
	if !found {
		return r.gap(t, pos)
	}
	return id, l, false, nil
}

// gap returns the leaf of a position for which none was found at its place: the
// largest that has room between the others. It is dirty, unless the tree has no
// leaf at all.
func (r *Runner) gap(t treeID, pos uint64) (id leafID, l leaf, anew bool, err error) {
	var below, above *merkle.Span // the leaves on both sides
	covered := false
	lo, hi := store.LeafRange(t.partition, t.bucket)
	err = r.engine.Range(lo, hi, func(key, value []byte) bool {
		anew = true
		_, _, last, _ := store.SplitLeafKey(key)
		other, ok := readLeaf(value)
		if !ok { // memory may have it: then the batch may be about it too
			if other, ok = r.trees.at(leafID{t, last}); !ok {
				return true
			}
		}
		s := merkle.Around(last, other.depth)
		if s.Last < pos {
			below = &s
			return true
		}
		if covered = s.Holds(pos); covered {
			id, l = leafID{t, last}, other
		}
		above = &s
		return false
	})
	if err != nil {
		return leafID{}, leaf{}, false, fmt.Errorf("leaves of partition %d: %w", t.partition, err)
	}
	if covered {
		return id, l, true, nil
	}
	depth := uint8(r.config.PartitionBits)
	s := merkle.Around(pos, depth)
	for depth < merkle.MaxDepth && (below != nil && s.First <= below.Last || above != nil && s.Last >= above.First) {
		depth++
		s = merkle.Around(pos, depth)
	}
	return leafID{t, s.Last}, leaf{depth: depth, dirty: anew}, anew, nil
}
