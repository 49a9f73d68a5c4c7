package sim

import (
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/sim/history"
)

// addUp checks that the leaves on a node's disk are the sums of its records.
func (w *World) addUp(m *machine, when string) {
	if err := disk.VerifyLeaves(m.disk.Engine, replica.New(w.cfg.Replica), w.ring.Bits()); err != nil {
		w.violatef(history.Summed, "", "%s, on %s: %v", when, m.id, err)
	}
}
