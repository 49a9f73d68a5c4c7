package coord

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

// A put that was sent to another coordinator before (R30) first asks all
// replicas whether they stored its request id. One that did is asked for its
// state, which is spread as a fresh write would be. The put mints only when
// none of n-w+1 primaries in the list in force knew it, or nobody else can tell: then an earlier
// write may exist at a replica that was not reached or has restarted, and the
// key gets a second version with the same request id (R31).

func (p *Put) recall(now clock.Now, e *Effects) {
	for i := range p.n {
		if p.lost.has(i) || !p.chosen.has(i) {
			continue
		}
		o := p.op(now, recallRound, i)
		o.Request = p.req.Token
		p.send(now, e, i, o)
	}
}

// recalling says that the request has not gone past asking around.
func (p *Put) recalling() bool { return !p.answered && !p.minting && !p.known }

func (p *Put) recalled(now clock.Now, i int, a *replica.Answer, e *Effects) {
	p.waiting[recallRound].remove(i)
	switch {
	case a.Found:
		p.known, p.dot = true, a.Dot
		p.waiting[recallRound] = 0
		p.state(e, fact.Known, now, i, 0, p.verb)
		o := p.op(now, fetchRound, i)
		o.Full = true
		p.send(now, e, i, o)
		return
	case a.Status == replica.Have || a.Status == replica.Absent:
		p.knew.add(i)
	}
	p.recallStep(now, e)
}

func (p *Put) recallStep(now clock.Now, e *Effects) {
	switch {
	case !p.possible():
		p.tooFew(now, e)
	case p.unsure():
		p.fail(now, e, ouro.Errorf(ouro.QuorumUnavailable, ouro.Unknown,
			"too few of the %d primaries can say whether the increment was made before: try again", p.prim))
	case (p.knew&p.old).len() >= p.old.len()-p.numbers.W+1 || p.waiting[recallRound]&^p.doubt == 0:
		p.waiting[recallRound] = 0
		p.mint(now, e)
	}
}

// unsure says that an increment can't be made, since it may have been made before
// where nobody tells (R30).
func (p *Put) unsure() bool {
	return p.req.Update != nil && p.req.Update.Act == ouro.Increment && p.waiting[recallRound]&^p.doubt == 0 &&
		(p.knew&p.old).len() < p.old.len()-p.numbers.W+1
}

// fetched has the state that holds the earlier write, durably at replica i.
func (p *Put) fetched(now clock.Now, i int, a *replica.Answer, e *Effects) {
	p.waiting[fetchRound].remove(i)
	if a.Status != replica.Have || a.State == nil {
		p.noState(now, e, i)
		return
	}
	p.ack(i, a)
	p.synced.add(i) // it was on disk before it was shown
	p.spread(now, e, a.State, a.Stamp)
	p.judge(now, e)
}

// noState ends the request where the one that knew it can't show what it stored.
func (p *Put) noState(now clock.Now, e *Effects, i int) {
	p.fail(now, e, ouro.Errorf(ouro.QuorumUnavailable, ouro.Unknown,
		"node %s has stored the request before and can't be asked for it any more: try again", p.ids[i]))
}
