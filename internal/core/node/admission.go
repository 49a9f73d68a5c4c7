package node

import (
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

// Load is what was measured since the last one, of the whole node: what clients saw of
// its engine and its queues. All of a node's shards are told the same, so that they
// share one pool of slices, each with its own part of all paces.
type Load struct{ Sample admit.Sample }

func (*Load) input() {}

// paces are those at which the kinds of background work go where nothing is in the
// way of that.
type paces struct {
	handoff, scan, repair, move, sweep, votes, scrub, archive int
	every                                                     time.Duration
}

func pacesOf(c *Config) paces {
	h, r, p := c.Handoff.Paces(), c.Repair.Paces(), c.Reap.Paces()
	return paces{
		handoff: h.Rate, scan: h.ScanRate,
		repair: r.Rate, move: r.MoveRate, every: r.Every,
		sweep: p.Rate, votes: p.Window, scrub: c.Scrub.Paces(), archive: c.ArchiveRate,
	}
}

// load takes what was measured, and tells every machine how fast it may go.
func (n *Node) load(now clock.Now, s *admit.Sample) {
	before := n.admit.Slices()
	n.admit.Take(now, s, n.busy(now))
	if n.admit.Slices() != before {
		n.grant(now)
	}
}

// busy says which kinds have something to do.
func (n *Node) busy(now clock.Now) (b admit.Busy) {
	b[admit.Handoff] = !n.handoff.Empty()
	b[admit.Transfer] = !n.transfer.Idle()
	b[admit.Repair] = n.repair.Turns()
	b[admit.Reap] = n.reaper.Busy()
	b[admit.Scrub] = n.scrub.Busy()
	b[admit.Archive] = n.archives.busy(now)
	return b
}

// grant gives every machine its share.
func (n *Node) grant(now clock.Now) {
	a, p := n.admit, &n.paces
	n.handoff.SetRate(a.Rate(admit.Handoff, p.handoff), a.Rate(admit.Handoff, p.scan))
	n.repair.SetMoveRate(now, a.Rate(admit.Transfer, p.move))
	n.repair.SetPace(now, a.Every(admit.Repair, p.every), a.Rate(admit.Repair, p.repair))
	n.scrub.SetRate(a.Rate(admit.Scrub, p.scrub))
	n.reaper.SetPace(a.Rate(admit.Reap, p.sweep), a.Rate(admit.Reap, p.votes))
	n.archives.setRate(a.Rate(admit.Archive, p.archive))
}

// setMoveRate changes what an operator allows partitions that move; 0: as much as was
// configured.
func (n *Node) setMoveRate(now clock.Now, bytes int) {
	n.paces.move = bytes
	if bytes == 0 {
		n.paces.move = pacesOf(&n.cfg).move
	}
	n.grant(now)
}

// Admission returns how much the background may use, and why.
func (n *Node) Admission() admit.Status { return n.admit.Status() }

// background says whether no client waits for an operation, by who asked for it, here
// or at a peer.
func background(op *replica.Op) bool {
	switch askerOf(op.ID) {
	case byHandoff, byRecovery, byRepair, byReaping, byTransfer:
		return true
	default:
		return op.Silent
	}
}

// tellApart marks those of some operations for the own storage that no client waits
// for. Peers' are marked where they come in.
func tellApart(ops []replica.Op) {
	for i := range ops {
		ops[i].Background = ops[i].Background || background(&ops[i])
	}
}
