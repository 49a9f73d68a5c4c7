package disk

import "github.com/ourodb/ouro/internal/core/merkle"

// trees keeps leaves in memory, tree by tree, those of the trees used last: a
// batch that changes records would otherwise read each of their leaves from the
// engine. What is kept is what the engine has: leaves are put here only once
// their batch is applied, and all are forgotten when one is not (RULES R27).
type trees struct {
	limit int
	byID  map[treeID]*tree
	order []*tree
	hand  int
}

// tree is what is known of one tree.
type tree struct {
	id     treeID
	leaves [merkle.Leaves]leaf
	known  [merkle.Leaves / 64]uint64
	used   bool // since the hand last passed
}

func newTrees(limit int) trees { return trees{limit: limit, byID: map[treeID]*tree{}} }

func (t *trees) get(id leafID) (leaf, bool) {
	tr := t.byID[id.treeID]
	if tr == nil || tr.known[id.number/64]>>(id.number%64)&1 == 0 {
		return leaf{}, false
	}
	tr.used = true
	return tr.leaves[id.number], true
}

func (t *trees) put(id leafID, l leaf) {
	tr := t.byID[id.treeID]
	if tr == nil {
		tr = t.vacant()
		tr.id = id.treeID
		t.byID[id.treeID] = tr
	}
	tr.leaves[id.number], tr.used = l, true
	tr.known[id.number/64] |= 1 << (id.number % 64)
}

// vacant returns an empty tree: a new one while there is room, else the first
// that was not used since the hand last passed it.
func (t *trees) vacant() *tree {
	if len(t.order) < t.limit {
		tr := &tree{}
		t.order = append(t.order, tr)
		return tr
	}
	for t.order[t.hand].used {
		t.order[t.hand].used = false
		t.hand = (t.hand + 1) % len(t.order)
	}
	tr := t.order[t.hand]
	t.hand = (t.hand + 1) % len(t.order)
	delete(t.byID, tr.id)
	*tr = tree{}
	return tr
}

// drop forgets what is known of a partition, of one bucket where that is not "".
// What was kept of it is empty from then on.
func (t *trees) drop(partition uint32, bucket string) {
	for _, tr := range t.order {
		if tr.id.partition == partition && (bucket == "" || tr.id.bucket == bucket) {
			*tr = tree{id: tr.id}
		}
	}
}

func (t *trees) clear() {
	clear(t.byID)
	clear(t.order)
	t.order, t.hand = t.order[:0], 0
}
