package coord

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

// A put is stored at the own disk first. What comes of it there, the record with
// the new version, goes to the others: as a delta where that is less, whole to who
// lacks what the delta was cut from, and without the rest of the record to who takes
// nothing as old as that any more.

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
			p.sendState(now, e, joinRound, i, parcel{u.Alone, p.stamp, u.Base})
		} else {
			p.sendState(now, e, joinRound, i, p.whole())
		}
	}
}

// parcel is a state on its way to a replica, with its epoch, and of a delta the
// claims that it was cut from (RULES R5).
type parcel struct {
	state []byte
	stamp uint64
	base  *causal.Claims
}

// whole is the record as it is here.
func (p *Put) whole() parcel { return parcel{state: p.merged, stamp: p.stamp} }

// joined takes another replica's answer to a state that was sent to it.
func (p *Put) joined(now clock.Now, r round, i int, a *replica.Answer, e *Effects) {
	switch {
	case counts(a):
		p.ack(i, a)
	case a.Status == replica.Have:
		return // received, not yet durable: it will say so
	case p.sendAlone(now, e, r, i, a), p.sendWhole(now, e, r, i, a):
		return
	default:
		p.lost.add(i)
		p.restaff(now, e)
	}
	p.waiting[r].remove(i)
	p.judge(now, e)
}

// sendState sends a state to be merged at replica i.
func (p *Put) sendState(now clock.Now, e *Effects, r round, i int, s parcel) {
	o := p.op(now, r, i)
	o.State, o.Stamp, o.Base, o.Relaxed = s.state, s.stamp, s.base, p.relaxed(i)
	if p.req.Delete || p.req.Update != nil && p.dot.IsZero() {
		o.Request = p.req.Token // no version carries it
	}
	p.send(now, e, i, o)
}

// sendAlone sends what this write did, without the rest of the record, to a node to
// which the record is too old already (RULES E2, R20); once, and only where that
// is new enough. False: it is not.
func (p *Put) sendAlone(now clock.Now, e *Effects, r round, i int, a *replica.Answer) bool {
	if r != joinRound || a.Reason != replica.Stale || p.alone < a.Stamp || p.answered {
		return false
	}
	alone := p.didAlone()
	if alone == nil {
		return false
	}
	p.waiting[joinRound].remove(i)
	p.sendState(now, e, aloneRound, i, parcel{state: alone, stamp: p.alone})
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
	p.sendState(now, e, wholeRound, i, p.whole())
	return true
}
