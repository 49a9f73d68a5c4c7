package coord

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that the histories must notice:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/coord
func TestMutants(t *testing.T) {
	const put, get, walk = "TestPutHistories", "TestGetHistories", "TestStandIns"
	const putWalk, getWalk = "TestPutWalkHistories", "TestGetWalkHistories"
	mutants.Run(t, append(jointMutants(), []mutants.Mutant{
		{
			Name: "merges states of different floors as they come", File: "merge.go", Test: "TestMergeAtOneFloor",
			Old: "g.merged, altered = g.merged.At(floor), true", New: "altered = true",
		},
		{
			Name: "answers a put with one acknowledgement too few", File: "put.go", Test: put,
			Old: "case p.enough(p.acked, p.synced):", New: "case p.acked != 0 && p.numbers.writes(p.acked.len()+1, (p.acked & p.primaries()).len()+1, p.synced.len()+1):",
		},
		{
			Name: "counts itself before it is durable", File: "spread.go", Test: put,
			Old: "	if counts(a) {\n		p.waiting[writeRound]", New: "	if counts(a) || true {\n		p.waiting[writeRound]",
		},
		{
			Name: "counts what is received and not durable", File: "spread.go", Test: put,
			Old: "	case counts(a):\n		p.ack(i, a)\n	case", New: "	case a.Status == replica.Have:\n		p.ack(i, a)\n	case",
		},
		{
			Name: "what is in a write buffer counts for dw", File: "firm.go", Test: put,
			Old: "	if a.Durable {\n		p.synced.add(i)\n	}", New: "	p.synced.add(i)",
		},
		{
			Name: "nobody is asked for the durable write", File: "firm.go", Test: put,
			Old: "	if p.wantsFirm(i) {\n		p.firm.add(i)\n	}\n	return !p.firm.has(i)", New: "	return true",
		},
		{
			Name: "the durable write is not waited for", File: "lists.go", Test: put,
			Old: "return c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.in(durable, c.old)) &&", New: "return c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.numbers.DW) &&",
		},
		{
			Name: "no other is asked for the durable write of one that failed", File: "put.go", Test: "TestStandIns",
			Old: "		p.confirm(now, e)\n", New: "",
		},
		{
			Name: "counts a failed join", File: "spread.go", Test: put,
			Old: "	default:\n		p.lost.add(i)\n		p.restaff", New: "	default:\n		p.acked.add(i)\n		p.restaff",
		},
		{
			Name: "takes an answer twice", File: "rounds.go", Test: put,
			Old: "a.Verb != r.asks() || !c.waiting[r].has(i)", New: "a.Verb != r.asks()",
		},
		{
			Name: "takes a stranger's answer", File: "rounds.go", Test: put,
			Old: "if c.ids[i] != from || a.Verb", New: "if a.Verb",
		},
		{
			Name: "takes the answer to another request", File: "rounds.go", Test: get,
			Old: "a.ID>>AskBits != c.ticket>>AskBits || r == 0", New: "r == 0",
		},
		{
			Name: "a put's context covers what its client has not seen", File: "put_reply.go", Test: put,
			Old: "return p.req.Context.With(p.dot)", New: "return p.req.Context.With(p.dot).With(causal.Dot{Actor: p.dot.Actor, N: p.dot.N - 1})",
		},
		{
			Name: "says not done after a mint", File: "put_reply.go", Test: put,
			Old: "if p.minting || p.known || p.req.Retry {", New: "if p.known || p.req.Retry {",
		},
		{
			Name: "says not done of a retry", File: "put_reply.go", Test: put,
			Old: "if p.minting || p.known || p.req.Retry {", New: "if p.minting || p.known {",
		},
		{
			Name: "succeeds without the own disk", File: "spread.go", Test: put,
			Old: "		if !p.answered {\n			p.refer(now, e, p.refusal(a))", New: "		if !p.applied {\n			p.refer(now, e, p.refusal(a))",
		},
		{
			Name: "forgets the deadline of a put", File: "put.go", Test: put,
			Old: "	p.silence(e, now)\n	if p.answered {", New: "	p.silence(e, now)\n	if !p.answered {\n		p.deadline += p.numbers.Timeout\n		return\n	}\n	if p.answered {",
		},
		{
			Name: "counts a replica that does not know", File: "digests.go", Test: get,
			Old: "	default:\n		return false\n	}\n	g.counted.add(i)", New: "	default:\n		g.absent.add(i)\n	}\n	g.counted.add(i)",
		},
		{
			Name: "takes a damaged state for an absent one", File: "digests.go", Test: get,
			Old: "	case a.Status == replica.Have && (!full || g.decode(i, a)):\n", New: "	case a.Status == replica.Have && full && !g.decode(i, a):\n		g.absent.add(i)\n	case a.Status == replica.Have:\n",
		},
		{
			Name: "answers without the states behind differing digests", File: "get.go", Test: get,
			Old: "	if missing {\n		return\n	}\n	g.usable", New: "	_ = missing\n	g.usable",
		},
		{
			Name: "answers a get with one reply too few", File: "get.go", Test: get,
			Old: "	if !g.enough(usable) {\n		can", New: "	if !g.numbers.reads(usable.len()+1, (usable&g.primaries()).len()+1) {\n		can",
		},
		{
			Name: "repairs with the stale state", File: "repair.go", Test: get,
			Old: "o.State, o.Stamp, o.Silent = g.bytes,", New: "o.State, o.Stamp, o.Silent = g.raw[i],",
		},
		{
			Name: "forgets the repair", File: "repair.go", Test: get,
			Old: "		e.ask(g.ids[i], o)\n	}\n	g.waiting =", New: "	}\n	g.waiting =",
		},
		{
			Name: "answers a strict get before the repair", File: "get.go", Test: get,
			Old: "if g.numbers.PR > 0 && stale != 0 && g.bytes != nil {", New: "if g.numbers.PR > g.numbers.N && stale != 0 && g.bytes != nil {",
		},
		{
			Name: "settles with one acknowledgement too few", File: "numbers.go", Test: get,
			Old: "return place.Settled(n.N, n.PR)", New: "return place.Settled(n.N-1, n.PR)",
		},
		{
			Name: "settles on fewer than answer a strict get", File: "numbers.go", Test: get,
			Old: "return place.Settled(n.N, n.PR)", New: "return min(place.Settled(n.N, n.PR), n.N-n.PR+1)",
		},
		{
			Name: "names the last replier as the fastest", File: "digests.go", Test: get,
			Old: "	if g.fastest < 0 {\n", New: "	if true {\n",
		},
		{
			Name: "asks those in doubt before the healthy", File: "walk.go", Test: walk,
			Old: "if healthy := rest &^ c.doubt; healthy != 0 {", New: "if healthy := rest & c.doubt; healthy != 0 {",
		},
		{
			Name: "a stand-in owes to another primary", File: "walk.go", Test: walk,
			Old: "return []ring.NodeID{c.ids[c.owes[i]]}", New: "return []ring.NodeID{c.ids[0]}",
		},
		{
			Name: "a coordinator that is no primary owes to one only", File: "walk.go", Test: walk,
			Old: "return append([]ring.NodeID(nil), c.ids[:c.prim]...)", New: "return []ring.NodeID{c.ids[0]}",
		},
		{
			Name: "a stand-in keeps what it is sent as its own", File: "rounds.go", Test: walk,
			Old: "o.Pending = true", New: "o.Pending = false",
		},
		{
			Name: "counts stand-ins for pw", File: "lists.go", Test: walk,
			Old: "return c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), ", New: "return c.numbers.writes(c.in(s, c.old), c.in(s, c.old), ",
		},
		{
			Name: "counts stand-ins for pr", File: "lists.go", Test: walk,
			Old: "return c.numbers.reads(c.in(s, c.old), (s&c.old).len())", New: "return c.numbers.reads(c.in(s, c.old), c.in(s, c.old))",
		},
		{
			Name: "takes an empty stand-in's word before the primaries'", File: "digests.go", Test: walk,
			Old: "return g.absent &^ g.primaries()", New: "return 0",
		},
		{
			Name: "waits for the silent for ever", File: "walk.go", Test: walk,
			Old: "	c.doubt |= late\n", New: "",
		},
		{
			Name: "a retry that waits for the walk asks nobody whether it was stored", File: "put.go", Test: putWalk,
			Old: "	case !p.begun:\n		p.enlist", New: "	case false:\n		p.enlist",
		},
		{
			Name: "a get that waits for the walk asks the newcomers only", File: "get.go", Test: getWalk,
			Old: "&& !e.More {\n		g.tooFew(now, e, can)\n		return\n	}", New: "{\n		g.tooFew(now, e, can)\n		return\n	}",
		},
		{
			Name: "nobody stands in for the silent of a put", File: "put.go", Test: putWalk,
			Old: "		p.restaff(now, e)\n		p.step(now, e)\n	}\n}", New: "		p.step(now, e)\n	}\n}",
		},
		{
			Name: "nobody stands in for the silent of a get", File: "get.go", Test: getWalk,
			Old: "		g.impatient(now, e)\n		g.restaff(now, e)", New: "		g.impatient(now, e)",
		},
		{
			Name: "nobody stands in for one that could not store", File: "spread.go", Test: putWalk,
			Old: "		p.lost.add(i)\n		p.restaff(now, e)\n	}\n	p.waiting[r]", New: "		p.lost.add(i)\n	}\n	p.waiting[r]",
		},
		{
			Name: "nobody stands in for one whose answer can't be counted", File: "get.go", Test: getWalk,
			Old: "			g.forget(i)\n			g.restaff(now, e)", New: "			g.forget(i)",
		},
		{
			Name: "a put gives up before the walk ends", File: "put_reply.go", Test: putWalk,
			Old: "	if e.More {\n		return\n	}\n	rest", New: "	rest",
		},
		{
			Name: "a get gives up before the walk ends", File: "get.go", Test: getWalk,
			Old: "	if e.More {\n		return\n	}\n	g.fail", New: "	g.fail",
		},
		{
			Name: "a stand-in is repaired as a primary is", File: "merge.go", Test: getWalk,
			Old: "	s := g.counted & g.primaries()\n	for i := range g.prim {", New: "	s := g.counted\n	for i := range g.n {",
		},
		{
			Name: "pw does not ask the primaries in doubt", File: "walk.go", Test: putWalk,
			Old: "		c.chosen |= c.primaries() &^ c.lost\n", New: "		_ = strict\n",
		},
		{
			Name: "the own disk is waited for, for ever", File: "walk.go", Test: getWalk,
			Old: "		if !out.has(i) {", New: "		if !out.has(i) || i == c.self {",
		},
		{
			Name: "what has failed counts for one that is asked", File: "walk.go", Test: putWalk,
			Old: "return c.chosen &^ (c.lost | c.doubt)", New: "return c.chosen &^ c.doubt",
		},
		{
			Name: "another is asked for its state at once", File: "hedge.go", Test: getWalk,
			Old: "return g.hedgeAt != 0 && g.waiting", New: "return g.hedgeAt < 0 && g.waiting",
		},
		{
			Name: "another is asked for its state though it may not", File: "hedge.go", Test: getWalk,
			Old: "	case !allowed:\n		g.hedgeAt = 1<<63 - 1\n		return\n", New: "",
		},
		{
			Name: "one that is silent is waited for, for its state", File: "hedge.go", Test: getWalk,
			Old: "g.full&^g.doubt != 0", New: "g.full != 0",
		},
		{
			Name: "a forward takes the word of one that never had the request", File: "forward.go", Test: "TestForward",
			Old: "i < 0 || !f.open.has(i) {\n		return nil, false, false", New: "i < 0 {\n		return nil, false, false",
		},
		{
			Name: "a forward that another may have done is no retry", File: "forward.go", Test: "TestForward",
			Old: "	case f.patient != 0 && now.Mono >= f.patient:\n		f.retry = f.retry || f.write\n", New: "	case f.patient != 0 && now.Mono >= f.patient:\n",
		},
		{
			Name: "where all are doubted, the first coordinator is given all the time", File: "forward.go", Test: "TestForward",
			Old: "	return f.doubted\n", New: "	return 0\n",
		},
	}...))
}

// jointMutants are bugs of partitions that move (RULES R14, R15).
func jointMutants() []mutants.Mutant {
	const put, get = "TestJointPutHistories", "TestJointGetHistories"
	return []mutants.Mutant{
		{
			Name: "writes in the list in force only", File: "lists.go", Test: put,
			Old: "c.next == nil || c.next.Numbers.writes(", New: "true || c.next.Numbers.writes(",
		},
		{
			Name: "writes in the new list only", File: "lists.go", Test: put,
			Old: "	return c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.in(durable, c.old)) &&\n		(", New: "	return (c.next != nil || c.numbers.writes(c.in(s, c.old), (strong&c.old).len(), c.in(durable, c.old))) &&\n		(",
		},
		{
			Name: "reads in the list in force only", File: "lists.go", Test: get,
			Old: "c.next == nil || c.next.Numbers.reads(", New: "true || c.next.Numbers.reads(",
		},
		{
			Name: "reads in the new list only: what the newcomer has not is not there", File: "lists.go", Test: get,
			Old: "	return c.numbers.reads(c.in(s, c.old), (s&c.old).len()) &&\n		(", New: "	return (c.next != nil || c.numbers.reads(c.in(s, c.old), (s&c.old).len())) &&\n		(",
		},
		{
			Name: "a newcomer counts in the list in force: what it has not is not there", File: "lists.go", Test: get,
			Old: "return (s &^ (c.primaries() &^ list)).len()", New: "return s.len()",
		},
		{
			Name: "a newcomer counts in the list in force: what it has is written", File: "lists.go", Test: put,
			Old: "return (s &^ (c.primaries() &^ list)).len()", New: "return s.len()",
		},
		{
			Name: "a newcomer that does not know stops reads", File: "digests.go", Test: get,
			Old: "a.Status == replica.DontKnow && g.newcomers().has(i):", New: "a.Status == replica.DontKnow && g.newcomers().has(i) && false:",
		},
		{
			Name: "whoever does not know counts while the partition moves", File: "digests.go", Test: get,
			Old: "a.Status == replica.DontKnow && g.newcomers().has(i):", New: "a.Status == replica.DontKnow && g.newcomers() != 0:",
		},
		{
			Name: "a newcomer is not brought up to date", File: "merge.go", Test: get,
			Old: "	s := g.counted & g.primaries()\n", New: "	s := g.counted & g.old\n",
		},
		{
			Name: "a strict get settles in the list in force only", File: "lists.go", Test: get,
			Old: "(s&c.new).len() >= c.next.Numbers.settled()", New: "(s&c.old).len() > 0",
		},
		{
			Name: "what was acknowledged under the lists before counts under these", File: "again.go", Test: put,
			Old: "	p.enlist(now, e, pw, 0)\n", New: "	p.acked = had.acked\n	p.enlist(now, e, pw, p.acked)\n",
		},
		{
			Name: "a version is minted once more under other lists", File: "again.go", Test: put,
			Old: "	case p.minting && p.merged == nil:\n		p.outdated = true\n", New: "",
		},
		{
			Name: "what was minted meanwhile is spread under the lists before", File: "spread.go", Test: put,
			Old: "		if p.outdated {\n", New: "		if false {\n",
		},
		{
			Name: "the own disk is not asked again", File: "again.go", Test: put,
			Old: "p.join(now, e, p.chosen&^p.lost)", New: "p.self, p.chosen = -1, p.chosen&^(1<<p.self)\n	p.join(now, e, p.chosen&^p.lost)",
		},
		{
			Name: "only one list's primaries are asked for pw", File: "lists.go", Test: put,
			Old: "(s&c.new).len() >= kind(&c.next.Numbers)", New: "(s&c.new).len() >= 0",
		},
	}
}
