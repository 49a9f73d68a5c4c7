// Package merkle holds the trees by which replicas are compared (paper, section
// 4.7), as sums: a leaf is the sum modulo 2^128 of the keyed hashes of its
// members, and everything above a leaf is the sum of what is below it (DESIGN
// 6; RULES R24-R26). So a write adjusts one leaf by a difference, in any order
// with others, and a tree is never built anew; leaves may be split and merged,
// and the sums of the parts add up to that of the whole.
//
// There is one tree for each partition and bucket. Only its leaves are stored;
// the rest is added up where it is asked for.
package merkle

import (
	"cmp"
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro/internal/core/causal"
)

// Sum is a sum modulo 2^128, of one member or of many. That of none is zero.
type Sum = causal.Sum

// leafBits is how many bits of a position below those of its partition name its
// leaf.
const leafBits = 8

// Leaves is how many leaves a tree has.
const Leaves = 1 << leafBits

// Member returns what one record adds to its leaf: the keyed hash of its name
// and of the digest of its state in canonical form (causal.Digest). The bucket
// is the tree's. The seed is that of the digests (RULES R26): without it nobody
// can make records whose hashes cancel each other out.
func Member(seed uint64, name string, digest Sum) Sum {
	var d [16]byte
	binary.LittleEndian.PutUint64(d[:8], digest.Hi)
	binary.LittleEndian.PutUint64(d[8:], digest.Lo)
	h := xxh3.Hash128Seed(d[:], xxh3.HashStringSeed(name, seed))
	return Sum{Hi: h.Hi, Lo: h.Lo}
}

// Add returns a + b modulo 2^128.
func Add(a, b Sum) Sum {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, carry)
	return Sum{Hi: hi, Lo: lo}
}

// Sub returns a - b modulo 2^128: a without the members of b.
func Sub(a, b Sum) Sum {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(a.Hi, b.Hi, borrow)
	return Sum{Hi: hi, Lo: lo}
}

// LeafOf returns the leaf of a position, given by its upper half, in a ring
// whose partitions take up its first partitionBits bits (ring.Ring.Bits). Where
// that is 0, the partitions being unequal, it is the first bits of the position
// itself, which is as good a cut.
func LeafOf(hi uint64, partitionBits uint) uint8 {
	return uint8(hi << partitionBits >> (64 - leafBits))
}

// Span returns the first and the last upper half of a position that a leaf of a
// partition may have.
func Span(partition uint32, leaf uint8, partitionBits uint) (first, last uint64) {
	if partitionBits > 0 {
		first = uint64(partition) << (64 - partitionBits)
	}
	first |= uint64(leaf) << (64 - leafBits) >> partitionBits
	return first, first | ^uint64(0)>>(partitionBits+leafBits)
}

// Leaf is one leaf of a tree. Leaves without members are left out of lists.
type Leaf struct {
	Number uint8
	Sum    Sum
}

// Root adds up leaves.
func Root(leaves []Leaf) Sum {
	var sum Sum
	for i := range leaves {
		sum = Add(sum, leaves[i].Sum)
	}
	return sum
}

// Differ appends to dst the numbers of the leaves that differ between two trees,
// each a list of its leaves in order of their numbers.
func Differ(dst []uint8, a, b []Leaf) []uint8 {
	for len(a) > 0 || len(b) > 0 {
		switch order := compare(a, b); {
		case order < 0:
			dst, a = append(dst, a[0].Number), a[1:]
		case order > 0:
			dst, b = append(dst, b[0].Number), b[1:]
		default:
			if a[0].Sum != b[0].Sum {
				dst = append(dst, a[0].Number)
			}
			a, b = a[1:], b[1:]
		}
	}
	return dst
}

// compare says which list has the next number.
func compare(a, b []Leaf) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	default:
		return cmp.Compare(a[0].Number, b[0].Number)
	}
}
