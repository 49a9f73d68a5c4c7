package sim

import "testing"

// A record that nobody has any more, and that can't be read here, is healed to
// nothing whatever the epoch: seeds 431 and 505 waited for ever.
func TestHealedToNothingIsNeverTooOld(t *testing.T) {
	if rep := Run(Options{Seed: 431}); rep.Violation != nil {
		t.Error(rep.Violation)
	}
}
