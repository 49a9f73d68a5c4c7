package node

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

// What reads do besides answering is done sparingly: asking a second replica for
// its state, and bringing stale replicas up to date. A cluster in trouble must not
// be given more of it.

// allowance is a bucket of tokens. It begins full.
type allowance struct {
	most, left float64
}

func newAllowance(most float64) allowance { return allowance{most, most} }

func (a *allowance) add(n float64) { a.left = min(a.left+n, a.most) }

func (a *allowance) take() bool {
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

const (
	// hedgeBurst is how many hedges there may be at once, beyond their share.
	hedgeBurst = 20
	// repairHold is for how long a replica is not sent a repair of the same key
	// again: the reads that have seen it stale before would all send one.
	repairHold = time.Second
)

// hedge asks a second replica for its state where the share of reads that may do so
// is not used up.
func (n *Node) hedge(now clock.Now, s *slot, out *Out) {
	if g, ok := s.machine.(*coord.Get); ok {
		g.Hedge(now, n.hedges.take(), &n.effects)
	}
	n.drain(now, s, out)
}

// mends remembers which repairs were sent lately.
type mends struct {
	sent  map[mended]time.Duration // until when it is not sent again
	order []mended                 // a ring once it is full: the oldest is forgotten
	next  int
	bound int
	rate  float64 // a second
	may   allowance
	last  time.Duration
}

type mended struct {
	pos ring.Position
	to  ring.NodeID
}

// allow says whether a repair is to be sent: one for each key and replica at a
// time, and no more of them than the rate. What is over the rate is left to a
// later read.
func (r *mends) allow(now time.Duration, pos ring.Position, to ring.NodeID) (sent, left bool) {
	r.may.add((now - r.last).Seconds() * r.rate)
	r.last = now
	k := mended{pos, to}
	until, known := r.sent[k]
	if known && now < until {
		return false, false
	}
	if !r.may.take() {
		return false, true
	}
	if r.sent == nil {
		r.sent = map[mended]time.Duration{}
	}
	r.sent[k] = now + repairHold
	if known {
		return true, false
	}
	if len(r.order) < r.bound {
		r.order = append(r.order, k)
		return true, false
	}
	delete(r.sent, r.order[r.next])
	r.order[r.next] = k
	r.next = (r.next + 1) % r.bound
	return true, false
}

// mend sends the merged state to a stale replica, or leaves it to a later read.
// No answer is wanted, so that no read fails by it.
func (n *Node) mend(now clock.Now, s *slot, a *coord.Ask, out *Out) bool {
	sent, left := n.mends.allow(now.Mono, a.Op.Key.Pos, a.To)
	if sent || left {
		kind := fact.Repaired
		if left {
			kind = fact.RepairLeft
		}
		out.Facts = append(out.Facts, fact.Fact{Kind: kind, Ticket: s.id, At: now.Mono, Peer: string(a.To)})
	}
	return sent
}
