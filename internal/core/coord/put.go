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
	p.timeOut(now, e)
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
