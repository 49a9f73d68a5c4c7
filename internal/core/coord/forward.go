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
	// Because is why the node that had the request before did not do it; nil: none
	// had it, or there is no word of it.
	Because *ouro.Error
}

// Pass hands the request to a coordinator: a peer, or this node itself.
type Pass struct {
	To      ring.NodeID
	Retry   bool          // another coordinator may have done it already
	Timeout time.Duration // what is left
	Within  time.Duration // after which it goes to another; 0: to nobody
}

// Forward hands a request to the first of its coordinators that can be reached.
// If the link to it falls, it is silent for too long or its own disk refuses, the
// request goes to the next one, a write marked as a retry unless it is certain
// that the first did not do it (R30). The word of one that answers late counts as
// long as nobody else has given one.
type Forward struct {
	common
	write, retry bool
	to           int // who had the request last
	had          set // have had it
	open         set // of these, may still reply
	because      *ouro.Error
}

// Start begins a request. Coordinators are in order of preference; this node
// may be among them.
func (f *Forward) Start(now clock.Now, r *ForwardRequest, coordinators []Replica, e *Effects) {
	*f = Forward{write: r.Write, retry: r.Retry, because: r.Because, to: -1}
	f.start(now, &r.Common, coordinators, "forward")
	f.next(now, e)
}

// next passes the request on to the first coordinator that can be reached and has
// not had it.
func (f *Forward) next(now clock.Now, e *Effects) {
	rest := f.everyone() &^ (f.lost | f.had)
	f.patient = 0
	switch {
	case rest != 0:
		f.pass(now, e, rest)
	case f.open == 0:
		f.fail(now, e, f.refusal())
	}
}

func (f *Forward) pass(now clock.Now, e *Effects, rest set) {
	i := rest.first()
	f.to = i
	f.had.add(i)
	f.open.add(i)
	left := f.deadline - now.Mono
	f.at[i] = now.Mono
	f.state(e, fact.Forwarded, now, i, 0, "")
	p := Pass{To: f.ids[i], Retry: f.retry, Timeout: left}
	f.done = i == f.self
	if within := f.within(); rest.len() > 1 && within > 0 && within < left {
		p.Within, f.patient = within, now.Mono+within
	}
	e.Passes = append(e.Passes, p)
}

// within is for how long one coordinator is waited for while there are others. Where
// all are doubted the first of them is not trusted with all the time either.
func (f *Forward) within() time.Duration {
	if f.patience > 0 {
		return f.patience
	}
	return f.doubted
}

// refusal is what is told where nobody is left who could coordinate.
func (f *Forward) refusal() *ouro.Error {
	if f.because == nil {
		return ouro.Errorf(ouro.QuorumUnavailable, f.outcome(), "none of the %d nodes that could coordinate the request can be reached", f.n)
	}
	return f.told(f.because)
}

// told is a coordinator's error as the client sees it. One that says "not done"
// speaks for itself alone, not for those that had the request before.
func (f *Forward) told(err *ouro.Error) *ouro.Error {
	if err == nil || !f.write || !f.retry || err.Outcome != ouro.NotDone {
		return err
	}
	later := *err
	later.Outcome = ouro.Unknown
	return &later
}

// Return takes the reply of a coordinator. It says whether the reply was waited
// for, and if that ends the request, with which error. Another says that the error
// is worth asking another, whatever it is.
func (f *Forward) Return(now clock.Now, from ring.NodeID, err *ouro.Error, another bool, e *Effects) (told *ouro.Error, end, ok bool) {
	i := f.place(from)
	if f.done || i < 0 || !f.open.has(i) {
		return nil, false, false
	}
	f.took = now.Mono - f.at[i]
	f.open.remove(i)
	if !another && !elsewhere(err) || now.Mono >= f.deadline {
		f.done = true
		f.retry = f.retry || f.write && f.open != 0
		return f.told(err), true, true
	}
	f.because = err
	f.retry = f.retry || f.write && err.Outcome != ouro.NotDone
	f.state(e, fact.Refused, now, i, 0, string(err.Code))
	if i == f.to || f.open == 0 {
		f.next(now, e)
	}
	return nil, false, true
}

// elsewhere says that an error is that of one node, and not of the request: it is
// worth asking another.
func elsewhere(err *ouro.Error) bool {
	return err != nil && (err.Code == ouro.Overloaded || err.Code == ouro.DiskFull || err.Code == ouro.Internal)
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
	if !f.open.has(i) {
		return
	}
	f.open.remove(i)
	f.retry = f.retry || f.write
	if now.Mono >= f.deadline { // nothing is passed on after its time
		f.Tick(now, e)
		return
	}
	f.state(e, fact.Silent, now, i, 0, "link lost")
	if i == f.to || f.open == 0 {
		f.next(now, e)
	}
}

// Tick passes the request on where its coordinator is silent for too long, and
// ends it when its time is over.
func (f *Forward) Tick(now clock.Now, e *Effects) {
	switch {
	case f.done:
		return
	case now.Mono >= f.deadline:
	case f.patient != 0 && now.Mono >= f.patient:
		f.retry = f.retry || f.write
		f.state(e, fact.Silent, now, f.to, 0, f.verb)
		f.next(now, e)
		return
	default:
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
