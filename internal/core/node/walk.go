package node

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/ring"
)

// walked is how far the walk is looked along for a coordinator: the ring has so
// much of it at hand.
const walked = 8

// staff lists whom a request may ask: the key's primaries, which are all there is
// to say while they can be reached and this node is one of them; else those
// further down the walk too that can be reached and may stand in (paper, sections
// 4.5 and 4.6). The result is good until the next call.
func (n *Node) staff(now clock.Now, c *coord.Common, w want) []coord.Replica {
	replicas, well := n.primaries(now, c, w)
	if c.More = well && len(n.view.Ring.Nodes()) > len(replicas); well {
		return replicas
	}
	return n.standIns(now, replicas, c.Partition, w)
}

// primaries lists a key's primaries, and says whether this node is one of them
// and all are expected to answer. One that does not store is asked all the same
// now and then, to see whether it does again.
func (n *Node) primaries(now clock.Now, c *coord.Common, w want) (replicas []coord.Replica, well bool) {
	list := n.primariesOf(c)
	well = slices.Contains(list, n.view.Self)
	replicas = n.replicas[:0]
	for _, id := range list {
		r := n.replica(now, id, w)
		well = well && r.Up && !r.Doubt
		r.Probe = w != reading && r.Doubt && n.health.trial(now, id)
		replicas = append(replicas, r)
	}
	return replicas, well
}

// standIns appends the nodes beyond the primaries that can be reached, in the
// order of the walk but for those that are late, which come last; as many as a
// machine has room for, this node among them, however far down it is.
func (n *Node) standIns(now clock.Now, replicas []coord.Replica, partition uint32, w want) []coord.Replica {
	here := slices.ContainsFunc(replicas, func(r coord.Replica) bool { return r.ID == n.view.Self })
	first := len(replicas)
	n.ids = n.ids[:0]
	for i := range replicas {
		n.ids = append(n.ids, replicas[i].ID)
	}
	n.ids = n.view.StandIns(n.ids, partition, n.ids[:first], len(n.view.Ring.Nodes()))
	healthy := first // up to here they are not late
	for _, id := range n.ids[first:] {
		room := coord.MaxSlots - len(replicas)
		if !here && id != n.view.Self {
			room-- // the last place is this node's
		}
		r := n.replica(now, id, w)
		if !r.Up || room <= 0 {
			continue
		}
		here = here || id == n.view.Self
		if replicas = append(replicas, r); !r.Late {
			copy(replicas[healthy+1:], replicas[healthy:len(replicas)-1])
			replicas[healthy] = r
			healthy++
		}
	}
	return replicas
}

// extend gives a machine that asks for more nodes those further down the walk.
func (n *Node) extend(now clock.Now, s *slot, out *Out) {
	w := reading
	if _, put := s.machine.(*coord.Put); put {
		w = toStore(&s.common)
	}
	replicas, _ := n.primaries(now, &s.common, w)
	replicas = n.standIns(now, replicas, s.common.Partition, w)
	switch m := s.machine.(type) {
	case *coord.Put:
		m.Extend(now, replicas, &n.effects)
	case *coord.Get:
		m.Extend(now, replicas, &n.effects)
	}
	n.drain(now, s, out)
}

// hops lists who may coordinate a request, in order of preference: the replica
// that answered the read before it first, this node if it is a primary, the other
// primaries, and those that may stand in for them, this node among them. Those
// that are late come after the others of their kind, and last of all those that
// are not expected to answer; a node whose own disk is sick does not put a write
// first either.
func (n *Node) hops(now clock.Now, s *slot, primaries []ring.NodeID, not ring.NodeID) []coord.Replica {
	fastest := ring.NodeID(s.seen.Fastest)
	walk := n.walk(s.common.Partition, primaries)
	var rank [coord.MaxSlots]int
	hops := n.replicas[:0]
	for i, id := range walk[:min(len(walk), coord.MaxSlots)] {
		if id == not {
			continue
		}
		r := n.coordinator(now, s, id)
		at := n.rank(&r, fastest, i < len(primaries))
		if at == ranks {
			continue
		}
		j := len(hops)
		for hops = append(hops, r); j > 0 && rank[j-1] > at; j-- {
			hops[j], rank[j] = hops[j-1], rank[j-1]
		}
		hops[j], rank[j] = r, at
	}
	return hops
}

// coordinator is how a node looks to who wants it to coordinate a request.
func (n *Node) coordinator(now clock.Now, s *slot, id ring.NodeID) coord.Replica {
	w := coordinating
	r := n.replica(now, id, w)
	if s.request.Verb != Get {
		h := n.health.of(now, id, storing)
		r.Doubt, r.Late = r.Doubt || h.Suspected || id == n.view.Self && n.unstamped(), r.Late || h.Late
	}
	return r
}

// ranks is how many ranks there are of those who may coordinate.
const ranks = 7

// rank says how early one who may coordinate is asked; ranks: never.
func (n *Node) rank(r *coord.Replica, fastest ring.NodeID, primary bool) int {
	switch {
	case !r.Up && !primary:
		return ranks
	case !r.Up, r.Doubt:
		return 6
	case primary && r.Late:
		return 3
	case r.Late:
		return 5
	case !primary:
		return 4
	case r.ID == fastest:
		return 0
	case r.ID == n.view.Self:
		return 1
	default:
		return 2
	}
}

// mayCoordinate says whether this node holds a partition or may stand in for those
// that do.
func (n *Node) mayCoordinate(c *coord.Common) bool {
	return n.view.Member(n.view.Self) && !n.leaves() || slices.Contains(n.primariesOf(c), n.view.Self)
}

// primariesOf lists who holds a request's key.
func (n *Node) primariesOf(c *coord.Common) []ring.NodeID {
	list := n.view.Primaries(c.Partition, c.Most())
	if len(list) < coord.MaxSlots || slices.Contains(list, n.view.Self) {
		return list
	}
	return list[:coord.MaxSlots-1] // the last place is this node's
}

// walk returns a partition's primaries and the first that may stand in for them.
// The result is good until the next call.
func (n *Node) walk(partition uint32, primaries []ring.NodeID) []ring.NodeID {
	n.ids = append(n.ids[:0], primaries...)
	n.ids = n.view.StandIns(n.ids, partition, primaries, walked)
	return n.ids
}

// leaves says whether this node was told to leave the cluster: then it takes nothing
// for others any more, so that it comes to an end with handing on what it keeps.
func (n *Node) leaves() bool { return n.view.Ring.Index(n.view.Self) < 0 }
