package chain_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants the variants that models/voters was violated by, and some
// more:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 60m ./internal/core/chain
func TestMutants(t *testing.T) {
	const choices = "TestChoices"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a chain that goes on restarts", File: "proposer.go", Test: "TestMembersAreGivenUp",
			Old: "	if able >= c.need() {\n", New: "	if false {\n",
		},
		{
			Name: "who is there is given up", File: "proposer.go", Test: "TestMembersAreGivenUp",
			Old: "if there && m.ID != c.self && slices.Contains(lost, m.ID) {", New: "if false {",
		},
		{
			Name: "nobody is given up", File: "proposer.go", Test: "TestMembersAreGivenUp",
			Old: "		if _, ok := c.placement.Member(id); !ok {\n", New: "		if false {\n",
		},
		{
			Name: "a leaver goes while those who stay can choose nothing", File: "due.go", Test: "TestALeaverHelps",
			Old: "	return able > stay/2\n", New: "	return able >= 0\n",
		},
		{
			Name: "who was removed is taken in", File: "acceptor.go", Test: "TestALinkThatTakesIn",
			Old: "!m.Found && c.takesInRemoved(m.Link)", New: "c.takesInRemoved(m.Link) && false",
		},
		{
			Name: "a link that may have been chosen is refused", File: "acceptor.go", Test: "TestALinkThatMayHave",
			Old: "!m.Found && c.takesInRemoved(m.Link)", New: "c.takesInRemoved(m.Link)",
		},
		{
			Name: "a proposer accepts first what all others refuse", File: "proposer.go", Test: "TestALinkThatTakesIn",
			Old: "	if p.link == nil || len(p.answered)+1 >= c.need() {\n", New: "	if p != nil {\n",
		},
		{
			Name: "a founder that lost its links votes for a first one", File: "acceptor.go", Test: "TestAFounderThatLost",
			Old: "c.placement == nil || c.forgot() {", New: "c.placement == nil {",
		},
		{
			Name: "a second founding follows the first", File: "learner.go", Test: "TestASecondFounding",
			Old: " || c.second(m.First)) {", New: ") {",
		},
		{
			Name: "a founder that is alone waits for others", File: "acceptor.go", Test: "TestAFounderThatLost",
			Old: " && !p.Named() && len(p.Members()) > 1\n", New: " && !p.Named()\n",
		},
		{
			Name: "a leaver says that it let go before it has", File: "acceptor.go", Test: "TestALeaverLetsGo",
			Old: "	c.own.clean = false //", New: "	//",
		},
		{
			Name: "who hears that it is out says nothing", File: "chain.go", Test: "TestALeaverThatHoldsNothing",
			Old: "	c.report(now) // that this node is out may be news to it\n", New: "",
		},
		{
			Name: "a minority chooses", File: "proposer.go", Test: choices,
			Old: "	return n/2 + 1\n", New: "	return n / 2\n",
		},
		{
			Name: "what may have been chosen is ignored", File: "proposer.go", Test: choices,
			Old: "	link := p.found // it may have been chosen\n", New: "	var link *place.Link\n",
		},
		{
			Name: "an acceptor forgets what it promised", File: "acceptor.go", Test: choices,
			Old: "	if m.Ballot.Compare(v.Promised) < 0 {\n", New: "	if m.Ballot.Compare(v.Accepted) < 0 {\n",
		},
		{
			Name: "what is not synced is told", File: "acceptor.go", Test: choices,
			Old: "	if d.synced == d.version {\n", New: "	if d.synced <= d.version {\n",
		},
		{
			Name: "what is not synced is told, in a trace", File: "acceptor.go", Test: "TestNothingIsTold",
			Old: "	if d.synced == d.version {\n", New: "	if d.synced <= d.version {\n",
		},
		{
			Name: "what was changed during a write is told with it", File: "acceptor.go", Test: "TestNothingIsTold",
			Old: "		if h.version <= d.synced {\n", New: "		if h.version <= d.version {\n",
		},
		{
			Name: "a vote is not found again", File: "chain.go", Test: choices,
			Old: "		if d.Vote.Number == d.Placement.Number() {\n", New: "		if d.Vote.Number > d.Placement.Number() {\n",
		},
		{
			Name: "a disk that forgot votes", File: "acceptor.go", Test: "TestADiskThatForgotHasNoVote",
			Old: "	return ok && (m.Disk == c.disk || m.Disk == 0)\n", New: "	return ok && (m.Disk != 0 || m.Disk == 0)\n",
		},
		{
			Name: "the vote of a disk that forgot counts", File: "proposer.go", Test: "TestADiskThatForgotHasNoVote",
			Old: "	return ok && (a.Disk == m.Disk || a.Disk == 0) &&", New: "	return ok && (a.Disk == m.Disk || a.Disk >= 0) &&",
		},
		{
			Name: "most founders are enough", File: "proposer.go", Test: "TestTheFirstLinkNeedsAllFounders",
			Old: "	if !c.placement.Named() {\n", New: "	if false {\n",
		},
		{
			Name: "ballots of two lives are alike", File: "chain.go", Test: "TestBallotsOfTwoLivesDiffer",
			Old: "run: r.Uint64(),", New: "run: 1,",
		},
		{
			Name: "another chain of one number is followed", File: "learner.go", Test: "TestChainsThatDiverged",
			Old: "	case c.placement != nil && m.Hash != c.placement.Hash():\n", New: "	case false:\n",
		},
		{
			Name: "the chain of another founding is followed", File: "learner.go", Test: "TestChainsThatDiverged",
			Old: "	if m.Number > 0 && (c.foreign(m.Origin) || c.second(m.First)) {\n", New: "	if false {\n",
		},
		{
			Name: "a node is taken in unheard", File: "due.go", Test: "TestANodeOfAnotherChainIsNotTakenIn",
			Old: "		if id != c.self && !c.heard[id] { // it may", New: "		if false { // it may",
		},
		{
			Name: "who knows of no placement follows the first that is told", File: "learner.go", Test: "TestNoChainButTheOwn",
			Old: "	own := c.cfg.Origin\n", New: "	var own place.Hash\n",
		},
		{
			Name: "moves end one by one", File: "due.go", Test: "TestMovesEndTogether",
			Old: "		at = d.ready + c.cfg.Gather\n", New: "		at = d.ready\n",
		},
		{
			Name: "who holds something is dropped", Dir: "../place", File: "follow.go", Test: "TestIllegalLinks", Pkg: "../place",
			Old: "	gone := p.gone(before)\n", New: "	gone := p.gone(p)\n	_ = before\n",
		},
	})
}
