package host

import (
	"fmt"
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

var _ ouro.Router = (*Host)(nil)

// Serves tells the host where clients reach a peer.
func (h *Host) Serves(peer, clients string) {
	h.links.mu.Lock()
	defer h.links.mu.Unlock()
	if h.links.serves == nil {
		h.links.serves = map[ring.NodeID]string{}
	}
	if h.links.serves[ring.NodeID(peer)] != clients {
		h.links.serves[ring.NodeID(peer)] = clients
		h.served.Add(1)
	}
}

// routes are those that a view and the addresses of peers come to, kept until there
// are others: who asks for them often costs little then.
type routes struct {
	view   *node.View
	served uint64
	told   ouro.Routes
}

// Routes implements [ouro.Router]. What it returns is shared: it must not be
// modified.
func (h *Host) Routes() ouro.Routes {
	kept, v, served := h.routes.Load(), h.view.Load(), h.served.Load()
	if kept != nil && kept.view == v && kept.served == served {
		return kept.told
	}
	told := &routes{v, served, h.findRoutes(v)}
	h.routes.Store(told)
	return told.told
}

func (h *Host) findRoutes(v *node.View) ouro.Routes {
	r := ouro.Routes{
		Cluster: h.cfg.Cluster, ClusterID: fmt.Sprintf("%016x", h.cfg.ClusterID),
		Epoch: v.Ring.Epoch(), Q: v.Ring.Q(), Nodes: []ouro.RouteNode{}, Lists: [][]int{},
	}
	if r.Q == 0 {
		return r
	}
	if v.Place != nil {
		r.Placement = v.Place.Number()
	}
	r.N, r.Buckets = ofBuckets(v, func(b node.Bucket) int { return b.N })
	r.R, r.Reads = ofBuckets(v, func(b node.Bucket) int { return max(b.R, b.PR) })
	most := r.N
	for _, n := range r.Buckets {
		most = max(most, n)
	}
	ids := takers(v)
	r.Nodes, r.Lists = h.takers(v.Self, ids), make([][]int, r.Q)
	for p := range r.Lists {
		for _, id := range v.Primaries(uint32(p), most) {
			if at := slices.Index(ids, id); at >= 0 {
				r.Lists[p] = append(r.Lists[p], at)
			}
		}
	}
	return r
}

// ofBuckets is a number of replicas: in a bucket that nobody defined, and in those that
// have another number.
func ofBuckets(v *node.View, of func(b node.Bucket) int) (n int, other map[string]int) {
	n = of(effective(v, v.Buckets.Default))
	for name, b := range v.Buckets.Named {
		if of := of(effective(v, b)); of != n {
			if other == nil {
				other = map[string]int{}
			}
			other[name] = of
		}
	}
	return n, other
}

// takers are the nodes that take requests: members, and who still holds something
// on its way out.
func takers(v *node.View) []ring.NodeID {
	var ids []ring.NodeID
	for _, n := range v.Ring.Nodes() {
		ids = append(ids, n.ID)
	}
	if v.Place != nil {
		for _, m := range v.Place.Members() {
			if !slices.Contains(ids, m.ID) {
				ids = append(ids, m.ID)
			}
		}
	}
	return ids
}

// takers are these nodes with where clients reach them.
func (h *Host) takers(self ring.NodeID, ids []ring.NodeID) []ouro.RouteNode {
	h.links.mu.Lock()
	defer h.links.mu.Unlock()
	nodes := make([]ouro.RouteNode, len(ids))
	for i, id := range ids {
		nodes[i] = ouro.RouteNode{ID: string(id), Clients: h.links.serves[id]}
		if id == self {
			nodes[i].Clients = h.cfg.Clients
		}
	}
	return nodes
}
