package stale

import (
	"math"
	"math/rand/v2"
	"time"
)

// Times is how long one replica took of late to answer a coordinator.
type Times struct {
	Reads  Spread // from asking for a state until it is there
	Writes Spread // from sending a state until it is acknowledged as durable
}

// Node is what one node has measured: what it predicts is of writes that it coordinates
// and of reads that another replica of the key does. Who reads where it wrote always sees
// its own write, since a coordinator writes first to its own disk.
//
// What it can't measure it takes to be so:
//   - of the quickest round trip of a read half is the way there, and what one takes longer
//     is split between there and back anywhere, which is exact where delays have no memory;
//   - a write takes as long there as a read does, and the sync and the way back take the
//     rest of its time, so that both together are on average what was measured;
//   - a replica answers another coordinator as it answers this one, and a coordinator's
//     own disk is as fast as this node's;
//   - the other replicas of a key are any of the peers.
//
// A read that waits for a state behind a digest merges what comes meanwhile, and a repair
// may bring a write to a replica before its coordinator does. Both make reads fresher
// than is predicted, never staler.
type Node struct {
	Own   Times
	Peers []Times
}

// Known says whether there is enough to predict anything by.
func (m *Node) Known() bool {
	return m.Own.Reads.Len() > 0 && m.Own.Writes.Len() > 0 && len(m.known()) > 0
}

// known are the peers that have answered both.
func (m *Node) known() []int {
	var known []int
	for i := range m.Peers {
		if p := &m.Peers[i]; p.Reads.Len() > 0 && p.Writes.Len() > 0 {
			known = append(known, i)
		}
	}
	return known
}

// Draw returns how trials are drawn. Where fewer peers are known than a key has other
// replicas, some are drawn more than once. Only where it is [Node.Known].
func (m *Node) Draw() Draw {
	var peers []peer
	for _, i := range m.known() {
		peers = append(peers, newPeer(&m.Peers[i]))
	}
	return func(r *rand.Rand, t Trial) {
		// Place 0 coordinates the write, place 1 the read.
		t[0] = Replica{Ack: m.Own.Writes.Draw(r)}
		for i := 1; i < len(t); i++ {
			p := next(r, peers, i-1)
			t[i].Write, _ = p.Reads.split(r)
			t[i].Ack = p.rest(r)
			t[i].Read, t[i].Answer = p.Reads.split(r)
			if i == 1 {
				t[0].Read, t[0].Answer = t[i].Read, t[i].Answer
				t[1].Read, t[1].Answer = 0, m.Own.Reads.Draw(r)
			}
		}
		if len(t) == 1 {
			t[0].Answer = m.Own.Reads.Draw(r)
		}
	}
}

// peer is one of the others, with what of a write's time is not the way there: least at
// least, and of what a write takes longer than the quickest a part that is drawn. It is
// the power of a number between 0 and 1, so that its mean is what is left of the time of
// writes beside the way there; 1 where as much is left, as where syncs take always as
// long.
type peer struct {
	*Times
	least time.Duration
	power float64
}

func newPeer(t *Times) peer {
	p := peer{Times: t, least: max(t.Writes.least()-t.Reads.least()/2, 0), power: 1}
	there := float64(t.Reads.Mean()-t.Reads.least()) / 2
	if all := float64(t.Writes.Mean() - t.Writes.least()); all > 0 {
		share := min(max(1-there/all, .1), 1)
		p.power = 1/share - 1
	}
	return p
}

// rest draws how long it takes from a write's arrival until it is acknowledged.
func (p *peer) rest(r *rand.Rand) time.Duration {
	more := float64(p.Writes.Draw(r) - p.Writes.least())
	return p.least + time.Duration(more*math.Pow(r.Float64(), p.power))
}

// next draws a peer that was not drawn in this trial, after so many that were, which are
// moved to the front.
func next(r *rand.Rand, peers []peer, drawn int) *peer {
	if drawn >= len(peers) {
		return &peers[r.IntN(len(peers))]
	}
	i := drawn + r.IntN(len(peers)-drawn)
	peers[drawn], peers[i] = peers[i], peers[drawn]
	return &peers[drawn]
}

// split draws a round trip, and the ways that it consists of.
func (s *Spread) split(r *rand.Rand) (there, back time.Duration) {
	all, least := s.Draw(r), s.least()
	there = least/2 + time.Duration(r.Int64N(int64(all-least)+1))
	return there, all - there
}

// least is what it took at least.
func (s *Spread) least() time.Duration { return s.steps[0].low }
