package coord

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

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

func (p *Put) quorum() ouro.Quorum {
	acks := p.in(p.acked, p.old)
	return p.numbers.quorum(acks, (p.strong(p.acked) & p.old).len(), p.in(p.synced, p.old))
}

func (p *Put) fail(now clock.Now, e *Effects, err *ouro.Error) {
	p.answered, p.done, p.replied = true, true, now.Mono
	p.state(e, fact.Refused, now, -1, 0, string(err.Code))
	e.reply(Reply{Err: err, Quorum: p.quorum()})
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

// timeOut gives up where too few have acknowledged in time.
func (p *Put) timeOut(now clock.Now, e *Effects) {
	p.fail(now, e, ouro.Errorf(ouro.TimedOut, p.outcome(),
		"%d nodes, %d of them of the %d primaries and %d durably, acknowledged within %v, too few for w=%d pw=%d dw=%d",
		p.acked.len(), p.strong(p.acked).len(), p.prim, p.synced.len(), p.numbers.Timeout, p.numbers.W, p.numbers.PW, p.numbers.DW))
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
		return ouro.Errorf(ouro.Internal, ouro.Unknown, "the write failed at node %s: %v", self, a.Reason)
	}
}

// refer gives up; where it is the own disk's fault, in favour of another
// coordinator.
func (p *Put) refer(now clock.Now, e *Effects, err *ouro.Error) {
	p.fail(now, e, err)
	if elsewhere(err) && p.deadline > now.Mono {
		e.Reply.Elsewhere = p.deadline - now.Mono
	}
}
