package node

import (
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/stale"
)

// Took is how long the recent answers of a peer, or of the own disk, took.
type Took struct {
	ID ring.NodeID
	stale.Times
}

// Took appends to dst how long recent answers took, by id. It is counted anyway, to
// see who is late and when to hedge.
func (n *Node) Took(dst []Took) []Took {
	reads, writes := n.health.seen[reading], n.health.seen[storing]
	for _, id := range reads.Known(nil) {
		t := Took{ID: id}
		reads.Spread(id, &t.Reads)
		writes.Spread(id, &t.Writes)
		dst = append(dst, t)
	}
	return dst
}
