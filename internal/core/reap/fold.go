package reap

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
)

// The shares of ended actors in a number are folded into one by the first of the
// key's primaries alone, and twice by nobody (RULES R8):
//
//  1. It asks all primaries for their records. The shares that all hold, and that
//     belong to the live actor of none, are those to be folded.
//  2. It waits until nothing is taken any more that was made before: neither what
//     an earlier first primary, or an earlier run of this one, folded and lost, nor what
//     an actor of a pending record added when it was not known to have ended.
//  3. It asks all primaries again. Where all hold those shares yet, and take nothing
//     old any more either, nobody has folded one of them, and it does.
//
// Others get what it made as they get any state. The second question is what a tombstone
// does without: of that only one thing can become, wherever it is dropped.

// younger is by how many epochs everything must be younger than the votes that is taken
// when shares are folded: one as the epochs of nodes may be one apart, and one as what
// is sent alone bears the next (RULES R20).
const younger = 2

// above is in which epoch, beyond one, a node takes nothing any more that is as old.
const above = 2

// told is a primary's record and the epoch of its read.
type told struct {
	state []byte
	stamp uint64
}

// foundShares notes a key of which shares are to be folded, if this node is the one.
func (r *Reaper) foundShares(now clock.Now, m *replica.Mortal, p Peers) {
	if r.cfg.Off || !r.folds(p.Primaries(m.Partition, &m.Key)) {
		return
	}
	if !r.note(now, m, true) {
		r.later(now)
	}
}

// folds says whether this node is the one that folds for a key with some primaries.
func (r *Reaper) folds(primaries []ring.NodeID) bool {
	return len(primaries) > 0 && primaries[0] == r.self
}

// survey asks all primaries for their records.
func (r *Reaper) survey(now clock.Now, k *key, p Peers, e *Effects) {
	k.primaries = append(k.primaries[:0], p.Primaries(k.partition, &k.key)...)
	k.ids = append(k.ids[:0], make([]uint64, len(k.primaries))...)
	if !r.folds(k.primaries) {
		r.forget(k) // the ring has changed
		return
	}
	for _, id := range k.primaries {
		if id != r.self && !p.Usable(id) {
			r.block(now, k, id, "it can't be reached", e)
			return
		}
	}
	k.held, k.told = make([][]causal.Dot, len(k.primaries)), make([]told, len(k.primaries))
	if k.step == look {
		k.alive, k.votes = k.alive[:0], 0
	}
	for i := range k.primaries {
		r.ask(now, k, i, replica.Op{Verb: replica.Fold}, e)
	}
}

// surveyed takes the record of primary i.
func (r *Reaper) surveyed(now clock.Now, k *key, i int, a *replica.Answer, e *Effects) {
	id := k.primaries[i]
	switch {
	case a.Status == replica.Absent && i == 0:
		r.forget(k)
		return
	case a.Status == replica.Absent:
		r.block(now, k, id, "it holds something else", e)
		return
	case a.Status != replica.Have:
		r.block(now, k, id, why(a), e)
		return
	case k.step == drop && a.Stamp < k.epoch+above:
		r.block(now, k, id, "it is an epoch behind", e)
		return
	}
	s, err := causal.DecodeState(a.State)
	if err != nil {
		r.block(now, k, id, err.Error(), e)
		return
	}
	k.held[i], k.told[i] = typed.Shares(&s), told{a.State, a.Stamp}
	if k.step == look {
		k.votes = max(k.votes, a.Stamp)
		if !a.Dot.IsZero() {
			k.alive = append(k.alive, a.Dot.Actor)
		}
	}
	if k.waiting == 0 {
		r.compare(now, k, e)
	}
}

// compare decides what is to be folded once all records are there, and the second
// time folds it.
func (r *Reaper) compare(now clock.Now, k *key, e *Effects) {
	dots := k.dots
	k.state, k.stamp = k.told[0].state, k.told[0].stamp // the first is this node
	if k.step == look {
		own, _ := causal.DecodeState(k.state) // it was read before
		dots = typed.Ended(&own, k.alive, r.cfg.Shares)
	}
	for i, held := range k.held {
		if !contains(held, dots) {
			r.send(k.primaries[i], r.repair(k, k.state, k.stamp), e)
			r.send(r.self, r.repair(k, k.told[i].state, k.told[i].stamp), e)
			k.step = look
			r.block(now, k, k.primaries[i], "it holds something else", e)
			return
		}
	}
	k.state, k.held, k.told = nil, nil, nil
	switch {
	case len(dots) == 0:
		r.forget(k)
	case k.step == drop:
		k.step = folding
		r.ask(now, k, 0, replica.Op{Verb: replica.Fold, Dots: dots, Stamp: k.epoch}, e)
	default:
		k.dots, k.step, k.epoch, k.failures = dots, grow, k.votes+younger, 0
		k.blocked, k.why = "", ""
		r.want(k.epoch+above, e)
		r.schedule(k, never)
		r.ripe(now, k)
	}
}

// ripe goes on with a key for which nothing old is taken here any more.
func (r *Reaper) ripe(now clock.Now, k *key) {
	if k.step == grow && k.epoch < r.floor {
		k.step = drop
		r.schedule(k, now.Mono)
	}
}

// folded takes the own record after it was to fold, and sends it to the others.
func (r *Reaper) folded(now clock.Now, k *key, a *replica.Answer, p Peers, e *Effects) {
	if a.Status != replica.Have || !a.Found {
		r.block(now, k, r.self, "it holds something else", e)
		return
	}
	for _, id := range k.primaries {
		if id != r.self && p.Usable(id) {
			r.send(id, r.repair(k, a.State, a.Stamp), e)
		}
	}
	r.forget(k)
}

// contains reports whether all of some dots are among others, which are in order.
func contains(all, some []causal.Dot) bool {
	return !slices.ContainsFunc(some, func(d causal.Dot) bool {
		_, found := slices.BinarySearchFunc(all, d, causal.Dot.Compare)
		return !found
	})
}
