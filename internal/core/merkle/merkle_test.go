package merkle_test

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/ring"
)

const seed = 7

// record is a member: a key and the digest of its state.
type record struct {
	key    ring.Key
	digest merkle.Sum
}

func (r record) sum() merkle.Sum { return merkle.Member(seed, r.key.Name, r.digest) }

func drawSum(t *rapid.T, label string) merkle.Sum {
	edge := rapid.SampledFrom([]uint64{0, 1, 1 << 63, 1<<64 - 1})
	half := rapid.OneOf(rapid.Uint64(), edge)
	return merkle.Sum{Hi: half.Draw(t, label), Lo: half.Draw(t, label)}
}

func drawRecords(t *rapid.T) []record {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record {
		return record{ring.NewKey("b", rapid.StringMatching(`[a-z]{1,4}`).Draw(t, "name")), drawSum(t, "digest")}
	}), 0, 30).Draw(t, "records")
}

// tree adds up records by leaf.
func tree(records []record, bits uint) []merkle.Leaf {
	var sums [merkle.Leaves]merkle.Sum
	for _, r := range records {
		l := merkle.LeafOf(r.key.Pos.Hi, bits)
		sums[l] = merkle.Add(sums[l], r.sum())
	}
	var leaves []merkle.Leaf
	for i, s := range sums {
		if s != (merkle.Sum{}) {
			leaves = append(leaves, merkle.Leaf{Number: uint8(i), Sum: s})
		}
	}
	return leaves
}

func number(s merkle.Sum) *big.Int {
	n := new(big.Int).SetUint64(s.Hi)
	return n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(s.Lo))
}

func TestSumsAreModulo(t *testing.T) {
	modulus := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawSum(t, "a"), drawSum(t, "b")
		sum := new(big.Int).Add(number(a), number(b))
		if got := number(merkle.Add(a, b)); got.Cmp(sum.Mod(sum, modulus)) != 0 {
			t.Fatalf("%v + %v = %v", a, b, got)
		}
		if back := merkle.Sub(merkle.Add(a, b), b); back != a {
			t.Fatalf("%v + %v - %v = %v", a, b, b, back)
		}
	})
}

// The order of updates does not show, and what is taken away leaves nothing.
func TestOrderDoesNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		shuffled := rapid.Permutation(records).Draw(t, "order")
		if a, b := tree(records, 0), tree(shuffled, 0); !slices.Equal(a, b) {
			t.Fatalf("%v and %v", a, b)
		}
		gone := rapid.IntRange(0, len(records)).Draw(t, "gone")
		sum := merkle.Root(tree(shuffled, 0))
		for _, r := range shuffled[gone:] {
			sum = merkle.Sub(sum, r.sum())
		}
		if want := merkle.Root(tree(shuffled[:gone], 0)); sum != want {
			t.Fatalf("%v is left, not %v", sum, want)
		}
	})
}

// A root is the sum of its leaves, however the ring is cut: leaves split and
// merge.
func TestSumsSplitAndMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		bits := rapid.UintRange(0, 20).Draw(t, "partition bits")
		whole := merkle.Root(tree(records, 0))
		parts := map[uint64][]record{}
		for _, r := range records {
			p := r.key.Pos.Hi >> (63 - bits) >> 1
			parts[p] = append(parts[p], r)
		}
		var sum merkle.Sum
		for _, part := range parts {
			sum = merkle.Add(sum, merkle.Root(tree(part, bits)))
		}
		if sum != whole {
			t.Fatalf("the parts add up to %v, the whole is %v", sum, whole)
		}
	})
}

// Trees are equal where their records are, and differ in the leaf of a record
// that differs: its state, its name, or that it is there at all.
func TestDifferenceIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		if d := merkle.Differ(nil, tree(records, 0), tree(records, 0)); len(d) > 0 {
			t.Fatalf("equal trees differ in %v", d)
		}
		extra := record{ring.NewKey("b", "EXTRA"), drawSum(t, "digest")}
		with := append(slices.Clone(records), extra)
		changed := append(slices.Clone(records), record{extra.key, merkle.Add(extra.digest, merkle.Sum{Lo: 1})})
		want := []uint8{merkle.LeafOf(extra.key.Pos.Hi, 0)}
		for name, other := range map[string][]record{"absent": records, "another state": changed} {
			a, b := tree(with, 0), tree(other, 0)
			if d := merkle.Differ(nil, a, b); !slices.Equal(d, want) {
				t.Fatalf("%s: %v differ, want %v", name, d, want)
			}
			if d := merkle.Differ(nil, b, a); !slices.Equal(d, want) {
				t.Fatalf("%s, the other way round: %v differ, want %v", name, d, want)
			}
			if merkle.Root(a) == merkle.Root(b) {
				t.Fatalf("%s: roots are equal", name)
			}
		}
	})
}

func TestMembersDependOnAll(t *testing.T) {
	d := merkle.Sum{Hi: 1, Lo: 2}
	sum := merkle.Member(seed, "k", d)
	for name, other := range map[string]merkle.Sum{
		"seed":       merkle.Member(seed+1, "k", d),
		"name":       merkle.Member(seed, "l", d),
		"upper half": merkle.Member(seed, "k", merkle.Sum{Hi: 2, Lo: 2}),
		"lower half": merkle.Member(seed, "k", merkle.Sum{Hi: 1, Lo: 1}),
		"halves":     merkle.Member(seed, "k", merkle.Sum{Hi: 2, Lo: 1}),
	} {
		if other == sum {
			t.Errorf("the %s does not count", name)
		}
	}
}

// The leaves of a partition cut it up: every position is in the span of its
// leaf, spans follow each other without a gap, and the last ends the partition.
func TestSpansCutUpThePartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.UintRange(0, 24).Draw(t, "partition bits")
		hi := rapid.Uint64().Draw(t, "position")
		partition := uint32(hi >> (63 - bits) >> 1)
		leaf := merkle.LeafOf(hi, bits)
		first, last := merkle.Span(partition, leaf, bits)
		if hi < first || hi > last {
			t.Fatalf("%x is outside of its leaf %d, %x to %x", hi, leaf, first, last)
		}
		start, _ := merkle.Span(partition, 0, bits)
		_, end := merkle.Span(partition, merkle.Leaves-1, bits)
		if start>>(63-bits)>>1 != uint64(partition) || start<<bits != 0 || end != start|^uint64(0)>>bits {
			t.Fatalf("partition %d is %x to %x", partition, start, end)
		}
		if leaf > 0 {
			if _, before := merkle.Span(partition, leaf-1, bits); before+1 != first {
				t.Fatalf("leaf %d begins at %x, the one before ends at %x", leaf, first, before)
			}
		}
	})
}
