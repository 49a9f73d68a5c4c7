package host

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// peersTimeout bounds how long the shards may take to tell how their peers look. A
// shard that stands still has nothing to say.
const peersTimeout = 250 * time.Millisecond

// peers returns how every member looks to this node: to any of its shards, since
// each sees for itself.
func (h *Host) peers() map[ring.NodeID]node.Peer {
	answers := make(chan []node.Peer, len(h.shards))
	for _, s := range h.shards {
		s.in.force(item{do: func(s *shard) { answers <- s.core.Peers(h.now(), nil) }, queued: time.Since(h.started)})
	}
	end := time.NewTimer(peersTimeout)
	defer end.Stop()
	all := map[ring.NodeID]node.Peer{}
	for range h.shards {
		select {
		case some := <-answers:
			for _, p := range some {
				all[p.ID] = addPeer(all[p.ID], p)
			}
		case <-end.C:
			return all
		}
	}
	return all
}

// addPeer adds what one shard sees of a peer to what others do.
func addPeer(all, p node.Peer) node.Peer {
	all.ID = p.ID
	all.Late = all.Late || p.Late
	all.Reads, all.Writes = max(all.Reads, p.Reads), max(all.Writes, p.Writes)
	for _, what := range p.Suspected {
		if !slices.Contains(all.Suspected, what) {
			all.Suspected = append(all.Suspected, what)
		}
	}
	slices.Sort(all.Suspected)
	return all
}
