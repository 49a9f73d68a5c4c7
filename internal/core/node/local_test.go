package node

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/local"
	"github.com/ourodb/ouro/internal/core/ring"
)

func localGet(k ring.Key) *Request { return &Request{Verb: Get, Key: k, Local: true} }

// said is what replicas say of their own copies; r is what they agreed on.
func said(replies ...Reply) (agree bool, all []local.Said) {
	for _, r := range replies {
		if r.Local != nil {
			all = append(all, local.Said{Node: string(r.Coordinator), Word: *r.Local})
		}
	}
	return len(all) == len(replies) && local.Agree(all), all
}

// TestPaper_6_4_OwnCopies: replicas that have the same answer for themselves what a
// coordinator would have, and ask nobody; where they differ it shows.
func TestPaper_6_4_OwnCopies(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	if ok, all := said(c.do("a", localGet(k)), c.do("b", localGet(k))); !ok || !all[0].Word.Absent {
		t.Fatalf("of nothing they say %+v", all)
	}
	c.do("a", put(k, "v", nil))
	c.do("a", put(k, "w", nil)) // a sibling
	want := c.do("a", &Request{Verb: Get, Key: k})
	c.hold = func(from ring.NodeID, s *Send) bool { t.Errorf("%s asks %s", from, s.To); return true }
	a, b := c.do("a", localGet(k)), c.do("b", localGet(k))
	if ok, all := said(a, b); !ok || values(a) != values(want) || values(b) != values(want) {
		t.Fatalf("%q and %q, want %q; they say %+v", values(a), values(b), values(want), all)
	}
	if a.Quorum.R != 2 || a.Quorum.Acks != 1 || a.Local.Need != 2 || a.Local.N != 3 || a.Coordinator != "a" {
		t.Errorf("%+v, %+v", a.Quorum, a.Local)
	}
	if r := c.do("a", &Request{Verb: Get, Key: k, Local: true, PR: ouro.Count{N: 3, Set: true}, R: ouro.Count{N: 3, Set: true}}); r.Local == nil || r.Local.Need != 3 {
		t.Errorf("a read of three: %+v", r)
	}
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.To == "c" }
	if r := c.do("a", put(k, "x", a.Context)); r.Err != nil { // the context is a context
		t.Fatal(r.Err)
	}
	a, b, old := c.do("a", localGet(k)), c.do("b", localGet(k)), c.do("c", localGet(k))
	if ok, all := said(a, b); !ok || values(a) != "x" {
		t.Errorf("two that took the put show %q and say %+v", values(a), all)
	}
	if ok, _ := said(b, old); ok || values(old) != values(want) {
		t.Errorf("one that missed it shows %q and says the same", values(old))
	}
}

// TestRules_R9_OwnCopyOfOneThatRecovers: who may have forgotten says nothing.
func TestRules_R9_OwnCopyOfOneThatRecovers(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	for range 2 {
		c.node("a").replica.SetDoubt(true)
		if r := c.do("a", localGet(k)); code(r) != ouro.QuorumUnavailable || r.Local != nil {
			t.Fatalf("it says %+v", r)
		}
		c.do("a", put(k, "v", c.do("b", &Request{Verb: Get, Key: k}).Context)) // and once something is there
	}
	c.node("a").replica.SetDoubt(false)
	if r := c.do("a", localGet(k)); r.Local == nil || values(r) != "v" {
		t.Fatalf("once it knows: %+v", r)
	}
}

// TestOwnCopyOfAStranger: who does not hold a key has no copy, and passes nothing on;
// nothing but a get is answered so.
func TestOwnCopyOfAStranger(t *testing.T) {
	c := newCluster(t, 5, Config{})
	k := ring.NewKey("b", "k")
	c.do("a", put(k, "v", nil))
	owners := c.owners(k)
	for _, n := range c.nodes {
		r := c.do(n.id, localGet(k))
		if slices.Contains(owners, n.id) != (r.Local != nil) || r.Coordinator != n.id || r.Local == nil && code(r) != ouro.QuorumUnavailable {
			t.Errorf("%s of %v says %+v", n.id, owners, r)
		}
	}
	p := put(k, "w", nil)
	p.Local = true
	if r := c.do(owners[0], p); code(r) != ouro.QuorumUnavailable {
		t.Errorf("a put: %+v", r)
	}
	if r := c.do(owners[0], &Request{Verb: Get, Key: k}); values(r) != "v" {
		t.Errorf("it was done: %q", values(r))
	}
}
