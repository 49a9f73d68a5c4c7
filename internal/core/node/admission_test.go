package node

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestReadsOfPeers: what a peer asks for a client is told apart from what it asks to
// compare, to hand over or to reap.
func TestReadsOfPeers(t *testing.T) {
	c := newCluster(t, 3, Config{})
	for by, want := range map[asker]bool{0: false, byProbe: false, byListing: false, byRepair: true, byHandoff: true, byReaping: true, byRecovery: true, byTransfer: true} {
		n := c.nodes[0]
		var out Out
		op := replica.Op{ID: by.mark(7), Verb: replica.Read, Key: ring.NewKey("b", "k")}
		n.core.Step(c.now, &Delivery{From: "b", Session: 1, Message: Message{Kind: KindAsk, Op: op}}, &out)
		if len(out.Ops) != 1 || out.Ops[0].Background != want {
			t.Errorf("asked by %d: %+v", by, out.Ops)
		}
		op.Background = true
		out.Reset()
		n.core.Step(c.now, &Delivery{From: "b", Session: 1, Message: Message{Kind: KindAsk, Op: op}}, &out)
		if !out.Ops[0].Background {
			t.Errorf("asked by %d for an archive: %+v", by, out.Ops)
		}
	}
}
