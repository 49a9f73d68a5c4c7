package coord

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// ForwardRequest is a request that another node should coordinate.
type ForwardRequest struct {
	Common
	Write bool // a put or delete: it may have an effect that is not reported
	Retry bool // it was at another coordinator before
}

// Pass hands the request to a coordinator: a peer, or this node itself.
type Pass struct {
	To      ring.NodeID
	Retry   bool          // another coordinator may have done it already
	Timeout time.Duration // what is left
}

// Forward hands a request to the first of its coordinators that can be reached
// and stays with it while its link is up. If the link falls before the reply,
// the request goes to the next one, a write marked as a retry, since the first
// may have done it (R30).
type Forward struct {
	common
	write, retry bool
	to           int // who has the request
}

// Start begins a request. Coordinators are in order of preference; this node
// may be among them.
func (f *Forward) Start(now clock.Now, r *ForwardRequest, coordinators []Replica, e *Effects) {
	*f = Forward{write: r.Write, retry: r.Retry, to: -1}
	f.start(now, &r.Common, coordinators, "forward")
	f.next(now, e)
}

// next passes the request on to the first coordinator that can be reached.
func (f *Forward) next(now clock.Now, e *Effects) {
	f.to = -1
	for i := range f.n {
		if f.lost.has(i) {
			continue
		}
		f.to = i
		f.state(e, fact.Forwarded, now, i, 0, "")
		e.Passes = append(e.Passes, Pass{To: f.ids[i], Retry: f.retry, Timeout: f.deadline - now.Mono})
		f.done = i == f.self
		return
	}
	f.fail(now, e, ouro.Errorf(ouro.QuorumUnavailable, f.outcome(),
		"none of the %d nodes that could coordinate the request can be reached", f.n))
}

// Return takes the reply of a coordinator; false if nobody waits for it. A
// reply that says "not done" speaks for that coordinator alone, not for one
// that had the request before.
func (f *Forward) Return(now clock.Now, from ring.NodeID, err *ouro.Error) (*ouro.Error, bool) {
	if f.done || f.to < 0 || f.ids[f.to] != from {
		return nil, false
	}
	f.done = true
	if err != nil && f.write && f.retry && err.Outcome == ouro.NotDone {
		later := *err
		later.Outcome = ouro.Unknown
		return &later, true
	}
	return err, true
}

// Answer refuses every answer: a forward asks no storage.
func (f *Forward) Answer(clock.Now, ring.NodeID, *replica.Answer, *Effects) bool { return false }

// Down tells that the link to a peer fell.
func (f *Forward) Down(now clock.Now, peer ring.NodeID, e *Effects) {
	i := f.place(peer)
	if i < 0 || f.done {
		return
	}
	f.lost.add(i)
	if i != f.to {
		return
	}
	if now.Mono >= f.deadline { // nothing is passed on after its time
		f.Tick(now, e)
		return
	}
	f.state(e, fact.Silent, now, i, 0, "link lost")
	f.retry = f.retry || f.write
	f.next(now, e)
}

// Tick ends the request when its time is over.
func (f *Forward) Tick(now clock.Now, e *Effects) {
	if f.done || now.Mono < f.deadline {
		return
	}
	f.retry = f.retry || f.write
	f.state(e, fact.Silent, now, f.to, 0, f.verb)
	f.fail(now, e, ouro.Errorf(ouro.TimedOut, f.outcome(),
		"node %s did not answer the forwarded request within %v", f.ids[f.to], f.numbers.Timeout))
}

// outcome is what a failure here means: a write that was passed on may happen.
func (f *Forward) outcome() ouro.Outcome {
	if f.write && f.retry {
		return ouro.Unknown
	}
	return ouro.NotDone
}

func (f *Forward) fail(now clock.Now, e *Effects, err *ouro.Error) {
	f.done = true
	f.state(e, fact.Refused, now, -1, 0, string(err.Code))
	e.reply(Reply{Err: err, Quorum: f.numbers.quorum(0, 0, 0)})
}
