package node

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestAnyNodeServesAnyKey(t *testing.T) { // paper, section 4.5
	c := newCluster(t, 5, Config{})
	for i := range 100 {
		k := ring.NewKey("b", string(rune('a'+i)))
		for _, n := range c.nodes {
			got := c.do(n.id, &Request{ID: 9, Verb: Get, Key: k})
			w := c.do(n.id, put(k, string(n.id), got.Context))
			if w.Err != nil {
				t.Fatalf("put at %s: %v", n.id, w.Err)
			}
			r := c.do(n.id, &Request{ID: 10, Verb: Get, Key: k})
			if r.Err != nil || values(r) != string(n.id) {
				t.Fatalf("get at %s: %q %v", n.id, values(r), r.Err)
			}
			if r.Quorum.Acks < 2 || r.ID != 10 {
				t.Fatalf("reply %+v", r)
			}
			if !slices.Contains(c.owners(k), w.Coordinator) {
				t.Fatalf("%s coordinated %v, owners %v", w.Coordinator, k, c.owners(k))
			}
		}
	}
	c.wait(time.Minute)
	for _, n := range c.nodes {
		if _, ok := n.core.Deadline(); ok || n.core.inFlight != 0 || n.core.lingering != 0 || len(n.core.slots.free) != len(n.core.slots.all) {
			t.Fatalf("node %s is not at rest: %d in flight, %d lingering", n.id, n.core.inFlight, n.core.lingering)
		}
		if len(n.core.asks.free) != len(n.core.asks.all) {
			t.Fatalf("node %s has asks of peers left", n.id)
		}
	}
}

func TestPutWaitsForW(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.Message.Kind == KindAnswer }
	c.step(c.nodes[0], put(k, "v", nil))
	c.flow()
	if len(c.replies) != 0 {
		t.Fatalf("answered with one copy: %+v", c.replies[0])
	}
	c.deliver(c.held[0])
	if len(c.replies) != 1 || c.replies[0].Err != nil || c.replies[0].Quorum.Durable != 2 {
		t.Fatalf("replies %+v", c.replies)
	}
	c.deliver(c.held[0]) // a duplicate
	c.deliver(c.held[1])
	if len(c.replies) != 1 {
		t.Fatal("answered twice")
	}
	if !has(c.facts, fact.Settled) {
		t.Fatal("nobody says that all replicas have it")
	}
}

func has(facts []fact.Fact, k fact.Kind) bool {
	for _, f := range facts {
		if f.Kind == k {
			return true
		}
	}
	return false
}

func TestReadRepair(t *testing.T) { // paper, section 5
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.To == "c" && s.Message.Op.Verb == replica.Join }
	if r := c.do("a", put(k, "v", nil)); r.Err != nil {
		t.Fatal(r.Err)
	}
	c.hold = nil
	if c.node("c").records["b/k"] != nil {
		t.Fatal("c is not stale")
	}
	if r := c.do("a", &Request{Verb: Get, Key: k}); values(r) != "v" {
		t.Fatalf("get: %+v", r)
	}
	c.wait(time.Second)
	if c.node("c").records["b/k"] == nil {
		t.Fatal("c was not repaired")
	}
	if !has(c.facts, fact.Repaired) {
		t.Fatal("nobody says so")
	}
}

func TestTimeouts(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.hold = func(_ ring.NodeID, s *Send) bool { return true }
	c.step(c.nodes[0], put(k, "v", nil))
	c.step(c.nodes[0], &Request{ID: 2, Verb: Get, Key: k})
	c.wait(2*time.Second - 1)
	if len(c.replies) != 0 {
		t.Fatal("answered too early")
	}
	c.wait(1)
	if len(c.replies) != 2 {
		t.Fatalf("%d replies", len(c.replies))
	}
	for _, r := range c.replies {
		want := ouro.Unknown
		if r.ID == 2 {
			want = ouro.NotDone
		}
		if code(r) != ouro.TimedOut || r.Err.Outcome != want {
			t.Fatalf("reply %d: %v %v", r.ID, r.Err, r.Err.Outcome)
		}
	}
}

func TestEveryBucketFitsAMachine(t *testing.T) {
	if member.MaxN > coord.MaxN {
		t.Fatalf("a bucket may have n=%d, a machine has room for %d", member.MaxN, coord.MaxN)
	}
}
