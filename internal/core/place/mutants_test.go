package place_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants the variants that the models of the rules were violated by:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 60m ./internal/core/place
func TestMutants(t *testing.T) {
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a move is one flip", File: "follow.go", Test: "TestMoves$",
			Old: "		return errors.New(\"it does not move\")\n", New: "		return nil\n",
		},
		{
			Name: "one source too few", File: "gate.go", Test: "TestMoves$",
			Old: "	return old - w + 1, old - r + 1\n", New: "	return old - w, old - r + 1\n",
		},
		{
			Name: "no seal", File: "gate.go", Test: "TestMoves$",
			Old: "	return old - w + 1, old - r + 1\n", New: "	return old - w + 1, 0 * r\n",
		},
		{
			Name: "reads in the old list only", File: "gate.go", Test: "TestMoves$",
			Old: "	return shared(f.Old, by) >= old && shared(f.New, by) >= fresh\n}\n\nfunc shared", New: "	return shared(f.Old, by) >= old && fresh >= 0\n}\n\nfunc shared",
		},
		{
			Name: "reads in the new list only", File: "gate.go", Test: "TestMoves$",
			Old: "	return shared(f.Old, by) >= old && shared(f.New, by) >= fresh\n}\n\nfunc shared", New: "	return (len(f.New) > 0 || shared(f.Old, by) >= old) && shared(f.New, by) >= fresh\n}\n\nfunc shared",
		},
		{
			Name: "writes in the old list only", File: "gate.go", Test: "TestMoves$",
			Old: "	return shared(f.Old, by) >= old && shared(f.New, by) >= fresh\n}\n\n// Reads", New: "	return shared(f.Old, by) >= old && fresh >= 0\n}\n\n// Reads",
		},
		{
			Name: "old comparisons are kept over a retry", File: "gate.go", Test: "TestMoves$",
			Old: "	case p.Number != l.Number:\n", New: "	case p.Number > l.Number:\n",
		},
		{
			Name: "a proof of a disk that was lost is good", File: "gate.go", Test: "TestIllegalLinks",
			Old: "	case p.Disk == 0 || p.Disk != disk:\n", New: "	case p.Disk == 0:\n",
		},
		{
			Name: "newcomers alone prove for lists of different length", File: "gate.go", Test: "TestMovesOfOtherShapes",
			Old: "	if len(dst) == before || p.W+p.R > p.N && w+r <= len(f.Old) {\n", New: "	if len(dst) == before && w+r > 0 {\n",
		},
		{
			Name: "nobody proves for a shorter list", File: "gate.go", Test: "TestMovesOfOtherShapes",
			Old: "	if len(dst) == before || p.W+p.R > p.N && w+r <= len(f.Old) {\n", New: "	if p.W+p.R > p.N && w+r <= len(f.Old) && len(dst) > before {\n",
		},
		{
			Name: "a checkpoint is forgotten by the next link", File: "follow.go", Test: "TestRules_R38_ACheckpointStays",
			Old: "checkpoint: p.checkpoint, ", New: "",
		},
		{
			Name: "any checkpoint follows any", File: "follow.go", Test: "TestIllegalLinks",
			Old: "	case s.Count <= p.checkpoint.Count:\n", New: "	case false:\n",
		},
		{
			Name: "a shorter list keeps what a longer one promises", File: "gate.go", Pkg: "../member", Test: "TestPromisesInShorterLists",
			Old: "	if length < p.N {\n", New: "	if length < 0 {\n",
		},
		{
			Name: "another disk is no new number", File: "follow.go", Test: "TestAnotherDiskIsANewNumber",
			Old: "		if a == Restarted || slices.ContainsFunc(renamed, l.Holds) {", New: "		if a == Restarted && slices.ContainsFunc(renamed, l.Holds) {",
		},
	})
}
