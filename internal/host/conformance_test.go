package host

import (
	"testing"

	"github.com/ourodb/ouro/internal/conformance"
)

// TestConformance holds hosts to what every body of the store has to do: a
// cluster of three, one in which most nodes hold no replica of a key and forward,
// and a node that is alone.
// TestContextsOfAnotherCluster: what one cluster has sealed another does not open.
func TestContextsOfAnotherCluster(t *testing.T) {
	one := startCluster(t, []string{"a", "b", "c"}, nil)
	other := startCluster(t, []string{"a", "b", "c"}, func(cfg *Config) { cfg.ContextKey = []byte("another key of as many bytes ...") })
	conformance.RunForeign(t, one.hosts["a"], other.hosts["a"])
}

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
