package sim

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestLists lists keys among faults and changes of the ring; more seeds are run by
// "ouro sim --lists --seeds".
func TestLists(t *testing.T) {
	for _, o := range []Options{{Lists: true, Ops: 600}, {Lists: true, Ops: 400, Ring: RingAlso}} {
		sum := Seeds(Many{From: 1, To: 8, Options: o})
		for i := range sum.Failed {
			t.Errorf("seed %d: %v\n%s", sum.Failed[i].Seed, sum.Failed[i].Violation, sum.Failed[i].Shape)
		}
		if s := &sum.Stats; s.History.Pages < 1000 || s.Pages == s.History.Pages {
			t.Errorf("%d pages, %d of them complete", s.Pages, s.History.Pages)
		}
	}
}

// TestMutantsOfLists plants bugs in lists of keys and requires that seeds find each:
//
//	OURO_MUTANTS=1 go test -run MutantsOfLists -timeout 30m ./internal/sim
func TestMutantsOfLists(t *testing.T) {
	const dir = "../core/listing"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "one replica fewer has to tell", Dir: dir, File: "listing.go", Test: "TestLists",
			Old: "	old, next = l.req.R, l.req.NextR\n", New: "	old, next = max(l.req.R-1, 1), l.req.NextR\n",
		},
		{
			Name: "who may have forgotten something counts", Dir: dir, File: "listing.go", Test: "TestLists",
			Old: "	case f.Recovering || f.Unreadable > 0:\n", New: "	case false:\n",
		},
		{
			Name: "what one replica knows to be deleted is listed for another", Dir: dir, File: "merge.go", Test: "TestLists",
			Old: "			merged, _ = causal.JoinStates(merged, s)\n", New: "			if len(s.Versions) > 0 {\n				merged = s\n			}\n",
		},
		{
			Name: "a page of too few says that it is complete", Dir: dir, File: "listing.go", Test: "TestLists",
			Old: "Complete: why == \"\"", New: "Complete: true",
		},
		{
			Name: "a page goes beyond where a replica stopped", Dir: dir, File: "listing.go", Test: "TestEndsWhere", Pkg: "../core/listing",
			Old: "			page.Until = min(page.Until, h.found.Until)\n", New: "",
		},
	})
}
