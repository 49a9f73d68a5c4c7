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
			Name: "what a record was before stays in its leaf", Dir: replica, File: "replica.go",
			Old: "res.Leaf = merkle.Sub(merkle.Member(c.cfg.Seed, c.op.Key.Name, res.Answer.Digest), before)",
			New: "res.Leaf = merkle.Member(c.cfg.Seed, c.op.Key.Name, res.Answer.Digest)",
		},
		{
			Name: "the last change of a leaf in a batch wins", File: "leaves.go",
			Old: "	t.by = merkle.Add(t.by, by)\n", New: "	t.by = by\n",
		},
		{
			Name: "a failed batch leaves its changes behind", File: "runner.go",
			Old: "	r.touched = r.touched[:0]\n	clear(r.touches)\n", New: "	if r.batch.Len() == 0 && r.dead == nil {\n		return\n	}\n	r.touched = r.touched[:0]\n	clear(r.touches)\n",
		},
		{
			Name: "leaves of a failed batch are kept in memory", File: "stage.go",
			Old: "	r.trees.clear()\n", New: "	r.keepLeaves()\n",
		},
		{
			Name: "a rotten record leaves its leaf as it was", Dir: replica, File: "replica.go",
			Old: "			res.Unreadable = true\n", New: "",
		},
		{
			Name: "a leaf that can't be read is taken for empty", File: "leaves.go",
			Old: "		return leaf{dirty: true}, false\n	}\n	return l, true", New: "		return leaf{}, true\n	}\n	return l, true",
		},
		{
			Name: "a dirty leaf is added to", File: "leaves.go",
			Old: "		t.after.dirty = before.dirty || t.dirty\n", New: "		t.after.dirty = t.dirty\n",
		},
		{
			Name: "a survey shows what is not synced", File: "survey.go",
			Old: "s.seq <= r.waiting.synced ||", New: "s.seq > 0 ||",
		},
		{
			Name: "a tree that makes room leaves its leaves to the next", File: "trees.go",
			Old: "	*tr = tree{}\n	return tr", New: "	return tr",
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
		list[i].Test = "Leaf|Leaves|H24|R27|H9|Survey|Tree|Marks|Crashes"
	}
	mutants.Run(t, list)
}

// TestMutantsOfHoldings plants what would leave something of a partition behind,
// or take too much.
func TestMutantsOfHoldings(t *testing.T) {
	list := []mutants.Mutant{
		{Name: "what has gone is still in the cache", File: "holding.go", Old: "	r.cache.dropAll(string(store.HoldingPrefix(op.Partition, op.Key.Bucket)))\n", New: ""},
		{Name: "what has gone is still in the tree", File: "holding.go", Old: "	r.trees.drop(op.Partition, op.Key.Bucket)\n", New: ""},
		{Name: "it is said to be gone before that is synced", File: "holding.go", Old: "		r.waiting.add(r.seq, replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Durable: true})", New: "		*done = append(*done, replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Durable: true})"},
		{Name: "the marks of a partition are taken with one bucket", File: "holding.go", Old: "	if op.Key.Bucket == \"\" {\n		r.putArrival(op)\n	}", New: "	r.putArrival(op)"},
		{Name: "leaves stay", Dir: "../store", File: "holding.go", Old: "	lo, hi = LeafRange(partition, \"\")\n	b.DeleteRange(lo, hi)\n", New: ""},
		{Name: "records beside unreadable ones stay", Dir: "../store", File: "holding.go", Old: "	lo, hi := PartitionRange(partition)\n	b.DeleteRange(lo, hi)\n	b.DeleteRange(as(sidePrefix, lo), as(sidePrefix, hi))\n", New: "	lo, hi := PartitionRange(partition)\n	b.DeleteRange(lo, hi)\n"},
		{Name: "hints go with the partition", Dir: "../store", File: "holding.go", Old: "	lo = AppendDoubtKey(nil, partition, \"\")\n", New: "	lo, hi = PartitionRange(partition)\n	b.DeleteRange(as(pendingPrefix, lo), as(pendingPrefix, hi))\n	lo = AppendDoubtKey(nil, partition, \"\")\n"},
		{Name: "what the first part of a run left is forgotten", File: "runner.go", Old: "	r.earlier = len(r.mortals)\n", New: "	r.earlier, r.mortals = 0, r.mortals[:0]\n"},
	}
	for i := range list {
		list[i].Test = "Vacat|Holdings"
	}
	mutants.Run(t, list)
}
