package node

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestFastestReplierCoordinatesTheWrite(t *testing.T) { // paper, section 5 (5.9)
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.do("a", put(k, "v", nil))
	r := c.do("b", &Request{Verb: Get, Key: k}) // b answers itself first
	if w := c.do("c", put(k, "w", r.Context)); w.Coordinator != "b" {
		t.Fatalf("coordinated by %s, want b", w.Coordinator)
	}
	c.cut("c", "b")
	if w := c.do("c", put(k, "x", r.Context)); w.Coordinator != "c" {
		t.Fatalf("with b cut off: coordinated by %s, want c", w.Coordinator)
	}
}

func TestForwardIsTakenOnce(t *testing.T) { // RULES R30
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	send := func(session uint64) {
		r := put(k, "v", nil)
		r.ID = 5
		c.step(c.node("a"), &Delivery{From: "z", Session: session, Message: Message{Kind: KindForward, Request: r}})
	}
	c.hold = func(ring.NodeID, *Send) bool { return true }
	writes := func() int { return c.node("a").asked }
	send(1)
	send(1)
	if writes() != 1 {
		t.Fatalf("%d writes of one forward", writes())
	}
	send(2)
	if writes() != 2 {
		t.Fatal("a forward of a later session is another one")
	}
	r := put(k, "v", nil)
	r.ID, r.Timeout = 6, -1
	c.step(c.node("a"), &Delivery{From: "z", Session: 2, Message: Message{Kind: KindForward, Request: r}})
	if writes() != 2 {
		t.Fatal("a forward was taken after its time")
	}
}

// A node that is no primary coordinates what is passed to it: whoever did so found
// none it could reach. What it stores it owes to the primaries.
func TestForwardToAStandIn(t *testing.T) {
	c := newCluster(t, 5, Config{})
	k := ring.NewKey("b", "k")
	at := c.outsider(k)
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.Message.Kind == KindReturn }
	c.step(at, &Delivery{From: "z", Session: 1, Message: Message{Kind: KindForward, Request: put(k, "v", nil)}})
	c.flow()
	if len(c.held) != 1 {
		t.Fatalf("%d replies", len(c.held))
	}
	r := c.held[0].send.Message.Reply
	if r == nil || r.Err != nil || r.Coordinator != at.id || r.Quorum.Acks < 2 || r.Quorum.Primaries >= 4 {
		t.Fatalf("%+v", r)
	}
	c.hold = nil
	if g := c.do(c.owners(k)[0], &Request{Verb: Get, Key: k}); values(g) != "v" {
		t.Fatalf("a primary shows %q", values(g))
	}
}

// TestRetryElsewhere is trace H10 of RULES: a put is stored, its reply is lost,
// another client deletes what it wrote, and the forwarder sends it to another
// coordinator. The deleted value must not come back.
func TestRetryElsewhere(t *testing.T) {
	c := newCluster(t, 5, Config{})
	k := ring.NewKey("b", "k")
	at, owners := c.outsider(k), c.owners(k)
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.Message.Kind == KindReturn }
	r := put(k, "v", nil)
	r.Token = 7
	c.step(at, r)
	c.flow()
	if len(c.replies) != 0 {
		t.Fatal("the reply is not lost")
	}
	c.hold = nil
	if d := c.do(owners[1], &Request{Verb: Delete, Key: k}); d.Err != nil || values(d) != "v" {
		t.Fatalf("delete: %+v", d)
	}
	c.replies = nil
	c.cut(at.id, owners[0])
	c.flow()
	if len(c.replies) != 1 || c.replies[0].Err != nil {
		t.Fatalf("replies %+v", c.replies)
	}
	if g := c.do(owners[2], &Request{Verb: Get, Key: k}); code(g) != ouro.NotFound {
		t.Fatalf("the deleted value is back: %q", values(g))
	}
}

func TestForwardedReadGoesElsewhere(t *testing.T) {
	c := newCluster(t, 5, Config{})
	k := ring.NewKey("b", "k")
	at, owners := c.outsider(k), c.owners(k)
	c.do(owners[0], put(k, "v", nil))
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.Message.Kind == KindForward && s.To == owners[0] }
	c.replies = nil
	c.step(at, &Request{Verb: Get, Key: k})
	c.cut(at.id, owners[0])
	c.flow()
	if len(c.replies) != 1 || values(c.replies[0]) != "v" || c.replies[0].Coordinator != owners[1] {
		t.Fatalf("%+v", c.replies)
	}
	for _, o := range owners[1:] {
		c.cut(at.id, o)
	}
	if r := c.do(at.id, &Request{Verb: Get, Key: k}); code(r) != ouro.NotFound || r.Quorum.Primaries != 0 {
		t.Fatalf("no primary can be reached: %+v", r)
	}
	strict := ouro.Count{N: 1, Set: true}
	if r := c.do(at.id, &Request{Verb: Get, Key: k, PR: strict}); code(r) != ouro.QuorumUnavailable || r.Err.Outcome != ouro.NotDone {
		t.Fatalf("no primary can be reached, and one is wanted: %+v", r)
	}
}

func TestForwardedWriteWithoutReply(t *testing.T) {
	c := newCluster(t, 5, Config{})
	k := ring.NewKey("b", "k")
	at, owners := c.outsider(k), c.owners(k)
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.Message.Kind == KindForward }
	r := put(k, "v", nil)
	r.PW = ouro.Count{N: 1, Set: true} // so that no stand-in will do
	c.step(at, r)
	for _, o := range owners {
		c.cut(at.id, o)
	}
	if len(c.held) < 3 || c.held[0].send.Message.Request.Retry || !c.held[1].send.Message.Request.Retry {
		t.Fatalf("%d forwards", len(c.held))
	}
	if len(c.replies) != 1 || code(c.replies[0]) != ouro.QuorumUnavailable || c.replies[0].Err.Outcome != ouro.Unknown {
		t.Fatalf("%+v", c.replies)
	}
	c.replies = nil
	c.step(at, &Link{Peer: owners[0], Up: true})
	c.step(at, put(k, "v", nil))
	c.wait(3 * time.Second)
	if len(c.replies) != 1 || code(c.replies[0]) != ouro.TimedOut || c.replies[0].Err.Outcome != ouro.Unknown {
		t.Fatalf("%+v", c.replies)
	}
}

func TestFallsBackToItself(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.do("a", put(k, "v", nil))
	r := c.do("b", &Request{Verb: Get, Key: k})
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.Message.Kind == KindForward }
	w := put(k, "w", r.Context)
	w.Token = 3
	c.replies = nil
	c.step(c.node("c"), w)
	c.hold = nil
	c.cut("c", "b")
	c.flow()
	if len(c.replies) != 1 || c.replies[0].Err != nil || c.replies[0].Coordinator != "c" {
		t.Fatalf("%+v", c.replies)
	}
}
