package host

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/store/memory"
)

// TestWhoIsNoMemberSaysSo: a node that waits to be joined passes requests on. What
// only members are told it refuses at once, rather than wait for answers that never
// come: for each of a thousand partitions as long as a request may take.
func TestWhoIsNoMemberSaysSo(t *testing.T) {
	c := startCluster(t, []string{"a", "b", "c"}, nil)
	c.start("x", c.hosts["a"].view.Load().Ring, c.hosts["a"].members(), memory.New(memory.Options{}), nil)
	h, key := c.hosts["x"], ouro.Key{Bucket: "b", Name: "k"}
	for id := range c.hosts {
		if id != "x" {
			h.Up(id, 1)
			c.hosts[id].Up("x", 1)
		}
	}
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_, listed := h.Keys(t.Context(), "b", ouro.KeysQuery{})
	_, read := h.Record(t.Context(), key)
	_, peeked := h.ReplicaAt(t.Context(), "a", key)
	record, err := c.hosts["a"].Record(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	restored := h.Restore(t.Context(), key, record)
	for what, err := range map[string]error{"a list": listed, "a record": read, "a look at a replica": peeked, "a restored record": restored} {
		if ouro.CodeOf(err) != ouro.QuorumUnavailable || !strings.Contains(err.Error(), "no member of the cluster") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}
