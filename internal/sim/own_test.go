package sim

import (
	"os"
	"testing"

	"github.com/ourodb/ouro/internal/effort"
	"github.com/ourodb/ouro/internal/mutants"
)

// TestClientsCoordinateReads: reads that clients coordinate, by maps that may be old,
// keep every promise while everything else goes on.
func TestClientsCoordinateReads(t *testing.T) {
	effort.Unraced(t)
	var all OwnStats
	for _, o := range []Options{{Own: true, Ops: 800}, {Own: true, Ops: 600, Ring: RingAlso}} {
		for seed := range uint64(8) {
			o.Seed = seed + 1
			rep := Run(o)
			if rep.Violation != nil {
				t.Fatalf("%+v: %v", o, rep.Violation)
			}
			all.Begun, all.Agreed, all.Old = all.Begun+rep.Stats.Own.Begun, all.Agreed+rep.Stats.Own.Agreed, all.Old+rep.Stats.Own.Old
		}
	}
	if all.Agreed < 1000 || all.Begun-all.Agreed < 100 || all.Old == 0 {
		t.Errorf("%+v: too few for a test", all)
	}
}

// TestHuntOwn is TestHunt with clients that coordinate reads.
func TestHuntOwn(t *testing.T) {
	if os.Getenv(hunting) == "" {
		t.Skip("it hunts planted bugs: see TestMutantsOfOwnCopies")
	}
	for seed := range uint64(huntSeeds) {
		if rep := Run(Options{Seed: seed + 1, Own: true}); rep.Violation != nil {
			t.Fatalf("seed %d: %v", rep.Seed, rep.Violation)
		}
	}
}

// TestMutantsOfOwnCopies plants bugs in what makes own copies a read:
//
//	OURO_MUTANTS=1 go test -run MutantsOfOwnCopies -timeout 60m ./internal/sim
func TestMutantsOfOwnCopies(t *testing.T) {
	t.Setenv(hunting, "1")
	const local = "../core/local"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "own copies that differ are a read", Dir: local, File: "word.go", Test: "TestHuntOwn",
			Old: "	for i := range said {\n", New: "	for i := range said {\n		said[i].Word.State, said[i].Word.Absent = causal.Sum{}, false\n",
		},
		{
			Name: "one that recovers is counted", Dir: "../core/coord", File: "digests.go", Test: "TestHuntOwn",
			Old: "	case a.Status == replica.Absent, a.Status == replica.DontKnow && g.newcomers().has(i):\n		g.absent.add(i)\n",
			New: "	case a.Status == replica.Absent, a.Status == replica.DontKnow && (g.newcomers().has(i) || a.State == nil):\n		g.absent.add(i)\n",
		},
	})
}
