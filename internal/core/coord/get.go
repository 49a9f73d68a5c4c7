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

// freshness tells which digest is that of the merged state, if any.
type freshness struct {
	sum   causal.Sum
	known bool
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

// take notes a reply; false if it can't be counted, which is as good as none
// (R33). A newcomer need not know: it counts as a witness, where nothing hangs on
// what it holds (R14).
func (g *Get) take(i int, full bool, a *replica.Answer) bool {
	g.absent.remove(i)
	g.body.remove(i)
	switch {
	case a.Status == replica.Absent, a.Status == replica.DontKnow && g.newcomers().has(i):
		g.absent.add(i)
	case a.Status == replica.Have && (!full || g.decode(i, a)):
		g.sums[i] = a.Digest
	default:
		return false
	}
	g.counted.add(i)
	if g.fastest < 0 {
		g.fastest = i
	}
	return true
}

func (g *Get) decode(i int, a *replica.Answer) bool {
	s, err := causal.DecodeState(a.State)
	if err != nil {
		return false
	}
	g.states[i], g.raw[i], g.stamps[i] = s, a.State, a.Stamp
	g.body.add(i)
	return true
}

// forget gives up on a reply: what the replica said before does not count
// either, and another may be asked in its stead.
func (g *Get) forget(i int) {
	g.doubt.add(i)
	g.counted.remove(i)
	g.absent.remove(i)
	g.body.remove(i)
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
	g.merge(now, e, g.firm())
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

// blank are the stand-ins that hold nothing. That says little: they do not count
// while a primary may soon say more.
func (g *Get) blank() set {
	if g.waiting[firstRound]&g.primaries()&^g.doubt == 0 {
		return 0
	}
	return g.absent &^ g.primaries()
}

// fetch asks, once enough replies can be counted, for the state behind every
// digest of which none is in hand. It reports whether one is still missing, and
// which replies tell of a state that nobody is left to ask for.
func (g *Get) fetch(now clock.Now, e *Effects) (missing bool, hidden set) {
	if !g.enough(g.counted) {
		return false, 0
	}
	for i := range g.n {
		if !g.counted.has(i) || g.absent.has(i) {
			continue
		}
		same := g.same(i)
		waiting := same & g.waiting[againRound]
		ask := same &^ (g.lost | waiting)
		switch {
		case same&g.body != 0:
		case waiting&^g.doubt != 0:
			missing = true
		case g.holds():
			missing, e.Hedge = true, e.Hedge || g.hedge
		case ask != 0:
			g.read(now, e, againRound, ask.first(), true)
			missing = true
		case waiting != 0:
			missing = true
		default:
			hidden.add(i)
		}
	}
	return missing, hidden
}

// same is the set of replicas that replied with the digest that i replied with.
func (g *Get) same(i int) set {
	var s set
	for j := range g.n {
		if g.counted.has(j) && !g.absent.has(j) && g.sums[j] == g.sums[i] {
			s.add(j)
		}
	}
	return s
}

// firm are those whose states are shown: newcomers' only where others have told the
// same digest. What only newcomers hold goes when their move is aborted (RULES R14);
// the others are repaired with it.
func (g *Get) firm() set {
	s := g.everyone() &^ g.newcomers()
	for i := range g.n {
		if !s.has(i) && g.counted.has(i) && g.same(i)&s != 0 {
			s.add(i)
		}
	}
	return s
}

// merge joins the states in hand of some.
func (g *Get) merge(now clock.Now, e *Effects, of set) {
	of &= g.body
	g.merged, g.bytes, g.fresh = causal.State{}, nil, freshness{}
	joins, floor := 0, int64(0)
	for i := range g.n {
		if of.has(i) {
			floor = max(floor, g.states[i].Floor)
		}
	}
	for i := range g.n {
		if !of.has(i) || g.fresh.known && g.sums[i] == g.fresh.sum {
			continue
		}
		if g.bytes == nil {
			g.merged, g.bytes, g.fresh = g.states[i], g.raw[i], freshness{g.sums[i], true}
			g.stamp = g.stamps[i]
			if g.merged.Floor < floor { // all at one floor, or their order would matter
				g.merged, joins = g.merged.At(floor), 1
			}
			continue
		}
		var report causal.JoinReport
		g.merged, report = causal.JoinStates(g.merged, g.states[i])
		g.report(now, e, report)
		g.stamp = min(g.stamp, g.stamps[i])
		joins++
	}
	if joins > 0 {
		g.bytes = g.merged.Append(nil)
		g.fresh = g.find(g.bytes)
	}
}

// find looks for a replica that holds this very state.
func (g *Get) find(raw []byte) freshness {
	for i := range g.n {
		if g.body.has(i) && string(g.raw[i]) == string(raw) {
			return freshness{g.sums[i], true}
		}
	}
	return freshness{}
}

// stale is the set of primaries that replied with another state than the merged.
// What stands in for them is no matter: it hands over what it holds.
func (g *Get) stale() set {
	s := g.counted & g.primaries()
	for i := range g.prim {
		switch {
		case g.absent.has(i) && g.bytes == nil:
			s.remove(i)
		case !g.absent.has(i) && g.fresh.known && g.sums[i] == g.fresh.sum:
			s.remove(i)
		}
	}
	return s
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
