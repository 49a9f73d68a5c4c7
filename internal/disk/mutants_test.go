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
