package ouro_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// soonCompared makes nodes compare themselves at a pace for tests.
func soonCompared(cfg sim.Config) sim.Config {
	cfg.Node.Repair = repair.Config{Every: 20 * time.Millisecond, Settle: 50 * time.Millisecond, BackOff: 50 * time.Millisecond, Wait: 300 * time.Millisecond}
	return cfg
}

// agree lets nodes compare themselves until A, B and C hold the same of every
// key, and fails the test where they never do.
func (c cluster) agree(keys []ouro.Key) {
	c.t.Helper()
	c.Comparing(true)
	defer func() {
		c.Comparing(false)
		c.RunUntilIdle()
	}()
	for range 600 {
		if c.RunFor(100 * time.Millisecond); c.equal(keys) {
			return
		}
	}
	c.t.Fatal("a minute of comparisons, and replicas differ")
}

func (c cluster) equal(keys []ouro.Key) bool {
	for _, k := range keys {
		first, there := c.State("A", k)
		for _, id := range []ring.NodeID{"B", "C"} {
			if s, ok := c.State(id, k); ok != there || string(s.Append(nil)) != string(first.Append(nil)) {
				return false
			}
		}
	}
	return true
}

func manyKeys(n int) []ouro.Key {
	keys := make([]ouro.Key, n)
	for i := range keys {
		keys[i] = ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)}
	}
	return keys
}

// Replicas become equal with no read and no hint: what one of them missed, what
// was written on both sides of a cut, what was deleted meanwhile (section 4.7).
func TestPaper_4_7_ReplicasAgreeWithoutReads(t *testing.T) {
	c := newCluster(t, soonCompared(sim.Config{Buckets: numbers(3, 1, 1)}))
	keys := manyKeys(40)
	for _, k := range keys {
		c.put("A", k, "before")
	}
	c.RunUntilIdle()
	c.Cut("A", "C")
	c.Cut("B", "C")
	c.RunFor(time.Second)
	for i, k := range keys {
		switch i % 4 {
		case 0:
			c.put("A", k, "there")
		case 1:
			c.put("C", k, "here")
		case 2:
			c.put("A", k, "there")
			c.put("C", k, "here")
		case 3:
			if _, err := c.Delete("B", k, ouro.WithContext(c.get("B", k, []string{"before"}).Context)).Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Heal("A", "C")
	c.Heal("B", "C")
	c.RunFor(time.Second)
	if c.equal(keys) {
		t.Fatal("they are equal before anything was compared")
	}
	repairs := c.Stats().Repairs
	c.agree(keys)
	if c.Stats().Repairs != repairs || c.Stats().Moved == 0 {
		t.Errorf("%d read repairs, %d keys exchanged", c.Stats().Repairs-repairs, c.Stats().Moved)
	}
	for i, want := range [][]string{{"before", "there"}, {"before", "here"}, {"before", "here", "there"}, nil} {
		c.get("B", keys[i], want, ouro.R(3))
	}
}

// The exchange follows the difference: replicas that are equal exchange no key,
// whatever they hold.
func TestPaper_4_7_CostFollowsTheDifference(t *testing.T) {
	c := newCluster(t, soonCompared(sim.Config{Buckets: numbers(3, 3, 3)}))
	keys := manyKeys(300)
	for _, k := range keys {
		c.put("A", k, "v")
	}
	c.agree(keys)
	c.Comparing(true)
	c.RunFor(5 * time.Second)
	c.Comparing(false)
	c.RunUntilIdle()
	if s := c.Stats(); s.Moved != 0 || s.Agreed < 48 {
		t.Errorf("%d comparisons moved %d keys", s.Agreed, s.Moved)
	}
	c.Forget("B", keys[7])
	c.agree(keys)
	if s := c.Stats(); s.Moved < 1 || s.Moved > 3 { // each of the others may bring it
		t.Errorf("one key was missing, %d were exchanged", s.Moved)
	}
}

// Bytes that expire while a node stands still: expiry is a filter by the clock of
// who answers, so it moves no leaf, and comparing brings nothing back (RULES R36).
func TestField_17_ExpiryUnderComparison(t *testing.T) {
	b := numbers(3, 2, 2)
	b.Default.TTL = time.Minute
	c := newCluster(t, soonCompared(sim.Config{Buckets: b}))
	keys := manyKeys(10)
	for _, k := range keys[:5] {
		c.put("A", k, "v")
	}
	c.RunUntilIdle()
	c.Crash("C")
	for _, k := range keys {
		c.put("A", k, "w")
	}
	before := map[ouro.Key]causal.State{}
	for _, k := range keys {
		before[k] = c.state("A", k)
	}
	c.Jump("B", 10*time.Minute) // to B all of it has expired
	c.RunFor(30 * time.Second)
	c.Restart("C")
	c.RunFor(time.Second)
	c.agree(keys)
	for _, k := range keys {
		c.get("B", k, nil)
		if s := c.state("B", k); string(s.Append(nil)) != string(before[k].Append(nil)) {
			t.Errorf("%v: what has expired was changed", k)
		}
	}
	c.RunFor(2 * time.Minute)
	moved := c.Stats().Moved
	c.agree(keys)
	for _, k := range keys {
		for _, id := range abc {
			c.get(id, k, nil)
		}
	}
	if c.Stats().Moved != moved {
		t.Errorf("replicas exchanged %d keys when these expired", c.Stats().Moved-moved)
	}
}
