package ouro_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that the tests of failures here must notice:
//
//	OURO_MUTANTS=1 go test -run 'TestMutants$' -timeout 30m .
func TestMutants(t *testing.T) {
	const coord, node = "internal/core/coord", "internal/core/node"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a suspect is asked as the others are", Dir: node, File: "health.go", Test: "TestPaper_4_8_3_HangingNode",
			Old: "Doubt: h.Suspected, Late: h.Late", New: "Late: h.Late",
		},
		{
			Name: "nobody is suspected of not storing", Dir: node, File: "health.go", Test: "TestPaper_4_8_3_StalledDisk",
			Old: "	case relaxed:\n		return receiving\n	}\n	return storing\n", New: "	case relaxed:\n		return receiving\n	}\n	return reading\n",
		},
		{
			Name: "what is received and not durable counts as an answer", Dir: node, File: "health.go", Test: "TestPaper_4_8_3_StalledDisk",
			Old: "if w != storing || a.Durable ||", New: "if w != storing || a.Status == replica.Have ||",
		},
		{
			Name: "a write that may stay in a buffer is taken for one that is to be synced", Dir: node, File: "health.go", Test: "TestBufferedWritesSuspectNobody",
			Old: "	case relaxed:\n		return receiving\n", New: "",
		},
		{
			Name: "that the first write of a partition is synced is no answer of who received it", Dir: node, File: "health.go", Test: "TestBufferedWritesSuspectNobody",
			Old: "if w == storing && h.relaxed {", New: "if false {",
		},
		{
			Name: "who leaves buffered writes unanswered is not noticed", Dir: node, File: "health.go", Test: "TestBufferedWritesAroundWhoHangs",
			Old: "	h.seen[w].Asked(now.Mono, to)\n", New: "	if w != receiving {\n		h.seen[w].Asked(now.Mono, to)\n	}\n",
		},
		{
			Name: "the own disk is trusted whatever it does", Dir: node, File: "request.go", Test: "TestPaper_4_8_3_StalledDisk",
			Old: "write && (n.sick(now) || n.unstamped()),", New: "false,",
		},
		{
			Name: "the late stand in as the others do", Dir: node, File: "walk.go", Test: "TestPaper_4_8_3_SlowNode",
			Old: "replicas = append(replicas, r); !r.Late {", New: "replicas = append(replicas, r); true {",
		},
		{
			Name: "a coordinator that hangs is waited for", Dir: coord, File: "forward.go", Test: "TestPaper_4_8_3_HangingNode|TestPaper_4_6_5_OneNode",
			Old: "within > 0 && within < left", New: "within < 0",
		},
		{
			Name: "a full disk fails the write", Dir: node, File: "reply.go", Test: "TestPaper_4_6_5_FullDisk",
			Old: "if replied && reply.Elsewhere > 0 &&", New: "if replied && reply.Elsewhere < 0 &&",
		},
		{
			Name: "a full disk that was passed a write fails it", Dir: coord, File: "forward.go", Test: "TestPaper_4_6_5_FullDisk",
			Old: "err.Code == ouro.DiskFull ||", New: "",
		},
		{
			Name: "a bucket gives its requests more time than replicas wait", Dir: "internal/core/member", File: "bucket.go", Test: "TestRules_R10",
			Old: "	b.Timeout = min(b.Timeout, MaxTimeout)\n", New: "",
		},
		{
			Name: "a request that rotted with its record is known", Dir: "internal/core/replica", File: "heal.go", Test: "TestRules_R29",
			Old: "		return a.key.pos == c.op.Key.Pos.Lo &&", New: "		return false &&",
		},
		{
			Name: "a forward is taken however late", Dir: node, File: "forwards.go", Test: "TestRules_H10_Forward",
			Old: "case n.spent(now, d):", New: "case n.spent(now, d) && false:",
		},
		{
			Name: "contexts name nobody", Dir: coord, File: "show.go", Test: "TestPaper_5_9|TestPaper_2_2_4",
			Old: "Fastest: string(g.ids[g.fastest])}", New: "}",
		},
		{
			Name: "a write that failed here counts", Dir: coord, File: "spread.go", Test: "TestPaper_4_5_6",
			Old: "		p.lost.add(p.self)\n		if !p.answered {\n", New: "		p.ack(p.self, a)\n		p.judge(now, e)\n		if !p.answered && !p.done && false {\n",
		},
		{
			Name: "every read may hedge", Dir: node, File: "spare.go", Test: "TestPaper_4_8_3_HedgedReads",
			Old: "n.hedges.take()", New: "true",
		},
		{
			Name: "no read may hedge", Dir: node, File: "spare.go", Test: "TestPaper_4_8_3_HedgedReads",
			Old: "n.hedges.take()", New: "false",
		},
		{
			Name: "the own state is asked for first however slow it is", Dir: coord, File: "get.go", Test: "TestPaper_4_8_3_HedgedReads",
			Old: "(g.mean[best] == 0 || g.mean[g.self] < 2*g.mean[best])", New: "true",
		},
		{
			Name: "every read that sees a stale replica repairs it", Dir: node, File: "spare.go", Test: "TestPaper_5_7_RepairsAreNotRepeated",
			Old: "if known && now < until {", New: "if known && now > until {",
		},
		{
			Name: "repairs know no bound", Dir: node, File: "spare.go", Test: "TestPaper_5_7_RepairsAreLimited",
			Old: "if !r.may.take() {", New: "if false {",
		},
		{
			Name: "repairs that are left to later reads are not told", Dir: node, File: "spare.go", Test: "TestPaper_5_7_RepairsAreLimited",
			Old: "if sent || left {", New: "if sent {",
		},
	})
}
