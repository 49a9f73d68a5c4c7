package sim

import (
	"os"
	"sync"
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// huntSeeds is within how many seeds each planted bug must be found.
const huntSeeds = 300

// hunting is the environment variable under which TestHunt does anything.
const hunting = "OURO_HUNT"

// TestHunt runs seeds until one breaks a promise. It is what TestMutants runs on
// each planted bug.
func TestHunt(t *testing.T) {
	if os.Getenv(hunting) == "" {
		t.Skip("it hunts planted bugs: see TestMutants")
	}
	stop := make(chan struct{})
	var once sync.Once
	sum := Seeds(Many{From: 1, To: huntSeeds, Stop: stop, Progress: func(s *Summary) {
		if s.Broken > 0 {
			once.Do(func() { close(stop) })
		}
	}})
	for i := range sum.Failed {
		t.Errorf("seed %d of %d: %v", sum.Failed[i].Seed, sum.Runs, sum.Failed[i].Violation)
	}
}

// TestMutants plants bugs in nodes and requires that seeds find each:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 60m ./internal/sim
func TestMutants(t *testing.T) {
	t.Setenv(hunting, "1")
	const coord, replica, node, disk, causal = "../core/coord", "../core/replica", "../core/node", "../disk", "../core/causal"
	list := []mutants.Mutant{
		{
			Name: "background work that was held back stays so", Dir: "../core/admit", File: "admit.go",
			Old: "		a.grow()\n", New: "",
		},
		{
			Name: "a request that is answered stays counted for its key", Dir: node, File: "reply.go",
			Old: "		n.hot.End(s.common.Key.Pos)\n", New: "",
		},
		{
			Name: "a coordinator waits for the silent for ever", Dir: coord, File: "walk.go",
			Old: "	c.doubt |= late\n", New: "",
		},
		{
			Name: "a forwarder waits for its coordinator for ever", Dir: coord, File: "forward.go",
			Old: "within > 0 && within < left", New: "within < 0",
		},
		{
			Name: "writes and joins are acknowledged before they are synced", Dir: disk, File: "stage.go",
			Old: "	if durable {\n		*done = append(*done, a)\n	} else {", New: "	if durable || a.Durable {\n		*done = append(*done, a)\n	} else {",
		},
		{
			Name: "reads show what is not synced", Dir: disk, File: "stage.go",
			Old: "	if durable {\n		*done = append(*done, a)\n	} else {", New: "	if durable || a.Verb == replica.Read {\n		*done = append(*done, a)\n	} else {",
		},
		{
			Name: "an image of before the first epoch is taken for a new disk", Dir: "../core/reap", File: "adopt.go", // seed 189
			Old: "	if e.holds {\n", New: "	if e.holds && false {\n",
		},
		{
			Name: "a join overwrites", Dir: replica, File: "join.go",
			Old: "report := c.result.SetJoin(old, &c.incoming)", New: "report := c.result.SetJoin(&c.incoming, &c.incoming)",
		},
		{
			Name: "a read error is taken for absent", Dir: disk, File: "stage.go",
			Old: "return r.readFailed(now, op, err, facts)", New: "return r.replica.Do(now, nil, op, facts)",
		},
		{
			Name: "an actor is kept over a restart", Dir: replica, File: "call.go",
			Old: "if local > 0 && s.Vector[local-1].Actor.Run == c.cfg.Run {", New: "if local > 0 {",
		},
		{
			Name: "the cache keeps what a write has replaced", Dir: disk, File: "runner.go",
			Old: "	r.countStamps()\n	r.keep()\n", New: "	r.countStamps()\n",
		},
		{
			Name: "what a failed batch wrote is remembered as stored", Dir: disk, File: "stage.go",
			Old: "	r.replica.ForgetTokens()\n", New: "",
		},
		{
			Name: "operations of a batch do not see each other", Dir: disk, File: "stage.go",
			Old: "	r.overlay[id] = res.Record\n", New: "",
		},
		{
			Name: "a put is acknowledged by one replica too few", Dir: coord, File: "put.go",
			Old: "case p.enough(p.acked, p.synced):", New: "case p.acked != 0 && p.numbers.writes(p.acked.len()+1, p.strong(p.acked).len()+1, p.synced.len()+1):",
		},
		{
			Name: "a put counts what is not durable", Dir: coord, File: "spread.go",
			Old: "	if counts(a) {\n		p.waiting[writeRound].remove(p.self)\n		p.ack(p.self, a)\n	}", New: "	p.ack(p.self, a)",
		},
		{
			Name: "a get is answered by one replica too few", Dir: coord, File: "get.go",
			Old: "	if !g.enough(usable) {\n		can", New: "	if usable == 0 || !g.numbers.reads(usable.len()+1, (usable&g.primaries()).len()+1) {\n		can",
		},
		{
			Name: "a get shows only its own state", Dir: coord, File: "merge.go",
			Old: "		g.merged, report = causal.JoinStates(g.merged, g.states[i])", New: "		_, report = causal.JoinStates(g.merged, g.states[i])",
		},
		{
			Name: "stale replicas are not repaired", Dir: coord, File: "repair.go",
			Old: "	stale := g.stale() &^ (g.sent | g.lost)\n", New: "	stale := g.stale() &^ (g.sent | g.lost | g.everyone())\n",
		},
		{
			Name: "the context of a put covers nothing of its own", Dir: coord, File: "put_reply.go",
			Old: "	return p.req.Context.With(p.dot)\n", New: "	return p.req.Context\n",
		},
		{
			Name: "the context of a put covers what its dot's number counts", Dir: coord, File: "put_reply.go",
			Old: "	return p.req.Context.With(p.dot)\n", New: "	return p.req.Context.Union(causal.Claims{Vector: []causal.Entry{{Actor: p.dot.Actor, N: p.dot.N}}})\n",
		},
		{
			Name: "a failure after the mint is reported as not done", Dir: coord, File: "put_reply.go",
			Old: "	if p.minting || p.known || p.req.Retry {\n", New: "	if p.known || p.req.Retry {\n",
		},
		{
			Name: "a forward is taken as often as it comes", Dir: node, File: "forwards.go",
			Old: "	if _, ok := t.seen[p]; ok {\n		return false\n	}", New: "",
		},
		{
			Name: "operations of peers stay in the table", Dir: node, File: "asks.go",
			Old: "	t.free = append(t.free, i)\n", New: "",
		},
		{
			Name: "a version is dropped though the other side has not seen it", Dir: causal, File: "join.go",
			Old: "if !a.Covers(y[0].Dot) {", New: "if a.N(y[0].Dot.Actor) == 0 {",
		},
		{
			Name: "a version survives though the other side has removed it", Dir: causal, File: "join.go",
			Old: "if !a.Covers(y[0].Dot) {", New: "if true {",
		},
		{
			Name: "exceptions are lost in a join", Dir: causal, File: "join.go",
			Old: "	s.union(a.Claims, b.Claims)\n", New: "	s.union(a.Claims.only(nil), b.Claims.only(nil))\n",
		},
		{
			Name: "a forgotten record goes on with its dots", Dir: replica, File: "write.go",
			Old: "	actor := c.actor(ctx)\n", New: "	actor := causal.Actor{Run: c.cfg.Run, Life: 1}\n",
		},
		{
			Name: "a join moves no leaf", Dir: disk, File: "stage.go",
			Old: "if !op.Pending && (s.changed || res.Unreadable) {", New: "if op.Verb != replica.Join && !op.Pending && (s.changed || res.Unreadable) {",
		},
		{
			Name: "leaves of a failed batch are kept in memory", Dir: disk, File: "stage.go",
			Old: "	r.trees.clear()\n", New: "	r.keepLeaves()\n",
		},
		{
			Name: "a comparison exchanges only what this node lacks altogether", Dir: "../core/repair", File: "compare.go",
			Old: "if d.mine != d.theirs && (", New: "if !d.here && (",
		},
		{
			Name: "what is reaped stays in its leaf", Dir: replica, File: "leaf.go",
			Old: "		res.Leaf = merkle.Sub(merkle.Sum{}, before)\n", New: "",
		},
		{
			Name: "a comparison is complete though keys are on their way", Dir: "../core/repair", File: "exchange.go",
			Old: "	return len(t.keys) > 0 || len(t.flights) > 0\n", New: "	return len(t.keys) > 0\n",
		},
		{
			Name: "a comparison exchanges only the first page of keys", Dir: "../core/repair", File: "talk.go",
			Old: "	case len(t.lists) > 0:", New: "	case len(t.lists) > 0 && len(t.lists) < 2:",
		},
		{
			Name: "keys that do not differ are exchanged", Dir: "../core/repair", File: "compare.go",
			Old: "if d.mine != d.theirs && (", New: "if (",
		},
		{
			Name: "equal trees are looked into", Dir: "../core/repair", File: "compare.go",
			Old: "a.Sum != b.Sum && within", New: "within",
		},
		{
			Name: "halves of a leaf are both the whole", Dir: disk, File: "split.go",
			Old: "merkle.Sub(l.sum, t.sum), l.count-t.count", New: "l.sum, l.count-t.count",
		},
		{
			Name: "a leaf is left in memory that is merged", Dir: disk, File: "leaves.go",
			Old: "			r.trees.remove(p.id)\n", New: "",
		},
		{
			Name: "of several finer leaves one is compared", Dir: "../core/merkle", File: "part.go",
			Old: "for s.more && !s.bad && s.at.First <= at.Last {", New: "if s.more && !s.bad && s.at.First <= at.Last {",
		},
	}
	for i := range list {
		list[i].Test = "TestHunt"
	}
	mutants.Run(t, list)
}

// TestMutantsOfAmnesia plants what the traces of disks that forgot are for.
func TestMutantsOfAmnesia(t *testing.T) {
	const coord, replica, lineage, disk = "../core/coord", "../core/replica", "../core/lineage", "../disk"
	list := []mutants.Mutant{
		{
			Name: "another disk is taken for the same", Dir: lineage, File: "lineage.go", Test: "TestRules_H8_Wiped",
			Old: "		return NewDisk\n	case now.ID == seen.Disk", New: "		return Follows\n	case now.ID == seen.Disk",
		},
		{
			Name: "an old copy is taken for the newest", Dir: lineage, File: "lineage.go", Test: "TestRules_H8_Restored",
			Old: "		return RolledBack\n	default", New: "		return Follows\n	default",
		},
		{
			Name: "what a recovering replica acknowledges counts for pw", Dir: coord, File: "firm.go", Test: "TestRules_H8_Wiped",
			Old: "	if a.Recovering {\n		p.weak.add(i)\n	}\n", New: "",
		},
		{
			Name: "a recovering replica answers reads", Dir: replica, File: "recovering.go", Test: "TestRules_H8",
			Old: "return r.doubt || r.recovering.has(partition) }", New: "return false && r.recovering.has(partition) }",
		},
		{
			Name: "a side record is taken for the record", Dir: replica, File: "heal.go", Test: "TestRules_H9",
			Old: "live: -1, recovering: true, beside: true, stamp:", New: "live: -1, stamp:",
		},
		{
			Name: "what can't be read is absent", Dir: disk, File: "stage.go", Test: "TestRules_H23",
			Old: "		return r.readFailed(now, op, err, facts), before{}", New: "		return r.replica.Do(now, nil, op, facts), before{}",
		},
		{
			Name: "who was away for long counts at once", Dir: "", File: "folder.go", Test: "TestPaper_9_10_Away",
			Old: "now-f.alive > hintWindow.Milliseconds()", New: "false && now-f.alive > hintWindow.Milliseconds()",
		},
		{
			Name: "marks of an earlier loss stay", Dir: disk, File: "recover.go", Test: "TestProgressOutlives", Pkg: "../disk",
			Old: "		b.DeleteRange(lo, hi)\n", New: "		_, _ = lo, hi\n",
		},
	}
	for i := range list {
		if list[i].Pkg == "" {
			list[i].Pkg = "../.."
		}
	}
	mutants.Run(t, list)
}

// TestMutantsOfDurability plants what the traces of write buffers are for.
func TestMutantsOfDurability(t *testing.T) {
	const coord, replica, disk = "../core/coord", "../core/replica", "../disk"
	list := []mutants.Mutant{
		{
			Name: "what is in a buffer is acknowledged where all are to be durable", Dir: disk, File: "relaxed.go", Test: "TestRules_R35_PowerLoss",
			Old: "	case !op.Relaxed || s.answer", New: "	case s.answer",
		},
		{
			Name: "a process goes on under the run id of the one before", File: "machine.go", Test: "TestRules_R3_LostDots",
			Old: "	m.run = xxh3.HashSeed([]byte(m.id), m.rand.Uint64()) | 1\n", New: "	m.run = xxh3.HashSeed([]byte(m.id), w.cfg.Seed) | 1\n",
		},
		{
			Name: "the durable write is not waited for", Dir: coord, File: "lists.go", Test: "TestPaper_6_1_3",
			Old: "(strong&c.old).len(), c.in(durable, c.old)) &&", New: "(strong&c.old).len(), c.numbers.DW) &&",
		},
		{
			Name: "nobody is asked for the durable write of a slow disk", Dir: coord, File: "put.go", Test: "TestPaper_6_1_3",
			Old: "		p.confirm(now, e)\n", New: "",
		},
		{
			Name: "a replica that lost its buffer answers reads", Dir: replica, File: "recovering.go", Test: "TestRules_R9_LostBuffer",
			Old: "return r.RecoversAll(partition) || slices.Contains(r.unsure[partition], bucket)", New: "return r.RecoversAll(partition) || false && slices.Contains(r.unsure[partition], bucket)",
		},
		{
			Name: "a lost buffer makes a replica recover in all buckets", Dir: replica, File: "recovering.go", Test: "TestRules_R9_LostBuffer",
			Old: "return r.RecoversAll(partition) || slices.Contains(r.unsure[partition], bucket)", New: "return r.Recovering(partition) || slices.Contains(r.unsure[partition], bucket)",
		},
		{
			Name: "acknowledged before the mark is on disk", Dir: disk, File: "relaxed.go", Test: "TestRules_R35_Relaxed", Pkg: "../disk",
			Old: "	s.relaxed = seq <= r.waiting.synced\n", New: "	s.relaxed = seq > 0\n",
		},
		{
			Name: "who waits is left to the window", Dir: disk, File: "runner.go", Test: "TestRules_R35_Relaxed", Pkg: "../disk",
			Old: "	r.urgeAnswers()\n", New: "",
		},
		{
			Name: "a batch is left in the buffer though somebody waits for it", Dir: disk, File: "relaxed.go", Test: "TestRelaxedBatches", Pkg: "../disk",
			Old: "		if s.waits(r.waiting.synced) || s.changed && s.aside {\n			return false\n		}\n", New: "",
		},
		{
			Name: "what was compared before a second crash counts", Dir: disk, File: "relaxed.go", Test: "TestRules_R9_Lost", Pkg: "../disk",
			Old: "if progress.Since = old.Since; len(old.Buckets) == 0 {", New: "if progress.Since, progress.Sources = old.Since, old.Sources; len(old.Buckets) == 0 {",
		},
	}
	for i := range list {
		if list[i].Pkg == "" {
			list[i].Pkg = "../.."
		}
	}
	mutants.Run(t, list)
}

// TestMutantsOfThePaper plants what the tests of the paper's cases are for.
func TestMutantsOfThePaper(t *testing.T) {
	const coord, replica, node = "../core/coord", "../core/replica", "../core/node"
	list := []mutants.Mutant{
		{
			Name: "a retry is stored without asking around", Dir: coord, File: "put.go", Test: "TestRules_H10",
			Old: "	case p.req.Retry && p.req.Token != 0:\n", New: "	case false:\n",
		},
		{
			Name: "the fastest replier is passed over", Dir: node, File: "request.go", Test: "TestPaper_5_9",
			Old: "fastest != n.view.Self && ", New: "false && ",
		},
		{
			Name: "a forgotten record goes on with its dots", Dir: replica, File: "write.go", Test: "TestRules_H1|TestRules_H2",
			Old: "	actor := c.actor(ctx)\n", New: "	actor := causal.Actor{Run: c.cfg.Run, Life: 1}\n",
		},
		{
			Name: "the context of a put fills its gap", Dir: coord, File: "put_reply.go", Test: "TestRules_H6",
			Old: "	return p.req.Context.With(p.dot)\n", New: "	return p.req.Context.Union(causal.Claims{Vector: []causal.Entry{{Actor: p.dot.Actor, N: p.dot.N}}})\n",
		},
		{
			Name: "stale replicas are not repaired", Dir: coord, File: "repair.go", Test: "TestPaper_5_7_ReadRepair",
			Old: "	stale := g.stale() &^ (g.sent | g.lost)\n", New: "	stale := g.stale() &^ (g.sent | g.lost | g.everyone())\n",
		},
		{
			Name: "a put is acknowledged by one replica too few", Dir: coord, File: "put.go", Test: "TestPaper_4_5_6|TestPaper_4_5_5",
			Old: "case p.enough(p.acked, p.synced):", New: "case p.acked != 0 && p.numbers.writes(p.acked.len()+1, p.strong(p.acked).len()+1, p.synced.len()+1):",
		},
		{
			Name: "a get waits for everybody", Dir: coord, File: "get.go", Test: "TestPaper_4_5_5",
			Old: "	if !g.enough(usable) {\n		can", New: "	if usable.len() < g.n || !g.enough(usable) {\n		can",
		},
	}
	for i := range list {
		list[i].Pkg = "../.."
	}
	mutants.Run(t, list)
}

// TestMutantsOfRot plants what lets rot stay where it is.
func TestMutantsOfRot(t *testing.T) {
	const disk, node = "../disk", "../core/node"
	list := []mutants.Mutant{
		{
			Name: "the scrubber mends no leaf", Dir: disk, File: "scrub.go",
			Old: "	for _, id := range doubts {\n", New: "	for _, id := range doubts[:0] {\n",
		},
		{
			Name: "what the scrubber finds is looked for nowhere", Dir: node, File: "scrubbing.go",
			Old: "		n.rotten(now, &e.Rotten[i], out)\n", New: "		_ = i\n",
		},
	}
	for i := range list {
		list[i].Test = "TestWhatRots"
	}
	mutants.Run(t, list)
}

// TestMutantsOfFolding plants what folds the shares of ended actors twice, or what
// others have replaced (RULES R8).
func TestMutantsOfFolding(t *testing.T) {
	const reap, typed = "../core/reap", "../core/typed"
	list := []mutants.Mutant{
		{
			Name: "shares are folded as soon as all hold them", Dir: reap, File: "fold.go",
			Old: "k.dots, k.step, k.epoch, k.failures = dots, grow, k.votes+younger, 0", New: "k.dots, k.step, k.epoch, k.failures = dots, grow, 0, 0",
		},
		{
			Name: "nobody is asked again before shares are folded", Dir: reap, File: "reaper.go",
			Old: "	case drop:\n		if k.shares {\n			r.survey(now, k, p, e)\n", New: "	case drop:\n		if k.shares {\n			k.primaries, k.step = append(k.primaries[:0], r.self), folding\n			r.ask(now, k, 0, replica.Op{Verb: replica.Fold, Dots: k.dots, Stamp: k.epoch}, e)\n",
		},
		{
			Name: "the share of a process that lives is folded", Dir: typed, File: "fold.go",
			Old: "it.with.IsZero() && !slices.Contains(alive, it.version.Dot.Actor)", New: "it.with.IsZero()",
		},
		{
			Name: "what was folded counts by itself", Dir: typed, File: "table.go",
			Old: "	t.loose(with)\n", New: "	_ = with\n",
		},
		{
			Name: "what is folded is not added up", Dir: typed, File: "fold.go",
			Old: "			sum.sum += of[i].sum\n", New: "			sum.sum = of[i].sum\n",
		},
	}
	for i := range list {
		list[i].Test = "TestRules_R8"
	}
	mutants.Run(t, list)
}
