package node

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestHotKeyIsShedAlone: of a key that has as many requests under way as it may the next
// is refused, and says so; another key is served; and the key again once there is room.
func TestHotKeyIsShedAlone(t *testing.T) {
	c := newCluster(t, 3, Config{MaxPerKey: 2, RetryAfter: time.Second})
	c.hold = func(ring.NodeID, *Send) bool { return true }
	k, other := ring.NewKey("b", "k"), ring.NewKey("b", "other")
	for range 3 {
		c.step(c.nodes[0], put(k, "v", nil))
	}
	if len(c.replies) != 1 || code(c.replies[0]) != ouro.HotKey {
		t.Fatalf("%+v", c.replies)
	}
	if e := c.replies[0].Err; e.Outcome != ouro.NotDone || e.RetryAfter != time.Second || !e.Retryable || !strings.Contains(e.Message, "b/k is a hot key: node a") {
		t.Fatalf("%+v", e)
	}
	retry := put(k, "v", nil)
	retry.Retry = true // what its first attempt did is not known here
	if c.step(c.nodes[0], retry); code(c.replies[1]) != ouro.HotKey || c.replies[1].Err.Outcome != ouro.Unknown {
		t.Fatalf("%+v", c.replies[1])
	}
	c.step(c.nodes[0], put(other, "v", nil))
	if len(c.replies) != 2 || c.nodes[0].core.InFlight() != 3 {
		t.Fatalf("the other key was refused: %+v", c.replies)
	}
	c.wait(time.Minute)
	if n := c.nodes[0].core; len(c.replies) != 5 || n.hot.UnderWay() != 0 {
		t.Fatalf("%d replies, %d counted as under way", len(c.replies), n.hot.UnderWay())
	}
	c.hold = nil
	if r := c.do("a", put(k, "v", nil)); r.Err != nil {
		t.Fatal(r.Err)
	}
	st := c.nodes[0].core.HotKeys(c.now)
	if st.Refused != 2 {
		t.Fatalf("%+v", st)
	}
}

// TestRefusedRequestsAreCountedNoMore: what is refused for another reason, or deletes
// what it has to read first, leaves no count behind.
func TestRefusedRequestsAreCountedNoMore(t *testing.T) {
	c := newCluster(t, 3, Config{MaxPerKey: 1})
	k := ring.NewKey("b", "k")
	for range 3 {
		bad := put(k, "v", nil)
		bad.HasContext, bad.Context = true, []byte("none of ours")
		if r := c.do("a", bad); code(r) != ouro.BadContext {
			t.Fatalf("%+v", r)
		}
		if r := c.do("a", put(k, "v", nil)); r.Err != nil {
			t.Fatal(r.Err)
		}
		if r := c.do("a", &Request{Verb: Delete, Key: k}); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	for _, p := range c.nodes {
		if n := p.core.hot.UnderWay(); n != 0 {
			t.Errorf("%s counts %d requests", p.id, n)
		}
	}
}

// TestHotForwardGoesToNobodyElse: a coordinator that has too many requests of a key says
// so to the node that passed one on, which tells its client and asks no third.
func TestHotForwardGoesToNobodyElse(t *testing.T) {
	c := newCluster(t, 5, Config{MaxPerKey: 1})
	k := ring.NewKey("b", "k")
	owners := c.owners(k)
	out := slices.IndexFunc(c.nodes, func(n *testNode) bool { return !slices.Contains(owners, n.id) })
	forwards := map[ring.NodeID]int{}
	c.hold = func(_ ring.NodeID, s *Send) bool {
		if s.Message.Kind == KindForward {
			forwards[s.To]++
		}
		return s.Message.Kind == KindAsk
	}
	for _, id := range owners {
		c.step(c.node(id), put(k, "v", nil)) // each has one under way
	}
	c.step(c.nodes[out], put(k, "v", nil))
	c.wait(0)
	if len(c.replies) != 1 || code(c.replies[0]) != ouro.HotKey || c.replies[0].Err.Outcome != ouro.NotDone || len(forwards) != 1 {
		t.Fatalf("%+v, forwards %v", c.replies, forwards)
	}
	if n := c.nodes[out].core.hot.UnderWay(); n != 0 {
		t.Fatalf("%d are under way at who passed it on", n)
	}
}
