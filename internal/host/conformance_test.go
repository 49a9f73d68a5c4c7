package host

import (
	"testing"

	"github.com/ourodb/ouro/internal/conformance"
)

// TestConformance holds hosts to what every body of the store has to do: a
// cluster of three, one in which most nodes hold no replica of a key and forward,
// and a node that is alone.
func TestConformance(t *testing.T) {
	for name, ids := range map[string][]string{
		"three nodes": {"a", "b", "c"},
		"five nodes":  {"a", "b", "c", "d", "e"},
		"one node":    {"a"},
	} {
		t.Run(name, func(t *testing.T) {
			c := startCluster(t, ids, nil)
			conformance.Run(t, c.hosts["a"], conformance.Limits{Value: 1 << 20, Siblings: 100})
			if len(ids) > 1 { // they write to three
				conformance.RunKeys(t, c.hosts["a"], conformance.Limits{})
				conformance.RunTypes(t, c.hosts["a"])
			}
		})
	}
}
