package ouro_test

// The traces that rules about requests and hints were made against (H16 to H20),
// directed step by step in a simulated cluster. Others are in
// dynamo_paper_test.go, and beside the code that they concern.

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// H16: a version that only B has, unacknowledged, is shown by a strict read; a
// later strict read, which B has no part in, shows it too (RULES R32).
func TestRules_H16_StrictReadsAreMonotonic(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.Lose(func(from, _ ring.NodeID, m *node.Message) bool { return from == "B" && m.Kind == node.KindAsk })
	if _, err := c.Put("B", key, text("v")).Wait(); outcome(err) != ouro.Unknown {
		t.Fatalf("a put that nobody else hears of: %v", err)
	}
	c.Lose(nil)
	c.Pause("C")
	c.get("B", key, []string{"v"}, ouro.PR(2))
	c.Crash("B") // before anything that is sent after the answer
	c.Resume("C")
	c.RunFor(time.Second)
	c.get("C", key, []string{"v"}, ouro.PR(2))
}

// H17: what is stored and not synced is not shown: it may be gone after a power
// cut, and a client would have seen it (RULES R35).
func TestRules_H17_UnsyncedIsNotShown(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	for _, id := range abc {
		c.Stall(id)
	}
	put := c.Put("A", key, text("v"))
	c.RunFor(100 * time.Millisecond)
	for _, id := range abc {
		c.stores(id, key, "v")
	}
	for _, r := range []int{1, 3} {
		if res, err := c.Get("B", key, ouro.R(r)).Wait(); err == nil || len(res.Siblings) > 0 {
			t.Errorf("a read with r=%d shows %q, %v", r, shown(res), err)
		}
	}
	if _, err := put.Result(); put.Done() && err == nil {
		t.Error("the put is acknowledged")
	}
	for _, id := range abc {
		c.Unstall(id)
		c.Crash(id)
	}
	for _, id := range abc {
		c.Restart(id)
	}
	c.RunFor(time.Second)
	c.get("A", key, nil, ouro.R(3))
}

// H19: a target that takes what was kept for it, and loses it before it was
// synced, is still owed it (RULES R34).
func TestRules_H19_TargetLosesWhatItTook(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 3)})
	key := c.keyIn("A", "B", "C")
	c.Crash("A")
	c.RunFor(time.Second)
	c.put("B", key, "v")
	c.Restart("A")
	c.Stall("A")
	c.RunFor(time.Second)
	c.stores("A", key, "v") // not synced
	if c.Kept("D") == 0 {
		t.Fatal("D has forgotten what A may still lose")
	}
	c.Unstall("A")
	c.Crash("A") // before the sync that waited has been told
	c.Restart("A")
	c.RunUntilIdle()
	c.stores("A", key, "v")
	if n := c.Kept("D"); n != 0 {
		t.Errorf("D still keeps %d bytes", n)
	}
}

// H19: several targets, one of which comes back: one record, one life of its
// actor, and the others are owed it still.
func TestRules_H19_SeveralTargets(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 1, 1)})
	key := c.keyIn("A", "B", "C")
	for _, id := range abc {
		c.Crash(id)
	}
	c.RunFor(time.Second)
	seen := c.put("D", key, "v").Context
	c.put("D", key, "w", ouro.WithContext(seen))
	c.Restart("A")
	c.RunFor(15 * time.Second)
	c.stores("A", key, "w")
	if c.Kept("D") == 0 {
		t.Error("D keeps nothing for B and C")
	}
	c.Restart("B")
	c.Restart("C")
	c.RunUntilIdle()
	c.stores("B", key, "w")
	if got := c.Clock(c.state("B", key).Claims); got != "[(D,2)]" {
		t.Errorf("the clock at B is %s", got)
	}
}

// H20: a delete without context removes what a read at the same r shows, and
// lists it; what it could not see survives (RULES R6).
func TestRules_H20_DeleteWithoutContext(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("A", key, "seen", ouro.W(3))
	c.cutOff("A", "B", "C")
	c.RunFor(time.Second)
	c.put("B", key, "unseen")
	res, err := c.Delete("A", key).Wait()
	if err != nil || !slices.Equal(shown(res), []string{"seen"}) {
		t.Errorf("the delete lists %q, %v", shown(res), err)
	}
	c.healAll("A", "B", "C")
	both := c.get("C", key, []string{"unseen"}, ouro.R(3))
	// Its context covers the tombstone too: nothing comes back.
	c.put("A", key, "last", ouro.WithContext(both.Context), ouro.W(3))
	c.get("B", key, []string{"last"}, ouro.R(3))
}

// H20: an answer that shows no version has a context that covers none but the
// request's own: a put under it silences nobody.
func TestRules_H20_RefusedPutCoversNothing(t *testing.T) {
	b := numbers(3, 2, 2)
	b.Default.MaxSiblings = 2
	c := newCluster(t, sim.Config{Buckets: b})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("A", key, "1")
	own := c.put("A", key, "2")
	if ctx, err := c.Open(key, own.Context); err != nil || c.Clock(ctx.Claims) != "[+(A,2)]" {
		t.Errorf("the context of a blind put is %s, %v", c.Clock(ctx.Claims), err)
	}
	res, err := c.Put("A", key, text("3")).Wait()
	if ouro.CodeOf(err) != ouro.TooManySiblings || len(res.Context) > 0 {
		t.Errorf("a refused put has the context %x, %v", res.Context, err)
	}
	c.put("A", key, "3", ouro.WithContext(own.Context))
	c.get("C", key, []string{"1", "3"}, ouro.R(3))
}

// H21: a stamp from far in the future is joined, not refused, or replicas would
// differ for ever; and who mints after it goes beyond it, whatever its own clock
// says, so that the clock that was wrong does not hide what is written later
// (RULES R37).
func TestRules_H21_FarFutureStamp(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: lwwBuckets(3, 2, 2)})
	key := ouro.Key{Bucket: "lww", Name: "k"}
	c.Jump("A", 24*time.Hour)
	c.put("A", key, "from tomorrow", ouro.W(3))
	c.put("B", key, "after it", ouro.W(3))
	for _, id := range abc {
		c.get(id, key, []string{"after it"}, ouro.R(3))
	}
	c.RunUntilIdle()
	first := c.state("A", key)
	for _, id := range abc {
		if s := c.state(id, key); string(s.Append(nil)) != string(first.Append(nil)) {
			t.Errorf("A and %s store different states", id)
		}
	}
}
