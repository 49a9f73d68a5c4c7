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

// cut returns the parts of a span as a replica tells them whose leaves have so
// many records at most.
func cut(records []record, span merkle.Span, leaf int) []merkle.Part {
	top, _ := span.Depth()
	var parts []merkle.Part
	var into func(at merkle.Span, depth uint8)
	into = func(at merkle.Span, depth uint8) {
		p := sumOf(records, at)
		switch {
		case p.Count == 0:
		case int(p.Count) <= leaf || depth == merkle.MaxDepth || depth == top+4:
			p.Number = merkle.NumberOf(top, at.First, depth)
			parts = append(parts, p)
		default:
			lower, upper := at.Halves()
			into(lower, depth+1)
			into(upper, depth+1)
		}
	}
	into(span, top)
	return parts
}

func sumOf(records []record, at merkle.Span) (p merkle.Part) {
	for _, r := range records {
		if at.Holds(r.key.Pos.Hi) {
			p.Sum, p.Count = merkle.Add(p.Sum, r.sum()), p.Count+1
		}
	}
	return p
}

var all = merkle.Around(0, 0)

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
		if a, b := cut(records, all, 4), cut(shuffled, all, 4); !slices.Equal(a, b) {
			t.Fatalf("%v and %v", a, b)
		}
		gone := rapid.IntRange(0, len(records)).Draw(t, "gone")
		sum := sumOf(shuffled, all).Sum
		for _, r := range shuffled[gone:] {
			sum = merkle.Sub(sum, r.sum())
		}
		if want := sumOf(shuffled[:gone], all).Sum; sum != want {
			t.Fatalf("%v is left, not %v", sum, want)
		}
	})
}

// Halves add up to the whole, and each is the other's sibling: leaves split and
// merge.
func TestSumsSplitAndMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		pos := rapid.Uint64().Draw(t, "position")
		for depth := uint8(0); depth < merkle.MaxDepth; depth++ {
			whole := merkle.Around(pos, depth)
			lower, upper := whole.Halves()
			a, b := sumOf(records, lower), sumOf(records, upper)
			if w := sumOf(records, whole); merkle.Add(a.Sum, b.Sum) != w.Sum || a.Count+b.Count != w.Count {
				t.Fatalf("depth %d: %v and %v are not %v", depth, a, b, w)
			}
			if lower.First != whole.First || lower.Last+1 != upper.First || upper.Last != whole.Last || lower.Sibling(depth+1) != upper || upper.Sibling(depth+1) != lower {
				t.Fatalf("%x is cut into %x and %x", whole, lower, upper)
			}
			if d, ok := whole.Depth(); !ok || d != depth || !whole.Holds(pos) {
				t.Fatalf("%x is of depth %d, %v, not %d", whole, d, ok, depth)
			}
		}
	})
}

// However fine their leaves are, two replicas differ where a record does, and
// nowhere else: every difference has a record that differs in it, and each such
// record is in one.
func TestDifferenceIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		mine, theirs := slices.Clone(records), slices.Clone(records)
		var changed []ring.Key
		for range rapid.IntRange(0, 4).Draw(t, "differences") {
			extra := record{ring.NewKey("b", rapid.StringMatching("[A-Z]{1,2}").Draw(t, "extra")), drawSum(t, "extra digest")}
			if slices.Contains(changed, extra.key) {
				continue
			}
			changed = append(changed, extra.key)
			mine = append(mine, extra)
			if rapid.Bool().Draw(t, "on both") {
				theirs = append(theirs, record{extra.key, merkle.Add(extra.digest, merkle.Sum{Lo: 1})})
			}
		}
		span := merkle.Around(rapid.Uint64().Draw(t, "position"), rapid.Uint8Range(0, 3).Draw(t, "depth"))
		leaf := rapid.SampledFrom([]int{1, 2, 5, 100})
		a, b := cut(mine, span, leaf.Draw(t, "leaf")), cut(theirs, span, leaf.Draw(t, "other leaf"))
		d, ok := merkle.Differ(nil, span, a, b)
		back, ok2 := merkle.Differ(nil, span, b, a)
		if !ok || !ok2 || len(d) != len(back) {
			t.Fatalf("%v and %v differ in %v, the other way round in %v", a, b, d, back)
		}
		seen := 0
		for i, x := range d {
			if i > 0 && d[i-1].Last >= x.First || x.Span != back[i].Span || x.A != back[i].B || x.Leaf != back[i].Leaf {
				t.Fatalf("%v, and the other way round %v", d, back)
			}
			if got := sumOf(mine, x.Span).Count; x.A != got || x.B != sumOf(theirs, x.Span).Count {
				t.Fatalf("%v has %d records here", x, got)
			}
			if depth, _ := x.Depth(); x.Leaf != (depth < depthOf(span)+4) {
				t.Fatalf("%v is told to be a leaf", x)
			}
			in := 0
			for _, k := range changed {
				if x.Holds(k.Pos.Hi) {
					in++
				}
			}
			if seen += in; in == 0 {
				t.Fatalf("nothing differs in %v", x)
			}
		}
		for _, k := range changed {
			if span.Holds(k.Pos.Hi) {
				seen--
			}
		}
		if seen != 0 {
			t.Fatalf("%v are not all in %v", changed, d)
		}
	})
}

func depthOf(s merkle.Span) uint8 {
	d, _ := s.Depth()
	return d
}

// A peer may send anything.
func TestPartsOfNothingAreRefused(t *testing.T) {
	part := func(numbers ...uint8) (parts []merkle.Part) {
		for _, n := range numbers {
			parts = append(parts, merkle.Part{Number: n, Count: 1, Sum: merkle.Sum{Lo: uint64(n)}})
		}
		return parts
	}
	for _, bad := range [][]merkle.Part{part(0), part(32), part(255), part(3, 2), part(4, 4), part(2, 16), part(16, 2), part(1, 31), part(17, 16), part(5, 2)} {
		for _, good := range [][]merkle.Part{nil, part(1), part(2, 3), part(16, 31)} {
			if d, ok := merkle.Differ(nil, all, bad, good); ok {
				t.Errorf("%v against %v: %v", bad, good, d)
			}
			if d, ok := merkle.Differ(nil, all, good, bad); ok {
				t.Errorf("%v against %v: %v", good, bad, d)
			}
		}
	}
	if _, ok := merkle.Differ(nil, merkle.Span{First: 1, Last: 4}, nil, nil); ok {
		t.Error("a span that no leaf has")
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) merkle.Part { return part(rapid.Byte().Draw(t, "number"))[0] }), 0, 6)
		span := merkle.Around(rapid.Uint64().Draw(t, "position"), rapid.Uint8Range(0, 64).Draw(t, "depth"))
		d, _ := merkle.Differ(nil, span, draw.Draw(t, "a"), draw.Draw(t, "b"))
		for i, x := range d {
			if x.First < span.First || x.Last > span.Last || i > 0 && x.First <= d[i-1].Last {
				t.Fatalf("differences %v in %v", d, span)
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

// The tree of a partition is of exactly the positions of that partition.
func TestWholeIsThePartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.UintRange(0, 24).Draw(t, "partition bits")
		hi := rapid.Uint64().Draw(t, "position")
		partition := uint32(hi >> (63 - bits) >> 1)
		whole := merkle.Whole(partition, bits)
		if d, ok := whole.Depth(); !ok || uint(d) != bits || !whole.Holds(hi) {
			t.Fatalf("partition %d of 2^%d is %x", partition, bits, whole)
		}
		if whole.First<<bits != 0 || whole.Last != whole.First|^uint64(0)>>bits {
			t.Fatalf("partition %d of 2^%d is %x", partition, bits, whole)
		}
	})
	if merkle.Whole(5, 0) != all {
		t.Error("where partitions are unequal it is not all there is")
	}
}
