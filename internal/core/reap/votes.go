package reap

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// look reads the own record, unless a primary can't be reached: then it is no
// use.
func (r *Reaper) look(now clock.Now, k *key, p Peers, e *Effects) {
	k.primaries = append(k.primaries[:0], p.Primaries(k.partition, &k.key)...)
	k.ids = append(k.ids[:0], make([]uint64, len(k.primaries))...)
	own := -1
	for i, id := range k.primaries {
		if id == r.self {
			own = i
		} else if !p.Usable(id) {
			r.block(now, k, id, "it can't be reached", e)
			return
		}
	}
	if own < 0 {
		r.forget(k) // the ring has changed
		return
	}
	k.anew = false
	r.ask(now, k, own, replica.Op{Verb: replica.Read, Full: true}, e)
}

// looked takes the own record: a tombstone is this node's vote, under the epoch
// of the read.
func (r *Reaper) looked(now clock.Now, k *key, a *replica.Answer, p Peers, e *Effects) {
	switch {
	case a.Status == replica.Absent:
		r.over(now, k)
		return
	case a.Status != replica.Have:
		r.block(now, k, r.self, why(a), e)
		return
	}
	s, err := causal.DecodeState(a.State)
	if err != nil {
		r.block(now, k, r.self, err.Error(), e)
		return
	}
	due := replica.Due(&s)
	switch {
	case len(s.Versions) == 0:
	case due == 0:
		r.over(now, k) // it was written again
		return
	case due > 1 && now.Wall < due+r.cfg.Expired.Milliseconds():
		again := replica.Mortal{Partition: k.partition, Key: k.key, Due: due}
		r.forget(k)
		if !r.note(now, &again, false) {
			r.later(now)
		}
		return
	default:
		e.Purges = append(e.Purges, Purge{Partition: k.partition, Key: k.key, Context: s.Claims})
		k.step = purged
		r.retry(now, k)
		return
	}
	k.step, k.digest, k.state, k.stamp, k.votes = vote, a.Digest, a.State, a.Stamp, a.Stamp
	k.differ = k.differ[:0]
	for i, id := range k.primaries {
		if id != r.self {
			r.ask(now, k, i, replica.Op{Verb: replica.Read}, e)
		}
	}
	r.judge(now, k, e)
}

// voted takes the vote of another primary: its digest, under its epoch.
func (r *Reaper) voted(now clock.Now, k *key, i int, a *replica.Answer, e *Effects) {
	id := k.primaries[i]
	switch {
	case a.Status == replica.Have && a.Digest == k.digest:
		k.votes = max(k.votes, a.Stamp)
	case a.Status == replica.Have && a.State == nil:
		r.ask(now, k, i, replica.Op{Verb: replica.Read, Full: true}, e)
		return
	case a.Status == replica.Have:
		k.differ = append(k.differ, id)
		r.send(r.self, r.repair(k, a.State, a.Stamp), e)
	case a.Status == replica.Absent:
		k.differ = append(k.differ, id)
	default:
		r.block(now, k, id, why(a), e)
		return
	}
	r.judge(now, k, e)
}

// repair brings a state to where it is not, as a read would; nobody waits for it.
func (r *Reaper) repair(k *key, state []byte, stamp uint64) replica.Op {
	return replica.Op{Verb: replica.Join, Silent: true, Partition: k.partition, Key: k.key, State: state, Stamp: stamp}
}

// judge ends the vote once all are in. Those that hold something else are brought
// up to date; then votes are asked for again.
func (r *Reaper) judge(now clock.Now, k *key, e *Effects) {
	if k.waiting > 0 {
		return
	}
	if len(k.differ) > 0 {
		for _, id := range k.differ {
			r.send(id, r.repair(k, k.state, k.stamp), e)
		}
		r.block(now, k, k.differ[0], "it holds something else", e)
		return
	}
	// One more than the votes: the epochs of nodes may be one apart.
	k.step, k.epoch, k.failures = grow, k.votes+1, 0
	k.blocked, k.why, k.state = "", "", nil
	if r.floor > k.epoch {
		k.step = drop
		r.schedule(k, now.Mono)
		return
	}
	// The floor is one below what is durable, so that is two more.
	r.want(k.epoch+2, e)
	r.schedule(k, never)
}

func (r *Reaper) want(epoch uint64, e *Effects) {
	if epoch > r.wanted {
		r.wanted, e.Want = epoch, epoch
	}
}

// drop tells all primaries to drop the tombstone. Each judges for itself.
func (r *Reaper) drop(now clock.Now, k *key, p Peers, e *Effects) {
	for _, id := range k.primaries {
		if id != r.self && !p.Usable(id) {
			r.block(now, k, id, "it can't be reached", e)
			return
		}
	}
	k.changed, k.anew = false, false
	for i := range k.primaries {
		r.ask(now, k, i, replica.Op{Verb: replica.Drop, Digest: k.digest, Stamp: k.epoch}, e)
	}
}

// dropped takes the answer of a primary. One whose floor is not there yet is
// told once more; one that holds something else by now keeps it.
func (r *Reaper) dropped(now clock.Now, k *key, i int, a *replica.Answer, e *Effects) {
	k.changed = k.changed || a.Status == replica.Have && a.Digest != k.digest
	switch {
	case a.Status == replica.Have && !a.Found && a.Digest == k.digest:
		r.block(now, k, k.primaries[i], "it is an epoch behind", e)
	case a.Status != replica.Have && a.Status != replica.Absent:
		r.block(now, k, k.primaries[i], why(a), e)
	case k.waiting > 0:
	case k.changed:
		k.step = look
		r.retry(now, k)
	default:
		r.over(now, k)
	}
}

// maxTries bounds how often in a row a key is tried; then it is left for a
// sweep.
const maxTries = 20

// block notes who a key waits for, and tries again later.
func (r *Reaper) block(now clock.Now, k *key, id ring.NodeID, why string, e *Effects) {
	r.cancel(k)
	if k.blocked != id {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.ReapWaits, At: now.Mono, Peer: string(id), Note: why})
	}
	k.blocked, k.why = id, why
	if k.step == vote {
		k.step = look
	}
	k.state, k.held, k.told = nil, nil, nil
	r.retry(now, k)
}

func (r *Reaper) retry(now clock.Now, k *key) {
	wait := r.cfg.MaxBackOff
	if k.failures < 16 {
		wait = min(r.cfg.BackOff<<k.failures, wait)
	}
	if k.failures++; k.failures > maxTries {
		r.forget(k)
		r.later(now)
		return
	}
	r.schedule(k, now.Mono+wait)
}

func why(a *replica.Answer) string {
	if a.Status == replica.DontKnow {
		return "it is recovering"
	}
	return a.Reason.String()
}

// Backlog returns what waits to be reaped.
func (r *Reaper) Backlog() Backlog {
	var b Backlog
	for _, k := range append(slices.Clone(r.flying), r.due...) {
		if k.shares {
			b.Shares++
			continue
		}
		b.Keys++
		if k.step == grow || k.step == drop {
			b.Voted++
		}
		if b.Oldest == 0 || k.since < b.Oldest {
			b.Oldest, b.Blocked, b.Why = k.since, k.blocked, k.why
		}
	}
	return b
}
