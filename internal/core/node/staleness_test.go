package node

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/ring"
)

// A node tells how long its own disk and its peers took to answer what it asked.
func TestTookTellsOfAllThatAnswered(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("carts", "alice")
	n := c.node(c.owners(k)[0])
	for range 3 {
		c.store(n.id, k, "1")
	}
	c.do(n.id, &Request{Verb: Get, Key: k})
	all := n.core.Took(nil)
	if len(all) != 3 {
		t.Fatalf("it tells of %d nodes", len(all))
	}
	for i, took := range all {
		if took.ID != c.nodes[i].id || took.Reads.Len() != 1 || took.Writes.Len() != 3 {
			t.Errorf("%s: %d reads, %d writes", took.ID, took.Reads.Len(), took.Writes.Len())
		}
	}
}
