package sim

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutantsOfTheField plants what the tests of classes of bugs (TestField) and
// of traces (TestRules) in the root package are for:
//
//	OURO_MUTANTS=1 go test -run MutantsOfTheField -timeout 30m ./internal/sim
func TestMutantsOfTheField(t *testing.T) {
	const coord, replica, node, disk, causal, handoff, typed = "../core/coord", "../core/replica", "../core/node", "../disk", "../core/causal", "../core/handoff", "../core/typed"
	list := []mutants.Mutant{
		{
			Name: "every bucket shows its last writer alone", Dir: coord, File: "show.go", Test: "TestField_1_",
			Old: "show(g.merged, g.req.LWW, wall)", New: "show(g.merged, true, wall)",
		},
		{
			Name: "a put replaces what its coordinator holds", Dir: replica, File: "write.go", Test: "TestField_1_|TestField_4_L",
			Old: "	if m.LWW {\n", New: "	if true {\n",
		},
		{
			Name: "an lww put replaces what its context covers alone", Dir: replica, File: "write.go", Test: "TestPaper_9_9_LWW",
			Old: "	if m.LWW {\n", New: "	if false {\n",
		},
		{
			Name: "an lww delete is no version", Dir: replica, File: "write.go", Test: "TestRules_H7",
			Old: "	if c.op.Mint.Delete && !c.op.Mint.LWW {\n", New: "	if c.op.Mint.Delete {\n",
		},
		{
			Name: "a delta is joined where what it was cut from is missing", Dir: replica, File: "update.go", Test: "TestTypesDeltas",
			Old: "return c.op.Base != nil && !claims.Contains(*c.op.Base)", New: "return false",
		},
		{
			Name: "who lacks what a delta was cut from is not sent the record", Dir: coord, File: "spread.go", Test: "TestTypesDeltas",
			Old: "	if r != joinRound || a.Reason != replica.Lacking {\n", New: "	if true {\n",
		},
		{
			Name: "an increment forgets the share that its node has", Dir: typed, File: "decide.go", Test: "TestTypesAreTheReference|TestTypesConverge",
			Old: "share: true, sum: it.sum, score: it.score}", New: "share: true}",
		},
		{
			Name: "an addition that is there already is none", Dir: typed, File: "decide.go", Test: "TestTypesConverge",
			Old: "	if c == nil {\n		d.Changed++\n	} else {\n", New: "	if c != nil && d.kind == ouro.Set {\n		return\n	}\n	if c == nil {\n		d.Changed++\n	} else {\n",
		},
		{
			Name: "a share is added to a counter's value twice", Dir: typed, File: "table.go", Test: "TestTypesConverge",
			Old: "return n + c.sum, true", New: "return n + 2*c.sum, true",
		},
		{
			Name: "what is written after a key expired expires with it", Dir: typed, File: "table.go", Test: "TestTypesExpire",
			Old: "over && v.Stamp < causal.StampAt(t.ends) ||", New: "over ||",
		},
		{
			Name: "a put replaces nothing", Dir: replica, File: "write.go", Test: "TestField_4_S",
			Old: "	ctx := m.Context\n", New: "	ctx := causal.Claims{}\n",
		},
		{
			Name: "repair is held to the limit on siblings", Dir: replica, File: "join.go", Test: "TestField_4_L",
			Old: "	c.count(fact.DotReused, report.DotReused)\n", New: "	if len(c.result.Versions) > 5 {\n		return c.failed(TooManySiblings)\n	}\n	c.count(fact.DotReused, report.DotReused)\n",
		},
		{
			Name: "clients are not held to it", Dir: replica, File: "write.go", Test: "TestField_4_L",
			Old: "	if len(versions) < limit {\n", New: "	if true {\n",
		},
		{
			Name: "stamps follow the clock alone", Dir: causal, File: "stamp.go", Test: "TestField_13_ClockSkew",
			Old: "		stamp = max(stamp, s.Versions[i].Stamp)\n", New: "		_ = i\n",
		},
		{
			Name: "an actor is kept over a jump", File: "faults.go", Test: "TestField_13_ClockJumps",
			Old: "		w.begin(m)\n		m.replica.NewRun(m.run)\n", New: "		m.replica.NewRun(m.run)\n",
		},
		{
			Name: "what has expired is shown", Dir: causal, File: "view.go", Test: "TestField_13_Expiry",
			Old: "(v.Expiry == 0 || now < v.Expiry)", New: "(v.Expiry == 0 || now > 0)",
		},
		{
			Name: "a retry is stored without asking around", Dir: coord, File: "put.go", Test: "TestField_14_Drop",
			Old: "	case p.req.Retry && p.req.Token != 0:\n", New: "	case false:\n",
		},
		{
			Name: "a replica forgets the ids of what it joins", Dir: replica, File: "join.go", Test: "TestField_14_",
			Old: "	c.tokens.add(c.op.Request, c.op, causal.Dot{}, c.now.Mono)\n", New: "",
		},
		{
			Name: "a failure after the mint is reported as not done", Dir: coord, File: "put_reply.go", Test: "TestField_14_Out",
			Old: "	if p.minting || p.known || p.req.Retry {\n", New: "	if p.known || p.req.Retry {\n",
		},
		{
			Name: "what is passed on to another is no repetition", Dir: coord, File: "forward.go", Test: "TestField_14_",
			Old: "Pass{To: f.ids[i], Retry: f.retry,", New: "Pass{To: f.ids[i], Retry: false,",
		},
		{
			Name: "a strict read answers before it has repaired", Dir: coord, File: "get.go", Test: "TestRules_H16",
			Old: "	if g.numbers.PR > 0 && stale != 0 && g.bytes != nil {\n", New: "	if false {\n",
		},
		{
			Name: "reads show what is not synced", Dir: disk, File: "stage.go", Test: "TestRules_H17",
			Old: "	if durable {\n		*done = append(*done, a)\n	} else {", New: "	if durable || a.Verb == replica.Read {\n		*done = append(*done, a)\n	} else {",
		},
		{
			Name: "joins are acknowledged before they are synced", Dir: disk, File: "stage.go", Test: "TestRules_H19_T",
			Old: "	if durable {\n		*done = append(*done, a)\n	} else {", New: "	if durable || a.Verb == replica.Join {\n		*done = append(*done, a)\n	} else {",
		},
		{
			Name: "a record that one target has is forgotten", Dir: replica, File: "pending.go", Test: "TestRules_H19_S",
			Old: "	if len(left) == 0 {\n", New: "	if true {\n",
		},
		{
			Name: "nothing is looked for after a start", Dir: handoff, File: "handoff.go", Test: "TestPaper_4_6_2_HintsOutlive",
			Old: "	h := &Handoff{cfg: cfg, seq: cfg.First}\n", New: "	h := &Handoff{cfg: cfg, seq: cfg.First, next: never}\n",
		},
		{
			Name: "what is old goes when one other primary has it", Dir: handoff, File: "flight.go", Test: "TestField_8",
			Old: "const copies = 2", New: "const copies = 1",
		},
		{
			Name: "a full disk answers no reads", Dir: disk, File: "stage.go", Test: "TestField_18",
			Old: "	case op.Verb != replica.Write && op.Verb != replica.Join && op.Verb != replica.Heal:\n		return replica.None\n", New: "",
		},
		{
			Name: "writes that a full disk refused are acknowledged", Dir: disk, File: "stage.go", Test: "TestField_18",
			Old: "		s.answer = failed(op, reason)\n", New: "		s.answer = failed(op, reason)\n		if reason == replica.DiskFull {\n			s.answer.Status, s.answer.Durable = replica.Have, true\n		}\n",
		},
		{
			Name: "those that take it are not told who missed it", Dir: handoff, File: "flight.go", Test: "TestField_8_W",
			Old: "	if w == move || w == letGo {\n", New: "	if w == move {\n",
		},
		{
			Name: "a delete removes what its coordinator holds", Dir: node, File: "request.go", Test: "TestRules_H20_D",
			Old: "d.removed, d.began, d.ends = read.Siblings,", New: "d.removed, d.began, d.ends = nil,",
		},
		{
			Name: "the context of a put fills its gap", Dir: coord, File: "put_reply.go", Test: "TestRules_H20_R",
			Old: "	return p.req.Context.With(p.dot)\n", New: "	return p.req.Context.Union(causal.Claims{Vector: []causal.Entry{{Actor: p.dot.Actor, N: p.dot.N}}})\n",
		},
	}
	for i := range list {
		list[i].Pkg = "../.."
	}
	mutants.Run(t, list)
}
