package bolt_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/store/bolt
func TestMutants(t *testing.T) {
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "transactions are told synced and left to the kernel", File: "engine.go", Test: "TestPowerCut",
			Old: "NoStatistics: true,\n", New: "NoStatistics: true, NoSync: true,\n",
		},
	})
}
