package sim

import (
	"testing"

	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestConformance holds the simulator to what every body of the store has to do, at a
// node of three and at one of five, which often holds no replica.
func TestConformance(t *testing.T) {
	for name, ids := range map[string]string{"three nodes": "ABC", "five nodes": "ABCDE"} {
		t.Run(name, func(t *testing.T) {
			var nodes []ring.Node
			for _, id := range ids {
				nodes = append(nodes, ring.Node{ID: ring.NodeID(id), Weight: 1})
			}
			w := newWorld(t, Config{Nodes: nodes})
			conformance.Run(t, w.Store("A"), conformance.Limits{Siblings: 100, Simulated: true})
		})
	}
}
