package gossip

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that the tests must notice:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/gossip
func TestMutants(t *testing.T) {
	const member = "../member"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "tells what is not on disk", File: "gossiper.go", Test: "TestNothingIsTold",
			Old: "	g.send(now, t, Message{Summary: g.stored.History.Summary(through)}, out)", New: "	g.send(now, t, Message{Summary: g.latest.History.Summary(through)}, out)",
		},
		{
			Name: "answers with what is not on disk", File: "gossiper.go", Test: "TestNothingIsTold",
			Old: "if p := g.stored.History.Lacking(", New: "if p := g.latest.History.Lacking(",
		},
		{
			Name: "goes by what is not on disk", File: "gossiper.go", Test: "TestNothingIsTold",
			Old: "History() member.History { return g.stored.History }", New: "History() member.History { return g.latest.History }",
		},
		{
			Name: "takes any completion for that of the last store", File: "store.go", Test: "TestNothingIsTold",
			Old: "if !g.storing || seq != g.seq {", New: "if !g.storing {",
		},
		{
			Name: "pulls and never pushes", File: "gossiper.go", Test: "TestScale|TestAgreement|TestCheckpointsSpread|TestNothingIsTold",
			Old: "len(p.Changes) > 0 {\n			g.send", New: "false {\n			g.send",
		},
		{
			Name: "exchanges with members only", File: "peers.go", Test: "TestPaper_4_8_2|TestPaper_4_8_1",
			Old: "n > 0 && (members == 0 || g.rand.IntN(othersShare) == 0)", New: "false && n > 0",
		},
		{
			Name: "forgets those it removed", File: "peers.go", Test: "TestSidesThatRemovedEachOther",
			Old: "if !g.isMember(m.ID) && m.ID != g.self {\n			g.remember", New: "if false {\n			g.remember",
		},
		{
			Name: "merges whatever it is sent", File: "gossiper.go", Test: "TestRingsThatNeverMerge",
			Old: "g.latest.History.Joins(m.Page.Changes); err != nil", New: "g.latest.History.Joins(nil); err != nil",
		},
		{
			Name: "listens to other clusters", File: "gossiper.go", Test: "TestRingsThatNeverMerge",
			Old: "if m.Cluster != g.cfg.Cluster {", New: "if false {",
		},
		{
			Name: "stops after one page", File: "gossiper.go", Test: "TestLongDifferenceInPages",
			Old: "if r := g.resume; r.from != \"\" {", New: "if r := g.resume; false {",
		},
		{
			Name: "asks again for the page it has", File: "gossiper.go", Test: "TestDifferenceInTheMiddle",
			Old: "g.digest(now, target{r.from, r.addr}, r.through, out)", New: "g.digest(now, target{r.from, r.addr}, member.Key{}, out)",
		},
		{
			Name: "issues whatever its clock says", File: "store.go", Test: "TestClockAhead",
			Old: "most > g.cfg.MaxDrift {", New: "false {",
		},
		{
			Name: "remembers peers without bound", File: "peers.go", Test: "TestPeersAreBounded",
			Old: "peers[max(0, len(peers)-g.cfg.MaxPeers):]", New: "peers",
		},
		{
			Name: "talks to itself", File: "peers.go", Test: "TestNotWithItself",
			Old: "taken := map[string]bool{g.cfg.Addr: true}", New: "taken := map[string]bool{}",
		},
		{
			Name: "sends all there is for one change", Dir: member, File: "exchange.go", Pkg: member, Test: "TestPageHasTheDifferenceOnly",
			Old: "if r.Count > best.Count && h.from(r) > 0 {", New: "if false {",
		},
		{
			Name: "finds more in common than there is", Dir: member, File: "exchange.go", Pkg: member, Test: "TestPagesConverge|TestHistoriesWithCheckpoints",
			Old: "i > 0 && i <= len(h.sums) && first(h.sums[i-1]) == r.Sum {", New: "i > 0 && i <= len(h.sums) {",
		},
		{
			Name: "takes a lesser checkpoint for a further one", Dir: member, File: "exchange.go", Pkg: member, Test: "TestPagesConverge|TestPagesBringWhatCameLate",
			Old: "c.Kind != Found || further(&p.Changes[i], c) == &p.Changes[i]", New: "i >= 0",
		},
		{
			Name: "keeps what a checkpoint stands for", Dir: member, File: "history.go", Pkg: member, Test: "TestCheckpoint|TestRings|TestHistories",
			Old: "return slices.ContainsFunc(checkpoints, func(f *Founding) bool { return f.covers(c) })", New: "return false",
		},
		{
			Name: "drops what a checkpoint does not stand for", Dir: member, File: "founding.go", Pkg: member, Test: "TestRules_H22|TestHistories",
			Old: "return found && f.Marks[i].Stamp >= c.Stamp", New: "return found && f.Marks[i].Stamp >= c.Stamp || c.Stamp < f.last()",
		},
		{
			Name: "the lesser checkpoint wins", Dir: member, File: "founding.go", Pkg: member, Test: "TestCheckpoint|TestHistories",
			Old: "case x > y:", New: "case x < y && x > 1:",
		},
		{
			Name: "a union depends on who takes it", Dir: member, File: "founding.go", Pkg: member, Test: "TestCheckpoint|TestHistories",
			Old: "	case x < y:\n		return b", New: "	case x < y:\n		return a",
		},
		{
			Name: "a removed node comes back with its ring", Dir: member, File: "fold_founding.go", Pkg: member, Test: "TestRingsFormedApart",
			Old: "			f.fence(id, slices.Contains(p.Forced, id))\n", New: "			_ = id\n",
		},
		{
			Name: "a second founding begins anew", Dir: member, File: "fold_founding.go", Pkg: member, Test: "TestRingsFormedApart|TestFold",
			Old: "	if f.tokens != nil {\n		return f.merge(c)\n	}", New: "	if f.tokens != nil && c.Founding == nil {\n		return f.merge(c)\n	}",
		},
		{
			Name: "replacing moves other tokens", Dir: member, File: "fold.go", Pkg: member, Test: "TestReplace",
			Old: "	f.fence(old, false)\n	return \"\"", New: "	f.fence(old, false)\n	f.cluster.Members[at].Weight = 1\n	return f.rebalance(f.cluster.Members)",
		},
		{
			Name: "a replaced node may come back", Dir: member, File: "fold.go", Pkg: member, Test: "TestReplace",
			Old: "	f.fence(old, false)\n", New: "",
		},
		{
			Name: "a removed node may come back", Dir: member, File: "fold.go", Pkg: member, Test: "TestRemovedForEver|TestAddRemoveAdd",
			Old: "if f.cluster.Fenced(id) {", New: "if false {",
		},
	})
}
