package disk

import (
	"cmp"
	"slices"

	"github.com/ourodb/ouro/internal/core/merkle"
)

// treeLeaves is how many leaves of one tree are kept in memory at most, so that
// to keep one more is cheap however large the tree is.
const treeLeaves = 4096

// trees keeps leaves in memory, tree by tree, those of the trees used last: a
// batch that changes records would otherwise look each of their leaves up in the
// engine. What is kept is what the engine has: leaves are put here only once
// their batch is applied, and all are forgotten when one is not (RULES R27).
type trees struct {
	limit int // of leaves
	size  int
	byID  map[treeID]*tree
	order []*tree
	hand  int
}

// tree is what is known of one tree.
type tree struct {
	id     treeID
	leaves []knownLeaf // in order, not all of them
	used   bool        // since the hand last passed
}

// knownLeaf is a leaf and where it ends.
type knownLeaf struct {
	last uint64
	leaf
}

func newTrees(limit int) trees { return trees{limit: limit, byID: map[treeID]*tree{}} }

// get returns the leaf of a position, where it is known.
func (t *trees) get(id treeID, pos uint64) (leafID, leaf, bool) {
	tr := t.byID[id]
	if tr == nil {
		return leafID{}, leaf{}, false
	}
	tr.used = true
	i, _ := tr.search(pos)
	if i == len(tr.leaves) {
		return leafID{}, leaf{}, false
	}
	k := &tr.leaves[i]
	return leafID{id, k.last}, k.leaf, merkle.Around(k.last, k.depth).First <= pos
}

// at returns the leaf that ends where id does, where it is known.
func (t *trees) at(id leafID) (leaf, bool) {
	tr := t.byID[id.treeID]
	if tr == nil {
		return leaf{}, false
	}
	i, found := tr.search(id.last)
	if !found {
		return leaf{}, false
	}
	return tr.leaves[i].leaf, true
}

// search returns where the first leaf is that ends at or after a position, and
// whether it ends there.
func (tr *tree) search(pos uint64) (int, bool) {
	return slices.BinarySearchFunc(tr.leaves, pos, func(k knownLeaf, pos uint64) int { return cmp.Compare(k.last, pos) })
}

// put keeps a leaf. It takes the place of the one with the same end; any other
// that it covers must have been removed.
func (t *trees) put(id leafID, l leaf) {
	tr := t.byID[id.treeID]
	if tr == nil {
		tr = &tree{id: id.treeID}
		t.byID[id.treeID] = tr
		t.order = append(t.order, tr)
	}
	tr.used = true
	i, found := tr.search(id.last)
	if found {
		tr.leaves[i].leaf = l
		return
	}
	if len(tr.leaves) == treeLeaves {
		t.empty(tr)
		i = 0
	}
	tr.leaves = slices.Insert(tr.leaves, i, knownLeaf{id.last, l})
	for t.size++; t.size > t.limit; {
		t.evict()
	}
}

// remove forgets a leaf.
func (t *trees) remove(id leafID) {
	tr := t.byID[id.treeID]
	if tr == nil {
		return
	}
	if i, found := tr.search(id.last); found {
		tr.leaves = slices.Delete(tr.leaves, i, i+1)
		t.size--
	}
}

// evict forgets the first tree that was not used since the hand last passed it.
func (t *trees) evict() {
	for t.hand %= len(t.order); t.order[t.hand].used; t.hand = (t.hand + 1) % len(t.order) {
		t.order[t.hand].used = false
	}
	tr := t.order[t.hand]
	t.order[t.hand] = t.order[len(t.order)-1]
	t.order = t.order[:len(t.order)-1]
	delete(t.byID, tr.id)
	t.size -= len(tr.leaves)
}

func (t *trees) empty(tr *tree) {
	t.size -= len(tr.leaves)
	tr.leaves = tr.leaves[:0]
}

// drop forgets what is known of a partition, of one bucket where that is not "".
func (t *trees) drop(partition uint32, bucket string) {
	for _, tr := range t.order {
		if tr.id.partition == partition && (bucket == "" || tr.id.bucket == bucket) {
			t.empty(tr)
		}
	}
}

func (t *trees) clear() {
	clear(t.byID)
	clear(t.order)
	t.order, t.hand, t.size = t.order[:0], 0, 0
}
