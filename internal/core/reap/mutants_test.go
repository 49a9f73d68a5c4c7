package reap_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants the variants that the model of the rules was violated by,
// and a few more:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 60m ./internal/core/reap
func TestMutants(t *testing.T) {
	const replica, histories = "../replica", "TestReapingHistories"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "the floor is ignored", Dir: replica, File: "standing.go", Test: histories,
			Old: "	least := s.Floor\n", New: "	least := uint64(0)\n",
		},
		{
			Name: "the epoch is that of the votes, not one more", File: "votes.go", Test: histories,
			Old: "k.step, k.epoch, k.failures = grow, k.votes+1, 0", New: "k.step, k.epoch, k.failures = grow, k.votes, 0",
		},
		{
			Name: "the epoch is that of the own vote", File: "votes.go", Test: histories,
			Old: "		k.votes = max(k.votes, a.Stamp)\n", New: "",
		},
		{
			Name: "hints are stamped anew", Dir: replica, File: "standing.go", Test: histories,
			Old: "		return c.op.Stamp\n	}\n	return c.standing.Epoch", New: "		return c.standing.Epoch\n	}\n	return c.standing.Epoch",
		},
		{
			Name: "others than primaries keep what is too old", Dir: replica, File: "standing.go", Test: histories,
			Old: "		least = s.Epoch\n", New: "		least = 0\n",
		},
		{
			Name: "a node goes on with old hints", File: "epochs.go", Test: histories,
			Old: "(!e.kept || e.oldest >= next) && e.swept()", New: "e.swept()",
		},
		{
			Name: "other members are not asked", File: "epochs.go", Test: histories,
			Old: "e.wanted > e.durable.Epoch && e.lowest() >= e.durable.Epoch", New: "e.wanted > e.durable.Epoch",
		},
		{
			Name: "a tombstone is dropped without waiting", Dir: replica, File: "reap.go", Test: histories,
			Old: " || c.standing.Floor <= c.op.Stamp {", New: " {",
		},
		{
			Name: "a record that has changed is dropped", Dir: replica, File: "reap.go", Test: histories,
			Old: "len(c.Replica.stored.Versions) > 0 || a.Digest != c.op.Digest || c.standing", New: "c.standing",
		},
		{
			Name: "unequal votes are taken for equal", File: "votes.go", Test: histories,
			Old: "	case a.Status == replica.Have && a.Digest == k.digest:\n", New: "	case a.Status == replica.Have:\n",
		},
		{
			Name: "a fresh version is sent under an epoch that nobody has shown", Dir: replica, File: "standing.go", Test: histories,
			Old: "		return max(s.Epoch, s.Heard)\n", New: "		return s.Epoch + 1\n",
		},
		{
			Name: "the floor is ignored, in a trace", Dir: replica, File: "standing.go", Pkg: "../../sim", Test: "TestRules_H5",
			Old: "	least := s.Floor\n", New: "	least := uint64(0)\n",
		},
		{
			Name: "nothing is dropped", Dir: replica, File: "reap.go", Pkg: "../../sim", Test: "TestPaper_9_4",
			Old: "	return Result{Answer: a, Drop: true}\n}\n\n// Due", New: "	return Result{Answer: a}\n}\n\n// Due",
		},
		{
			Name: "an image of before the first epoch is taken for a new disk", File: "epochs.go", Pkg: "../../sim", Test: "TestRules_R22",
			Old: "	if e.holds {\n", New: "	if e.holds && false {\n",
		},
		{
			Name: "a new disk is taken for an old copy", File: "epochs.go", Pkg: "../../sim", Test: "TestNewDiskIsNoOldCopy",
			Old: "durable: disk.Durable, holds: disk.Holds, stood", New: "durable: disk.Durable, holds: true, stood",
		},
		{
			Name: "who was refused begins again without an epoch", File: "epochs.go", Pkg: "../../sim", Test: "TestNewDiskIsNoOldCopy",
			Old: "!e.holds && e.phase != storing && epoch > 0", New: "false",
		},
		{
			Name: "an old copy that was refused takes the epoch", File: "epochs.go", Pkg: "../../sim", Test: "TestRules_R22",
			Old: "!e.holds && e.phase != storing && epoch > 0", New: "epoch > 0",
		},
		{
			Name: "a newcomer stays behind", File: "epochs.go", Test: "TestANewcomerCatchesUp",
			Old: "		return e.catchUp(out)\n", New: "		return false\n",
		},
		{
			Name: "a newcomer takes for young what it held", File: "epochs.go", Test: "TestANewcomerCatchesUp",
			Old: "	if e.holds || e.highest()", New: "	if e.highest()",
		},
		{
			Name: "a newcomer that knows nothing waits to be told", File: "epochs.go", Test: "TestANewcomerIsToldAtOnce",
			Old: " || e.begins(from, show)) {", New: ") {",
		},
		{
			Name: "a node goes on from epoch 0 unheard", File: "epochs.go", Test: "TestNobodyGoesOnUnheard",
			Old: " && e.heardAll() && e.swept() && ", New: " && e.swept() && ",
		},
		{
			Name: "a node goes on past what another has left over", File: "epochs.go", Test: "TestRules_E1_LeftOver",
			Old: " && e.heardAll() && e.swept() && ", New: " && e.heardAll() && ",
		},
		{
			Name: "what is adopted while an epoch begins is no matter", File: "epochs.go", Test: "TestRules_E1_LeftOver",
			Old: "(!e.kept || e.oldest >= next) && e.swept()", New: "(!e.kept || e.oldest >= next)",
		},
		{
			Name: "what was never heard of is told as epoch 0", File: "epochs.go", Test: "TestUnheardIsNotTold",
			Old: "		if m.heard {\n", New: "		if m.heard || true {\n",
		},
		{
			Name: "a reap goes on while a primary is away", File: "reaper.go", Test: "TestNoVoteWithoutAllPrimaries",
			Old: "		} else if !p.Usable(id) {", New: "		} else if false {",
		},
		{
			Name: "who does not know is taken for one who agrees", File: "votes.go", Test: "TestNoVoteWithoutAllPrimaries",
			Old: "	case a.Status == replica.Have && a.Digest == k.digest:\n", New: "	case a.Digest == k.digest:\n",
		},
	})
}
