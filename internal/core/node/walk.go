package node

import (
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
func (n *Node) staff(c *coord.Common) []coord.Replica {
	replicas, well := n.primaries(c)
	if c.More = well && len(n.view.Ring.Nodes()) > len(replicas); well {
		return replicas
	}
	return n.standIns(replicas, c.Partition)
}

// primaries lists a key's primaries, and says whether this node is one of them
// and all can be reached.
func (n *Node) primaries(c *coord.Common) (replicas []coord.Replica, well bool) {
	list := n.view.Ring.Preference(c.Partition, c.Numbers.N)
	well = holds(list, n.view.Self)
	replicas = n.replicas[:0]
	for _, id := range list {
		r := n.replica(id)
		well = well && r.Up
		replicas = append(replicas, r)
	}
	return replicas, well
}

// standIns appends the nodes beyond the primaries that can be reached, in the
// order of the walk, as many as a machine has room for; this node among them,
// however far down it is.
func (n *Node) standIns(replicas []coord.Replica, partition uint32) []coord.Replica {
	here := false
	for i := range replicas {
		here = here || replicas[i].ID == n.view.Self
	}
	for _, id := range n.view.Ring.Owners(partition)[len(replicas):] {
		room := coord.MaxSlots - len(replicas)
		if !here && id != n.view.Self {
			room-- // the last place is this node's
		}
		if r := n.replica(id); r.Up && room > 0 {
			replicas = append(replicas, r)
			here = here || id == n.view.Self
		}
	}
	return replicas
}

// extend gives a machine that asks for more nodes those further down the walk.
func (n *Node) extend(now clock.Now, s *slot, out *Out) {
	replicas, _ := n.primaries(&s.common)
	replicas = n.standIns(replicas, s.common.Partition)
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
// primaries, and those that may stand in for them, this node among them.
func (n *Node) hops(partition uint32, primaries []ring.NodeID, fastest ring.NodeID) []coord.Replica {
	hops := n.replicas[:0]
	if holds(primaries, fastest) && n.up[fastest] {
		hops = append(hops, n.replica(fastest))
	}
	if holds(primaries, n.view.Self) {
		hops = append(hops, n.replica(n.view.Self))
	}
	for i, id := range n.view.Ring.Preference(partition, max(walked, len(primaries))) {
		known := false
		for _, h := range hops {
			known = known || h.ID == id
		}
		if r := n.replica(id); !known && (i < len(primaries) || r.Up) {
			hops = append(hops, r)
		}
	}
	return hops
}

// mayCoordinate says whether this node is on the walk of any key.
func (n *Node) mayCoordinate() bool { return n.view.Ring.Count(n.view.Self) > 0 }
