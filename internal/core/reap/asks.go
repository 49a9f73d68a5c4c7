package reap

import (
	"container/heap"
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// ask asks primary i of a key.
func (r *Reaper) ask(now clock.Now, k *key, i int, op replica.Op, e *Effects) {
	r.seq++
	op.ID, op.Partition, op.Key = r.seq, k.partition, k.key
	if k.waiting == 0 {
		if k.place >= 0 {
			heap.Remove(&r.due, k.place)
		}
		r.flying = append(r.flying, k)
	}
	k.waiting++
	k.ids[i], k.at = op.ID, now.Mono+r.cfg.Wait
	r.asked[op.ID] = k
	r.send(k.primaries[i], op, e)
}

// send sends an operation to a node, or to the own storage.
func (r *Reaper) send(to ring.NodeID, op replica.Op, e *Effects) {
	if to == r.self {
		e.Ops = append(e.Ops, op)
	} else {
		e.Asks = append(e.Asks, Ask{To: to, Op: op})
	}
}

// Answer takes the answer of a primary, this node included; false if nobody waits
// for it.
func (r *Reaper) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, p Peers, e *Effects) bool {
	k := r.asked[a.ID]
	if k == nil {
		return false
	}
	i := -1
	for j, id := range k.ids {
		if id == a.ID && k.primaries[j] == from {
			i = j
		}
	}
	if i < 0 {
		return false
	}
	r.end(k, i)
	switch {
	case !k.shares:
		r.take(now, k, i, a, p, e)
	case k.step == folding:
		r.folded(now, k, a, p, e)
	default:
		r.surveyed(now, k, i, a, e)
	}
	r.Tick(now, p, e)
	return true
}

// take takes the answer of primary i about a tombstone.
func (r *Reaper) take(now clock.Now, k *key, i int, a *replica.Answer, p Peers, e *Effects) {
	switch k.step {
	case look:
		r.looked(now, k, a, p, e)
	case vote:
		r.voted(now, k, i, a, e)
	case grow, purged, folding: // nothing is asked
	case drop:
		r.dropped(now, k, i, a, e)
	}
}

// Down says that a peer can't be reached: nothing will come from it.
func (r *Reaper) Down(now clock.Now, peer ring.NodeID, p Peers, e *Effects) {
	for _, k := range slices.Clone(r.flying) {
		for i, id := range k.primaries {
			if id == peer && k.waiting > 0 && k.ids[i] != 0 {
				r.block(now, k, peer, "its link fell", e)
				break
			}
		}
	}
	r.Tick(now, p, e)
}

// silent gives up waiting for those that have not answered.
func (r *Reaper) silent(now clock.Now, k *key, e *Effects) {
	for i, id := range k.ids {
		if id != 0 {
			r.block(now, k, k.primaries[i], "it does not answer", e)
			return
		}
	}
}

// end notes that an ask is answered, or will not be.
func (r *Reaper) end(k *key, i int) {
	delete(r.asked, k.ids[i])
	k.ids[i] = 0
	if k.waiting--; k.waiting == 0 {
		at := slices.Index(r.flying, k)
		r.flying = slices.Delete(r.flying, at, at+1)
	}
}

// cancel ends every ask of a key that is under way.
func (r *Reaper) cancel(k *key) {
	for i, id := range k.ids {
		if id != 0 {
			r.end(k, i)
		}
	}
}
