package causal_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
)

// over returns s with one more version over it, minted elsewhere.
func over(s causal.State, size int) causal.State {
	v := typical(size).Versions[0]
	n, _ := s.Mint(s.Claims, v, s.Vector[0].Actor, s.Vector[1].Time+5, causal.DefaultLimits())
	return n
}

func BenchmarkAppend(b *testing.B) {
	s := typical(1024)
	dst := s.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Append(dst[:0])
	}
}

func BenchmarkDecode(b *testing.B) {
	canonical := typical(1024).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := causal.DecodeState(canonical); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeReused(b *testing.B) {
	canonical := typical(1024).Append(nil)
	var s causal.State
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Decode(canonical); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	canonical := typical(1024).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		causal.Digest(canonical, 7)
	}
}

func BenchmarkSumValue(b *testing.B) {
	value := typical(1024).Versions[0].Value
	b.ReportAllocs()
	for b.Loop() {
		causal.SumValue(7, "application/octet-stream", value)
	}
}

func BenchmarkJoin(b *testing.B) {
	old := typical(1024)
	newer := over(old, 1024)
	sibling, _ := old.Mint(causal.Claims{}, typical(1024).Versions[0], old.Vector[2].Actor, 5, causal.DefaultLimits())
	for _, c := range []struct {
		name string
		x, y causal.State
	}{{"newer", old, newer}, {"siblings", newer, sibling}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				causal.JoinStates(c.x, c.y)
			}
		})
		b.Run(c.name+"/reused", func(b *testing.B) {
			var s causal.State
			b.ReportAllocs()
			for b.Loop() {
				s.SetJoin(&c.x, &c.y)
			}
		})
	}
}

func BenchmarkMint(b *testing.B) {
	s := typical(1024)
	v, ctx := s.Versions[0], s.Claims
	b.ReportAllocs()
	for b.Loop() {
		s.Mint(ctx, v, s.Vector[0].Actor, 5, causal.DefaultLimits())
	}
}

func BenchmarkMintReused(b *testing.B) {
	s := typical(1024)
	v, ctx := s.Versions[0], s.Claims
	var next causal.State
	b.ReportAllocs()
	for b.Loop() {
		next.SetMint(&s, ctx, v, s.Vector[0].Actor, 5, causal.DefaultLimits())
	}
}

func BenchmarkSeal(b *testing.B) {
	s, c := sealer(), causal.Context{Claims: typical(0).Claims, Fastest: "n2"}
	b.ReportAllocs()
	for b.Loop() {
		s.Seal("bucket", "some/key", c)
	}
}

func BenchmarkOpen(b *testing.B) {
	s := sealer()
	sealed := s.Seal("bucket", "some/key", causal.Context{Claims: typical(0).Claims, Fastest: "n2"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Open("bucket", "some/key", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
