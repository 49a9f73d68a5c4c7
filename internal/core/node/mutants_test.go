package node_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs of requests through moves (RULES R14, R15):
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/node
func TestMutants(t *testing.T) {
	const strict, coord = "TestStrictReadsThroughMoves", "../coord"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "what only a newcomer holds is shown", Dir: "../coord", File: "get.go", Test: "TestWhatOnlyANewcomerHoldsIsNotShown", Pkg: "../node",
			Old: "	g.merge(now, e, g.vouched())\n", New: "	g.merge(now, e, g.everyone())\n",
		},
		{
			Name: "a newcomer mints in an epoch that nobody told it", File: "reaping.go", Test: "TestANewcomerMintsNothingUnheard",
			Old: "n.standing.Epoch == 0 && !n.standing.Known &&", New: "n.standing.Epoch == 0 && n.standing.Known &&",
		},
		{
			Name: "two chains of one founding are one", File: "local.go", Test: "TestOwnCopiesOfTwoChains",
			Old: "cmp.Or(n.view.Place.First(), n.view.Place.Origin())", New: "cmp.Or(n.view.Place.Origin(), n.view.Place.First())",
		},
		{
			Name: "an own copy is answered for while the partition moves", File: "local.go", Test: "OwnCop",
			Old: "	c := s.common\n", New: "	c := s.common\n	c.Next = nil\n",
		},
		{
			Name: "who holds nothing answers for an own copy", File: "local.go", Test: "OwnCop",
			Old: " || !slices.Contains(n.primariesOf(&c), n.view.Self)", New: " || !slices.Contains(n.primariesOf(&c), n.view.Self) && false",
		},
		{
			Name: "an own copy is said under no lists", File: "local.go", Test: "OwnCopiesThroughAMove",
			Old: "		Number: s.common.Number, N:", New: "		N:",
		},
		{
			Name: "a disk that no link has named answers for its own copy", File: "asks.go", Test: "OwnCopiesThroughAMove",
			Old: "askerOf(a.ID) < byPeer && n.view.Unnamed()", New: "askerOf(a.ID) > byPeer && n.view.Unnamed()",
		},
		{
			Name: "one that recovers answers for its own copy", Dir: "../coord", File: "digests.go", Test: "OwnCopyOfOneThatRecovers",
			Old: "case a.Status == replica.Have && (", New: "case (a.Status == replica.Have || a.Status == replica.DontKnow && a.State != nil) && (",
		},
		{
			Name: "a copy's state is not told", File: "local.go", Test: "OwnCopies",
			Old: "		w.State = sum\n", New: "		_ = sum\n",
		},
		{
			Name: "what a request asks is taken under any lists", File: "reply.go", Test: strict + "|TestH3",
			Old: "Number: s.common.Number, Op: a.Op}", New: "Op: a.Op}",
		},
		{
			Name: "who knows of earlier lists only serves all the same", File: "fence.go", Test: "TestParked",
			Old: "case m.Number == 0 || m.Number == own:", New: "case m.Number == 0 || m.Number >= own:",
		},
		{
			Name: "what was asked under the lists before is acknowledged under these", File: "fence.go", Test: "TestStoredUnderTheListsBefore",
			Old: "	if number != n.view.Number(part) {", New: "	if number > n.view.Number(part) {",
		},
		{
			Name: "requests go on under the lists before", File: "fence.go", Test: strict + "|TestH3|TestMintedOnce",
			Old: "if s.machine == nil || s.answered || ", New: "if s.common.Number != 0 || s.machine == nil || s.answered || ",
		},
		{
			Name: "what waits for a placement is never served", File: "fence.go", Test: "TestH3|TestAbort|TestParked",
			Old: "		n.serve(now, p.from, &p.message, out)\n", New: "		_ = p\n",
		},
		{
			Name: "what waits for a placement waits for ever", File: "fence.go", Test: "TestParked",
			Old: "n.parked[late].until <= now.Mono", New: "n.parked[late].until < 0",
		},
		{
			Name: "a put that has minted starts anew", File: "fence.go", Test: "TestMintedOnce|TestAbort",
			Old: "stored := put != nil && put.Stored()", New: "stored := put != nil && put.Stored() && false",
		},
		{
			Name: "a disk that no link has named is a witness", File: "fence.go", Test: "TestUnnamed",
			Old: "Status: replica.Failed, Reason: replica.Unnamed, Recovering", New: "Status: replica.DontKnow, Reason: replica.Unnamed, Recovering",
		},
		{
			Name: "a disk that no link has named counts for pw", File: "fence.go", Test: "TestUnnamed",
			Old: "	a.Recovering = true\n	if (a.Verb", New: "	if (a.Verb",
		},
		{
			Name: "who holds nothing takes what is not his", File: "fence.go", Test: "TestStranger",
			Old: "return !l.Holds(n.view.Self) ||", New: "return",
		},
		{
			Name: "a write is refused while another may do it", File: "fence.go", Test: "TestForwardWaits",
			Old: "	case err != nil && passed:", New: "	case false:",
		},
		{
			Name: "a forward refused by one who holds nothing is the client's", File: "forwards.go", Test: "TestForward",
			Old: "moved = moved && r.Err != nil &&", New: "moved = moved && r.Err == nil &&",
		},
		{
			Name: "who has had a request has it again under other lists", Dir: coord, File: "again.go", Pkg: coord, Test: "TestReroute",
			Old: "		f.had.add(j)\n", New: "",
		},
		{
			Name: "writes in the list in force only", Dir: coord, File: "lists.go", Test: "TestOneList",
			Old: "c.next == nil || c.next.Numbers.writes(", New: "true || c.next.Numbers.writes(",
		},
		{
			Name: "writes in the new list only", Dir: coord, File: "lists.go", Test: strict,
			Old: "	return c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.in(durable, c.old)) &&\n		(", New: "	return (c.next != nil || c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.in(durable, c.old))) &&\n		(",
		},
		{
			Name: "reads in the new list only", Dir: coord, File: "lists.go", Test: strict + "|TestNewcomer",
			Old: "	return c.numbers.reads(c.in(s, c.old), (s&c.old).len()) &&\n		(", New: "	return (c.next != nil || c.numbers.reads(c.in(s, c.old), (s&c.old).len())) &&\n		(",
		},
		{
			Name: "reads in the list in force only", Dir: coord, File: "lists.go", Test: "TestOneList",
			Old: "c.next == nil || c.next.Numbers.reads(", New: "true || c.next.Numbers.reads(",
		},
		{
			Name: "what peers read in the background counts as a client's", File: "asks.go", Test: "TestReadsOfPeers",
			Old: "	op.Background = op.Background || background(&op)\n", New: "",
		},
		{
			Name: "what peers read for an archive counts as a client's", File: "asks.go", Test: "TestReadsOfPeers",
			Old: "op.Background || background(&op)", New: "background(&op)",
		},
		{
			Name: "what an archive asks counts as a client's", File: "request.go", Test: "TestArchivesAreBackground",
			Old: "Aside: s.request.archived()", New: "Aside: false",
		},
		{
			Name: "an archive has its full pace whatever clients see", File: "admission.go", Test: "TestPaper_6_5_ArchivesYield",
			Old: "	n.archives.setRate(", New: "	_ = (",
		},
		{
			Name: "what has passed of an archive counts for nothing", File: "reply.go", Test: "TestPaper_6_5_ArchivesYield",
			Old: "len(r.Record)+len(s.request.Record))", New: "-archiveCost)",
		},
		{
			Name: "an archive has nothing of a small pool", File: "admission.go", Test: "TestArchivesHaveSlices",
			Old: "n.archives.busy(now)", New: "false",
		},
	})
}

// TestMutantsOfMoves plants what lets a partition go on its way too early, too
// late, or with less than it had.
func TestMutantsOfMoves(t *testing.T) {
	list := []mutants.Mutant{
		{Name: "surveys are not fenced", File: "surveys.go", Test: "TestNobodyCounts", Old: "	case m.Number == 0 || m.Number == number:\n	case m.Number < number:", New: "	case m.Number == m.Number:\n		number = m.Number\n	case m.Number < number:"},
		{Name: "what is stored is not known to be held", File: "node.go", Test: "TestHeldAtOnce", Old: "	n.keeps(out.Ops[before:])\n", New: "	_ = before\n"},
		{Name: "newcomers are compared with in turn", File: "repair.go", Test: "TestNewcomerTakesNoTurn", Old: "!l.Newcomer(id) {", New: "true {"},
		{Name: "who has forgotten is not noticed", File: "view.go", Test: "TestWhoIsGivenWhatItDidNotProve", Old: "		if slices.Contains(v.Place.Of(p).Old, v.Self) && !(same", New: "		if false && !(same"},
		{Name: "the lists of another cluster count", File: "view.go", Test: "TestWhoIsGivenWhatItDidNotProve", Old: "!(same && before", New: "!((same || !same) && before"},
		{Name: "what is left over holds nothing up", File: "transfers.go", Test: "TestRules_E1", Old: "	if n.transfer.LeftOver() > 0 {", New: "	if false {"},
	}
	mutants.Run(t, list)
}
