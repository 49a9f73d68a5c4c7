package sim

import (
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A disk whose reads take time holds up the node that reads: while it does nothing
// else is done there, as in the process, whose shard reads for itself. So what the
// background reads shows in how long the inputs of clients wait.

// SlowReads makes every read of a node's disk take so much longer, or that much less
// again where d is negative.
func (w *World) SlowReads(id ring.NodeID, d time.Duration) {
	w.tracef("reads of %s take %v longer", id, d)
	w.mustID(id).disk.read += d
}

// Admission returns how much a node's background work may use.
func (w *World) Admission(id ring.NodeID) admit.Status { return w.mustID(id).core.Admission() }

// govern tells a node every second what its clients saw, as package host does.
func (w *World) govern(m *machine) {
	life := m.life
	w.queue.push(event{at: w.now + time.Second, what: evCall, fn: func() {
		if !m.alive || m.life != life {
			return
		}
		w.take(m, item{input: &node.Load{Sample: m.sample}})
		m.sample = admit.Sample{}
		w.govern(m)
	}})
}

// diskClock is the time, with what the reads of this turn have taken so far.
func (w *World) diskClock(m *machine) time.Duration { return w.now + m.disk.spent }

// waited notes how long the first input of a turn had to wait.
func (w *World) waited(m *machine, first *item) {
	if w.cfg.Admit {
		m.sample.Waits.Took(w.now - first.queued)
	}
}

// read lets the time pass that the disk took in a turn.
func (w *World) read(m *machine) {
	m.busy = w.now + m.disk.spent
	m.disk.spent = 0
}
