// Package merkle holds the trees by which replicas are compared (paper, section
// 4.7), as sums: a leaf is the sum modulo 2^128 of the keyed hashes of its
// members, and everything above a leaf is the sum of what is below it (DESIGN
// 6; RULES R24-R26). So a write adjusts one leaf by a difference, in any order
// with others, and a tree is never built anew; leaves are split and merged as
// keys come and go, and the sums of the parts add up to that of the whole.
//
// There is one tree for each partition and bucket. Only its leaves are stored;
// the rest is added up where it is asked for. Replicas cut their leaves as they
// like: what they tell each other are sums of spans of positions, and where one
// has a coarser leaf the other adds up what is under it ([Differ]).
package merkle

import (
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro/internal/core/causal"
)

// Sum is a sum modulo 2^128, of one member or of many. That of none is zero.
type Sum = causal.Sum

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
