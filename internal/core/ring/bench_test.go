package ring

import (
	"math/rand/v2"
	"testing"
)

func benchRing(b *testing.B, nodes, q int) *Ring {
	b.Helper()
	named := nodesNamed(nodes, 3)
	tokens, err := Assign(q, named)
	if err != nil {
		b.Fatal(err)
	}
	return mustNew(b, named, tokens)
}

func BenchmarkPreference(b *testing.B) {
	r := benchRing(b, 30, 1024)
	rng := rand.New(rand.NewPCG(1, 2))
	keys := make([]Position, 1024)
	for i := range keys {
		keys[i] = Position{rng.Uint64(), rng.Uint64()}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if len(r.Preference(r.Partition(keys[i%len(keys)]), 3)) != 3 {
			b.Fatal("too short")
		}
	}
}

func BenchmarkNewKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewKey("bucket", "a key of usual length")
	}
}

func BenchmarkNew300x8192(b *testing.B) {
	r := benchRing(b, 300, 8192)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(r.nodes, r.tokens); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssign300x8192(b *testing.B) {
	nodes := nodesNamed(300, 3)
	for b.Loop() {
		if _, err := Assign(8192, nodes); err != nil {
			b.Fatal(err)
		}
	}
}

// Finding the replicas of a key must not allocate: it happens at every request.
func TestPreferenceDoesNotAllocate(t *testing.T) {
	nodes := nodesNamed(9, 3)
	tokens, err := Assign(64, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r := mustNew(t, nodes, tokens)
	if n := testing.AllocsPerRun(100, func() { r.Preference(r.Partition(Position{1 << 63, 0}), 8) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	small := mustNew(t, plain("AB"), circle("AB"))
	if n := testing.AllocsPerRun(100, func() { small.Preference(0, 3) }); n != 0 {
		t.Errorf("with fewer nodes than n: %v allocations", n)
	}
}
