package client

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that the tests must notice:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./client
func TestMutants(t *testing.T) {
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "takes own copies that nobody compared", File: "coordinate.go", Test: "TestOwnCopies",
			Old: "g.over = !local.Agree(g.said) || ", New: "g.over = ",
		},
		{
			Name: "takes own copies under different lists", Dir: "../internal/core/local", File: "word.go", Test: "TestOwnCopies",
			Old: "	for i := range said {\n", New: "	for i := range said {\n		said[i].Word.Number, said[i].Word.Origin = 0, place.Hash{}\n",
		},
		{
			Name: "takes own copies of different states", Dir: "../internal/core/local", File: "word.go", Test: "TestOwnCopies",
			Old: "	for i := range said {\n", New: "	for i := range said {\n		said[i].Word.State, said[i].Word.Absent = causal.Sum{}, false\n",
		},
		{
			Name: "takes fewer own copies than must answer", Dir: "../internal/core/local", File: "word.go", Test: "TestMoreThan",
			Old: "len(said) >= said[0].Word.Need", New: "len(said) > 1",
		},
		{
			Name: "takes what a node says of itself twice", Dir: "../internal/core/local", File: "word.go", Test: "TestAgree", Pkg: "../internal/core/local",
			Old: "said[j].Node == said[i].Node", New: "said[j].Node == said[i].Node+said[j].Node",
		},
		{
			Name: "has every copy sent whole", File: "coordinate.go", Test: "TestPaper_6_4",
			Old: "if one.local = \"digest\"; all {", New: "if one.local = \"digest\"; all || !all {",
		},
		{
			Name: "counts a copy that recovers", File: "coordinate.go", Test: "TestOwnCopies",
			Old: "if g.over || !ok || !shown(one.err) {", New: "if !ok && len(g.said) > 0 {\n		return true\n	}\n	if g.over || !ok || !shown(one.err) {",
		},
		{
			Name: "asks the unwilling again and again", File: "coordinate.go", Test: "TestUnwilling",
			Old: "!now.Before(s.until) && !now.Before(s.reads.not)", New: "!now.Before(s.until)",
		},
		{
			Name: "takes a hot key for an unwilling node", File: "coordinate.go", Test: "TestHotKeyIsOfTheKey",
			Old: "code == ouro.HotKey, ", New: "",
		},
		{
			Name: "does not look for the ring where a copy does not count", File: "coordinate.go", Test: "TestUnwilling",
			Old: "		c.kick()\n		fallthrough\n", New: "		fallthrough\n",
		},
		{
			Name: "waits for a copy that hangs", File: "coordinate.go", Test: "TestCopyThatHangs",
			Old: "if c.copied.take() || time.Since(g.began) > most {", New: "if time.Since(g.began) > time.Hour {",
		},
		{
			Name: "coordinates whether it is quicker or not", File: "coordinate.go", Test: "TestWhichever",
			Old: "r.edge.log < math.Log(margin)", New: "r.edge.log < math.Log(100*margin)",
		},
		{
			Name: "never learns how the other way does", File: "coordinate.go", Test: "TestWhichever",
			Old: "	try = rand.N(of) == 0\n", New: "	try = rand.N(of) == 0 && r.edge.n < curious\n",
		},
		{
			Name: "calls a repetition the first attempt", File: "attempt.go", Test: "TestRetriesAreStoredOnce",
			Old: "attempt.opt.First = first && !a.sent", New: "attempt.opt.First = first",
		},
		{
			Name: "calls what never left a repetition", File: "attempt.go", Test: "TestRefusedIsNotSent",
			Old: "if e := errorOf(err); e != nil && e.Outcome != ouro.NotDone {", New: "if e := errorOf(err); e != nil {",
		},
		{
			Name: "calls what waited for a connection sent", File: "unanswered.go", Test: "TestOutcomeWithoutConnection",
			Old: "wanted.Load() && !got.Load()", New: "got.Load() && !wanted.Load()",
		},
		{
			Name: "calls what nobody saw leave unsent", File: "unanswered.go", Test: "TestOutcomeWithoutConnection",
			Old: "wanted.Load() && !got.Load()", New: "!got.Load()",
		},
		{
			Name: "gives one node all the time there is", File: "attempt.go", Test: "TestHangingNodeAndDeadlines",
			Old: "time.Until(end)/2", New: "time.Until(end)",
		},
		{
			Name: "takes the wait for a connection for the node's", File: "table.go", Test: "TestMoreRequestsThanConnections",
			Old: "newConnections(c.settings.maxConns)", New: "newConnections(0)",
		},
		{
			Name: "learns nothing of a node that its callers left", File: "attempt.go", Test: "TestHangingNodeAndShortDeadlines",
			Old: "s.state.late(took, now)", New: "s.state.drop()",
		},
		{
			Name: "does not notice that a key is elsewhere", File: "attempt.go", Test: "TestPaper_6_4_3",
			Old: "		if c.stale(s, r, &res) {\n			c.kick()", New: "		if c.stale(s, r, &res) {\n			_ = c",
		},
		{
			Name: "a read does not notice that its key is elsewhere", File: "hedge.go", Test: "TestPaper_6_4_3",
			Old: "c.kick()", New: "_ = c",
		},
		{
			Name: "does not notice an address at which nobody is", File: "attempt.go", Test: "TestAddressesChange|TestPaper_6_4_3",
			Old: "			c.kick() // it may be gone", New: "			_ = c // it may be gone",
		},
		{
			Name: "an update loses its condition", File: "typed.go", Test: "TestClusterConformance",
			Old: "Act: u.Act, If: u.If, ", New: "Act: u.Act, ",
		},
		{
			Name: "forgets the seeds", File: "choose.go", Test: "TestSeedsAreTriedForEver",
			Old: "list = append(list, seed)", New: "_ = seed",
		},
		{
			Name: "asks seeds for the ring alone", File: "choose.go", Test: "TestAddressesOfAnotherNetwork",
			Old: "restingLast(c.withSeeds(list), now)", New: "restingLast(list, now)",
		},
		{
			Name: "looks for the ring as often as it is kicked", File: "follow.go", Test: "TestRingIsNotAskedForInVain",
			Old: "gap = min(2*gap, kickGapMost)", New: "gap = kickGap",
		},
		{
			Name: "asks nodes that hold nothing", File: "table.go", Test: "TestPaper_3_1_ZeroHops",
			Old: "int(ring.NewKey(key.Bucket, key.Name).Pos.Hi >> t.shift)", New: "int(ring.NewKey(key.Bucket, key.Name).Pos.Lo >> t.shift)",
		},
		{
			Name: "takes whichever cluster lives at an address", File: "exchange.go", Test: "TestForeignNode",
			Old: `req.Header.Set("Ouro-Cluster", *id)`, New: "_ = id",
		},
		{
			Name: "waits for a node that hangs", File: "hedge.go", Test: "TestReadsAreHedged",
			Old: "if second == nil || !c.pace.take() {", New: "if second != nil || !c.pace.take() {",
		},
		{
			Name: "forgets that an attempt may have been carried out", File: "many.go", Test: "TestManySurvive",
			Old: "again.opt.First = again.opt.First && !unknown", New: "again.opt.RequestID += \"x\"",
		},
		{
			Name: "sends many one by one", File: "many.go", Test: "TestManyGoInGroups",
			Old: "batchItems = 200", New: "batchItems = 1",
		},
		{
			Name: "takes who saw nothing for who has not looked", Dir: "..", File: "options.go", Test: "TestClusterConformance",
			Old: "o.Context, o.Blind = nil, true", New: "o.Context = nil",
		},
		{
			Name: "begins updates anew for ever", File: "update.go", Test: "TestUpdateIsBounded",
			Old: "updateTries = 8", New: "updateTries = 20",
		},
		{
			Name: "an update does not say what it has seen", File: "update.go", Test: "TestClusterConformance",
			Old: "ouro.WithContext(read.Context)", New: "ouro.Blind()",
		},
	})
}
