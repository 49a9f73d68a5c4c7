package sim

import (
	"testing"

	"github.com/ourodb/ouro/internal/effort"
)

// Seeds that once broke a promise, each with what was wrong. A seed's choices
// change with the code; the cases themselves are tests of their own where one
// could be written.
func TestSeedsThatBroke(t *testing.T) {
	effort.Unraced(t)
	for seed, why := range map[uint64]string{
		725:          "another node stood in for a slow replica in the last read, which then had not read all (the checker was wrong)",
		73:           "one put on an old copy of its disk while all others were down was taken for slow",
		431:          "a record that all others had reaped was healed to nothing under a stamp too old",
		813:          "or, where no epoch was known, under one too new",
		648963705608: "replicas could not be equal before a tombstone was reaped that some had dropped, and tried",
		648963705633: "a record healed as a tombstone told nobody, and no sweep looked for it",
		772168214125: "a record rotted under a write that a power failure took back, and was not noted any more",
		933:          "a tombstone was reaped that a replica had voted for before it was put on an old copy of its disk",
		1331:         "likewise",
		1401:         "what waited for a node that hung was not told that it answers again",
		177:          "a node whose disk read for longer than a request may take was to have answered (the checker was wrong)",
		2176:         "a tombstone was reaped, and its key created again, while two replicas were being compared (the checker was wrong)",
	} {
		if rep := Run(Options{Seed: seed, Durable: true}); rep.Violation != nil {
			t.Errorf("seed %d: %v (it broke when %s)", seed, rep.Violation, why)
		}
	}
}
