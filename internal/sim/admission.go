package sim

import (
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
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
		if !m.alive || m.life != life || !w.cfg.Admit {
			return
		}
		w.take(m, item{input: &node.Load{Sample: m.sample}})
		m.sample = admit.Sample{}
		w.govern(m)
	}})
}

// pacePatience is within what time nodes must do all at full pace again once their disks
// are well: what was slow is in the window, and then near to where it was too much a pool
// grows by a slice every four seconds.
const pacePatience = 5 * time.Minute

// ungovern checks that where disks are well nodes do what they do in the background at
// full pace again, and holds nothing back from then on.
func (w *World) ungovern() {
	if !w.cfg.Admit || w.broken != nil {
		return
	}
	for _, m := range w.nodes {
		w.stats.Shrunk += int(m.core.Admission().Shrunk)
	}
	for end := w.now + pacePatience; w.broken == nil; w.RunFor(time.Second) {
		slow := w.slowest()
		if slow == nil {
			break
		}
		if w.now >= end {
			w.violatef(history.Grown, "", "%s goes at %+v in the background, five minutes after its disk was well", slow.id, slow.core.Admission())
		}
	}
	w.cfg.Admit = false
}

// slowest is a node that holds something back; nil: none does.
func (w *World) slowest() *machine {
	for _, m := range w.nodes {
		if m.alive {
			if s := m.core.Admission(); s.Pool < s.Most {
				return m
			}
		}
	}
	return nil
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
