package node

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
)

// drain carries out what a machine wants and keeps its slot in order.
func (n *Node) drain(now clock.Now, s *slot, out *Out) {
	e := &n.effects
	for i := range e.Asks {
		n.ask(now, s, &e.Asks[i], out)
	}
	n.collect(s, e.Facts)
	out.Facts = append(out.Facts, e.Facts...)
	replied, reply, more, hedge, again := e.Replied, e.Reply, e.More, e.Hedge, e.Again
	passes := len(e.Passes)
	var pass coord.Pass
	if passes > 0 {
		pass = e.Passes[0]
	}
	e.Reset()
	if passes > 0 && n.pass(now, s, pass, out) {
		return
	}
	if replied && reply.Elsewhere > 0 && n.elsewhere(now, s, &reply, out) {
		return
	}
	if replied {
		n.replied(now, s, &reply, out)
	}
	if again && !s.machine.Done() {
		n.again(now, s, out)
		return
	}
	if more && !s.machine.Done() {
		n.extend(now, s, out)
		return
	}
	if hedge && !s.machine.Done() {
		n.hedge(now, s, out)
		return
	}
	n.retire(now, s, out)
}

// ask has a replica asked what a machine wants to know of it or to be done there: this
// node's own storage, or that of another.
func (n *Node) ask(now clock.Now, s *slot, a *coord.Ask, out *Out) {
	if a.Op.Silent && !n.mend(now, s, a, out) {
		return
	}
	n.health.asked(now, a.To, &a.Op)
	switch {
	case a.To == n.view.Self:
		n.own(&a.Op)
		out.Ops = append(out.Ops, a.Op)
	case n.tooOld(&a.Op):
		drop(now, out, a.To, "a state that is too old for anybody was not sent")
	default:
		out.Sends = append(out.Sends, Send{To: a.To, Message: askOf(s, a)})
	}
}

// askOf is the message by which a request asks a peer. A repair that nobody counts
// is taken under any lists (RULES R15).
func askOf(s *slot, a *coord.Ask) Message {
	m := Message{Kind: KindAsk, Partition: a.Op.Partition, Number: s.common.Number, Op: a.Op}
	if a.Op.Silent {
		m.Number = 0
	}
	return m
}

// collect keeps the facts of a request that is to be explained.
func (n *Node) collect(s *slot, facts []fact.Fact) {
	if !s.common.Explain || s.answered {
		return
	}
	s.explain = append(s.explain, facts[:min(len(facts), n.cfg.MaxExplain-len(s.explain))]...)
}

// retire frees the slot of a machine that has nothing left to do, and cuts
// short one that lingers beyond the bound.
func (n *Node) retire(now clock.Now, s *slot, out *Out) {
	done := s.machine == nil || s.machine.Done()
	if !done && s.answered && n.lingering > n.cfg.MaxInFlight {
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.Dropped, Ticket: s.id, At: now.Mono, Note: "too many requests wait for late answers"})
		done = true
	}
	if !done {
		n.slots.schedule(s)
		return
	}
	if s.answered {
		n.lingering--
	}
	n.slots.release(s)
}

// giveUp ends a request whose machine has not, or that has none.
func (n *Node) giveUp(now clock.Now, s *slot, err *ouro.Error, out *Out) {
	n.finish(s, Reply{Coordinator: n.view.Self, Err: err}, out)
	s.machine = nil
	n.retire(now, s, out)
}

// replied takes the reply of a machine.
func (n *Node) replied(now clock.Now, s *slot, r *coord.Reply, out *Out) {
	if s.reading {
		s.reading = false
		n.deleteRead(now, s, r, out)
		return
	}
	if s.request.Local {
		n.finish(s, n.said(s, r), out)
		return
	}
	if s.request.archived() {
		n.archives.passed(now, len(r.Record)+len(s.request.Record))
	}
	n.finish(s, n.public(s, r), out)
}

// public turns a machine's reply into the client's: its context sealed, its
// coordinator named, what a delete without context removed added.
func (n *Node) public(s *slot, r *coord.Reply) Reply {
	p := Reply{Err: r.Err, Siblings: r.Siblings, Changed: r.Changed, Quorum: r.Quorum, Coordinator: n.view.Self, Record: r.Record}
	found := r.Known && s.removed != nil
	if r.HasContext && !found {
		p.Context = n.cfg.Sealer.Seal(s.common.Key.Bucket, s.common.Key.Name, r.Context)
	}
	if s.removed != nil && r.Err == nil && !found {
		p.Siblings = s.removed
	}
	return p
}

// finish gives a request its one reply. Its slot lingers until its machine is
// done.
func (n *Node) finish(s *slot, p Reply, out *Out) {
	if s.common.Explain {
		p.Explain = append(append([]fact.Fact(nil), s.explain...), p.Explain...)
	}
	n.reply(s.request, s.origin, p, out)
	s.answered = true
	s.request = nil
	n.inFlight--
	if !s.origin.internal {
		n.hot.End(s.common.Key.Pos)
	}
	n.lingering++
}

// refuse answers a request that got no slot.
func (n *Node) refuse(now clock.Now, r *Request, to origin, err *ouro.Error, out *Out) {
	n.reply(r, to, Reply{Err: err, Coordinator: n.view.Self}, out)
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.Refused, At: now.Mono, Note: string(err.Code)})
}

func (n *Node) reply(r *Request, to origin, p Reply, out *Out) {
	if to.internal {
		return
	}
	p.ID = to.id
	if p.Err != nil {
		p.Err = n.adjust(r, p.Err)
	}
	if to.from == "" {
		out.Replies = append(out.Replies, p)
		return
	}
	n.send(out, to.from, Message{Kind: KindReturn, Partition: to.part, Number: n.view.Number(to.part), Reply: &p})
}

// adjust says when to come back where there was too much to do, and does not say "not done"
// of a write that another coordinator may have done (R31).
func (n *Node) adjust(r *Request, err *ouro.Error) *ouro.Error {
	wait := (err.Code == ouro.Overloaded || err.Code == ouro.HotKey) && err.RetryAfter == 0
	doubt := r.Retry && r.Verb != Get && err.Outcome == ouro.NotDone
	if !wait && !doubt {
		return err
	}
	e := *err
	if wait {
		e.RetryAfter = n.cfg.RetryAfter
	}
	if doubt {
		e.Outcome = ouro.Unknown
	}
	return &e
}
