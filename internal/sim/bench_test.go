package sim

import "testing"

// BenchmarkRun is one seed of 2,000 operations, faults on, checked to the end.
func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	seed := uint64(0)
	for b.Loop() {
		seed++
		if rep := Run(Options{Seed: seed}); rep.Violation != nil {
			b.Fatalf("seed %d: %v", seed, rep.Violation)
		}
	}
}
