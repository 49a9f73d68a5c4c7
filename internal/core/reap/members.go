package reap

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Members takes the members of the cluster. Who was never heard of has shown
// nothing and holds up the others; those there are at the start have shown the
// epoch before this node's own, or it would not be in it. That must be known: it
// tells one that was put on an old copy of its disk while all others were down. A
// node in epoch 0 knows nothing: its disk may be so old a copy that what all have
// shown since is not on it. Who becomes a member itself takes the epoch that it has
// heard of before: it is told no second time, and what it mints must not be older.
func (e *Epochs) Members(now clock.Now, ids []ring.NodeID, out *EpochEffects) {
	was := index(e.members, e.self) >= 0
	e.count(ids)
	if !was && e.known {
		e.adopt(now, e.furthest(), out)
	}
}

func (e *Epochs) count(ids []ring.NodeID) {
	before := e.members
	e.members = nil
	for _, id := range ids {
		k := known{Shown: Shown{Node: id}}
		if before == nil {
			k.Epoch, k.heard = e.floor(), e.durable.Epoch > 0
		}
		if i := index(before, id); i >= 0 {
			k = before[i]
		}
		if id == e.self {
			k.Epoch, k.heard = e.durable.Epoch, true
		}
		e.members = append(e.members, k)
	}
}

func index(all []known, id ring.NodeID) int {
	return slices.IndexFunc(all, func(k known) bool { return k.Node == id })
}

// listed returns what is told of a member, -1 where it is nothing.
func listed(all []Shown, id ring.NodeID) int {
	return slices.IndexFunc(all, func(s Shown) bool { return s.Node == id })
}

// lowest is the lowest epoch that all members have shown, the floor of the
// cluster; highest is the highest that any has.
func (e *Epochs) lowest() uint64 {
	low := e.durable.Epoch
	for _, m := range e.members {
		low = min(low, m.Epoch)
	}
	return low
}

func (e *Epochs) highest() uint64 {
	high := e.durable.Epoch
	for _, m := range e.members {
		high = max(high, m.Epoch)
	}
	return high
}

// furthest is a member that has shown the highest epoch.
func (e *Epochs) furthest() ring.NodeID {
	at := slices.IndexFunc(e.members, func(k known) bool { return k.Epoch == e.highest() })
	if at < 0 {
		return e.self
	}
	return e.members[at].Node
}
