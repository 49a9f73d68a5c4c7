package steward_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
)

func founding(t *testing.T, ids ...string) member.History {
	t.Helper()
	var members []member.Member
	for _, id := range ids {
		members = append(members, member.Member{Node: ring.Node{ID: ring.NodeID(id), Weight: 1}, Addr: id + ":7071"})
	}
	h, err := member.Genesis("test", members, 8, member.NamedBucket{Bucket: member.DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func begun(t *testing.T, cfg steward.Config, disk steward.Disk) (*steward.Steward, *steward.Out) {
	t.Helper()
	if cfg.Self == "" {
		cfg.Self = "a"
	}
	s, err := steward.New(clock.Now{}, cfg, disk)
	if err != nil {
		t.Fatal(err)
	}
	out := &steward.Out{}
	s.Begin(clock.Now{}, out)
	return s, out
}

func noteIn(out *steward.Out, n steward.Note) []byte {
	for _, r := range out.Store {
		if r.Note == n {
			return r.Value
		}
	}
	return nil
}

// What the disk has of the cluster goes over the list that it was formed from.
func TestHistoryOnDiskGoesOverTheFoundingList(t *testing.T) {
	s, out := begun(t, steward.Config{Founding: founding(t, "a", "b", "c")}, steward.Disk{})
	kept := noteIn(out, steward.HistoryNote)
	if kept == nil {
		t.Fatal("the founding history is not kept")
	}
	if n := len(s.View().Ring.Nodes()); n != 3 {
		t.Fatalf("the ring has %d nodes", n)
	}
	s, out = begun(t, steward.Config{Founding: founding(t, "a")}, steward.Disk{Notes: map[steward.Note][]byte{steward.HistoryNote: kept}})
	if n := len(s.View().Ring.Nodes()); n != 3 || noteIn(out, steward.HistoryNote) != nil {
		t.Errorf("after a start with another list the ring has %d nodes", n)
	}
	if want := []steward.Peer{{ID: "b", Addr: "b:7071"}, {ID: "c", Addr: "c:7071"}}; !out.Dial || !slices.Equal(out.Peers, want) {
		t.Errorf("links to %v, want %v", out.Peers, want)
	}
}

// All nodes of a cluster may have other addresses when they are started again.
func TestTheListSaysWhereAllAreNow(t *testing.T) {
	_, out := begun(t, steward.Config{Founding: founding(t, "a", "b", "c")}, steward.Disk{})
	moved := []member.Member{{Node: ring.Node{ID: "a"}, Addr: "x:1"}, {Node: ring.Node{ID: "b"}, Addr: "x:2"}, {Node: ring.Node{ID: "c"}, Addr: "x:3"}}
	list, err := member.Genesis("test", moved, 8, member.NamedBucket{Bucket: member.DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	disk := steward.Disk{Notes: map[steward.Note][]byte{}}
	for _, r := range out.Store {
		disk.Notes[r.Note] = r.Value
	}
	s, out := begun(t, steward.Config{Founding: list, Addr: "x:1"}, disk)
	if want := []steward.Peer{{ID: "b", Addr: "x:2"}, {ID: "c", Addr: "x:3"}}; !slices.Equal(out.Peers, want) {
		t.Errorf("links to %v, want %v", out.Peers, want)
	}
	done(s, &steward.Stored{Seq: out.Seq})
	if m, _ := s.Cluster().Member("a"); m.Addr != "x:1" {
		t.Errorf("the others are told that a is at %s", m.Addr)
	}
}

func TestDamagedNotesAreRefused(t *testing.T) {
	for _, n := range steward.Notes() {
		_, err := steward.New(clock.Now{}, steward.Config{Self: "a", Founding: founding(t, "a")}, steward.Disk{Notes: map[steward.Note][]byte{n: []byte("nonsense")}})
		if err == nil {
			t.Errorf("note %q: what is damaged was taken", n)
		}
	}
}

// A node that is in no cluster has a ring of nothing, and looks for others where
// it was told that they are.
func TestANodeInNoClusterOwnsNothing(t *testing.T) {
	cfg := steward.Config{Addr: "a:1"}
	cfg.Gossip.Seeds = []string{"seed:1"}
	s, out := begun(t, cfg, steward.Disk{})
	if q := s.View().Ring.Q(); q != 0 || out.View != nil {
		t.Fatalf("it has %d partitions", q)
	}
	*out = steward.Out{}
	now := clock.Now{Mono: time.Minute}
	if s.Step(now, steward.Tick{}, out); !slices.Equal(out.Seeks, cfg.Gossip.Seeds) {
		t.Fatalf("it seeks %v", out.Seeks)
	}
	s.Step(now, &steward.Met{Peer: steward.Peer{ID: "b", Addr: "b:1"}, Seed: "seed:1"}, out)
	if !out.Dial || len(out.Peers) != 1 || out.Peers[0].Addr != "b:1" {
		t.Errorf("it looks for %v", out.Peers)
	}
	*out = steward.Out{}
	s.Step(now, &steward.Link{Peer: "b", Up: true}, out)
	now.Mono += time.Minute
	if s.Step(now, steward.Tick{}, out); len(out.Seeks) > 0 || !slices.ContainsFunc(out.Sends, func(s node.Send) bool { return s.To == "b" && s.Message.Kind == node.KindGossip }) {
		t.Errorf("it sends %+v and seeks %v", out.Sends, out.Seeks)
	}
}

// One batch is under way at a time: one that is repeated must not overtake the
// next.
func TestNotesAreStoredOneBatchAtATime(t *testing.T) {
	s, out := begun(t, steward.Config{Founding: founding(t, "a", "b")}, steward.Disk{})
	first := out.Seq
	*out = steward.Out{}
	s.Step(clock.Now{}, &steward.Met{Peer: steward.Peer{ID: "b", Addr: "elsewhere:1"}}, out)
	if len(out.Store) > 0 {
		t.Fatal("a second batch is under way")
	}
	if !out.Dial || out.Peers[0].Addr != "elsewhere:1" {
		t.Errorf("links to %v", out.Peers)
	}
	s.Step(clock.Now{}, &steward.Stored{Seq: first}, out)
	if noteIn(out, steward.PeersNote) == nil || out.Seq != first+1 {
		t.Errorf("batch %d has %v", out.Seq, out.Store)
	}
}

// An epoch is shown only when it is on disk.
func TestEpochsGoOnFromTheDisk(t *testing.T) {
	s, out := begun(t, steward.Config{Founding: founding(t, "a"), Epochs: reap.EpochConfig{Every: time.Second}}, steward.Disk{})
	now := clock.Now{Mono: time.Minute}
	s.Step(now, &steward.Clean{Clean: node.Clean{Number: 1}}, out)
	for range 10 {
		in := steward.Input(&steward.Want{Epoch: 2})
		switch {
		case out.Stand.Seq != 0:
			in = &steward.Stood{Seq: out.Stand.Seq}
			out.Stand = reap.Stand{}
		case out.Seq != 0:
			if s.Epochs().Epoch > 1 {
				t.Fatal("epoch shown before it was kept")
			}
			in = &steward.Stored{Seq: out.Seq}
			if b := noteIn(out, steward.EpochNote); b != nil {
				d, err := reap.DecodeDurable(b[16:])
				if err != nil || d.Epoch > 2 {
					t.Fatalf("kept %+v: %v", d, err)
				}
			}
			out.Seq, out.Store = 0, nil
		}
		s.Step(now, in, out)
		now.Mono += time.Minute
	}
	if e := s.Epochs().Epoch; e != 2 {
		t.Errorf("the node is in epoch %d", e)
	}
}

// A newcomer's placement may come to its disk together with news of the history. It
// must tell the members its epoch all the same, or nothing is reaped any more.
func TestANewcomerTellsItsEpochWhateverCameFirst(t *testing.T) {
	t.Run("both at once", func(t *testing.T) { tellsItsEpoch(t, true) })
	t.Run("the history first", func(t *testing.T) { tellsItsEpoch(t, false) })
}

func tellsItsEpoch(t *testing.T, both bool) {
	h := founding(t, "b", "c")
	c, err := h.Fold()
	if err != nil {
		t.Fatal(err)
	}
	disk := steward.Disk{Notes: map[steward.Note][]byte{steward.HistoryNote: gossip.AppendDurable(nil, &gossip.Durable{History: h})}}
	s, out := begun(t, steward.Config{Disk: 1}, disk)
	step := func(in steward.Input) {
		*out = steward.Out{}
		s.Step(clock.Now{}, in, out)
	}
	p := place.Founded(h.Origin(), c.Ring, c.Buckets.MostN())
	from := chain.Message{Kind: chain.Tell, Number: p.Number(), Origin: p.Origin(), Hash: p.Hash(), Disk: 2}
	page := from
	page.Kind, page.Bytes = chain.Page, p.Append(nil)
	page.Total = len(page.Bytes)
	step(&steward.Link{Peer: "b", Up: true, Disk: 2})
	step(&steward.Met{Peer: steward.Peer{ID: "d", Addr: "d:1"}}) // a batch is under way
	first := out.Seq
	step(&steward.Told{From: "b", Message: &node.Message{Kind: node.KindChain, Chain: &from}})
	step(&steward.Told{From: "b", Message: &node.Message{Kind: node.KindChain, Chain: &page}})
	if both {
		step(&steward.Issue{ID: 1, Changes: []member.Change{{Kind: member.Reweigh, Member: member.Member{Node: ring.Node{ID: "c", Weight: 2}}}}})
	}
	step(&steward.Stored{Seq: first})
	if noteIn(out, steward.PlaceNote) == nil || both != (noteIn(out, steward.HistoryNote) != nil) {
		t.Fatalf("the next batch has %v", out.Store)
	}
	step(&steward.Stored{Seq: out.Seq})
	if !slices.ContainsFunc(out.Sends, func(s node.Send) bool { return s.To == "b" && s.Message.Kind == node.KindEpochs }) {
		t.Errorf("it adopted the placement and told b no epoch: %+v", out.Sends)
	}
}

// A node that is in no cluster dials whoever has dialled it: others may know it, as one
// that has lost its disk, refuse to be linked to it, and tell it so only when it asks.
func TestWhoeverWasMetIsDialled(t *testing.T) {
	s, _ := begun(t, steward.Config{Addr: "a:1"}, steward.Disk{})
	_, out := done(s, &steward.Met{Peer: steward.Peer{ID: "b", Addr: "b:1"}})
	if want := []steward.Peer{{ID: "b", Addr: "b:1"}}; !out.Dial || !slices.Equal(out.Peers, want) {
		t.Errorf("it dials %v", out.Peers)
	}
}

// When a node is out, links are told anew, though they are to the same nodes: those
// that it has must end.
func TestLinksOfWhoIsOutEnd(t *testing.T) {
	nowhere := []member.Member{{Node: ring.Node{ID: "a", Weight: 1}}, {Node: ring.Node{ID: "b", Weight: 1}}}
	founders, err := member.Genesis("test", nowhere, 8, member.NamedBucket{Bucket: member.DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	s, out := begun(t, steward.Config{Founding: founders, Disk: 1}, steward.Disk{})
	for out.Seq != 0 {
		_, out = done(s, &steward.Stored{Seq: out.Seq})
	}
	told := false
	look := func(out *steward.Out) {
		for ; ; _, out = done(s, &steward.Stored{Seq: out.Seq}) {
			told = out.Dial && s.Fenced("b")
			if out.Seq == 0 || told {
				return
			}
		}
	}
	_, out = done(s, &steward.Restart{ID: 1, Lost: []ring.NodeID{"b"}})
	look(out)
	_, out = done(s, &steward.Issue{ID: 2, Changes: []member.Change{{Kind: member.ForceRemove, Member: member.Member{Node: ring.Node{ID: "b"}}}}})
	if look(out); !told {
		t.Errorf("b is fenced: %v, and links were not told anew", s.Fenced("b"))
	}
}

// A disk that the links do not know, and that does not say that anything was lost, is
// that of a node which must come back as recovering.
func TestWhoForgotIsToldByTheLinks(t *testing.T) {
	cfg := steward.Config{Founding: founding(t, "a"), Disk: 7}
	s, out := begun(t, cfg, steward.Disk{})
	disk := steward.Disk{Notes: map[steward.Note][]byte{}}
	for now := (clock.Now{}); s.Links().Number < 2; now.Mono += time.Second {
		in := steward.Input(steward.Tick{})
		if len(out.Store) > 0 {
			in = &steward.Stored{Seq: out.Seq}
			for _, r := range out.Store {
				disk.Notes[r.Note] = r.Value
			}
		}
		if now.Mono > time.Minute {
			t.Fatal("no link names the disk")
		}
		*out = steward.Out{}
		s.Step(now, in, out)
		if out.Forgot {
			t.Fatal("a founder that no link has named is taken for one that forgot")
		}
	}
	for _, test := range []struct {
		disk               uint64
		recovering, forgot bool
	}{{7, false, false}, {8, true, false}, {8, false, true}} {
		cfg.Disk, cfg.Recovering = test.disk, test.recovering
		if _, out := begun(t, cfg, disk); out.Forgot != test.forgot {
			t.Errorf("%+v: forgot %v", test, out.Forgot)
		}
	}
}
