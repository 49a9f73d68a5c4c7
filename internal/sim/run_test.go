package sim

import (
	"bytes"
	"testing"
)

// TestSeedsKeepEveryPromise runs a few seeds; thousands are run by
// "ouro sim --seeds".
func TestSeedsKeepEveryPromise(t *testing.T) {
	run(t, 1, 10)
}

// TestRegressions runs the seeds that once found a fault in a node, with what
// they found.
func TestRegressions(t *testing.T) {
	for _, r := range []struct {
		seed  uint64
		found string
	}{
		{608, "a delete without context whose read used up the time was answered as done"},
		{852, "the same"},
	} {
		if rep := Run(Options{Seed: r.seed}); rep.Violation != nil {
			t.Errorf("seed %d, which once found that %s: %v", r.seed, r.found, rep.Violation)
		}
	}
}

func run(t *testing.T, from, to uint64) {
	t.Helper()
	sum := Seeds(Many{From: from, To: to})
	for i := range sum.Failed {
		r := &sum.Failed[i]
		t.Errorf("seed %d: %v\n%s", r.Seed, r.Violation, r.Shape)
	}
	s := &sum.Stats
	if s.History.Ops < int(to-from+1)*DefaultOps || s.Faults.Injected() < 50*int(to-from+1) {
		t.Errorf("%d operations and %d faults are too few for %d seeds", s.History.Ops, s.Faults.Injected(), to-from+1)
	}
	if 3*s.History.OK < 2*s.History.Ops {
		t.Errorf("only %d of %d operations succeeded: there was little to check", s.History.OK, s.History.Ops)
	}
}

// TestSameSeedSameHistory compares everything that happens, line by line.
func TestSameSeedSameHistory(t *testing.T) {
	for seed := uint64(20); seed < 23; seed++ {
		var first, second bytes.Buffer
		a := Run(Options{Seed: seed, Ops: 300, Trace: &first})
		b := Run(Options{Seed: seed, Ops: 300, Trace: &second})
		c := Run(Options{Seed: seed, Ops: 300})
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("seed %d: two runs have different traces", seed)
		}
		if a.Hash != b.Hash || a.Hash != c.Hash || a.Stats != c.Stats {
			t.Errorf("seed %d: histories %x and %x, and %x without a trace", seed, a.Hash, b.Hash, c.Hash)
		}
		if first.Len() < 10000 {
			t.Errorf("seed %d: a trace of %d bytes", seed, first.Len())
		}
	}
}

func TestOtherSeedOtherHistory(t *testing.T) {
	seen := map[uint64]uint64{}
	for seed := uint64(1); seed <= 20; seed++ {
		h := Run(Options{Seed: seed, Ops: 20}).Hash
		if other, ok := seen[h]; ok {
			t.Errorf("seeds %d and %d have one history", seed, other)
		}
		seen[h] = seed
	}
}

func TestSeedsDrawEveryKindOfFault(t *testing.T) {
	var drawn [kinds]bool
	calm := false
	for seed := range uint64(100) {
		s := draw(&Options{Seed: seed})
		calm = calm || s.calm
		for _, k := range s.kinds {
			drawn[k] = true
		}
	}
	for k, is := range drawn {
		if !is {
			t.Errorf("no seed draws %v", kind(k))
		}
	}
	if !calm {
		t.Error("no seed is calm")
	}
}

func TestBudgetEndsSeeds(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	if s := Seeds(Many{From: 1, To: 1000, Stop: stop}); s.Runs != 0 || s.Left != 1000 {
		t.Errorf("%d runs, %d left", s.Runs, s.Left)
	}
	if s := Seeds(Many{From: 1, To: 1000, Budget: 1, Options: Options{Ops: 10}}); s.Runs > 10 {
		t.Errorf("%d runs within a nanosecond", s.Runs)
	}
}
