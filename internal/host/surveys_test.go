package host

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
)

// TestReplicasAgreeWithoutReads: what a node misses while it is cut off comes to
// it by comparison, in a node of several shards too.
func TestReplicasAgreeWithoutReads(t *testing.T) {
	c := startCluster(t, []string{"a", "b", "c"}, func(cfg *Config) {
		cfg.Shards = 2
		cfg.Core.Repair.Every, cfg.Core.Repair.Wait = 2*time.Millisecond, 50*time.Millisecond
		cfg.Core.Repair.Settle, cfg.Core.Repair.BackOff = time.Millisecond, time.Millisecond
	})
	c.setCut("c", true)
	const keys = 50
	name := func(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)} }
	for i := range keys {
		if _, err := c.hosts["a"].Put(context.Background(), name(i), ouro.Value{Data: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	c.setCut("c", false)
	digest := func(id string, i int) string {
		info, err := c.hosts[id].Replica(context.Background(), name(i))
		if err != nil {
			t.Fatal(err)
		}
		return info.Status + info.Digest
	}
	for i := range keys {
		for digest("a", i) != digest("c", i) {
			time.Sleep(time.Millisecond) // the test's own limit ends this
		}
	}
	waitAgreed(t, c.hosts["a"])
	if n := repaired(t, c); n == 0 { // whoever was quicker: a, b, or c itself
		t.Error("no comparison brought anything up to date")
	}
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	if c.seen.facts[fact.Agreed] == 0 || c.seen.facts[fact.Repaired] != 0 {
		t.Errorf("%d comparisons, %d read repairs", c.seen.facts[fact.Agreed], c.seen.facts[fact.Repaired])
	}
}

// repaired returns how many keys the comparisons of all hosts brought up to date.
func repaired(t *testing.T, c *cluster) (n int64) {
	t.Helper()
	for _, h := range c.hosts {
		info, err := h.Repair(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i := range info.Peers {
			n += int64(info.Peers[i].Repaired)
		}
	}
	return n
}

// waitAgreed waits until a host has compared every partition with everybody, and
// tells of it.
func waitAgreed(t *testing.T, h *Host) {
	t.Helper()
	for {
		info, err := h.Repair(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(info.Peers) != 2 || info.Peers[0].Peer != "b" || info.Peers[0].Partitions != 16 {
			t.Fatalf("%+v", info)
		}
		b, c := info.Peers[0], info.Peers[1]
		if b.Never+c.Never+b.Marked+c.Marked == 0 {
			if b.Oldest.IsZero() || c.Oldest.IsZero() {
				t.Errorf("%+v", info)
			}
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (c *cluster) setCut(id string, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut[id] = cut
}
