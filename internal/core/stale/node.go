package stale

import (
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
//   - a read takes as long there as back, and a write takes as long there as a read, and
//     the rest of its time is the replica's sync and the way back;
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
	peers := m.known()
	return func(r *rand.Rand, t Trial) {
		// Place 0 coordinates the write, place 1 the read.
		t[0] = Replica{Ack: m.Own.Writes.Draw(r)}
		for i := 1; i < len(t); i++ {
			p := m.peer(r, peers, i-1)
			there, back := p.Reads.Draw(r)/2, p.Writes.Draw(r)
			there = min(there, back)
			t[i].Write, t[i].Ack = there, back-there
			t[i].Read, t[i].Answer = half(p.Reads.Draw(r))
			if i == 1 {
				t[0].Read, t[0].Answer = half(p.Reads.Draw(r))
				t[1].Read, t[1].Answer = 0, m.Own.Reads.Draw(r)
			}
		}
		if len(t) == 1 {
			t[0].Answer = m.Own.Reads.Draw(r)
		}
	}
}

// peer draws one that was not drawn in this trial, after so many that were, which are
// moved to the front.
func (m *Node) peer(r *rand.Rand, peers []int, drawn int) *Times {
	if drawn >= len(peers) {
		return &m.Peers[peers[r.IntN(len(peers))]]
	}
	i := drawn + r.IntN(len(peers)-drawn)
	peers[drawn], peers[i] = peers[i], peers[drawn]
	return &m.Peers[peers[drawn]]
}

func half(d time.Duration) (there, back time.Duration) { return d / 2, d - d/2 }
