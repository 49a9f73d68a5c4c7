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
			Name: "a tombstone is forgotten with the one before it", File: "keys.go", Test: "TestATombstoneBesideItsOwnDrop",
			Old: "	if !k.anew {\n", New: "	if !k.anew || k.anew {\n",
		},
		{
			Name: "a drop says nothing of what came beside it", File: "votes.go", Test: "TestATombstoneBesideItsOwnDrop",
			Old: "	default:\n		r.over(now, k)\n", New: "	default:\n		r.forget(k)\n",
		},
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
			Name: "an image of before the first epoch is taken for a new disk", File: "adopt.go", Pkg: "../../sim", Test: "TestRules_R22",
			Old: "	if e.holds {\n", New: "	if e.holds && false {\n",
		},
		{
			Name: "a new disk is taken for an old copy", File: "epochs.go", Pkg: "../../sim", Test: "TestNewDiskIsNoOldCopy",
			Old: "durable: disk.Durable, holds: disk.Holds, stood", New: "durable: disk.Durable, holds: true, stood",
		},
		{
			Name: "who was refused begins again without an epoch", File: "adopt.go", Pkg: "../../sim", Test: "TestNewDiskIsNoOldCopy",
			Old: "!e.holds && e.phase != storing && epoch > 0", New: "false",
		},
		{
			Name: "an old copy that was refused takes the epoch", File: "adopt.go", Pkg: "../../sim", Test: "TestRules_R22",
			Old: "!e.holds && e.phase != storing && epoch > 0", New: "epoch > 0",
		},
		{
			Name: "a newcomer forgets what it heard before it was a member", File: "members.go", Test: "TestANewcomerHeardBeforeItWasAMember",
			Old: "	if !was && e.known {\n", New: "	if was && e.known {\n",
		},
		{
			Name: "a newcomer stays behind", File: "adopt.go", Test: "TestANewcomerCatchesUp",
			Old: "		return e.catchUp(out)\n", New: "		return false\n",
		},
		{
			Name: "a newcomer takes for young what it held", File: "adopt.go", Test: "TestANewcomerCatchesUp",
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
			Name: "a reap goes on while a primary is away", File: "votes.go", Test: "TestNoVoteWithoutAllPrimaries",
			Old: "		} else if !p.Usable(id) {", New: "		} else if false {",
		},
		{
			Name: "who does not know is taken for one who agrees", File: "votes.go", Test: "TestNoVoteWithoutAllPrimaries",
			Old: "	case a.Status == replica.Have && a.Digest == k.digest:\n", New: "	case a.Digest == k.digest:\n",
		},
	})
}

// TestMutantsOfFolding plants what folds a share twice, or what is still on its way
// (RULES R8):
//
//	OURO_MUTANTS=1 go test -run MutantsOfFolding ./internal/core/reap
func TestMutantsOfFolding(t *testing.T) {
	const replica, typed = "../replica", "../typed"
	list := []mutants.Mutant{
		{
			Name: "shares are folded as soon as all hold them", File: "fold.go",
			Old: "k.dots, k.step, k.epoch, k.failures = dots, grow, k.votes+younger, 0", New: "k.dots, k.step, k.epoch, k.failures = dots, grow, 0, 0",
		},
		{
			Name: "one epoch beyond the votes is enough", File: "fold.go",
			Old: "const younger = 2\n", New: "const younger = 1\n",
		},
		{
			Name: "who is an epoch behind is asked for no more", File: "fold.go",
			Old: "	case k.step == drop && a.Stamp < k.epoch+above:\n", New: "	case false:\n",
		},
		{
			Name: "nobody is asked again before shares are folded", File: "reaper.go",
			Old: "	case drop:\n		if k.shares {\n			r.survey(now, k, p, e)\n", New: "	case drop:\n		if k.shares {\n			k.primaries, k.step = append(k.primaries[:0], r.self), folding\n			r.ask(now, k, 0, replica.Op{Verb: replica.Fold, Dots: k.dots, Stamp: k.epoch}, e)\n",
		},
		{
			Name: "shares are folded that others do not hold", File: "fold.go",
			Old: "		if !contains(held, dots) {\n", New: "		if len(held) < 0 {\n",
		},
		{
			Name: "every primary folds", File: "fold.go",
			Old: "	return len(primaries) > 0 && primaries[0] == r.self\n",
			New: "	if i := slices.Index(primaries, r.self); i > 0 {\n		primaries[0], primaries[i] = primaries[i], primaries[0]\n	}\n	return len(primaries) > 0 && primaries[0] == r.self\n",
		},
		{
			Name: "a round goes on under another ring", File: "reaper.go",
			Old: "		if !changed(k.partition) || k.step", New: "		if k.shares || !changed(k.partition) || k.step",
		},
		{
			Name: "the share of a process that lives is folded", Dir: typed, File: "fold.go",
			Old: "it.with.IsZero() && !slices.Contains(alive, it.version.Dot.Actor)", New: "it.with.IsZero()",
		},
		{
			Name: "what is folded stays besides", Dir: typed, File: "fold.go",
			Old: "			c.Covers = append(c.Covers, of[i].version.Dot)\n", New: "			_ = of[i].version.Dot\n",
		},
		{
			Name: "what is folded is not added up", Dir: typed, File: "fold.go",
			Old: "			sum.sum += of[i].sum\n", New: "			sum.sum = of[i].sum\n",
		},
		{
			Name: "an old copy brings shares back", Dir: replica, File: "standing.go",
			Old: "	least := s.Floor\n", New: "	least := uint64(0)\n",
		},
		{
			Name: "who keeps what is too old goes on", File: "epochs.go",
			Old: "(!e.kept || e.oldest >= next) && e.swept()", New: "e.swept()",
		},
	}
	for i := range list {
		list[i].Test = "TestFoldingHistories"
	}
	mutants.Run(t, list)
}
