package sim

import (
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/sim/history"
)

// addUp checks that the leaves on a node's disk are the sums of its records. Of one
// with leaves that have rotted and were not found yet nothing can be said.
func (w *World) addUp(m *machine, when string) {
	if w.rottenLeaves(m) > 0 {
		return
	}
	if err := disk.VerifyLeaves(m.disk.Engine, replica.New(w.cfg.Replica), w.ring.Bits()); err != nil {
		w.violatef(history.Summed, "", "%s, on %s: %v", when, m.id, err)
	}
}

// Comparing makes nodes compare themselves with each other from now on, or not
// any more; a world where they do never comes to rest.
func (w *World) Comparing(on bool) { w.comparing(on) }

// comparing makes nodes compare themselves with each other from now on, or not
// any more.
func (w *World) comparing(on bool) {
	w.cfg.Compare = on
	w.tellAll(func() node.Input { return &node.Comparing{On: on} })
}

// tellAll gives every node that is up an input of its own.
func (w *World) tellAll(in func() node.Input) {
	for _, m := range w.nodes {
		if m.alive {
			w.take(m, item{input: in()})
		}
	}
}

// hints returns how many bytes nodes keep for others.
func (w *World) hints() (bytes int64) {
	for _, m := range w.nodes {
		if m.alive {
			bytes += m.runner.PendingBytes()
		}
	}
	return bytes
}
