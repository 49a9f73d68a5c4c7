package sim

import "testing"

// A record that nobody has any more, and that can't be read here, is healed to
// nothing whatever the epoch: seeds 431 and 505 waited for ever, and 813, whose
// nodes know of no epoch.
func TestHealedToNothingIsNeverTooOld(t *testing.T) {
	for _, seed := range []uint64{431, 813} {
		if rep := Run(Options{Seed: seed}); rep.Violation != nil {
			t.Error(seed, rep.Violation)
		}
	}
}
