package admit

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/admit
func TestMutants(t *testing.T) {
	const node, sim, whole = "../node", "../../sim", "TestSlowDiskHoldsBackTheBackground"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a kind may lose its floor", File: "admit.go", Test: "TestBounds",
			Old: "	a.pool = max(min(a.pool, used)/2, a.least())\n", New: "	a.pool = min(a.pool, used) / 2\n",
		},
		{
			Name: "a kind gets more than its ceiling", File: "admit.go", Test: "TestBounds",
			Old: "a.busy[k] == busy && a.slices[k] < a.cfg.Slices {", New: "a.busy[k] == busy {",
		},
		{
			Name: "who has nothing to do is served first", File: "admit.go", Test: "TestBounds",
			Old: "[...]bool{true, false}", New: "[...]bool{false, true}",
		},
		{
			Name: "a bad second counts for as long as the window is", File: "admit.go", Test: "TestOneBadSecondHalvesOnce",
			Old: "	case latest.over(a.cfg.Threshold):\n", New: "	default:\n",
		},
		{
			Name: "it never grows again", File: "admit.go", Test: "TestSlowAndWellAgain",
			Old: "		a.grow()\n", New: "",
		},
		{
			Name: "what it grows by is always much", File: "admit.go", Test: "TestSettles",
			Old: "	if a.pool >= a.knee*3/4 && a.pool < a.knee*5/4 {\n", New: "	if false {\n",
		},
		{
			Name: "what is out of the window is not forgotten", File: "admit.go", Test: "TestWindow",
			Old: "	a.forget(now.Mono)\n", New: "",
		},
		{
			Name: "waits in the queue do not count", File: "sample.go", Test: "TestWhatCounts",
			Old: "s.Reads.over(d) || s.Waits.over(d)", New: "s.Reads.over(d)",
		},
		{
			Name: "failures do not count", File: "sample.go", Test: "TestWhatCounts",
			Old: "	slow := t.failed\n", New: "	slow := uint32(0)\n",
		},
		{
			Name: "one slow read is enough", File: "sample.go", Test: "TestWhatCounts",
			Old: "slow >= few && ", New: "slow > 0 && ",
		},
		{
			Name: "what idle kinds could have is cut first", File: "admit.go", Test: "TestIdleDoesNotHoldItUp",
			Old: "		if !a.busy[k] {\n			n = a.cfg.Floor\n		}\n", New: "		_ = k\n",
		},
		{
			Name: "machines are not told of their share", Dir: node, File: "admission.go", Pkg: sim, Test: whole,
			Old: "	if n.admit.Slices() != before {\n", New: "	if before[0] < 0 {\n",
		},
		{
			Name: "comparisons are held back in bytes alone", Dir: node, File: "admission.go", Pkg: sim, Test: whole,
			Old: "a.Every(admit.Repair, p.every)", New: "p.every",
		},
	})
}
