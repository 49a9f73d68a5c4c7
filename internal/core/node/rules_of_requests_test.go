package node

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// outsider returns the first in line of those that hold no replica of a key.
func (c *cluster) outsider(k ring.Key) *testNode {
	c.t.Helper()
	r := c.nodes[0].core.view.Ring
	all := r.Preference(r.Partition(k.Pos), len(c.nodes))
	if len(all) <= 3 {
		c.t.Fatal("every node is a replica")
	}
	return c.node(all[3])
}

func (c *cluster) cut(at, peer ring.NodeID) { c.step(c.node(at), &Link{Peer: peer}) }

func TestStaleContextMakesSiblings(t *testing.T) { // paper, section 2.3
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	first := c.do("a", put(k, "1", nil))
	c.do("b", put(k, "2", first.Context))
	c.do("c", put(k, "3", first.Context))
	r := c.do("a", &Request{Verb: Get, Key: k})
	if v := values(r); v != "2,3" && v != "3,2" {
		t.Fatalf("siblings %q", v)
	}
	c.do("b", put(k, "4", r.Context))
	if r := c.do("c", &Request{Verb: Get, Key: k}); values(r) != "4" {
		t.Fatalf("after the merge: %q", values(r))
	}
}

func TestPutContextIsHonest(t *testing.T) { // RULES R6, H6
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.do("a", put(k, "1", nil))
	blind := c.do("a", put(k, "2", nil))
	c.do("a", put(k, "3", blind.Context)) // has seen 2, never 1
	if r := c.do("b", &Request{Verb: Get, Key: k}); values(r) != "1,3" {
		t.Fatalf("siblings %q, want 1 and 3", values(r))
	}
}

func TestContextsAreChecked(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	good := c.do("a", put(k, "1", nil)).Context
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 1
	for name, bad := range map[string][]byte{
		"empty": {}, "truncated": good[:len(good)-1], "altered": flipped,
		"of another key": c.do("a", put(ring.NewKey("b", "other"), "1", nil)).Context,
	} {
		r := c.do("a", &Request{Verb: Put, Key: k, Context: bad, HasContext: true})
		if code(r) != ouro.BadContext || r.Err.Outcome != ouro.NotDone {
			t.Errorf("%s context: %v", name, r.Err)
		}
	}
}

func TestImpossibleNumbersAreRefused(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	four := ouro.Count{N: 4, Set: true}
	for name, r := range map[string]*Request{
		"r": {Verb: Get, R: four}, "w": {Verb: Put, W: four}, "pr": {Verb: Get, PR: four},
		"pw": {Verb: Put, PW: four}, "dw": {Verb: Put, DW: four}, "timeout": {Verb: Put, Timeout: 24 * time.Hour},
		"w=0": {Verb: Put, W: ouro.Count{Set: true}},
	} {
		r.Key = k
		got := c.do("a", r)
		if code(got) != ouro.BadRequest || !strings.Contains(got.Err.Message, strings.TrimSuffix(name, "=0")) {
			t.Errorf("%s: %v", name, got.Err)
		}
	}
	if len(c.nodes[0].records) != 0 {
		t.Fatal("something was stored")
	}
}

func TestNotFound(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	if r := c.do("a", &Request{Verb: Get, Key: k}); code(r) != ouro.NotFound || r.Context != nil {
		t.Fatalf("never stored: %+v", r)
	}
	w := c.do("a", put(k, "v", nil))
	if d := c.do("a", &Request{Verb: Delete, Key: k, Context: w.Context, HasContext: true}); d.Err != nil {
		t.Fatal(d.Err)
	}
	r := c.do("b", &Request{Verb: Get, Key: k})
	if code(r) != ouro.NotFound || r.Context == nil || len(r.Siblings) != 0 {
		t.Fatalf("deleted: %+v", r)
	}
	if w := c.do("b", put(k, "again", r.Context)); w.Err != nil {
		t.Fatal(w.Err)
	}
}

func TestDeleteWithoutContext(t *testing.T) { // RULES R6, H20
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.do("a", put(k, "1", nil))
	c.do("b", put(k, "2", nil))
	// A write arrives between what the delete reads and what it removes.
	n := c.node("a")
	n.fail = func(op *replica.Op) (replica.Answer, bool) {
		if op.Verb == replica.Write && op.Mint.Delete {
			n.fail = nil
			c.step(n, put(k, "3", nil))
		}
		return replica.Answer{}, false
	}
	c.step(n, &Request{ID: 7, Verb: Delete, Key: k})
	c.flow()
	var d Reply
	for _, r := range c.replies {
		if r.ID == 7 {
			d = r
		}
	}
	if d.Err != nil || values(d) != "1,2" && values(d) != "2,1" {
		t.Fatalf("the delete lists %q, %v", values(d), d.Err)
	}
	if r := c.do("b", &Request{Verb: Get, Key: k}); values(r) != "3" {
		t.Fatalf("left: %q", values(r))
	}
	if d := c.do("c", &Request{Verb: Delete, Key: ring.NewKey("b", "none")}); d.Err != nil || len(d.Siblings) != 0 {
		t.Fatalf("nothing to delete: %+v", d)
	}
}

func TestQuorumUnavailable(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.cut("a", "b")
	if r := c.do("a", put(k, "v", nil)); r.Err != nil {
		t.Fatalf("one link is down: %v", r.Err)
	}
	c.cut("a", "c")
	for _, r := range []Reply{c.do("a", put(k, "w", nil)), c.do("a", &Request{Verb: Get, Key: k})} {
		if code(r) != ouro.QuorumUnavailable || r.Err.Outcome != ouro.NotDone {
			t.Fatalf("both links are down: %v", r.Err)
		}
	}
	one := ouro.Count{N: 1, Set: true}
	if r := c.do("a", &Request{Verb: Get, Key: k, R: one}); values(r) != "v" {
		t.Fatalf("r=1: %q %v", values(r), r.Err)
	}
	if r := c.do("a", &Request{Verb: Put, Key: k, W: one}); r.Err != nil {
		t.Fatalf("w=1: %v", r.Err)
	}
}

func TestLinksLostAfterTheMint(t *testing.T) {
	c := newCluster(t, 3, Config{})
	c.hold = func(ring.NodeID, *Send) bool { return true }
	c.step(c.nodes[0], put(ring.NewKey("b", "k"), "v", nil))
	c.cut("a", "b")
	if len(c.replies) != 0 {
		t.Fatal("c may still acknowledge")
	}
	c.cut("a", "c")
	if len(c.replies) != 1 || code(c.replies[0]) != ouro.QuorumUnavailable || c.replies[0].Err.Outcome != ouro.Unknown {
		t.Fatalf("replies %+v", c.replies)
	}
}

func TestLocalWriteFailure(t *testing.T) { // paper, section 4.5
	for reason, want := range map[replica.Reason]struct {
		code    ouro.Code
		outcome ouro.Outcome
	}{
		replica.Overloaded: {ouro.Overloaded, ouro.NotDone}, replica.DiskFull: {ouro.DiskFull, ouro.NotDone},
		replica.TooManySiblings: {ouro.TooManySiblings, ouro.NotDone}, replica.IOError: {ouro.Internal, ouro.Unknown},
	} {
		c := newCluster(t, 3, Config{})
		fail := func(op *replica.Op) (replica.Answer, bool) {
			return replica.Answer{Status: replica.Failed, Reason: reason}, op.Verb == replica.Write
		}
		for _, n := range c.nodes {
			n.fail = fail
		}
		r := c.do("a", put(ring.NewKey("b", "k"), "v", nil))
		if code(r) != want.code || r.Err.Outcome != want.outcome {
			t.Errorf("reason %d: %v, %v", reason, r.Err, r.Err.Outcome)
		}
		if stored := len(c.nodes[0].records) + len(c.nodes[1].records) + len(c.nodes[2].records); stored != 0 {
			t.Errorf("reason %d: the write went on", reason)
		}
		c.node("b").fail, c.node("c").fail = nil, nil
		p := put(ring.NewKey("b", "k"), "v", nil)
		p.Token = 9
		r = c.do("a", p)
		if elsewhere := reason != replica.TooManySiblings; elsewhere != (r.Err == nil) || elsewhere && r.Coordinator == "a" {
			t.Errorf("reason %d: with two healthy nodes: %+v", reason, r)
		}
	}
}

// What may have been done is not done again elsewhere without an id to know it by.
func TestNoRetryElsewhereWithoutAnID(t *testing.T) { // RULES R30
	c := newCluster(t, 3, Config{})
	c.node("a").fail = func(op *replica.Op) (replica.Answer, bool) {
		return replica.Answer{Status: replica.Failed, Reason: replica.IOError}, op.Verb == replica.Write
	}
	r := c.do("a", put(ring.NewKey("b", "k"), "v", nil))
	if code(r) != ouro.Internal || r.Err.Outcome != ouro.Unknown {
		t.Fatalf("%+v", r)
	}
}

func TestDontKnowDoesNotCount(t *testing.T) { // RULES R33, H23
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.To == "c" }
	c.do("a", put(k, "v", nil))
	c.hold = nil
	c.node("a").replica.SetDoubt(true)
	// C has missed the write and A no longer knows: only B can tell.
	r := c.do("c", &Request{Verb: Get, Key: k})
	if values(r) != "v" {
		t.Fatalf("got %q %v", values(r), r.Err)
	}
	c.cut("c", "b")
	if r := c.do("c", &Request{Verb: Get, Key: k}); code(r) != ouro.QuorumUnavailable {
		t.Fatalf("one countable reply: %+v", r)
	}
}

// TestRecoveringCountsForW is RULES R9: what a recovering primary acknowledges
// counts for w, and for nothing that is strict.
func TestRecoveringCountsForW(t *testing.T) {
	c := newCluster(t, 3, Config{})
	two := ouro.Count{N: 2, Set: true}
	k := ring.NewKey("b", "k")
	c.node("b").replica.SetRecovering(c.node("a").core.view.Ring.Partition(k.Pos), &replica.Progress{})
	c.cut("a", "c")
	r := c.do("a", &Request{Verb: Put, Key: k, Value: []byte("v"), W: two})
	if r.Err != nil || r.Quorum.Acks != 2 || r.Quorum.Primaries != 1 {
		t.Fatalf("w=2: %+v %v", r.Quorum, r.Err)
	}
	if r := c.do("a", &Request{Verb: Put, Key: k, Value: []byte("v"), W: two, PW: two}); code(r) == "" {
		t.Fatalf("pw=2 was met by a node that recovers: %+v", r.Quorum)
	}
	if r := c.do("a", &Request{Verb: Get, Key: k, R: two}); code(r) != ouro.QuorumUnavailable {
		t.Fatalf("r=2 was met by a node that recovers: %+v", r)
	}
}

func TestStrictReadRepairsFirst(t *testing.T) { // RULES R32, H16
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	two := ouro.Count{N: 2, Set: true}
	one := ouro.Count{N: 1, Set: true}
	// An unacknowledged value at B alone.
	c.hold = func(from ring.NodeID, s *Send) bool { return from == "b" }
	c.step(c.node("b"), &Request{Verb: Put, Key: k, Value: []byte("v"), W: two})
	c.flow()
	if len(c.node("a").records)+len(c.node("c").records) != 0 {
		t.Fatal("the value went on")
	}
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.To == "c" }
	c.held = nil
	r := c.do("a", &Request{Verb: Get, Key: k, R: two, PR: two})
	if values(r) != "v" || r.Quorum.Unsettled || c.node("a").records["b/k"] == nil {
		t.Fatalf("reply %+v", r)
	}
	c.hold = nil
	c.cut("c", "b")
	if r := c.do("c", &Request{Verb: Get, Key: k, R: two, PR: two}); values(r) != "v" {
		t.Fatalf("a later strict read shows %q %v", values(r), r.Err)
	}
	if r := c.do("c", &Request{Verb: Get, Key: k, R: one}); values(r) != "v" {
		t.Fatalf("r=1: %q", values(r))
	}
}

func TestRequestIDIsStoredOnce(t *testing.T) { // RULES R29
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	w := func() *Request { r := put(k, "v", nil); r.Token = 99; return r }
	first, second := c.do("a", w()), c.do("a", w())
	if first.Err != nil || second.Err != nil || string(first.Context) != string(second.Context) {
		t.Fatalf("%+v, %+v", first, second)
	}
	if r := c.do("b", &Request{Verb: Get, Key: k}); values(r) != "v" {
		t.Fatalf("siblings %q", values(r))
	}
}

func TestExplain(t *testing.T) {
	c := newCluster(t, 5, Config{MaxExplain: 6})
	k := ring.NewKey("b", "k")
	r := put(k, "v", nil)
	r.Explain = true
	at := c.outsider(k)
	got := c.do(at.id, r)
	if len(got.Explain) < 4 || len(got.Explain) > 12 {
		t.Fatalf("%d facts", len(got.Explain))
	}
	var text []string
	for _, f := range got.Explain {
		text = append(text, f.String())
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"forwarded to", "started", "asked", "answered"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing about %q in\n%s", want, all)
		}
	}
}
