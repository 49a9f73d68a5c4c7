package memory_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/store/memory
func TestMutants(t *testing.T) {
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "what is in memory is told synced", File: "over.go", Test: "TestOverTellsWhatIsSyncedBelow",
			Old: "	early := t.early\n", New: "	early := new(error)\n",
		},
		{
			Name: "nobody is told", File: "over.go", Test: "TestOverTellsWhatIsSyncedBelow",
			Old: "	if visible {\n		t.synced(err)\n	}\n", New: "",
		},
		{
			Name: "what is below is not read", File: "over.go", Test: "TestOverTellsWhatIsSyncedBelow",
			Old: "		front.data.set(bytes.Clone(key), bytes.Clone(value))\n", New: "		_ = bytes.Clone(value)\n",
		},
	})
}
