package steward_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/plan"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
)

// done gives a steward one input, and returns its reply, and what else it wants.
func done(s *steward.Steward, in steward.Input) (replies []steward.Reply, out *steward.Out) {
	out = &steward.Out{}
	s.Step(clock.Now{Wall: 1_700_000_000_000}, in, out)
	return out.Replies, out
}

func TestACommitIsAnsweredWhenItIsOnDisk(t *testing.T) {
	s, out := begun(t, steward.Config{Founding: founding(t, "a", "b")}, steward.Disk{})
	first := out.Seq
	staged, _ := done(s, &steward.Stage{ID: 1, Changes: []ouro.Change{{Verb: ouro.Join, Node: "c", Addr: "c:1"}}})
	if len(staged) != 1 || staged[0].Err != nil || staged[0].Draft.Len() != 1 {
		t.Fatalf("staged: %+v", staged)
	}
	version := plan.Version(staged[0].History)
	if r, _ := done(s, &steward.Commit{ID: 2, Version: "0123456789abcdef"}); len(r) != 1 || r[0].Err == nil {
		t.Fatalf("a commit under another version: %+v", r)
	}
	replies, _ := done(s, &steward.Commit{ID: 3, Version: version})
	if len(replies) > 0 {
		t.Fatal("it was acknowledged before it was on the disk")
	}
	replies, out = done(s, &steward.Stored{Seq: first}) // that of the founding
	if len(replies) > 0 || noteIn(out, steward.HistoryNote) == nil {
		t.Fatalf("after another batch: %+v", replies)
	}
	replies, out = done(s, &steward.Stored{Seq: out.Seq})
	if len(replies) != 1 || replies[0].ID != 3 || replies[0].Err != nil || len(replies[0].Changes) != 1 || !strings.Contains(replies[0].Changes[0], "add c") {
		t.Fatalf("the commit: %+v", replies)
	}
	if out.View == nil || out.View.Ring.Index("c") < 0 {
		t.Error("the shards have no view with c")
	}
	if len(s.Staged()) != 0 {
		t.Error("what was committed is still staged")
	}
}

// A node that has lost its links, and what it had founded, learns its history again from
// others: that is no order to found it a second time (decision 0034). An operator who
// founds anew at a node that knows of links begins a cluster, as that has none.
func TestWhatAnOperatorFoundedIsFoundedOnce(t *testing.T) {
	s, _ := begun(t, steward.Config{Disk: 5, Linked: true}, steward.Disk{})
	_, out := done(s, &steward.Found{ID: 1, Name: "shop", Q: 8, Self: member.Member{Node: ring.Node{ID: "a", Weight: 1}, Addr: "a:1"}})
	history := noteIn(out, steward.HistoryNote)
	if history == nil {
		t.Fatal("the founding is not kept")
	}
	if done(s, &steward.Stored{Seq: out.Seq}); s.Place() == nil {
		t.Error("an operator's founding does not begin")
	}
	for _, linked := range []bool{false, true} {
		s, _ := begun(t, steward.Config{Disk: 6, Linked: linked}, steward.Disk{Notes: map[steward.Note][]byte{steward.HistoryNote: history}})
		if founds := s.Place() != nil; founds == linked {
			t.Errorf("it knows of links, %v, and has the history alone: it founds, %v", linked, founds)
		}
	}
}

// A cluster is founded at a node that is in none, once.
func TestFoundingAtANodeThatWaits(t *testing.T) {
	s, _ := begun(t, steward.Config{Disk: 5}, steward.Disk{})
	if r, _ := done(s, &steward.SetBucket{ID: 1, Name: "carts"}); len(r) != 1 || r[0].Err == nil {
		t.Fatalf("a bucket of no cluster: %+v", r)
	}
	found := func(id uint64) *steward.Found {
		return &steward.Found{ID: id, Name: "shop", Q: 8, Self: member.Member{Node: ring.Node{ID: "a", Weight: 1}, Addr: "a:1"}}
	}
	replies, out := done(s, found(2))
	for range 4 { // the history, the placement, the link that names the disk
		if out.Seq == 0 {
			break
		}
		var more []steward.Reply
		more, out = done(s, &steward.Stored{Seq: out.Seq})
		replies = append(replies, more...)
	}
	if len(replies) != 1 || replies[0].Err != nil {
		t.Fatalf("founded: %+v", replies)
	}
	if v := s.View(); v.Ring.Q() != 8 || v.Place == nil || !v.Place.Of(3).Holds("a") || v.Disk != 5 || v.Unnamed() {
		t.Errorf("the view is %+v", v)
	}
	if r, _ := done(s, found(3)); len(r) != 1 || r[0].Err == nil {
		t.Errorf("founded twice: %+v", r)
	}
}

// Who was linked to before the cluster was founded is taken in at once: its disk was seen
// when the link was made, and is not shown again.
func TestWhoWasLinkedToBeforeTheFoundingIsTakenIn(t *testing.T) {
	s, _ := begun(t, steward.Config{Disk: 5}, steward.Disk{})
	now := clock.Now{Wall: 1_700_000_000_000}
	step := func(in steward.Input) (replies []steward.Reply) { // and all that it has stored
		for in != nil {
			out := &steward.Out{}
			now.Mono += 100 * time.Millisecond
			s.Step(now, in, out)
			replies = append(replies, out.Replies...)
			if in = nil; out.Seq != 0 {
				in = &steward.Stored{Seq: out.Seq}
			}
		}
		return replies
	}
	step(&steward.Met{Peer: steward.Peer{ID: "b", Addr: "b:1"}})
	step(&steward.Link{Peer: "b", Up: true, Disk: 6})
	step(&steward.Found{ID: 1, Name: "shop", Q: 8, Self: member.Member{Node: ring.Node{ID: "a", Weight: 1}, Addr: "a:1"}})
	staged := step(&steward.Stage{ID: 2, Changes: []ouro.Change{{Verb: ouro.Join, Node: "b", Addr: "b:1"}}})
	if r := step(&steward.Commit{ID: 3, Version: plan.Version(staged[0].History)}); len(r) != 1 || r[0].Err != nil {
		t.Fatalf("the commit: %+v", r)
	}
	step(&steward.Told{From: "b", Message: &node.Message{Kind: node.KindChain, Chain: &chain.Message{Kind: chain.Tell, Disk: 6}}})
	for range 20 { // 2 s
		step(steward.Tick{})
	}
	if m, ok := s.Place().Member("b"); !ok || m.Disk != 6 {
		t.Errorf("b can be reached and has joined; the members are %+v, and it waits for %q", s.Place().Members(), s.Links().Waits)
	}
}

// Who was removed is not heard, and has a view of nothing.
func TestARemovedNodeIsFenced(t *testing.T) {
	s, out := begun(t, steward.Config{Founding: founding(t, "a", "b")}, steward.Disk{})
	if s.Fenced("b") {
		t.Fatal("b is fenced")
	}
	done(s, &steward.Stored{Seq: out.Seq})
	_, out = done(s, &steward.Removed{})
	if out.View == nil || out.View.Ring.Q() != 0 || !out.View.Expelled {
		t.Errorf("after others said that it was removed its view is %+v", out.View)
	}
	for _, in := range []steward.Input{
		&steward.Stage{ID: 1, Changes: []ouro.Change{{Verb: ouro.Join, Node: "c", Addr: "c:1"}}}, &steward.Stage{ID: 1}, &steward.Commit{ID: 1, Version: "x"},
		&steward.Found{ID: 1, Name: "test", Q: 8}, &steward.SetBucket{ID: 1, Name: "b"},
	} {
		if r, _ := done(s, in); len(r) != 1 || r[0].Err == nil || !strings.Contains(r[0].Err.Error(), "was removed from its cluster") {
			t.Errorf("%T at a node that was removed: %+v", in, r)
		}
	}
}

// A plan says of a newcomer that it was not met, and one that is of a cluster which
// can't be merged with this one is not staged.
func TestNewcomersAreLookedAt(t *testing.T) {
	cfg := steward.Config{Founding: founding(t, "a", "b")}
	s, _ := begun(t, cfg, steward.Disk{})
	stage := func() steward.Reply {
		r, _ := done(s, &steward.Stage{ID: 1, Changes: []ouro.Change{{Verb: ouro.Join, Node: "c", Addr: "c:1"}}})
		return r[0]
	}
	if r := stage(); r.Err != nil || len(r.Unmet) != 1 || !strings.Contains(r.Unmet[0], "node c has not been met") {
		t.Errorf("one that was not met: %+v", r)
	}
	done(s, &steward.Unstage{})
	done(s, &steward.Met{Peer: steward.Peer{ID: "c", Addr: "c:1"}})
	done(s, &steward.Link{Peer: "c", Up: true})
	if r := stage(); r.Err != nil || len(r.Unmet) != 0 {
		t.Errorf("one that was met: %+v", r)
	}
	done(s, &steward.Unstage{})
	other, err := member.Genesis("test", []member.Member{{Node: ring.Node{ID: "c", Weight: 1}, Addr: "c:1"}}, 16)
	if err != nil {
		t.Fatal(err)
	}
	page := other.Page(member.Rung{}, 1<<20)
	done(s, &steward.Told{From: "c", Message: &node.Message{Kind: node.KindGossip, Gossip: &gossip.Message{
		Cluster: cfg.Gossip.Cluster, Addr: "c:1", Summary: other.Summary(member.Key{}), Page: &page,
	}}})
	if r := stage(); r.Err == nil || !strings.Contains(r.Err.Error(), "node c can't join") || !strings.Contains(r.Err.Error(), "q=16") {
		t.Errorf("one of another cluster: %+v", r)
	}
	if all := s.Apart(); len(all) != 1 || all[0].Peer != "c" {
		t.Errorf("apart are %+v", all)
	}
	done(s, &steward.Link{Peer: "c", Up: false})
	if all := s.Apart(); len(all) != 0 {
		t.Errorf("apart are %+v, who can't be reached", all)
	}
}
