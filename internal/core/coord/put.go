package coord

import (
	"fmt"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// PutRequest is a put or a delete under a context, at a replica of its key.
type PutRequest struct {
	Common
	Delete      bool
	LWW         bool
	Context     causal.Claims // what the client has seen
	Value       []byte
	ContentType string
	Expiry      int64        // wall-clock milliseconds; 0: never
	Token       uint64       // keyed hash of the request id; 0: none (R29)
	Retry       bool         // another coordinator may have done it already (R30)
	MaxSiblings int          // bound on blind growth; 0: the replica's own
	Types       bool         // a bucket of data types
	Update      *ouro.Update // of a data type, instead of a value
	// Others says that another node could coordinate: where the own disk is silent
	// for too long, the machine gives up in favour of it.
	Others bool
	// Record is a state to be merged into that of the key, under an epoch, where
	// nothing is to be minted.
	Record []byte
	Stamp  uint64
}

// Put stores one version, or removes under a context: at the own disk first,
// then, once that is applied, at the other replicas (paper, section 4.5). It
// answers when enough have it durably and stays until all have answered or the
// time is over, to measure how far the slowest lags behind.
//
// A put sent to another coordinator before asks around first whether it was
// stored there (R30).
type Put struct {
	common
	req     PutRequest
	acked   set  // have the state: durably, but where the bucket is relaxed
	synced  set  // of them, those that have it durably
	firm    set  // where the bucket is relaxed: are to have it durably before they answer
	weak    set  // of them, those that recover: good for w, not for pw (R9)
	knew    set  // answered the recall for good
	begun   bool // somebody was asked something
	minting bool // a disk was asked to mint, or has minted: failure is no longer "not done"
	applied bool // the own disk has it, maybe not yet durably
	known   bool // an earlier coordinator or attempt stored it
	dot     causal.Dot
	merged  []byte           // what the others are to have; nil: not known yet
	stamp   uint64           // its epoch
	updated *replica.Updated // what an update did, once the own disk has done it
	alone   uint64           // the epoch under which this write may be sent without the rest
	// outdated: the lists have changed since, and the own disk has not answered.
	outdated bool
}

// Start begins a request. Replicas begin with the first n of the preference
// list, the primaries; others may follow, to stand in for them. This node is
// one of them.
func (p *Put) Start(now clock.Now, r *PutRequest, replicas []Replica, e *Effects) {
	*p = Put{req: *r}
	verb := "put"
	if r.Delete {
		verb = "delete"
	}
	p.start(now, &r.Common, replicas, verb)
	p.enlist(now, e, pw, p.acked)
	if p.explain {
		q := p.numbers
		p.state(e, fact.Started, now, -1, 0, fmt.Sprintf("%s n=%d w=%d pw=%d dw=%d timeout=%v", verb, q.N, q.W, q.PW, q.DW, q.Timeout))
	}
	p.begin(now, e)
}

// begin asks the first: whether it was stored before, or to store it.
func (p *Put) begin(now clock.Now, e *Effects) {
	p.begun = p.possible()
	switch {
	case !p.begun:
		p.tooFew(now, e)
	case p.req.Record != nil:
		p.known = true
		p.spread(now, e, p.req.Record, p.req.Stamp)
	case p.req.Retry && p.req.Token != 0:
		p.recall(now, e)
	default:
		p.mint(now, e)
	}
}

// mint asks the own disk to write.
func (p *Put) mint(now clock.Now, e *Effects) {
	p.minting = true
	o := p.op(now, writeRound, p.self)
	o.Request, o.Relaxed = p.req.Token, p.relaxed(p.self)
	o.Mint = &replica.Mint{
		Context: p.req.Context, Delete: p.req.Delete, LWW: p.req.LWW,
		Value: p.req.Value, ContentType: p.req.ContentType, Expiry: p.req.Expiry, MaxSiblings: p.req.MaxSiblings,
		Types: p.req.Types, Update: p.req.Update,
	}
	p.send(now, e, p.self, o)
}

func (p *Put) send(now clock.Now, e *Effects, i int, o replica.Op) {
	if p.explain {
		p.state(e, fact.Asked, now, i, 0, askText(&o))
	}
	e.ask(p.ids[i], o)
}

// Answer takes a replica's answer. It returns false where nobody waits for it.
func (p *Put) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, e *Effects) bool {
	r, i, ok := p.match(from, a)
	if !ok || r == writeRound && p.applied && a.Status == replica.Have && !counts(a) {
		return false
	}
	p.took = now.Mono - p.at[i]
	switch {
	case p.answered:
		p.state(e, fact.Late, now, i, 0, p.verb)
	case p.explain:
		p.state(e, fact.Answered, now, i, 0, note(a))
	}
	switch r {
	case recallRound:
		p.recalled(now, i, a, e)
	case fetchRound:
		p.fetched(now, i, a, e)
	case writeRound:
		p.written(now, a, e)
	case joinRound, aloneRound, wholeRound, syncRound:
		p.joined(now, r, i, a, e)
	}
	return true
}

// written takes the own disk's word: first that the version is stored, then
// that it is durable. Where the own disk fails there is no success, whatever
// the others have (paper, section 4.5: the coordinator writes first).
func (p *Put) written(now clock.Now, a *replica.Answer, e *Effects) {
	if a.Status != replica.Have {
		p.waiting[writeRound].remove(p.self)
		p.lost.add(p.self)
		if !p.answered {
			p.refer(now, e, p.refusal(a))
			return
		}
		p.judge(now, e)
		return
	}
	if !p.applied {
		p.applied, p.dot = true, a.Dot
		p.known, p.alone, p.updated = a.Found, a.Alone, a.Updated
		if p.outdated {
			p.merged, p.stamp = a.State, a.Stamp
			p.waiting[writeRound].remove(p.self)
			e.Again = true
			return
		}
		p.spread(now, e, a.State, a.Stamp)
	}
	if counts(a) {
		p.waiting[writeRound].remove(p.self)
		p.ack(p.self, a)
	}
	p.judge(now, e)
}

// spread sends the state to all who take part and are not known to have it.
func (p *Put) spread(now clock.Now, e *Effects, state []byte, stamp uint64) {
	p.merged, p.stamp = state, stamp
	p.join(now, e, p.chosen&^(p.lost|p.acked|p.waiting[writeRound]))
}

func (p *Put) join(now clock.Now, e *Effects, to set) {
	for i := range p.n {
		if !to.has(i) {
			continue
		}
		if u := p.updated; u != nil && u.Base != nil {
			p.sendState(now, e, joinRound, i, u.Alone, p.stamp, u.Base)
			continue
		}
		p.sendState(now, e, joinRound, i, p.merged, p.stamp, nil)
	}
}

// sendState sends a state, or a delta with the claims it was cut from (RULES R5).
func (p *Put) sendState(now clock.Now, e *Effects, r round, i int, state []byte, stamp uint64, base *causal.Claims) {
	o := p.op(now, r, i)
	o.State, o.Stamp, o.Base, o.Relaxed = state, stamp, base, p.relaxed(i)
	if p.req.Delete || p.req.Update != nil && p.dot.IsZero() {
		o.Request = p.req.Token // no version carries it
	}
	p.send(now, e, i, o)
}

// resend sends what this write did, without the rest of the record, to a node to
// which the record is too old already (RULES E2, R20); once, and only where that
// is new enough. False: it is not.
func (p *Put) resend(now clock.Now, e *Effects, r round, i int, a *replica.Answer) bool {
	if r != joinRound || a.Reason != replica.Stale || p.alone < a.Stamp || p.answered {
		return false
	}
	alone := p.didAlone()
	if alone == nil {
		return false
	}
	p.waiting[joinRound].remove(i)
	p.sendState(now, e, aloneRound, i, alone, p.alone, nil)
	return true
}

// didAlone returns what this write did, without the rest of the record; nil: it is
// not in it any more.
func (p *Put) didAlone() []byte {
	if p.req.Update != nil {
		if p.updated == nil {
			return nil
		}
		return p.updated.Alone
	}
	state, err := causal.DecodeState(p.merged)
	if err != nil {
		return nil
	}
	alone := state.Alone(p.req.Context, p.dot)
	if !p.dot.IsZero() && len(alone.Versions) == 0 {
		return nil
	}
	return alone.Append(nil)
}

// sendWhole sends the whole record to one that lacks some of what the delta was
// cut from (RULES R5).
func (p *Put) sendWhole(now clock.Now, e *Effects, r round, i int, a *replica.Answer) bool {
	if r != joinRound || a.Reason != replica.Lacking {
		return false
	}
	p.waiting[joinRound].remove(i)
	p.state(e, fact.DeltaRefused, now, i, 1, p.verb)
	p.sendState(now, e, wholeRound, i, p.merged, p.stamp, nil)
	return true
}

// restaff asks others in the stead of those that failed, while it matters.
func (p *Put) restaff(now clock.Now, e *Effects) {
	if p.answered {
		return
	}
	added := p.enlist(now, e, pw, p.acked)
	if p.merged != nil {
		p.join(now, e, added)
		p.confirm(now, e)
	}
}

// Extend adds nodes that may stand in, in answer to Effects.More.
func (p *Put) Extend(now clock.Now, replicas []Replica, e *Effects) {
	p.extend(replicas)
	switch {
	case p.done:
		return
	case !p.begun:
		p.enlist(now, e, pw, p.acked)
		p.begin(now, e)
		return
	}
	p.restaff(now, e)
	p.step(now, e)
}

// step moves the request on, at whatever point it is.
func (p *Put) step(now clock.Now, e *Effects) {
	if p.recalling() {
		p.recallStep(now, e)
		return
	}
	p.judge(now, e)
}

func (p *Put) joined(now clock.Now, r round, i int, a *replica.Answer, e *Effects) {
	switch {
	case counts(a):
		p.ack(i, a)
	case a.Status == replica.Have:
		return // received, not yet durable: it will say so
	case p.resend(now, e, r, i, a), p.sendWhole(now, e, r, i, a):
		return
	default:
		p.lost.add(i)
		p.restaff(now, e)
	}
	p.waiting[r].remove(i)
	p.judge(now, e)
}

// judge answers as soon as the outcome is certain, and ends the machine when
// nobody is left to wait for.
func (p *Put) judge(now clock.Now, e *Effects) {
	switch {
	case p.done:
		return
	case p.answered:
	case p.enough(p.acked, p.synced):
		p.succeed(now, e)
	case !p.possible():
		p.tooFew(now, e)
		return
	default:
		return
	}
	if p.outstanding() == 0 {
		p.done = true
		if p.acked&p.primaries() == p.primaries() {
			e.fact(fact.Fact{Kind: fact.Settled, Ticket: p.ticket, At: now.Mono, Lasted: now.Mono - p.replied, N: p.prim, Note: p.verb})
		}
	}
}

// succeed answers with the request's context and the new dot, never with what
// the replicas know besides (R6).
func (p *Put) succeed(now clock.Now, e *Effects) {
	p.answered, p.replied = true, now.Mono
	p.state(e, fact.Decided, now, -1, 0, p.verb)
	r := Reply{
		Context:    causal.Context{Claims: p.seen(), Fastest: p.here()},
		HasContext: true,
		Known:      p.known,
		Quorum:     p.quorum(),
	}
	if p.updated != nil {
		r.Siblings, r.Changed = p.updated.Shown, p.updated.Changed
	}
	e.reply(r)
}

// here is this node, where it holds any of it; a put that was begun again may be
// done without.
func (p *Put) here() string {
	if p.self < 0 {
		return ""
	}
	return string(p.ids[p.self])
}

// seen is what the client has seen once its request is done. Of an update it has
// not seen which elements there are.
func (p *Put) seen() causal.Claims {
	if p.dot.IsZero() {
		return p.req.Context
	}
	return p.req.Context.With(p.dot)
}

func (p *Put) fail(now clock.Now, e *Effects, err *ouro.Error) {
	p.answered, p.done, p.replied = true, true, now.Mono
	p.state(e, fact.Refused, now, -1, 0, string(err.Code))
	e.reply(Reply{Err: err, Quorum: p.quorum()})
}

func (p *Put) quorum() ouro.Quorum {
	acks := p.in(p.acked, p.old)
	return p.numbers.quorum(acks, (p.strong(p.acked) & p.old).len(), p.in(p.synced, p.old))
}

// outcome is what a failure means now: not done only if no mint was attempted,
// here or at the coordinator that had the request before (R31).
func (p *Put) outcome() ouro.Outcome {
	if p.minting || p.known || p.req.Retry {
		return ouro.Unknown
	}
	return ouro.NotDone
}

// tooFew gives up, but for the nodes further down the walk.
func (p *Put) tooFew(now clock.Now, e *Effects) {
	if e.More {
		return
	}
	rest := p.everyone() &^ (p.lost | p.acked)
	p.fail(now, e, ouro.Errorf(ouro.QuorumUnavailable, p.outcome(),
		"%d nodes have it, %d of them durably, and %d more can be reached (of the %d primaries: %d and %d), too few for w=%d pw=%d dw=%d",
		p.acked.len(), p.synced.len(), rest.len(), p.prim, p.strong(p.acked).len(), (rest&p.primaries()).len(),
		p.numbers.W, p.numbers.PW, p.numbers.DW))
}

// refusal turns the own disk's failure into the request's. It is "not done"
// where the disk refused before it tried to mint.
func (p *Put) refusal(a *replica.Answer) *ouro.Error {
	tried := ouro.NotDone
	if p.req.Retry || p.applied {
		tried = ouro.Unknown
	}
	self := p.ids[p.self]
	switch {
	case a.Status != replica.Failed:
		return ouro.Errorf(ouro.Internal, ouro.Unknown, "node %s answered its own write with status %d", self, a.Status)
	case a.Reason == replica.Overloaded:
		return ouro.Errorf(ouro.Overloaded, tried, "the disk queue of node %s is full: come back later", self)
	case a.Reason == replica.DiskFull:
		return ouro.Errorf(ouro.DiskFull, tried, "node %s has no room and takes no writes: free some, or add nodes", self)
	case a.Reason == replica.TooManySiblings:
		return ouro.Errorf(ouro.TooManySiblings, tried, "the key has as many siblings as it may have: get it, merge them, and put with the context")
	case a.Reason == replica.WrongType:
		return ouro.Errorf(ouro.WrongType, tried, "the key shows another data type than the update is for: delete it first, or use another key")
	case a.Reason == replica.NotNumber:
		return ouro.Errorf(ouro.BadRequest, tried, "the value is not an integer or out of range: nothing can be added to it")
	case a.Reason == replica.Overflow:
		return ouro.Errorf(ouro.BadRequest, tried, "increment or decrement would overflow: the sum would not fit, or be no number")
	case a.Reason == replica.TooLarge:
		return ouro.Errorf(ouro.TooLarge, tried, "the key would have more elements, or bytes, than a node takes: remove some, or spread them over several keys")
	case a.Reason == replica.Corrupt:
		return ouro.Errorf(ouro.Internal, tried, "the record of the key at node %s is damaged: send the request to another node", self)
	default:
		return ouro.Errorf(ouro.Internal, ouro.Unknown, "the write failed at node %s: %s", self, reasonText(a.Reason))
	}
}

// Down tells that the link to a peer fell. What it acknowledged before counts.
func (p *Put) Down(now clock.Now, peer ring.NodeID, e *Effects) {
	i := p.place(peer)
	if i < 0 || i == p.self || p.done {
		return
	}
	fetching := p.waiting[fetchRound].has(i)
	if p.outstanding().has(i) {
		p.state(e, fact.Silent, now, i, 0, "link lost")
	}
	p.drop(i)
	if fetching {
		p.noState(now, e, i)
		return
	}
	p.restaff(now, e)
	p.step(now, e)
}

// Tick ends the request when its time is over.
func (p *Put) Tick(now clock.Now, e *Effects) {
	if p.done {
		return
	}
	if now.Mono < p.deadline {
		p.wait(now, e)
		return
	}
	p.silence(e, now)
	if p.answered {
		p.done = true
		return
	}
	p.fail(now, e, ouro.Errorf(ouro.TimedOut, p.outcome(),
		"%d nodes, %d of them of the %d primaries and %d durably, acknowledged within %v, too few for w=%d pw=%d dw=%d",
		p.acked.len(), p.strong(p.acked).len(), p.prim, p.synced.len(), p.numbers.Timeout, p.numbers.W, p.numbers.PW, p.numbers.DW))
}

// refer gives up; where it is the own disk's fault, in favour of another
// coordinator.
func (p *Put) refer(now clock.Now, e *Effects, err *ouro.Error) {
	p.fail(now, e, err)
	if elsewhere(err) && p.deadline > now.Mono {
		e.Reply.Elsewhere = p.deadline - now.Mono
	}
}

// wait looks for those that are silent for too long.
func (p *Put) wait(now clock.Now, e *Effects) {
	switch {
	case p.patient == 0 || now.Mono < p.patient:
	case p.answered:
		p.patient = 0
	default:
		p.impatient(now, e)
		if p.req.Others && p.minting && !p.applied && p.doubt.has(p.self) {
			p.refer(now, e, ouro.Errorf(ouro.Internal, ouro.Unknown, "the disk of node %s does not answer", p.ids[p.self]))
			return
		}
		p.restaff(now, e)
		p.step(now, e)
	}
}
