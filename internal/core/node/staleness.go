package node

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/stale"
)

// Took is how long the recent answers of a peer that has a link, or of the own disk,
// took.
type Took struct {
	ID ring.NodeID
	stale.Times
}

// Took appends to dst how long recent answers took, by id. It is counted anyway, to
// see who is late and when to hedge.
func (n *Node) Took(dst []Took) []Took {
	reads, writes := n.health.seen[reading], n.health.seen[storing]
	for _, id := range reads.Linked(nil) {
		t := Took{ID: id}
		reads.Spread(id, &t.Reads)
		writes.Spread(id, &t.Writes)
		dst = append(dst, t)
	}
	return dst
}

// Measured adds up what the shards of a node tell, for predictions.
func Measured(self ring.NodeID, took []Took) *stale.Node {
	m := &stale.Node{}
	var ids []ring.NodeID
	for i := range took {
		t := &took[i]
		to := &m.Own
		if t.ID != self {
			at := slices.Index(ids, t.ID)
			if at < 0 {
				at = len(ids)
				ids, m.Peers = append(ids, t.ID), append(m.Peers, stale.Times{})
			}
			to = &m.Peers[at]
		}
		to.Reads.Join(&t.Reads)
		to.Writes.Join(&t.Writes)
	}
	return m
}

// Holders returns the primaries of a key, in order; nil while its partition moves, and
// in a bucket of data types.
func (v *View) Holders(key ring.Key) []ring.NodeID {
	b := v.bucket(key.Bucket)
	if v.Ring == nil || v.Ring.Q() == 0 || b.Types {
		return nil
	}
	l := v.Lists(v.Ring.Partition(key.Pos), b.N)
	if l.Moving() {
		return nil
	}
	return l.Old
}
