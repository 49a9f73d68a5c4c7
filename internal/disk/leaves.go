package disk

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/store"
)

// A leaf of a tree, as stored under its own engine key, version 1. One without
// members is not stored.
//
//	byte     1, the version of the form
//	byte     0; 1: it is dirty, the sum does not count
//	16 bytes big-endian, the sum
//	4 bytes  little-endian CRC-32C of all before
//
// It is written in the batch that changes its records, so that it survives a
// crash exactly as they do (DESIGN 6). A leaf is dirty where what a record added
// to it can't be told any more, and until it was added up anew (RULES R26).
const (
	leafVersion = 1
	leafLen     = 1 + 1 + 16 + 4
)

// leaf is one leaf as it is known.
type leaf struct {
	sum   merkle.Sum
	dirty bool
}

func appendLeaf(dst []byte, l leaf) []byte {
	start := len(dst)
	dst = append(dst, leafVersion, 0)
	if l.dirty {
		dst[start+1] = 1
	}
	dst = binary.BigEndian.AppendUint64(dst, l.sum.Hi)
	dst = binary.BigEndian.AppendUint64(dst, l.sum.Lo)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readLeaf returns a stored leaf; one that can't be read is as good as dirty.
func readLeaf(b []byte) leaf {
	if len(b) != leafLen || b[0] != leafVersion || b[1] != 0 ||
		crc32.Checksum(b[:leafLen-4], castagnoli) != binary.LittleEndian.Uint32(b[leafLen-4:]) {
		return leaf{dirty: true}
	}
	return leaf{sum: merkle.Sum{Hi: binary.BigEndian.Uint64(b[2:]), Lo: binary.BigEndian.Uint64(b[10:])}}
}

// treeID names a tree, and leafID a leaf of one.
type treeID struct {
	partition uint32
	bucket    string
}

type leafID struct {
	treeID
	number uint8
}

// touched is a leaf of which the batch of this run changes records.
type touched struct {
	id    leafID
	by    merkle.Sum
	dirty bool
	after leaf
}

// adjust notes what an operation does to its leaf.
func (r *Runner) adjust(op *replica.Op, res *replica.Result) {
	r.touch(r.leafOf(op), res.Leaf, res.Unreadable)
}

func (r *Runner) leafOf(op *replica.Op) leafID {
	return leafID{treeID{op.Partition, op.Key.Bucket}, merkle.LeafOf(op.Key.Pos.Hi, r.config.PartitionBits)}
}

func (r *Runner) touch(id leafID, by merkle.Sum, dirty bool) {
	i, found := r.touches[id]
	if !found {
		i = len(r.touched)
		r.touched = append(r.touched, touched{id: id})
		r.touches[id] = i
	}
	t := &r.touched[i]
	t.by = merkle.Add(t.by, by)
	t.dirty = t.dirty || dirty
}

// putLeaves puts every leaf that is touched into the batch, once.
func (r *Runner) putLeaves() {
	for i := range r.touched {
		t := &r.touched[i]
		before, known := r.leaf(t.id)
		if t.after = before; before.dirty && known {
			continue // and stays so
		}
		t.after.dirty = before.dirty || t.dirty
		if t.after.dirty {
			t.after.sum = merkle.Sum{}
		} else {
			t.after.sum = merkle.Add(before.sum, t.by)
		}
		r.putLeaf(&r.batch, t.id, t.after)
	}
}

// putLeaf puts a leaf into a batch.
func (r *Runner) putLeaf(b *store.Batch, id leafID, l leaf) {
	r.key = store.AppendLeafKey(r.key[:0], id.partition, id.bucket, id.number)
	if l == (leaf{}) {
		b.Delete(r.key)
		return
	}
	r.form = appendLeaf(r.form[:0], l)
	b.Set(r.key, r.form)
}

// leaf returns a leaf as it is stored; false where that is not known, since the
// engine fails to read it: it is to be written as dirty then.
func (r *Runner) leaf(id leafID) (l leaf, known bool) {
	if l, ok := r.trees.get(id); ok {
		return l, true
	}
	return r.fetchLeaf(id)
}

func (r *Runner) fetchLeaf(id leafID) (l leaf, known bool) {
	r.key = store.AppendLeafKey(r.key[:0], id.partition, id.bucket, id.number)
	_, err := r.engine.Get(r.key, func(b []byte) { l = readLeaf(b) })
	if err != nil {
		return leaf{dirty: true}, false
	}
	return l, true
}

// keepLeaves remembers the leaves of the batch just applied.
func (r *Runner) keepLeaves() {
	for i := range r.touched {
		r.trees.put(r.touched[i].id, r.touched[i].after)
	}
}

// Doubt makes the leaf of a key be added up anew before anything is told of it.
// It is for whoever changes the engine's records beneath the runner.
func (r *Runner) Doubt(op *replica.Op) error {
	var b store.Batch
	id := r.leafOf(op)
	r.putLeaf(&b, id, leaf{dirty: true})
	return r.applyLeaf(&b, id, leaf{dirty: true})
}
