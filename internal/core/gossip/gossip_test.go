package gossip

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

func ids(members []member.Member) string {
	var out []string
	for _, m := range members {
		out = append(out, string(m.ID))
	}
	return strings.Join(out, " ")
}

func folded(t *testing.T, n *node) *member.Cluster {
	t.Helper()
	c, err := n.History().Fold()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Section 4.8.2a: an operator forms a ring at A and another at B. With a seed
// that both know they merge within seconds; one without the other is never heard
// of.
func TestPaper_4_8_2_RingsFormedApart(t *testing.T) {
	for _, seeds := range [][]string{nil, {addr("A")}, {addr("S")}} {
		t.Run(fmt.Sprint(seeds), func(t *testing.T) {
			w := newWorld(t, 1)
			w.start("A", formed(t, 1000, "A", 16), seeds...)
			w.start("B", formed(t, 2000, "B", 16), seeds...)
			if slices.Contains(seeds, addr("S")) { // not a member of either, but heard of by both
				w.start("S", member.History{}, seeds...)
			}
			took := w.run(time.Minute, w.agreed)
			if len(seeds) == 0 {
				if a, b := folded(t, w.nodes["A"]), folded(t, w.nodes["B"]); ids(a.Members) != "A" || ids(b.Members) != "B" {
					t.Errorf("A has members %s, B %s, and they never met", ids(a.Members), ids(b.Members))
				}
				return
			}
			if took > 10*time.Second {
				t.Fatalf("they did not merge within %v", took)
			}
			for _, id := range w.order {
				c := folded(t, w.nodes[id])
				if ids(c.Members) != "A B" || w.nodes[id].History().Origin() != formed(t, 1000, "A", 16).Origin() {
					t.Errorf("%s has members %s", id, ids(c.Members))
				}
			}
			if c := folded(t, w.nodes["A"]); c.Ring.Count("A") != 8 || c.Ring.Count("B") != 8 {
				t.Errorf("A has %d tokens, B %d", c.Ring.Count("A"), c.Ring.Count("B"))
			}
		})
	}
}

// Section 4.8.1a: who was only started with the right seeds learns the history
// and owns nothing; seeds that are down are tried for ever.
func TestPaper_4_8_1_StrayProcessOwnsNothing(t *testing.T) {
	w := newWorld(t, 2)
	w.start("stray", member.History{}, addr("A"), addr("nobody"))
	w.run(30*time.Second, nil)
	w.start("A", genesis(t, 16, of("A"), of("B")))
	w.start("B", genesis(t, 16, of("A"), of("B")))
	w.run(10*time.Second, nil)
	if c := folded(t, w.nodes["stray"]); ids(c.Members) != "A B" || !w.agreed() {
		t.Errorf("members %s", ids(c.Members))
	}
	w.issue("B", add("stray"))
	w.run(2*w.latency, nil)
	if took := w.run(time.Minute, w.agreed); took > 10*time.Second || folded(t, w.nodes["stray"]).Ring.Count("stray") == 0 {
		t.Error("it was joined and owns nothing")
	}
}

func TestRingsThatNeverMerge(t *testing.T) {
	w := newWorld(t, 3)
	a := w.start("A", formed(t, 1000, "A", 16), addr("B"), addr("C"))
	b := w.start("B", formed(t, 1000, "B", 32))
	c := w.start("C", member.History{})
	c.cfg.Cluster = member.ClusterID("other")
	c = w.start("C", member.History{})
	w.run(time.Minute, nil)
	if ids(folded(t, a).Members) != "A" || ids(folded(t, b).Members) != "B" || c.History().Len() != 0 {
		t.Error("they merged")
	}
	told := strings.Join(a.notes, "\n")
	if len(a.notes)+len(b.notes) > 4 || !strings.Contains(told+strings.Join(b.notes, "\n"), "rings of different q never merge") || !strings.Contains(strings.Join(c.notes, ""), "another cluster") {
		t.Errorf("A says %s, B %q, C %q", told, b.notes, c.notes)
	}
}

// A change is told to others, and gone by, only once it is on disk.
func TestNothingIsToldBeforeItIsStored(t *testing.T) {
	base := genesis(t, 16, of("A"), of("B"))
	g, other := New(Config{Seed: 1}, "A", Durable{History: base}, clock.Now{}), New(Config{Seed: 2}, "B", Durable{History: base}, clock.Now{})
	c, _ := base.Fold()
	var out, reply Effects
	g.Members(c.Members, &out)
	seq, err := g.Issue(clock.Now{Wall: 5}, []member.Change{add("C")}, &out)
	if err != nil || seq == 0 || out.Seq != seq || !equal(out.Store.History, g.Latest()) {
		t.Fatalf("number %d, to be stored %d, error %v", seq, out.Seq, err)
	}
	later, err := g.Issue(clock.Now{Wall: 6}, []member.Change{add("D")}, &out)
	if err != nil || later != seq+1 {
		t.Fatalf("number %d after %d, error %v", later, seq, err)
	}
	told := func(want member.History) {
		t.Helper()
		out.Reset()
		g.Tick(clock.Now{Mono: g.Deadline()}, &out)
		if len(out.Sends) != 1 || out.Sends[0].To != "B" || !want.Same(&out.Sends[0].Summary) || !equal(g.History(), want) {
			t.Fatalf("told %d changes, want %d", out.Sends[0].Summary.Count, want.Count())
		}
		reply.Reset()
		out.Reset()
		ask := Message{Summary: other.History().Summary(member.Key{})}
		g.Deliver(clock.Now{}, "B", &ask, &out)
		for _, s := range out.Sends {
			if s.Page != nil && len(s.Page.Changes) != want.Count()-base.Count() {
				t.Fatalf("%d changes are told", len(s.Page.Changes))
			}
		}
		page := Message{Summary: ask.Summary, Page: &member.Page{}}
		out.Reset()
		g.Deliver(clock.Now{}, "B", &page, &out)
		if len(out.Sends) != 1 || len(out.Sends[0].Page.Changes) != want.Len() {
			t.Fatalf("answered %+v", out.Sends)
		}
	}
	told(base)
	out.Reset()
	g.Stored(clock.Now{}, seq, &out)
	if !out.Changed || out.Seq != later {
		t.Fatalf("changed %v, next stored is %d", out.Changed, out.Seq)
	}
	one := g.History()
	if one.Count() != base.Count()+1 {
		t.Fatalf("%d changes", one.Count())
	}
	told(one)
	g.Stored(clock.Now{}, later+7, &out)
	told(one)
	g.Stored(clock.Now{}, later, &out)
	told(g.Latest())
}

// Many nodes with changes of their own, messages that get lost and processes
// that end agree in the end, and lose nothing that was stored.
func TestAgreementThroughFaults(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		w.loss = 0.3
		h := genesis(t, 16, named(5)...)
		for _, m := range named(5) {
			w.start(m.ID, h)
		}
		issued := 0
		for i := range 30 {
			id := w.order[w.rand.IntN(5)]
			switch w.rand.IntN(3) {
			case 0:
				w.issue(id, add(fmt.Sprintf("x%d", i)), remove(fmt.Sprintf("x%d", w.rand.IntN(30))))
				w.run(2*w.latency+1, nil) // it is acknowledged once it is stored
				issued += 2
			case 1:
				w.start(id, member.History{})
			}
			w.run(time.Duration(w.rand.IntN(1000))*time.Millisecond, nil)
		}
		if took := w.run(2*time.Minute, w.agreed); took == 2*time.Minute || w.nodes["n000"].History().Count() != h.Count()+issued {
			t.Fatalf("seed %d: %d of %d changes after %v", seed, w.nodes["n000"].History().Count(), h.Count()+issued, took)
		}
	}
}

// Two rings formed apart, with checkpoints of their own, that hear of each other
// late and through faults become one on every node.
func TestSettledRingsMergeThroughFaults(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		w.loss = 0.2
		for i, ring := range []string{"A", "B"} {
			h := formed(t, int64(1000+i), ring, 16)
			w.start(h.Changes()[0].Founding.Members[0].ID, h, addr("A"))
		}
		apart := true
		w.cut = func(a, b ring.NodeID) bool { return apart }
		settled := map[ring.NodeID]member.History{}
		for i := range 20 {
			id := w.order[w.rand.IntN(2)]
			n := w.nodes[id]
			switch w.rand.IntN(3) {
			case 0:
				w.issue(id, add(fmt.Sprintf("%s%d", id, i)), remove(fmt.Sprintf("%s%d", id, w.rand.IntN(20))))
			case 1:
				if apart { // the chain of each ring goes by itself
					n.Checkpoint(n.History().Digest(), &n.out)
					w.effects(n)
					settled[id] = n.Latest()
				}
			default:
				w.run(2*w.latency+1, nil)
				w.start(id, member.History{})
			}
			apart = i < 15
			w.run(time.Duration(w.rand.IntN(2000))*time.Millisecond, nil)
		}
		if took := w.run(time.Minute, w.agreed); took == time.Minute {
			t.Fatalf("seed %d: no agreement", seed)
		}
		a, b := folded(t, w.nodes["A"]), folded(t, w.nodes["B"])
		if ids(a.Members) != ids(b.Members) || a.Ring.Hash() != b.Ring.Hash() {
			t.Fatalf("seed %d: A has members %s, B %s", seed, ids(a.Members), ids(b.Members))
		}
		for _, id := range w.order { // whoever was settled in either ring is a member still, or was removed since
			if settled[id].Len() == 0 {
				continue
			}
			c, err := settled[id].Fold()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range c.Members {
				if _, there := a.Member(m.ID); !there && !a.Fenced(m.ID) {
					t.Fatalf("seed %d: %s got lost", seed, m.ID)
				}
			}
		}
	}
}

// Two sides of a cut remove each other's nodes: when it heals they hear of it,
// though no side has the other among its members (FIELD 2.14, class 7).
func TestSidesThatRemovedEachOther(t *testing.T) {
	w := newWorld(t, 5)
	h := genesis(t, 16, of("A"), of("B"))
	w.start("A", h)
	w.start("B", h)
	w.cut = func(a, b ring.NodeID) bool { return true }
	w.issue("A", remove("B"))
	w.issue("B", remove("A"), add("C"))
	w.run(time.Hour, nil)
	w.start("A", h) // persisted peers
	w.start("B", h)
	w.cut = nil
	if took := w.run(time.Minute, w.agreed); took > 10*time.Second {
		t.Fatalf("no agreement after %v", took)
	}
	if c := folded(t, w.nodes["A"]); ids(c.Members) != "A C" || !c.Fenced("B") {
		t.Errorf("members %s", ids(c.Members))
	}
}

// long is a history of so many changes of weight.
func long(t *testing.T, h member.History, n int) member.History {
	t.Helper()
	for i := range n {
		next, err := h.Issue(int64(i), "A", member.Change{Kind: member.Reweigh, Member: of("B")})
		if err != nil {
			t.Fatal(err)
		}
		h = next
	}
	return h
}

// pair starts two nodes, of which A begins exchanges soon and B hears of nobody.
func pair(t *testing.T, a, b member.History) *world {
	t.Helper()
	w := newWorld(t, 6)
	w.folds = false
	w.start("A", a).cfg.PageBytes = 1024
	w.start("B", b).cfg.PageBytes = 1024
	w.start("A", a)
	w.start("B", b)
	w.nodes["A"].Members([]member.Member{of("A"), of("B")}, &w.nodes["A"].out)
	return w
}

// A long difference goes page by page, in one exchange.
func TestLongDifferenceInPages(t *testing.T) {
	h := genesis(t, 16, of("A"), of("B"))
	all := long(t, h, 600)
	w := pair(t, h, all)
	if took := w.run(4*time.Second, w.agreed); took > 3*time.Second {
		t.Fatalf("it took %v", took)
	}
	s := w.stats()
	if pages := len(all.Append(nil)) / 1024; s.Pages < uint64(pages) || s.Pages > uint64(2*pages) {
		t.Errorf("%d pages for a history of %d", s.Pages, pages)
	}
	if perMessage := s.SentBytes / s.Sent; perMessage > 1300 {
		t.Errorf("%d bytes a message", perMessage)
	}
	if w.nodes["A"].Stats().Rounds > 2 || w.nodes["B"].Stats().Rounds > 2 {
		t.Error("it took more than one exchange")
	}
}

// Where one change is missing among many, what the two have in common after it
// is paged through, and not begun again with every page.
func TestDifferenceInTheMiddle(t *testing.T) {
	h := genesis(t, 16, of("A"), of("B"))
	all := long(t, h, 600)
	var some member.History
	for i, c := range all.Changes() {
		if i != 300 {
			some = some.With(c)
		}
	}
	w := pair(t, some, all)
	if took := w.run(4*time.Second, w.agreed); took > 3*time.Second {
		t.Fatalf("it took %v", took)
	}
}

// A checkpoint is taken by whoever has the changes, and comes to all others, also
// to one with changes of its own that it does not stand for.
func TestCheckpointsSpread(t *testing.T) {
	w := newWorld(t, 7)
	h := genesis(t, 16, named(3)...)
	for _, m := range named(3) {
		w.start(m.ID, h)
	}
	w.cut = func(a, b ring.NodeID) bool { return a == "n002" || b == "n002" }
	w.issue("n002", add("late"))
	w.run(time.Second, nil)
	w.issue("n000", add("x"), add("y"))
	w.run(20*time.Second, nil)
	if agree, of := w.nodes["n000"].Agree(); agree != 2 || of != 5 {
		t.Errorf("%d of %d members have shown the history", agree, of)
	}
	digest := w.nodes["n000"].History().Digest()
	for _, id := range w.order {
		w.nodes[id].Checkpoint(digest, &w.nodes[id].out)
		w.effects(w.nodes[id])
	}
	w.run(time.Second, nil)
	if n := w.nodes["n001"].History(); n.Len() != 1 || n.Count() != 3 {
		t.Errorf("%d changes at hand of %d", n.Len(), n.Count())
	}
	w.cut = nil
	if took := w.run(time.Minute, w.agreed); took > 20*time.Second {
		t.Fatalf("no agreement after %v", took)
	}
	for _, id := range w.order {
		n := w.nodes[id]
		if n.History().Len() != 2 || ids(folded(t, n).Members) != "late n000 n001 n002 x y" || !equal(n.History(), w.nodes["n000"].History()) {
			t.Errorf("%s has %d changes at hand, members %s", id, n.History().Len(), ids(folded(t, n).Members))
		}
	}
}

// A node whose clock is far ahead of those of most others issues nothing; what
// it issued before is taken.
func TestClockAhead(t *testing.T) {
	w := newWorld(t, 8)
	for _, m := range named(3) {
		w.start(m.ID, genesis(t, 16, named(3)...))
	}
	mad := w.nodes["n000"]
	mad.wall = time.Hour.Milliseconds()
	w.issue("n000", add("x")) // it has heard of nobody yet
	w.run(20*time.Second, nil)
	if !w.agreed() || ids(folded(t, w.nodes["n001"]).Members) != "n000 n001 n002 x" {
		t.Fatal("a change from the future was not taken")
	}
	_, err := mad.Issue(w.clock(mad), []member.Change{add("y")}, &mad.out)
	if err == nil || !strings.Contains(err.Error(), "is 1h0m0s ahead") {
		t.Errorf("error %v", err)
	}
	w.issue("n001", add("y"))
	if changes := w.nodes["n001"].Latest().Changes(); changes[len(changes)-1].Member.ID != "y" {
		t.Error("what was issued on top of a change from the future is not after it")
	}
}

func TestPeersAreBounded(t *testing.T) {
	h := genesis(t, 16, of("A"), of("B"))
	c, _ := h.Fold()
	g := New(Config{MaxPeers: 10, Addr: addr("A")}, "A", Durable{History: h}, clock.Now{})
	var out Effects
	g.Members(c.Members, &out)
	for i := range 1000 {
		m := Message{Addr: fmt.Sprintf("p%d:1", i), Summary: h.Summary(member.Key{})}
		g.Deliver(clock.Now{}, ring.NodeID(fmt.Sprintf("p%d", i)), &m, &out)
		if out.Seq != 0 {
			g.Stored(clock.Now{}, out.Seq, &out)
		}
	}
	if p := g.Peers(); len(p) != 10 || p[9].ID != "p999" || p[0].ID != "p990" || len(g.heard) > 13 {
		t.Errorf("%d peers, %d heard of", len(p), len(g.heard))
	}
	g.Members(append(c.Members, member.Member{Node: ring.Node{ID: "p995"}, Addr: "p995:1"}), &out)
	if p := g.Peers(); len(p) != 9 {
		t.Errorf("a member is still among the peers: %v", p)
	}
}

// A node never exchanges with itself, whatever the seeds say.
func TestNotWithItself(t *testing.T) {
	h := genesis(t, 16, of("A"))
	c, _ := h.Fold()
	g := New(Config{Addr: addr("A"), Seeds: []string{addr("A")}}, "A", Durable{History: h}, clock.Now{})
	var out Effects
	g.Members(c.Members, &out)
	g.Tick(clock.Now{Mono: time.Hour}, &out)
	if len(out.Sends) != 0 || g.Deadline() <= time.Hour {
		t.Errorf("%d messages, next at %v", len(out.Sends), g.Deadline())
	}
	g.Members(nil, &out)
	if g.Tick(clock.Now{Mono: 2 * time.Hour}, &out); len(out.Sends) != 0 {
		t.Error("it exchanges with its own address")
	}
	m := Message{Addr: addr("A")}
	if g.Deliver(clock.Now{}, "A", &m, &out); len(out.Sends) != 0 || len(g.Peers()) != 0 {
		t.Error("it answers itself")
	}
}
