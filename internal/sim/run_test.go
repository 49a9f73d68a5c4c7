package sim

import "testing"

func TestSeedsKeepEveryPromise(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		rep := Run(Options{Seed: seed})
		if rep.Violation != nil {
			t.Errorf("seed %d (%s): %v", seed, rep.Shape, rep.Violation)
		}
		t.Logf("seed %d %s\n%+v", seed, rep.Shape, rep.Stats)
	}
}
