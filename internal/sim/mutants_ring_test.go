package sim

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutantsOfTheRing plants the variants that the models of RULES were violated by,
// and what the scripts of interrupted moves are for, in whole nodes. Comparisons that
// are kept over a retry are planted in packages place and transfer: on whole nodes no
// operator can send a partition the same way twice.
//
//	OURO_MUTANTS=1 go test -run MutantsOfTheRing -timeout 60m ./internal/sim
func TestMutantsOfTheRing(t *testing.T) {
	const place, chain, coord, node, transfer = "../core/place", "../core/chain", "../core/coord", "../core/node", "../core/transfer"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a move is one flip", Dir: place, File: "follow.go", Test: "TestRules_R14",
			Old: "	p.lists[m.Partition] = Lists{Number: p.number, Old: m.Old, New: m.New}\n",
			New: "	p.lists[m.Partition] = Lists{Number: p.number, Old: m.Old}\n	if m.New != nil {\n		p.lists[m.Partition].Old = m.New\n	}\n",
		},
		{
			Name: "one source too few", Dir: place, File: "gate.go", Test: "TestRules_R16_OneSource",
			Old: "	return old - w + 1, old - r + 1\n", New: "	return old - w, old - r + 1\n",
		},
		{
			Name: "no seal", Dir: place, File: "gate.go", Test: "TestRules_R16_WithoutTheSeal",
			Old: "	return old - w + 1, old - r + 1\n", New: "	return old - w + 1, min(r, 0)\n",
		},
		{
			Name: "comparisons are not fenced", Dir: node, File: "surveys.go", Test: "TestRules_R16_WhoDoesNotKnow",
			Old: "	case m.Number == 0 || m.Number == number:\n	case m.Number < number:", New: "	case m.Number == m.Number:\n		number = m.Number\n	case m.Number < number:",
		},
		{
			Name: "reads in the list in force only", Dir: coord, File: "lists.go", Test: "TestRules_R14",
			Old: "c.next == nil || c.next.Numbers.reads(", New: "true || c.next.Numbers.reads(",
		},
		{
			Name: "a link is chosen without a majority", Dir: chain, File: "proposer.go", Test: "TestRules_H4",
			Old: "	return n/2 + 1\n", New: "	return (n + 1) / 2\n",
		},
		{
			Name: "requests under earlier lists are served and counted", Dir: node, File: "asks.go", Test: "TestACoordinatorWithAnOldMap",
			Old: "	if n.fenced(now, from, m, out) {\n", New: "	if m.Number < n.view.Number(m.Partition) {\n		m.Number = 0\n	}\n	if n.fenced(now, from, m, out) {\n",
		},
		{
			Name: "what came before a crash comes again", Dir: transfer, File: "arrive.go", Test: "TestANewcomerResumes",
			Old: "	case began.Number == j.number:\n		j.mixed, j.noted = began.Mixed, true\n		return\n", New: "",
		},
		{
			Name: "moves to where nothing is to be any more go on", Dir: chain, File: "moves.go", Test: "TestADeadNewcomer",
			Old: "	case len(t.Lists[i]) > 0 && !slices.Equal(t.Lists[i], l.New):\n", New: "	case len(t.Lists[i]) > place.MaxN:\n",
		},
		{
			Name: "founders vote though they know that links were made", Dir: chain, File: "acceptor.go", Test: "TestFoundersThatLeft",
			Old: "	return c.cfg.Linked && p != nil", New: "	return false && p != nil",
		},
		{
			Name: "founders name their disks at once", Dir: chain, File: "due.go", Test: "TestFoundersThatLeft",
			Old: "return b.founders(), len(b.p.Members()) == 1 //", New: "return b.founders(), true //",
		},
		{
			Name: "what is kept for others is paid to a newcomer", Dir: node, File: "hints.go", Test: "TestRules_R34",
			Old: "	return c.view.Lists(partition, c.bucket(bucket).N).Old\n", New: "	return c.view.Primaries(partition, c.bucket(bucket).N)\n",
		},
		{
			Name: "a newcomer takes what is paid to it", Dir: node, File: "hints.go", Test: "TestRules_R34",
			Old: "		primaries = creditors{holders}.Primaries\n", New: "",
		},
		{
			Name: "who has a record that can't be read is a source", Dir: node, File: "transfers.go", Test: "TestTheOnlyCopyRots",
			Old: "Lacking: o.Recovering || o.UnreadableThere > 0,", New: "Lacking: o.Recovering,",
		},
		{
			Name: "who leaves does not wait for what it can't read", Dir: transfer, File: "job.go", Test: "TestALeaverHandsOnWhatIsBeside",
			Old: "	case j.leaving && o.Unreadable > 0:\n", New: "	case j.leaving && o.Unreadable < 0:\n",
		},
		{
			Name: "what is left over is not healed", Dir: node, File: "recovery.go", Test: "TestALeaverHandsOnWhatIsBeside",
			Old: " && !k.transfer.Leaves(partition) {", New: " {",
		},
		{
			Name: "who has heard of the founding alone has a say in the first link", Dir: "../core/steward", File: "view.go", Test: "TestFoundersThatHear",
			Old: "	cfg.Linked = s.cfg.Linked || !s.founds(h)\n", New: "	cfg.Linked = s.cfg.Linked || s.founds(h) && false\n",
		},
		{
			Name: "a record that can't be read is missing in the sum", Dir: "../disk", File: "split.go", Test: "TestTheOnlyCopyRots",
			Old: "				all.sum = merkle.Add(all.sum, rep.Unreadable(string(name), value))\n", New: "",
		},
		{
			Name: "what a comparison can't read is told to nobody", Dir: node, File: "surveys.go", Test: "TestTheOnlyCopyRots",
			Old: "range f.Rotten {", New: "range f.Rotten[:0] {",
		},
	})
}
