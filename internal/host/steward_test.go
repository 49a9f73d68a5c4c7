package host

import (
	"context"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
)

// reapFast makes epochs and votes fast enough to be waited for.
func reapFast(shards int) func(*Config) {
	return func(c *Config) {
		c.Shards = shards
		c.Steward.Epochs.Every, c.Steward.Epochs.Tell = 20*time.Millisecond, 5*time.Millisecond
		c.Core.Reap.Delay, c.Core.Reap.BackOff = 5*time.Millisecond, 10*time.Millisecond
	}
}

// until waits for as long as the test may take.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

// away cuts a host off, or lets it come back.
func (c *cluster) away(id string, on bool) {
	c.mu.Lock()
	c.cut[id] = on
	c.mu.Unlock()
	for peer, h := range c.hosts {
		if peer == id {
			continue
		}
		if on {
			h.Down(id)
			c.hosts[id].Down(peer)
		} else {
			h.Up(id, 1)
			c.hosts[id].Up(peer, 1)
		}
	}
}

func statusAt(h *Host, key ouro.Key) string {
	info, err := h.Replica(context.Background(), key)
	if err != nil {
		return err.Error()
	}
	return info.Status
}

// One steward keeps the epoch of all shards: a tombstone goes whichever shard it
// is in, at every node, and what is written afterwards stays.
func TestTombstonesGoFromAllShards(t *testing.T) {
	for _, shards := range []int{1, 3} {
		c := startCluster(t, []string{"a", "b", "c"}, reapFast(shards))
		ctx := context.Background()
		keys := make([]ouro.Key, 20)
		for i := range keys {
			keys[i] = ouro.Key{Bucket: "b", Name: string(rune('a' + i))}
			put, err := c.hosts["a"].Put(ctx, keys[i], ouro.Value{Data: []byte("milk")}, ouro.W(3))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.hosts["b"].Delete(ctx, keys[i], ouro.WithContext(put.Context), ouro.W(3)); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "the reaping of all", func() bool {
			for _, h := range c.hosts {
				if st := h.Status().Reaping; st.Epoch < 3 || st.Keys != 0 {
					return false
				}
				for _, k := range keys {
					if statusAt(h, k) != "absent" {
						return false
					}
				}
			}
			return true
		})
		if _, err := c.hosts["c"].Put(ctx, keys[0], ouro.Value{Data: []byte("bread")}); err != nil {
			t.Fatal(err)
		}
		res, err := c.hosts["a"].Get(ctx, keys[0])
		if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "bread" {
			t.Errorf("%d shards: created again: %v, %v", shards, res.Siblings, err)
		}
	}
}

// While a member cannot be reached nothing is reaped, and status says for whom it
// waits.
func TestReapingWaitsForWhoIsAway(t *testing.T) {
	c := startCluster(t, []string{"a", "b", "c"}, reapFast(2))
	ctx := context.Background()
	key := ouro.Key{Bucket: "b", Name: "k"}
	put, err := c.hosts["a"].Put(ctx, key, ouro.Value{Data: []byte("milk")}, ouro.W(3))
	if err != nil {
		t.Fatal(err)
	}
	c.away("c", true)
	if _, err := c.hosts["a"].Delete(ctx, key, ouro.WithContext(put.Context)); err != nil {
		t.Fatal(err)
	}
	until(t, "a word about c", func() bool {
		for _, id := range []string{"a", "b"} {
			for _, by := range c.hosts[id].Status().Reaping.HeldBy {
				if by == "c" {
					return true
				}
			}
		}
		return false
	})
	if got := statusAt(c.hosts["a"], key); got != "have" {
		t.Errorf("with c away the tombstone is %s", got)
	}
	c.away("c", false)
	until(t, "the reaping", func() bool {
		return statusAt(c.hosts["a"], key) == "absent" && statusAt(c.hosts["b"], key) == "absent" && statusAt(c.hosts["c"], key) == "absent"
	})
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	if c.seen.facts[fact.Reaped] < 3 {
		t.Error("it was not stated")
	}
}
