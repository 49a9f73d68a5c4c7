package disk_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutantsOfLeaves plants what would make trees and records come apart.
func TestMutantsOfLeaves(t *testing.T) {
	const replica = "../core/replica"
	list := []mutants.Mutant{
		{
			Name: "a join moves no leaf", File: "stage.go",
			Old: "if !op.Pending && (s.changed || res.Unreadable) {", New: "if op.Verb != replica.Join && !op.Pending && (s.changed || res.Unreadable) {",
		},
		{
			Name: "what a record was before stays in its leaf", Dir: replica, File: "leaf.go",
			Old: "res.Leaf = merkle.Sub(merkle.Member(c.cfg.Seed, c.op.Key.Name, res.Answer.Digest), before)",
			New: "res.Leaf = merkle.Member(c.cfg.Seed, c.op.Key.Name, res.Answer.Digest)",
		},
		{
			Name: "the last change of a leaf in a batch wins", File: "leaves.go",
			Old: "			p.leaf.sum = merkle.Add(p.leaf.sum, t.by)\n", New: "			p.leaf.sum = merkle.Add(p.before.sum, t.by)\n",
		},
		{
			Name: "a failed batch leaves its changes behind", File: "runner.go",
			Old: "	r.touched, r.plots = r.touched[:0], r.plots[:0]\n	clear(r.plotted)\n",
			New: "	if r.batch.Len() == 0 && r.dead == nil {\n		return\n	}\n	r.touched, r.plots = r.touched[:0], r.plots[:0]\n	clear(r.plotted)\n",
		},
		{
			Name: "leaves of a failed batch are kept in memory", File: "stage.go",
			Old: "	r.trees.clear()\n", New: "	r.keepLeaves()\n",
		},
		{
			Name: "who adds up a leaf does not tell memory what rots", File: "split.go",
			Old: "range all.rotten { // what", New: "range all.rotten[:0] { // what",
		},
		{
			Name: "a rotten record leaves its leaf as it was", Dir: replica, File: "leaf.go",
			Old: "			res.Unreadable = true\n", New: "",
		},
		{
			Name: "a leaf that can't be read is taken for empty", File: "leaves.go",
			Old: "leaf{depth: depth, dirty: anew}, anew, nil", New: "leaf{depth: depth}, anew, nil",
		},
		{
			Name: "where leaves can't be looked up the record is stored all the same", File: "leaves.go",
			Old: "		at, err := r.plot(t.tree, t.pos)\n		if err != nil {\n			return err\n		}",
			New: "		at, err := r.plot(t.tree, t.pos)\n		if err != nil {\n			r.touched = nil\n			return nil\n		}",
		},
		{
			Name: "a dirty leaf is added to", File: "leaves.go",
			Old: "p.leaf.dirty = p.leaf.dirty || t.dirty; p.leaf.dirty {", New: "p.leaf.dirty = t.dirty; p.leaf.dirty {",
		},
		{
			Name: "a record more and the leaf does not count it", Dir: replica, File: "leaf.go",
			Old: "		res.Members++\n", New: "",
		},
		{
			Name: "which state a record has does not count", Dir: "../core/merkle", File: "merkle.go", Test: "TestTreesGrowAndShrink",
			Old: "	h := xxh3.Hash128Seed(d[:], ", New: "	h := xxh3.Hash128Seed(d[:0], ",
		},
		{
			Name: "the upper half is the whole", File: "split.go",
			Old: "merkle.Sub(l.sum, t.sum), l.count-t.count", New: "l.sum, l.count-t.count",
		},
		{
			Name: "the halves of a dirty leaf are clean", File: "split.go",
			Old: "	a := leaf{depth: l.depth + 1, dirty: l.dirty, count: l.count / 2}", New: "	a := leaf{depth: l.depth + 1, count: l.count / 2}",
		},
		{
			Name: "half of a large leaf is taken for all of it", File: "split.go",
			Old: "len(t.rotten) > 0 || t.more || t.count > l.count", New: "len(t.rotten) > 0 || t.count > l.count",
		},
		{
			Name: "a leaf is split as the batch leaves it", File: "leaves.go",
			Old: "	if err := r.splitPlots(); err != nil {\n		return err\n	}\n	for i := range r.touched {",
			New: "	defer r.splitPlots()\n	for i := range r.touched {",
		},
		{
			Name: "leaves are never split", File: "split.go",
			Old: "int(p.leaf.count) <= r.config.LeafKeys ||", New: "p.leaf.count > 0 ||",
		},
		{
			Name: "leaves are never merged", File: "split.go",
			Old: "if p.gone() || !p.shrunk ||", New: "if true || p.gone() || !p.shrunk ||",
		},
		{
			Name: "a leaf is merged with a part of its sibling", File: "split.go",
			Old: "if o.leaf.depth != p.leaf.depth || !r.small", New: "if !r.small",
		},
		{
			Name: "the lower half stays beside what it was merged into", File: "leaves.go",
			Old: "			if p.into > 0 && r.plots[p.into].id != p.id {\n				b.Delete(r.key)\n			}", New: "",
		},
		{
			Name: "the lower half is still in memory", File: "leaves.go",
			Old: "			r.trees.remove(p.id)\n", New: "",
		},
		{
			Name: "an empty tree leaves a leaf", File: "leaves.go",
			Old: "		case r.none(p):\n			b.Delete(r.key)\n", New: "",
		},
		{
			Name: "a leaf in memory is taken for its neighbour's", File: "trees.go",
			Old: "k.leaf, merkle.Around(k.last, k.depth).First <= pos", New: "k.leaf, merkle.Around(k.last, k.depth).Last >= pos",
		},
		{
			Name: "leaves that can't be read stay within what replaces them", File: "leaves.go",
			Old: "if p := &r.plots[i]; p.anew {", New: "if p := &r.plots[i]; false && p.anew {",
		},
		{
			Name: "a part of a larger leaf is told as all of it", File: "survey.go",
			Old: "t, err := r.tally(id.treeID, span, math.MaxInt)", New: "t, err := r.tally(id.treeID, merkle.Around(id.last, 0), math.MaxInt)",
		},
		{
			Name: "memory hides that a leaf rots", File: "survey.go",
			Old: "	r.trees.remove(id) // which", New: "	_ = id // which",
		},
		{
			Name: "the scrubber believes memory of the tree it mends", File: "scrub.go",
			Old: "		r.trees.drop(id.partition, id.bucket)\n", New: "",
		},
		{
			Name: "the scrubber does not tell memory what rots", File: "scrub.go",
			Old: "r.rotten(v.rotten...)", New: "r.rotten(v.rotten[:0]...)",
		},
		{
			Name: "a survey does not tell memory what rots", File: "survey.go",
			Old: "r.rotten(found.Rotten...)", New: "r.rotten(found.Rotten[:0]...)",
		},
		{
			Name: "a heal of what memory has whole stores nothing", File: "recover.go",
			Old: "		if res.Record == nil {\n			res.Record = record\n		}\n", New: "",
		},
		{
			Name: "a record that memory has and its leaf is without is taken away from its leaf", File: "recover.go",
			Old: "	res.Unreadable = res.Record != nil || res.Drop\n", New: "",
		},
		{
			Name: "what is under a leaf that is mended is not read", File: "scrub.go",
			Old: "		found.Next, r.mended = v.back, v.back // what", New: "		r.mended = v.back // what",
		},
		{
			Name: "a leaf is mended once and never again", File: "scrub.go",
			Old: "		r.mended = nil\n", New: "",
		},
		{
			Name: "a leaf that changes while it is read is judged", File: "scrub.go",
			Old: "return whole.tally, !whole.changed, nil", New: "return whole.tally, true, nil",
		},
		{
			Name: "a hint that rots is counted on", File: "scrub.go",
			Old: "	r.grow(len(value), 0)\n", New: "",
		},
		{
			Name: "the place is not noted", File: "scrub.go",
			Old: "	r.batch.Set(r.scrubKey(), note)\n", New: "",
		},
		{
			Name: "side records are not looked at", File: "scrub.go",
			Old: "func(rec replica.Rotten, _ []byte) { found.Rotten = append(found.Rotten, rec) })", New: "func(replica.Rotten, []byte) {})",
		},
		{
			Name: "a leaf that memory has whole is taken for a gap", File: "leaves.go",
			Old: "if other, ok = r.trees.at(leafID{t, last}); !ok {", New: "if !ok {",
		},
		{
			Name: "trees without leaves are not missed", File: "verify.go",
			Old: "			v.wrong(t, merkle.Whole(t.partition, v.bits).First, \"it has records and no tree\")\n", New: "			_ = any\n",
		},
		{
			Name: "a missing first leaf is not missed", File: "verify.go",
			Old: "	if own := s.id.span(s.leaf); v.later && own.Holds(begins) {", New: "	if own := s.id.span(s.leaf); true {",
		},
		{
			Name: "a missing last leaf is not missed", File: "verify.go",
			Old: "last != end {", New: "last > end {",
		},
		{
			Name: "sums are not compared", File: "verify.go",
			Old: "	case t.sum != s.leaf.sum:", New: "	case t.sum.Hi == 1:",
		},
		{
			Name: "a survey shows what is not synced", File: "survey.go",
			Old: "s.seq <= r.waiting.synced ||", New: "s.seq > 0 ||",
		},
		{
			Name: "a mark comes without its state", File: "stage.go",
			Old: "op.Verb != replica.Join || s.answer.Status != replica.Have", New: "op.Verb != replica.Join",
		},
		{
			Name: "a mark makes the cache forget the record", File: "stage.go",
			Old: "	r.batch.Set(r.key, nil)\n	s.marked = true\n", New: "	r.batch.Set(r.key, nil)\n	s.marked, s.changed = true, true\n",
		},
	}
	for i := range list {
		list[i].Test = "Leaf|Leaves|Memory|H24|R27|H9|Survey|Tree|Marks|Crashes|Grow|Large|Damage|Verify|Parts|Scrub"
	}
	mutants.Run(t, list)
}

// TestMutantsOfHoldings plants what would leave something of a partition behind,
// or take too much.
func TestMutantsOfHoldings(t *testing.T) {
	list := []mutants.Mutant{
		{Name: "what has gone is still in the cache", File: "holding.go", Old: "	r.cache.dropAll(string(store.HoldingPrefix(op.Partition, op.Key.Bucket)))\n", New: ""},
		{Name: "requests of what has gone are known", File: "holding.go", Old: "	r.replica.Vacated(op.Partition)\n", New: ""},
		{Name: "what has gone is still in the tree", File: "holding.go", Old: "	r.trees.drop(op.Partition, op.Key.Bucket)\n", New: ""},
		{Name: "it is said to be gone before that is synced", File: "holding.go", Old: "		r.waiting.add(r.seq, replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Durable: true})", New: "		*done = append(*done, replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Durable: true})"},
		{Name: "the marks of a partition are taken with one bucket", File: "holding.go", Old: "	if op.Key.Bucket == \"\" {\n		r.putArrival(op)\n	}", New: "	r.putArrival(op)"},
		{Name: "leaves stay", Dir: "../store", File: "holding.go", Old: "	lo, hi = LeafRange(partition, \"\")\n	b.DeleteRange(lo, hi)\n", New: ""},
		{Name: "records beside unreadable ones stay", Dir: "../store", File: "holding.go", Old: "	lo, hi := PartitionRange(partition)\n	b.DeleteRange(lo, hi)\n	b.DeleteRange(as(sidePrefix, lo), as(sidePrefix, hi))\n", New: "	lo, hi := PartitionRange(partition)\n	b.DeleteRange(lo, hi)\n"},
		{Name: "hints go with the partition", Dir: "../store", File: "holding.go", Old: "	lo = AppendDoubtKey(nil, partition, \"\")\n", New: "	lo, hi = PartitionRange(partition)\n	b.DeleteRange(as(pendingPrefix, lo), as(pendingPrefix, hi))\n	lo = AppendDoubtKey(nil, partition, \"\")\n"},
		{Name: "one damaged block and a node never starts again", File: "holding.go", Old: "	if errors.Is(err, store.ErrDamaged) {\n", New: "	if errors.Is(err, store.ErrFull) {\n"},
		{Name: "what was told before the damage is told twice", File: "holding.go", Old: "		all.Buckets = nil\n", New: ""},
		{Name: "what the first part of a run left is forgotten", File: "runner.go", Old: "	r.earlier = len(r.mortals)\n", New: "	r.earlier, r.mortals = 0, r.mortals[:0]\n"},
	}
	for i := range list {
		list[i].Test = "Vacat|Holdings"
	}
	mutants.Run(t, list)
}
