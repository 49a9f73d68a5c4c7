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
		{Name: "leaves are cut by the partition's own bits", Old: "uint8(hi << partitionBits >>", New: "uint8(hi << (partitionBits & 0) >>"},
		{Name: "a leaf ends early", Old: "first | ^uint64(0)>>(partitionBits+leafBits)", New: "first | ^uint64(0)>>(partitionBits+leafBits+1)"},
		{Name: "a leaf that one side lacks does not differ", Old: "dst, b = append(dst, b[0].Number), b[1:]", New: "b = b[1:]"},
	}
	for i := range list {
		list[i].File, list[i].Test = "merkle.go", "Test[^M]|TestMembers"
	}
	mutants.Run(t, list)
}
