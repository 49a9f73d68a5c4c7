package chain_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// begun returns a cluster whose founders' disks are named.
func begun(t *testing.T, q int, founders ...ring.NodeID) *cluster {
	t.Helper()
	k := newCluster(t, 1, q, founders...)
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	return k
}

// An acceptor counts only under the disk that its link names, at both ends: it
// does not answer, and is not counted if it does (RULES R13).
func TestADiskThatForgotHasNoVote(t *testing.T) {
	k := begun(t, 8, "A", "B", "C")
	a, c := k.machine("A"), k.machine("C")
	k.crash(k.machine("B"))
	target := k.wants(8, "A", "B")
	target.Members = ids{"A", "B", "C"}
	var out chain.Effects
	k.now.Mono += time.Minute
	a.c.Target(k.now, target, &out)
	for out.Storing { // its own promise
		seq := out.Store.Seq
		out.Storing = false
		a.c.Stored(k.now, seq, &out)
	}
	ask := out.Sends[slices.IndexFunc(out.Sends, func(s chain.Send) bool { return s.Message.Kind == chain.Prepare && s.To == "C" })].Message

	forgot := chain.New(chain.Config{}, "C", 99, chain.Durable{Placement: c.d.Placement}, k.rand)
	var reply chain.Effects
	forgot.Hear(k.now, "A", ask, &reply)
	if reply.Storing || slices.ContainsFunc(reply.Sends, func(s chain.Send) bool { return s.Message.Kind == chain.Promise }) {
		t.Error("a disk that forgot promises")
	}
	promise := chain.Message{Kind: chain.Promise, Number: ask.Number, Origin: ask.Origin, Hash: ask.Hash, Ballot: ask.Ballot, Disk: 99}
	for _, test := range []struct {
		disk uint64
		want bool
	}{{99, false}, {c.disk, true}} {
		var out chain.Effects
		m := promise
		m.Disk = test.disk
		a.c.Hear(k.now, "C", &m, &out)
		if got := slices.ContainsFunc(out.Sends, func(s chain.Send) bool { return s.Message.Kind == chain.Accept }); got != test.want {
			t.Errorf("a promise of disk %d counts: %v", test.disk, got)
		}
	}
}

// A founder that knows that links were made, and has lost them, has no say in the first
// one, whatever the other founders do: there would be two of its number. It says what it
// waits for, and an operator can go on from it. Who is alone has nobody to wait for
// (decision 0034).
func TestAFounderThatLostItsLinksFoundsNothing(t *testing.T) {
	for _, test := range []struct {
		founders ids
		linked   ring.NodeID // who knows that there are links
		begins   bool
	}{
		{ids{"A", "B", "C"}, "A", false}, // which would propose
		{ids{"A", "B", "C"}, "C", false},
		{ids{"A", "B", "C"}, "", true},
		{ids{"A"}, "A", true},
	} {
		k := &cluster{t: t, rand: rand.New(rand.NewPCG(1, 7)), down: map[ring.NodeID]bool{}, cut: func(_, _ ring.NodeID) bool { return false }, hashes: map[uint64]place.Hash{}, sent: map[chain.Kind]int{}, target: &chain.Target{Promises: []place.Promise{usual}}}
		for _, id := range test.founders {
			k.cfg.Linked = id == test.linked
			k.add(id, chain.Durable{Placement: founded(t, 8, 3, test.founders...)})
		}
		if begins := k.run(time.Minute, func() bool { return k.linked > 0 }); begins != test.begins {
			t.Errorf("%v, of whom %s has lost its links: a first link is chosen: %v", test.founders, test.linked, begins)
		}
		if test.begins {
			continue
		}
		m := k.machine(test.linked)
		if s := m.c.Status(); s.Acceptor || s.Waits == "" {
			t.Errorf("%s has a say, or does not tell why it has none: %+v", test.linked, s)
		}
		k.step(m, func(out *chain.Effects) {
			if err := m.c.Restart(k.now, nil, out); err != nil {
				t.Error(err)
			}
		})
		if !k.run(time.Minute, named(k)) {
			t.Errorf("after an operator's act: %s", k.state())
		}
	}
}

// All founders lost all that they had, nobody else could be reached, and they founded
// their cluster a second time (decision 0034 tells when). As the two meet, whichever has
// gone further, neither follows the other nor overwrites it, and both raise the alarm.
func TestASecondFoundingIsNoticed(t *testing.T) {
	for _, further := range []bool{false, true} {
		first, again := begun(t, 8, "A", "B"), newCluster(t, 2, 8, "A", "B")
		again.newDisk = 10
		for _, m := range again.nodes {
			again.wipe(m)
		}
		if !again.run(10*time.Second, named(again)) {
			t.Fatal(again.state())
		}
		if further {
			first.add("C", chain.Durable{})
			first.aim(first.wants(8, "A", "B", "C"))
			first.mustArrive(5 * time.Minute)
		}
		a, b := first.machine("A").c, again.machine("B").c
		ours, theirs := a.Placement(), b.Placement()
		if ours.Origin() != theirs.Origin() || ours.First() == theirs.First() || further != (ours.Number() > 2) {
			t.Fatalf("numbers %d and %d of chains %x and %x", ours.Number(), theirs.Number(), ours.First(), theirs.First())
		}
		for who, c := range map[ring.NodeID]*chain.Chain{"B": a, "A": b} {
			p := theirs
			if c == b {
				p = ours
			}
			var out chain.Effects
			c.Hear(first.now, who, &chain.Message{Kind: chain.Tell, Number: p.Number(), Origin: p.Origin(), Hash: p.Hash(), First: p.First(), Disk: 50}, &out)
			if c.Status().Diverged != who || !slices.ContainsFunc(out.Facts, func(f fact.Fact) bool { return f.Kind == fact.Diverged }) {
				t.Errorf("further %v: there is no alarm for %s: %+v", further, who, out.Facts)
			}
			if out.Storing || slices.ContainsFunc(out.Sends, func(s chain.Send) bool { return s.To == who && s.Message.Kind != chain.Prepare }) {
				t.Errorf("further %v: %s is followed, or brought along: %+v", further, who, out.Sends)
			}
		}
	}
}

// A link that takes in one who was removed is refused by those who know that, and then
// nobody has accepted it. One that somebody accepted before he knew is followed: it may
// have been chosen, and no other could be any more.
func TestALinkThatTakesInTheRemoved(t *testing.T) {
	const q = 8
	for _, test := range []struct {
		knows ids // that D was removed, while A is to take it in
		taken bool
	}{{ids{"B", "C"}, false}, {ids{"C"}, true}} {
		k := begun(t, q, "A", "B", "C")
		k.add("D", chain.Durable{})
		with, without := k.wants(q, "A", "B", "C", "D"), k.wants(q, "A", "B", "C")
		without.Removed = ids{"D"}
		for _, m := range k.nodes {
			target := with
			if slices.Contains(test.knows, m.id) {
				target = without
			}
			k.step(m, func(out *chain.Effects) { m.c.Target(k.now, target, out) })
		}
		k.run(10*time.Second, func() bool { return false }) // D would propose itself after 15
		if _, taken := k.machine("B").c.Placement().Member("D"); taken != test.taken {
			t.Errorf("%v know that D was removed, and it is a member: %v", test.knows, taken)
		}
		k.aim(without)
		k.mustArrive(10 * time.Minute)
	}
}

// A link that one accepted of two who are needed is chosen after all, though all know
// by now that it takes in one who was removed.
func TestALinkThatMayHaveBeenChosen(t *testing.T) {
	const q = 8
	k := begun(t, q, "A", "B", "C")
	k.add("D", chain.Durable{})
	k.crash(k.machine("C"))
	b := k.machine("B")
	k.cut = func(from, _ ring.NodeID) bool { return from == "B" && b.d.Vote.Link != nil }
	k.aim(k.wants(q, "A", "B", "C", "D"))
	if !k.run(time.Minute, func() bool { return b.d.Vote.Link != nil }) {
		t.Fatal("B accepts nothing")
	}
	k.cut = func(_, _ ring.NodeID) bool { return false }
	k.add("E", chain.Durable{})
	k.aim(k.wants(q, "A", "B", "C", "E")) // D is among those who have left
	k.mustArrive(10 * time.Minute)
}

// What is synced is told, and nothing else.
func TestNothingIsToldBeforeItIsSynced(t *testing.T) {
	k := begun(t, 8, "A", "B", "C")
	p := k.machine("C").d.Placement
	c := chain.New(chain.Config{}, "C", k.machine("C").disk, chain.Durable{Placement: p}, k.rand)
	m := chain.Message{Kind: chain.Prepare, Number: p.Number(), Origin: p.Origin(), Hash: p.Hash(), Disk: 1, Ballot: chain.Ballot{Round: 1, Node: "A", Run: 1}}
	var out chain.Effects
	c.Hear(k.now, "A", &m, &out)
	if !out.Storing || len(out.Sends) > 0 {
		t.Fatalf("%+v", out)
	}
	second := m
	second.Ballot.Round = 2 // while the first is being written
	out.Storing = false
	c.Hear(k.now, "B", &second, &out)
	if out.Storing || len(out.Sends) > 0 {
		t.Fatalf("%+v", out)
	}
	c.Stored(k.now, out.Store.Seq, &out)
	if !out.Storing || len(out.Sends) != 1 || out.Sends[0].To != "A" || out.Store.Vote.Promised.Round != 2 {
		t.Fatalf("%+v", out)
	}
	c.Stored(k.now, out.Store.Seq, &out)
	if len(out.Sends) != 2 || out.Sends[1].To != "B" {
		t.Fatalf("%+v", out)
	}
}

// The trace of H4: two operators on two sides of a cut change the ring each in
// their own way. There is one chain all the same, and a partition's list changes
// by one whole move at a time.
func TestRules_H4_TwoSidesHaveOneChain(t *testing.T) {
	const q = 8
	k := begun(t, q, "A", "B", "C", "D", "E")
	all := ids{"A", "B", "C", "D", "E"}
	first, second := k.wants(q, "A", "B", "C", "D"), k.wants(q, "B", "C", "D", "E")
	first.Members, second.Members = all, all
	left := func(id ring.NodeID) bool { return id == all[0] || id == all[1] }
	for _, m := range k.nodes {
		target := second
		if left(m.id) {
			target = first
		}
		k.step(m, func(out *chain.Effects) { m.c.Target(k.now, target, out) })
	}
	k.cut = func(a, b ring.NodeID) bool { return left(a) != left(b) }
	before := k.machine("A").c.Placement().Number()
	k.run(time.Minute, func() bool { return false })
	if n := k.machine("A").c.Placement().Number(); n != before {
		t.Errorf("two of five went on to number %d", n)
	}
	if n := k.machine("C").c.Placement().Number(); n == before {
		t.Error("three of five did not go on")
	}
	k.cut = func(_, _ ring.NodeID) bool { return false }
	k.run(time.Minute, func() bool { return false }) // the histories still differ
	k.aim(first)
	k.mustArrive(10 * time.Minute)
	if k.alarms > 0 {
		t.Errorf("%d alarms", k.alarms)
	}
}

// The trace of H13, as far as links go: a newcomer that is dead stops neither the
// moves of others nor the abort of its own, and can be given up.
func TestRules_H13_ADeadNewcomerStopsNobody(t *testing.T) {
	const q = 16
	k := begun(t, q, "A", "B", "C")
	k.add("D", chain.Durable{})
	k.work = time.Hour // D gets ready never
	k.aim(k.wants(q, "A", "B", "C", "D"))
	if !k.run(time.Minute, func() bool { return k.machine("A").c.Status().Moving > 0 }) {
		t.Fatal(k.state())
	}
	k.crash(k.machine("D"))
	k.work = time.Second
	k.add("E", chain.Durable{})
	target := k.wants(q, "A", "B", "C", "E")
	target.Forced = ids{"D"}
	k.aim(target)
	k.mustArrive(10 * time.Minute)
}

// The trace of H22: an entry of the history turns up late and re-orders what comes
// after it. Where partitions should be is another place then; where they are is as
// the chain has it, and they go on from there through both lists.
func TestRules_H22_TheHistoryMovesNothing(t *testing.T) {
	const q = 16
	k := begun(t, q, "A", "B", "C")
	k.add("D", chain.Durable{})
	k.aim(k.wants(q, "A", "B", "C", "D"))
	k.mustArrive(time.Hour)
	before := k.machine("A").c.Placement()
	late := k.wants(q, "A", "B", "C", "D")
	for i := range late.Lists {
		late.Lists[i] = slices.Clone(late.Lists[i])
		slices.Reverse(late.Lists[i])
	}
	var out chain.Effects
	k.machine("A").c.Target(k.now, late, &out)
	if now := k.machine("A").c.Placement(); now != before {
		t.Fatal("the history moved partitions")
	}
	k.did(k.machine("A"), &out)
	k.aim(late)
	seen := map[uint32]bool{}
	k.run(10*time.Minute, func() bool {
		p := k.machine("A").c.Placement()
		for i := range uint32(q) {
			l := p.Of(i)
			seen[i] = seen[i] || l.Moving()
			if !l.Moving() && !seen[i] && !slices.Equal(l.Old, before.Of(i).Old) {
				t.Fatalf("partition %d jumped", i)
			}
		}
		return k.arrived()
	})
	k.mustArrive(time.Minute)
}

// A node never makes a ballot twice, whatever it has forgotten.
func TestBallotsOfTwoLivesDiffer(t *testing.T) {
	k := begun(t, 8, "A", "B", "C")
	var made []chain.Ballot
	for range 2 {
		a := chain.New(chain.Config{}, "A", 99, chain.Durable{Placement: k.machine("A").d.Placement}, k.rand)
		var out chain.Effects
		a.Disk(k.now, "B", 50, &out)
		for _, id := range (ids{"B", "C"}) {
			a.Link(k.now, id, true, &out)
		}
		for _, s := range out.Sends {
			if s.Message.Kind == chain.Prepare {
				made = append(made, s.Message.Ballot)
				break
			}
		}
	}
	if len(made) != 2 || made[0] == made[1] {
		t.Errorf("%v", made)
	}
}

// Moves that get ready one after the other end together.
func TestMovesEndTogether(t *testing.T) {
	const q = 64
	k := begun(t, q, "A", "B", "C")
	k.add("D", chain.Durable{})
	k.work = 10 * time.Second
	before := k.linked
	k.aim(k.wants(q, "A", "B", "C", "D"))
	k.mustArrive(time.Hour)
	ended := 0
	for _, l := range k.machine("A").c.Links() {
		for i := range l.Moves {
			if m := &l.Moves[i]; m.New == nil && len(m.Proofs) > 0 {
				ended++
			}
		}
	}
	if links := k.linked - before; links > 7 || ended < 20 {
		t.Errorf("%d links for %d moves that took 10 s to 20 s", links, ended)
	}
}
