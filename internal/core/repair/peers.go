package repair

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

// peer is what is known of another node.
type peer struct {
	id       ring.NodeID
	repaired uint64
	failed   string
	failedAt int64
	silences uint8         // comparisons that it left without an answer since one was complete
	after    time.Duration // nothing is begun with it before, but what is asked for
}

// noAnswer is why a comparison ends where the peer is silent.
const noAnswer = "no answer"

// heard notes how a comparison with a node ended. One that is silent is left alone
// for a while, later and later: each of its partitions takes a whole wait, and the
// others' would never have their turn between so many that are marked and failed.
func (r *Repair) heard(now clock.Now, p *peer, why string) {
	switch why {
	case "":
		p.trust()
	case noAnswer:
		p.after = now.Mono + r.backOff(&p.silences)
	}
}

func (p *peer) trust() { p.silences, p.after = 0, 0 }

// backOff is for how long to leave alone what failed so many times in a row, and
// once more now.
func (r *Repair) backOff(failures *uint8) time.Duration {
	if *failures >= 16 {
		return r.cfg.MaxBackOff
	}
	*failures++
	return min(r.cfg.BackOff<<(*failures-1), r.cfg.MaxBackOff)
}

// peer returns what is known of a node, which is good until the next call.
func (r *Repair) peer(id ring.NodeID) *peer {
	i, ok := slices.BinarySearchFunc(r.peers, id, func(p peer, id ring.NodeID) int { return cmp.Compare(p.id, id) })
	if !ok {
		r.peers = slices.Insert(r.peers, i, peer{id: id})
	}
	return &r.peers[i]
}
