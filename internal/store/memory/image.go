package memory

import (
	"bytes"
	"fmt"

	"github.com/RaduBerinde/btreemap"

	"github.com/ourodb/ouro/internal/store"
)

// degree of the B-tree: nodes have up to 63 pairs. Smaller nodes are cheaper to
// copy after a clone, larger ones faster to search.
const degree = 32

// image is the contents of an engine at one moment. Clones share what neither
// has changed since (copy on write), so that a snapshot costs next to nothing.
type image struct {
	tree  *btreemap.BTreeMap[[]byte, []byte]
	bytes int64 // length of all keys and values
}

func emptyImage() image {
	return image{tree: btreemap.New[[]byte, []byte](degree, bytes.Compare)}
}

// clone changes how the receiver shares its nodes, so it needs the same
// exclusion as a write.
func (m *image) clone() image { return image{m.tree.Clone(), m.bytes} }

func (m *image) get(key []byte) ([]byte, bool) {
	_, value, ok := m.tree.Get(key)
	return value, ok
}

func (m *image) ascend(lo, hi []byte, fn func(key, value []byte) bool) {
	if hi != nil && bytes.Compare(lo, hi) >= 0 {
		return
	}
	end := btreemap.Max[[]byte]()
	if hi != nil {
		end = btreemap.LT(hi)
	}
	m.tree.AscendFunc(btreemap.GE(lo), end, fn)
}

// apply makes the changes of b in order, or none of them where one is unknown.
func (m *image) apply(b *store.Batch) error {
	for i := range b.Changes {
		if op := b.Changes[i].Op; op < store.Set || op > store.DeleteRange {
			return fmt.Errorf("apply: change %d of the batch has the unknown operation %d", i, op)
		}
	}
	for i := range b.Changes {
		switch c := &b.Changes[i]; c.Op {
		case store.Set:
			m.set(bytes.Clone(c.Key), bytes.Clone(c.Value))
		case store.Delete:
			m.remove(c.Key)
		case store.DeleteRange:
			m.removeRange(c.Key, c.Value)
		}
	}
	return nil
}

func (m *image) set(key, value []byte) {
	_, old, replaced := m.tree.ReplaceOrInsert(key, value)
	m.bytes += int64(len(value) - len(old))
	if !replaced {
		m.bytes += int64(len(key))
	}
}

func (m *image) remove(key []byte) {
	if _, old, ok := m.tree.Delete(key); ok {
		m.bytes -= int64(len(key) + len(old))
	}
}

func (m *image) removeRange(lo, hi []byte) {
	var keys [][]byte
	m.ascend(lo, hi, func(key, _ []byte) bool {
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		m.remove(key)
	}
}
