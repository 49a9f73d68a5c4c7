package coord

import (
	"fmt"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// GetRequest is a get at a replica of its key.
type GetRequest struct {
	Common
	LWW        bool // show the greatest stamp only (R23)
	Types      bool // show data types
	RepairWait time.Duration
	Whole      bool // reply with the merged state, too
}

// Get reads a key (paper, sections 4.5 and 5): it asks all replicas, one of
// them for its versions and the others for digests. The first r that can be
// counted decide; where their digests differ the versions come too. Whatever is
// in hand is merged and answered; then the machine waits a small period for the
// other replicas and brings all that are stale up to date (read repair).
//
// A reply that has been counted is merged, or it no longer counts: agreement
// among some is never taken for an answer while another is in hand (R33).
//
// With pr set, a difference is repaired before the answer (R32).
type Get struct {
	common
	req     GetRequest
	counted set           // replied with a state, a digest or "absent"
	absent  set           // of those, with "absent"
	body    set           // of those, with a state that is in hand
	usable  set           // of the counted, those that the decision rests on
	full    set           // were asked for their state at once
	acked   set           // a strict get: have the merged state durably
	sent    set           // were sent the merged state, as it is now
	fastest int           // place of the first that could be counted; -1: none yet
	hedgeAt time.Duration // when the replica asked for its state is later than it usually is; 0: it is not known, or no matter any more
	hedge   bool          // that time has come, and nobody was asked whether another may be
	settle  bool          // a strict get: waits for acknowledgements of the merged state
	fresh   freshness
	sums    [MaxSlots]causal.Sum
	raw     [MaxSlots][]byte // canonical form of states
	states  [MaxSlots]causal.State
	stamps  [MaxSlots]uint64 // of those states
	merged  causal.State
	stamp   uint64 // of merged, the lowest of its parts (RULES E1)
	bytes   []byte // canonical form of merged; nil: nothing is stored anywhere
}

// Start begins a request. Replicas begin with the first n of the preference
// list, the primaries; others may follow, to stand in for them. This node may be
// one of them.
func (g *Get) Start(now clock.Now, r *GetRequest, replicas []Replica, e *Effects) {
	*g = Get{req: *r, fastest: -1}
	g.start(now, &r.Common, replicas, "get")
	if g.explain {
		q := g.numbers
		g.state(e, fact.Started, now, -1, 0, fmt.Sprintf("get n=%d r=%d pr=%d timeout=%v", q.N, q.R, q.PR, q.Timeout))
	}
	g.enlist(now, e, pr, 0)
	if can := g.everyone() &^ g.lost; !g.enough(can) && !e.More {
		g.tooFew(now, e, can)
		return
	}
	g.ask(now, e, g.chosen&^g.lost)
}

// ask asks some for digests, and the best of them for its state where nobody
// was asked yet.
func (g *Get) ask(now clock.Now, e *Effects, whom set) {
	if whom == 0 {
		return
	}
	if g.full == 0 {
		best := g.best(whom)
		g.full.add(best)
		if g.p95[best] > 0 {
			g.hedgeAt = now.Mono + g.p95[best]
		}
	}
	for i := range g.n {
		if whom.has(i) {
			g.read(now, e, firstRound, i, g.full.has(i))
		}
	}
}

// best is the quickest of those that are expected to answer, as far as it is known;
// this node, where it is a primary, unless another is twice as quick.
func (g *Get) best(whom set) int {
	for _, good := range [...]set{whom &^ (g.doubt | g.slow | g.newcomers()), whom &^ (g.doubt | g.newcomers()), whom &^ g.doubt} {
		if good != 0 {
			whom = good
			break
		}
	}
	best := whom.first()
	for i := range g.n {
		if whom.has(i) && g.mean[i] < g.mean[best] {
			best = i
		}
	}
	if g.self >= 0 && g.self < g.prim && whom.has(g.self) && (g.mean[best] == 0 || g.mean[g.self] < 2*g.mean[best]) {
		return g.self
	}
	return best
}

func (g *Get) read(now clock.Now, e *Effects, r round, i int, full bool) {
	o := g.op(now, r, i)
	o.Full, o.Relaxed = full, g.numbers.Relaxed
	g.send(now, e, i, o)
}

// restaff asks others in the stead of those that failed, while it matters.
func (g *Get) restaff(now clock.Now, e *Effects) {
	if !g.answered && !g.settle {
		told := g.counted & (^g.lost | g.absent | g.body) // a digest of a lost one may stay unexplained
		g.ask(now, e, g.enlist(now, e, pr, told))
	}
}

// Extend adds nodes that may stand in, in answer to Effects.More.
func (g *Get) Extend(now clock.Now, replicas []Replica, e *Effects) {
	g.extend(replicas)
	if !g.done {
		g.restaff(now, e)
		g.judge(now, e)
	}
}

func (g *Get) send(now clock.Now, e *Effects, i int, o replica.Op) {
	if g.explain && !g.answered {
		g.state(e, fact.Asked, now, i, 0, askText(&o))
	}
	e.ask(g.ids[i], o)
}

// Answer takes a replica's answer. It returns false where nobody waits for it.
func (g *Get) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, e *Effects) bool {
	r, i, ok := g.match(from, a)
	if !ok {
		return false
	}
	switch {
	case g.answered && r != settleRound:
		g.state(e, fact.Late, now, i, 0, g.verb)
	case g.explain && !g.answered:
		g.state(e, fact.Answered, now, i, 0, note(a))
	}
	g.took = now.Mono - g.at[i]
	g.waiting[r].remove(i)
	switch {
	case r != settleRound:
		if !g.take(i, r == againRound || g.full.has(i), a) {
			g.forget(i)
			g.restaff(now, e)
		}
	case a.Status == replica.Have && a.Durable && !a.Recovering:
		g.acked.add(i)
	}
	g.judge(now, e)
	return true
}

// judge moves the request on as far as what is in hand allows.
func (g *Get) judge(now clock.Now, e *Effects) {
	switch {
	case g.done:
	case g.answered:
		g.await(now, e)
	case g.settle:
		g.settled(now, e)
	default:
		g.decide(now, e)
	}
}

// decide answers when enough replies can be counted and the state behind each
// of them is in hand.
func (g *Get) decide(now clock.Now, e *Effects) {
	missing, hidden := g.fetch(now, e)
	usable := g.counted &^ (hidden | g.blank())
	if !g.enough(usable) {
		can := usable | g.everyone()&^(g.lost|g.chosen)
		if waiting := g.waiting[firstRound]; waiting != 0 {
			can |= g.counted | waiting // one of them may bring a hidden state
		}
		if !g.enough(can) {
			g.tooFew(now, e, can)
		}
		return
	}
	if missing {
		return
	}
	g.usable = usable
	g.merge(now, e, g.vouched())
	stale := g.stale()
	if stale != 0 {
		g.state(e, fact.Differed, now, -1, usable.len(), g.verb)
	}
	if g.numbers.PR > 0 && stale != 0 && g.bytes != nil {
		g.confirm(now, e)
		return
	}
	g.succeed(now, e, true)
}

// enough says whether the replies of some meet the numbers.
func (g *Get) enough(s set) bool {
	return g.reads(s)
}

// Down tells that the link to a peer fell. What it replied before counts, as
// far as another can tell the state behind it.
func (g *Get) Down(now clock.Now, peer ring.NodeID, e *Effects) {
	i := g.place(peer)
	if i < 0 || i == g.self || g.done {
		return
	}
	if g.outstanding().has(i) {
		g.state(e, fact.Silent, now, i, 0, "link lost")
	}
	g.drop(i)
	g.restaff(now, e)
	g.judge(now, e)
}

// Tick ends the wait when its time is over.
func (g *Get) Tick(now clock.Now, e *Effects) {
	if g.done {
		return
	}
	if now.Mono < g.deadline {
		g.late(now, e)
		g.wait(now, e)
		return
	}
	g.silence(e, now)
	switch {
	case g.answered:
		g.repair(now, e)
	case g.settle:
		g.waiting[settleRound] = 0
		g.succeed(now, e, false)
	default:
		g.fail(now, e, ouro.Errorf(ouro.TimedOut, ouro.NotDone,
			"%d nodes, %d of them of the %d primaries, answered within %v, too few for r=%d pr=%d",
			g.counted.len(), (g.counted&g.primaries()).len(), g.prim, g.numbers.Timeout, g.numbers.R, g.numbers.PR))
	}
}

// wait looks for those that are silent for too long.
func (g *Get) wait(now clock.Now, e *Effects) {
	switch {
	case g.patient == 0 || now.Mono < g.patient:
	case g.answered || g.settle:
		g.patient = 0
	default:
		g.impatient(now, e)
		g.restaff(now, e)
		g.judge(now, e)
	}
}

// tooFew gives up, but for the nodes further down the walk.
func (g *Get) tooFew(now clock.Now, e *Effects, can set) {
	if e.More {
		return
	}
	g.fail(now, e, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone,
		"%d nodes can answer, %d of them of the %d primaries, too few for r=%d pr=%d",
		can.len(), (can&g.primaries()).len(), g.prim, g.numbers.R, g.numbers.PR))
}

func (g *Get) fail(now clock.Now, e *Effects, err *ouro.Error) {
	g.answered, g.done = true, true
	g.state(e, fact.Refused, now, -1, 0, string(err.Code))
	e.reply(Reply{Err: err, Quorum: g.quorum(g.counted)})
}

// Told returns what the first of the replicas told that is in hand, and whether that is
// anything: the digest of its state, or that nothing is stored there.
func (g *Get) Told() (sum causal.Sum, absent, ok bool) {
	return g.sums[0], g.absent.has(0), g.counted.has(0)
}

func (g *Get) quorum(s set) ouro.Quorum {
	return g.numbers.quorum(g.in(s, g.old), (s & g.old).len(), 0)
}
