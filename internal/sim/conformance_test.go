package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/core/node"
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
			cfg := Config{Nodes: nodes}
			cfg.Buckets.Named = map[string]node.Bucket{conformance.TypesBucket: {N: 3, R: 2, W: 2, Timeout: time.Second, Types: true}}
			w := newWorld(t, cfg)
			conformance.Run(t, w.Store("A"), conformance.Limits{Siblings: 100, Simulated: true})
			conformance.RunKeys(t, w.Store("A"), conformance.Limits{Simulated: true})
			conformance.RunTypes(t, w.Store("A"))
		})
	}
}
