package recovery_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants the variants of R10 that lose writes, and others.
func TestMutants(t *testing.T) {
	list := []mutants.Mutant{
		{
			Name: "it counts at once", File: "recovery.go", Test: "TestModelRecovering",
			Old: "		if !found {\n			r.parts = slices.Insert(", New: "		if !found && false {\n			r.parts = slices.Insert(",
		},
		{
			Name: "one source too few", File: "types.go", Test: "TestModelRecovering",
			Old: "return good >= n.Count ||", New: "return good >= n.Count-1 ||",
		},
		{
			Name: "a source that recovers itself counts", File: "types.go", Test: "TestModelRecovering",
			Old: "			if !s.Recovering {\n", New: "			if true {\n",
		},
		{
			Name: "no wait", File: "recovery.go", Test: "TestModelRecovering",
			Old: "			opens += r.cfg.Wait\n", New: "",
		},
		{
			Name: "a comparison that failed counts", File: "recovery.go", Test: "Test[^M]",
			Old: "	case !complete:\n", New: "	case false:\n",
		},
		{
			Name: "progress is not stored", File: "recovery.go", Test: "Test[^M]",
			Old: "State: replica.AppendProgress(nil, &p.Progress),", New: "State: []byte{1},",
		},
		{
			Name: "one bucket's need is enough", File: "recovery.go", Test: "Test[^M]",
			Old: "		if !needs[i].met(p.Progress.Sources) {\n			return false\n", New: "		if !needs[i].met(p.Progress.Sources) && i == 0 {\n			return false\n",
		},
		{
			Name: "a record is healed by the first answer", File: "heal.go", Test: "Test[^M]",
			Old: "		case ok && need.met(p.sources):", New: "		case ok && len(need.Others) > 0:",
		},
		{
			Name: "a record is healed without the wait", File: "heal.go", Test: "Test[^M]",
			Old: "	opens := now.Mono + r.cfg.Wait\n", New: "	opens := now.Mono\n",
		},
		{
			Name: "rotten records are remembered without bound", File: "heal.go", Test: "Test[^M]",
			Old: "	if len(r.rotten) >= r.cfg.MaxRotten && !r.makeRoom() {", New: "	if false {",
		},
		{
			Name: "what nobody has keeps out what others have", File: "heal.go", Test: "Test[^M]",
			Old: "r.cfg.MaxRotten && !r.makeRoom() {", New: "r.cfg.MaxRotten {",
		},
		{
			Name: "a record that is being asked for is forgotten", File: "heal.go", Test: "Test[^M]",
			Old: "return p.failed != \"\" && !p.busy() })", New: "return p.failed != \"\" })",
		},
		{
			Name: "the scrubber waits for what nobody has", Dir: "../node", File: "scrubbing.go", Pkg: "../../sim", Test: "TestWhatNobodyHasEndsNoRound",
			Old: "n.recovery.Untried() >=", New: "n.recovery.RottenLeft() >=",
		},
		{
			Name: "it is over before the disk is named", File: "recovery.go", Test: "TestNothingIsOver",
			Old: "	if !c.Named() {\n", New: "	if false {\n",
		},
		{
			Name: "one that was away counts at once", File: "recovery.go", Test: "Test[^M]",
			Old: "p.Progress.Away && len(p.Progress.Sources) > 0", New: "p.Progress.Away",
		},
	}
	mutants.Run(t, list)
}
