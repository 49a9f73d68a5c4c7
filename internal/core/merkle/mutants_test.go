package merkle_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

func TestMutants(t *testing.T) {
	list := []mutants.Mutant{
		{Name: "the carry is lost", Old: "bits.Add64(a.Hi, b.Hi, carry)", New: "bits.Add64(a.Hi, b.Hi, carry&0)"},
		{Name: "the borrow is lost", Old: "bits.Sub64(a.Hi, b.Hi, borrow)", New: "bits.Sub64(a.Hi, b.Hi, borrow&0)"},
		{Name: "the name does not count", Old: "xxh3.HashStringSeed(name, seed)", New: "xxh3.HashStringSeed(name[:0], seed)"},
		{Name: "the hash has no key", Old: "xxh3.HashStringSeed(name, seed)", New: "xxh3.HashStringSeed(name, seed&0)"},
		{Name: "half of the digest counts", Old: "PutUint64(d[8:], digest.Lo)", New: "PutUint64(d[8:], digest.Hi)"},
		{Name: "a half begins where the other ends", File: "span.go", Old: "Span{middle + 1, s.Last}", New: "Span{middle, s.Last}"},
		{Name: "a span is its own sibling", File: "span.go", Old: "s.First^1<<(MaxDepth-depth)", New: "s.First^0<<(MaxDepth-depth)"},
		{Name: "a tree is of more than its partition", File: "span.go", Old: "Around(uint64(partition)<<(64-partitionBits), uint8(partitionBits))", New: "Around(uint64(partition)<<(64-partitionBits), uint8(partitionBits-1))"},
		{Name: "any span is one that a leaf has", File: "span.go", Old: "return depth, Around(s.First, depth) == s", New: "return depth, true"},
		{Name: "a large leaf is a sixteenth", File: "part.go", Old: "min(leaf-depth, partBits)", New: "uint8(partBits)"},
		{Name: "the smaller part is compared, and not what is beside it", File: "part.go", Old: "right.at.First == at.First && right.at.Last > at.Last", New: "right.at.First == at.First && right.at.Last < at.Last"},
		{Name: "the larger part is looked for on one side only", File: "part.go", Old: "right.at.First == at.First && right.at.Last > at.Last", New: "false"},
		{Name: "what only the other has does not differ", File: "part.go", Old: "for ok && (left.more || right.more) {", New: "for ok && left.more {"},
		{Name: "of smaller parts one counts", File: "part.go", Old: "for s.more && !s.bad && s.at.First <= at.Last {", New: "if s.more && !s.bad && s.at.First <= at.Last {"},
		{Name: "parts may overlap", File: "part.go", Old: "s.bad = s.bad || !ok || s.seen && s.at.First <= s.last", New: "s.bad = s.bad || !ok"},
		{Name: "parts beyond the sixteenths are taken", File: "part.go", Old: "number == 0 || deeper > partBits ||", New: "number == 0 ||"},
		{Name: "every part is looked into", File: "part.go", Old: "size < depth+partBits}", New: "size > 200}"},
	}
	for i := range list {
		if list[i].Test = "Test[^M]|TestMembers"; list[i].File == "" {
			list[i].File = "merkle.go"
		}
	}
	mutants.Run(t, list)
}
