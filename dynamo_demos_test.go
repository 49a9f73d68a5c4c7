package ouro_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// The demonstrations of failures, in the simulator; test/e2e has the same ones
// with real processes, under the same names. Those of one node and one key are
// TestPaper_4_6_2_HintedHandoff, TestPaper_4_6_5_OneNodeIsEnough and
// TestPaper_5_7_ReadRepair.

// merged is what an application makes of carts that contradict each other: all
// that is in any of them.
func merged(siblings []string) string {
	var items []string
	for _, s := range siblings {
		items = append(items, strings.Fields(s)...)
	}
	slices.Sort(items)
	return strings.Join(slices.Compact(items), " ")
}

// A cart on both sides of a partition: one side adds, the other removes. After
// it there are two siblings; the merged cart has what was added, and what was
// removed is back, as the paper says (sections 4.4 and 6).
func TestDemo_3_CartThroughAPartition(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 2)})
	cart := c.keyIn("A", "B", "C")
	c.put("A", cart, "book lamp")
	c.RunUntilIdle()
	before := c.get("B", cart, []string{"book lamp"})
	for _, left := range []ring.NodeID{"A", "D"} {
		for _, right := range []ring.NodeID{"B", "C"} {
			c.Cut(left, right)
		}
	}
	c.RunFor(time.Second)
	c.put("A", cart, "book lamp pen", ouro.WithContext(before.Context))
	c.put("B", cart, "book", ouro.WithContext(before.Context))
	c.get("D", cart, []string{"book lamp pen"})
	c.get("C", cart, []string{"book"})
	for _, left := range []ring.NodeID{"A", "D"} {
		for _, right := range []ring.NodeID{"B", "C"} {
			c.Heal(left, right)
		}
	}
	c.RunUntilIdle()
	both := c.get("D", cart, []string{"book", "book lamp pen"}, ouro.R(3))
	c.put("C", cart, merged(shown(both)), ouro.WithContext(both.Context))
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, cart, "book lamp pen")
	}
}

// Three zones, one lost whole: every replica set spans them, so that nothing
// fails, and after it all replicas are equal to the byte (section 4.6).
func TestDemo_8_ZoneLoss(t *testing.T) {
	all := nodes("A1", "A2", "B1", "B2", "C1", "C2")
	for i := range all {
		all[i].Zone = string(all[i].ID[:1])
	}
	c := newCluster(t, sim.Config{Nodes: all, Q: 16, Buckets: numbers(3, 2, 2)})
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint(i)} }
	const keys = 24
	for i := range keys {
		c.put("A1", key(i), "before")
	}
	c.Crash("B1")
	c.Crash("B2")
	for i := range keys {
		at := []ring.NodeID{"A1", "A2", "C1", "C2"}[i%4]
		seen := c.get(at, key(i), []string{"before"})
		c.put(at, key(i), "meanwhile", ouro.WithContext(seen.Context))
	}
	c.Restart("B1")
	c.Restart("B2")
	c.RunUntilIdle()
	for i := range keys {
		c.get("B1", key(i), []string{"meanwhile"}, ouro.R(3))
		c.RunUntilIdle()
		primaries := c.Preference(key(i))[:3]
		zones := map[byte]bool{}
		first := c.state(primaries[0], key(i))
		for _, id := range primaries {
			zones[id[0]] = true
			if s := c.state(id, key(i)); string(s.Append(nil)) != string(first.Append(nil)) {
				t.Errorf("key %d: %s and %s store different bytes", i, primaries[0], id)
			}
		}
		if len(zones) != 3 {
			t.Errorf("the replicas of key %d are in %d zones: %v", i, len(zones), primaries)
		}
	}
}

// A full disk takes no writes, whatever becomes of its node, and goes on
// answering reads; when there is room again it takes part as before.
func TestField_18_FullDisk(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	seen := c.put("A", key, "v1")
	c.RunUntilIdle()
	c.Fill("C")
	v2 := c.put("A", key, "v2", ouro.WithContext(seen.Context))
	c.RunUntilIdle()
	c.stores("C", key, "v1")
	if _, err := c.Put("A", key, text("v3"), ouro.WithContext(v2.Context), ouro.PW(3), ouro.W(3)).Wait(); err == nil {
		t.Error("a put with w=3 is acknowledged with one disk of three full")
	}
	c.Crash("C")
	c.Restart("C")
	c.RunUntilIdle()
	c.Crash("A")
	c.RunFor(time.Second)
	res, err := c.Get("B", key).Wait() // C is needed, and answers
	if err != nil || !slices.Contains(shown(res), "v2") && !slices.Contains(shown(res), "v3") {
		t.Errorf("a get of two with C's disk full: %q, %v", shown(res), err)
	}
	c.stores("C", key, "v1") // no repair is written either
	c.MakeRoom("C")
	c.put("B", key, "v4", ouro.WithContext(res.Context))
	c.RunUntilIdle()
	c.stores("C", key, "v4")
}

// A node loses its disk and nobody keeps a hint. It gets back all that it should
// hold from comparisons alone, with no read, and answers reads from when it has
// compared, not before (sections 4.7 and 4.6). What it costs grows with the keys.
func TestDemo_9_LostDisk(t *testing.T) {
	for _, n := range []int{50, 100, 200} {
		cfg := soonCompared(sim.Config{Buckets: numbers(3, 2, 2)})
		cfg.Runner.MaxPending = -1 // no hints
		c := newCluster(t, cfg)
		keys := manyKeys(n)
		for _, k := range keys {
			c.put("A", k, "v "+k.Name)
		}
		c.RunUntilIdle()
		c.Crash("C")
		for _, k := range keys[:n/2] {
			c.put("B", k, "w "+k.Name)
		}
		c.Wipe("C")
		c.Restart("C")
		c.RunFor(100 * time.Millisecond)
		if !c.Recovering("C") {
			t.Fatal("it has no data and does not know")
		}
		for _, at := range abc {
			if res, err := c.Get(at, keys[0], ouro.R(3), ouro.PR(3)).Wait(); err == nil || ouro.CodeOf(err) == ouro.NotFound {
				t.Errorf("a read of three at %s, of whom one has forgotten everything, shows %q, %v", at, shown(res), err)
			}
		}
		c.get("A", keys[0], []string{"v k0", "w k0"}, ouro.R(2), ouro.PR(2))
		before := c.Stats()
		c.current("C")
		after := c.Stats()
		if after.Repairs != before.Repairs || after.Handed != 0 || after.Hinted != 0 {
			t.Errorf("%d read repairs, %d hints", after.Repairs-before.Repairs, after.Hinted)
		}
		if !c.equal(keys) {
			t.Error("it counts for reads, and lacks something")
		}
		moved := after.Moved - before.Moved
		t.Logf("%d keys: %d brought, %d bytes of states in %d comparisons", n, moved, after.Exchanged-before.Exchanged, after.Agreed-before.Agreed)
		if moved < n || moved > n+n/10 {
			t.Errorf("%d keys were lost and %d were brought", n, moved)
		}
		c.get("C", keys[0], []string{"v k0", "w k0"}, ouro.R(3), ouro.PR(3))
	}
}
