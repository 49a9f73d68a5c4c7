package buffer

import (
	"bytes"

	"github.com/RaduBerinde/btreemap"

	"github.com/ourodb/ouro/internal/store"
)

// degree of the B-tree of a layer, as the memory engine's.
const degree = 32

// overhead is about what an entry takes in memory beside its key and value.
const overhead = 64

// layer is what was applied since the last one was handed on. Ranges were deleted
// before all that is in the tree was set.
type layer struct {
	tree    *btreemap.BTreeMap[[]byte, entry]
	ranges  []span
	bytes   int64
	waiting []func(error) // one a batch, in their order
}

// entry is what a layer has under a key.
type entry struct {
	value   []byte
	deleted bool
}

// span is a range of keys, the end excluded.
type span struct{ lo, hi []byte }

func (s span) has(key []byte) bool {
	return bytes.Compare(s.lo, key) <= 0 && bytes.Compare(key, s.hi) < 0
}

func newLayer() *layer {
	return &layer{tree: btreemap.New[[]byte, entry](degree, bytes.Compare)}
}

// empty reports whether nothing was applied, not even a batch without changes.
func (l *layer) empty() bool { return len(l.waiting) == 0 }

// moment returns a copy that later batches don't change.
func (l *layer) moment() *layer {
	return &layer{tree: l.tree.Clone(), ranges: l.ranges[:len(l.ranges):len(l.ranges)]}
}

// find returns what the layer has under a key, and whether it has anything to say.
func (l *layer) find(key []byte) (entry, bool) {
	if _, found, ok := l.tree.Get(key); ok {
		return found, true
	}
	if l.covers(key) {
		return entry{deleted: true}, true
	}
	return entry{}, false
}

// covers reports whether a range was deleted that has the key.
func (l *layer) covers(key []byte) bool {
	for i := range l.ranges {
		if l.ranges[i].has(key) {
			return true
		}
	}
	return false
}

func (l *layer) apply(b *store.Batch) {
	for i := range b.Changes {
		switch c := &b.Changes[i]; c.Op {
		case store.Set:
			l.set(c.Key, entry{value: bytes.Clone(c.Value)})
		case store.Delete:
			l.set(c.Key, entry{deleted: true})
		case store.DeleteRange:
			l.deleteRange(span{bytes.Clone(c.Key), bytes.Clone(c.Value)})
		}
	}
}

func (l *layer) set(key []byte, n entry) {
	_, old, replaced := l.tree.ReplaceOrInsert(bytes.Clone(key), n)
	l.bytes += int64(len(n.value) - len(old.value))
	if !replaced {
		l.bytes += int64(len(key) + overhead)
	}
}

func (l *layer) deleteRange(s span) {
	if bytes.Compare(s.lo, s.hi) >= 0 {
		return
	}
	var keys [][]byte
	l.tree.AscendFunc(btreemap.GE(s.lo), btreemap.LT(s.hi), func(key []byte, _ entry) bool {
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		_, old, _ := l.tree.Delete(key)
		l.bytes -= int64(len(key) + len(old.value) + overhead)
	}
	l.ranges = append(l.ranges, s)
	l.bytes += int64(len(s.lo) + len(s.hi) + overhead)
}

// batch is the layer as the one batch that it comes to.
func (l *layer) batch() *store.Batch {
	b := &store.Batch{Admitted: true, Changes: make([]store.Change, 0, len(l.ranges)+l.tree.Len())}
	for _, s := range l.ranges {
		b.Changes = append(b.Changes, store.Change{Op: store.DeleteRange, Key: s.lo, Value: s.hi})
	}
	l.tree.AscendFunc(btreemap.Min[[]byte](), btreemap.Max[[]byte](), func(key []byte, n entry) bool {
		if n.deleted {
			b.Changes = append(b.Changes, store.Change{Op: store.Delete, Key: key})
		} else {
			b.Changes = append(b.Changes, store.Change{Op: store.Set, Key: key, Value: n.value})
		}
		return true
	})
	return b
}
