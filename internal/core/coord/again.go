package coord

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
)

// A machine acts under the number of the lists that it was started with, and all
// that it counts was counted under that number (RULES R15). When the lists of its
// partition change it begins again, and nothing it was told before counts: an
// acknowledgement of the old lists may be of one that nobody will ask any more.
//
// A machine that has stored nothing is started anew by its owner, with all that
// follows from the new lists. One whose own disk was asked to mint waits for the
// answer, since a version must not be minted twice, and then brings what it has
// to everybody in the new lists.

// Outdated tells that the lists have changed. Effects.Again follows, at once or
// when the own disk has answered, or the reply, or the machine is only waiting for
// what does not matter any more.
func (p *Put) Outdated(e *Effects) {
	switch {
	case p.done || p.answered:
	case p.minting && p.merged == nil:
		p.outdated = true
	default:
		e.Again = true
	}
}

// Outdated tells that the lists have changed: a read that has not answered has
// done nothing that could not be done once more.
func (g *Get) Outdated(e *Effects) { e.Again = !g.done && !g.answered }

// Outdated tells that the lists have changed: who has the request goes on with it,
// and whoever is asked next is one of the new lists.
func (f *Forward) Outdated(e *Effects) { e.Again = !f.done }

// Reroute takes other coordinators in the stead of those that have not had the
// request, in answer to Effects.Again.
func (f *Forward) Reroute(r *Common, coordinators []Replica) {
	old := *f
	f.n, f.self, f.to = 0, -1, -1
	f.lost, f.doubt, f.slow, f.tried, f.had, f.open = 0, 0, 0, 0, 0, 0
	for i := range old.n {
		if !old.had.has(i) {
			continue
		}
		j := f.n
		f.add(&Replica{ID: old.ids[i], Up: !old.lost.has(i)}, r.Self)
		f.at[j] = old.at[i]
		f.had.add(j)
		if old.open.has(i) {
			f.open.add(j)
		}
		if i == old.to {
			f.to = j
		}
	}
	for i := range coordinators {
		if f.place(coordinators[i].ID) < 0 {
			f.add(&coordinators[i], r.Self)
		}
	}
}

// Stored says whether a put has stored something, or found it stored, so that it
// goes on by Again.
func (p *Put) Stored() bool { return p.merged != nil }

// Again goes on with a put at the lists in force, in answer to Effects.Again, if
// it has Stored something. The ticket is another one, so that answers to what was
// asked before meet nobody. This node need not be in the list.
func (p *Put) Again(now clock.Now, r *Common, replicas []Replica, e *Effects) {
	had := *p
	*p = Put{
		req: had.req, begun: true, minting: had.minting, applied: had.applied, known: had.known,
		dot: had.dot, merged: had.merged, stamp: had.stamp, alone: had.alone,
	}
	if u := had.updated; u != nil { // the whole record goes to all
		whole := *u
		whole.Base = nil
		p.updated = &whole
	}
	p.start(now, r, replicas, had.verb)
	p.state(e, fact.Restarted, now, -1, 0, p.verb)
	p.enlist(now, e, pw, 0)
	p.join(now, e, p.chosen&^p.lost)
	p.judge(now, e)
}
