package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// retune changes the weight of a node, so often, at another.
func (w *World) retune(t *testing.T, at, who ring.NodeID, times int) {
	t.Helper()
	for i := range times {
		done := w.Issue(at, member.Change{Kind: member.Reweigh, Member: member.Member{Node: ring.Node{ID: who, Weight: 1 + i%2}}})
		w.RunFor(time.Second)
		if !done.Done || done.Err != nil {
			t.Fatalf("change %d at %s: %+v", i, at, *done)
		}
	}
}

// cutOff cuts a node off from all others.
func (w *World) cutOff(id ring.NodeID) {
	for _, m := range w.nodes {
		if m.id != id {
			w.Cut(id, m.id)
		}
	}
}

// joinUp undoes that.
func (w *World) joinUp(id ring.NodeID) {
	for _, m := range w.nodes {
		if m.id != id {
			w.Heal(id, m.id)
		}
	}
}

// folded looks whether all members have the same history behind one checkpoint of at
// least so many changes, and few changes beside it.
func (w *World) folded(t *testing.T, after string, least uint64) {
	t.Helper()
	for range 60 { // all must have shown each other what they have
		w.RunFor(time.Second)
	}
	w.settles(t, after)
	cp := w.Place().Checkpoint()
	if cp.Count < least {
		t.Fatalf("%s the checkpoint has %d changes, of %d", after, cp.Count, w.mustID("A").steward.core.History().Count())
	}
	for _, m := range w.Place().Members() {
		h := w.mustID(m.ID).steward.core.History()
		if h.Count()-h.Len()+1 != int(cp.Count) || h.Len() > 1+w.cfg.CheckpointAfter {
			t.Errorf("%s: %s has %d changes, %d of them behind the checkpoint, which has %d", after, m.ID, h.Count(), h.Count()-h.Len()+1, cp.Count)
		}
		if v := w.mustID(m.ID).steward.core.Version(); v != w.mustID(w.Place().Members()[0].ID).steward.core.Version() {
			t.Errorf("%s: %s is at history %s", after, m.ID, v)
		}
	}
}

// A history that all members have becomes a checkpoint. Who was removed stays so for
// ever, buckets stay defined, and a node that is started again, one that lost its disk
// and one that joins go on from it.
func TestRules_R38_TheHistoryIsFolded(t *testing.T) {
	w := newChangingWorld(t, Config{CheckpointAfter: 2, Compare: true}, "D", "E")
	w.settles(t, "at first")
	define := member.Change{Kind: member.Define, Name: "sessions", Bucket: member.DefaultBucket()}
	define.Bucket.N, define.Bucket.R, define.Bucket.W = 2, 1, 2
	w.Issue("B", define)
	w.Join("A", "D")
	w.settles(t, "after D joined")
	w.Leave("B", "D")
	w.settles(t, "after D left")
	w.retune(t, "C", "A", 3)
	w.folded(t, "after seven changes", 4)
	w.Crash("A")
	w.Restart("A")
	w.Crash("C")
	w.Wipe("C")
	w.Restart("C")
	w.retune(t, "B", "A", 4)
	w.Join("B", "E")
	w.folded(t, "after a start, a lost disk and a newcomer", 9)
	for _, m := range w.Place().Members() {
		c := w.mustID(m.ID).steward.core.Cluster()
		if b := c.Buckets.Named["sessions"]; b.N != 2 || b.R != 1 || b.W != 2 || !c.Fenced("D") {
			t.Errorf("%s knows of the bucket %+v, removed: %v", m.ID, b, c.Removed)
		}
	}
	w.Join("A", "D")
	w.RunFor(5 * time.Second)
	c := w.mustID("B").steward.core.Cluster()
	if _, ok := c.Member("D"); ok || len(c.Skipped) != 1 {
		t.Errorf("D was removed before the checkpoint, and joined again; left out: %v", c.Skipped)
	}
}

// There is no checkpoint as long as a member may know of a change that others do not:
// what it changed while it was away comes where its stamp says.
func TestNoCheckpointWhileAMemberIsAway(t *testing.T) {
	w := newChangingWorld(t, Config{CheckpointAfter: 1, Compare: true})
	w.settles(t, "at first")
	w.cutOff("C")
	w.retune(t, "C", "C", 1)
	w.retune(t, "A", "A", 4)
	w.RunFor(time.Minute)
	if cp := w.Place().Checkpoint(); cp.Count > 0 {
		t.Fatalf("a checkpoint of %d changes was made without C", cp.Count)
	}
	w.joinUp("C")
	w.folded(t, "after C came back", 6)
	w.Crash("B")
	w.retune(t, "A", "A", 4)
	w.RunFor(time.Minute)
	if cp := w.Place().Checkpoint(); cp.Count > 6 {
		t.Fatalf("a checkpoint of %d changes was made without B", cp.Count)
	}
	w.Restart("B")
	w.folded(t, "after B came back", 10)
}

// A node that was cut off just before it heard of a checkpoint meets a history that
// begins with it, and that has gone on; what it changed itself meanwhile stays.
func TestWhoWasAwayMeetsACheckpoint(t *testing.T) {
	for seed := range uint64(6) {
		w := newChangingWorld(t, Config{CheckpointAfter: 3, Compare: true, Seed: seed}, "D")
		w.settles(t, "at first")
		w.retune(t, "A", "A", 3)
		for end := w.now + time.Minute; w.Place().Checkpoint().Count == 0; {
			if w.RunFor(100 * time.Microsecond); w.now > end {
				t.Fatal("there is no checkpoint")
			}
		}
		away := ring.NodeID("B")
		if w.mustID(away).steward.core.Place().Checkpoint().Count > 0 {
			away = "C"
		}
		if p := w.mustID(away).steward.core.Place(); p.Checkpoint().Count > 0 {
			t.Fatalf("seed %d: all have adopted link %d at once", seed, p.Number())
		}
		w.cutOff(away)
		w.retune(t, away, away, 1)
		w.Join("A", "D")
		w.retune(t, "A", "A", 2)
		if seed%2 == 0 {
			w.Crash(away)
			w.Restart(away)
		}
		w.joinUp(away)
		w.folded(t, "after it came back", 8)
		for _, m := range w.Place().Members() {
			c := w.mustID(m.ID).steward.core.Cluster()
			if len(c.Members) != 4 || len(c.Skipped) > 0 {
				t.Errorf("seed %d: %s knows of %v, left out %v", seed, m.ID, c.Members, c.Skipped)
			}
		}
	}
}

// Rings that were formed apart, and have both made checkpoints, become one, whose next
// checkpoint has both in it.
func TestRingsWithCheckpointsMerge(t *testing.T) {
	for seed := range uint64(3) {
		w := apart(t, Config{Seed: seed, CheckpointAfter: 2, Spares: []ring.Node{{ID: "G"}}})
		w.RunFor(time.Minute)
		w.fillRing(t, "A", 10)
		w.fillRing(t, "D", 10)
		for _, at := range []ring.NodeID{"A", "D"} {
			w.retune(t, at, at, 4)
			w.RunFor(time.Minute)
			if h := w.mustID(at).steward.core.History(); h.Len() == h.Count() {
				t.Fatalf("seed %d: the ring of %s has made no checkpoint of %d changes", seed, at, h.Count())
			}
		}
		w.Introduce()
		w.RunFor(10 * time.Second)
		w.settles(t, "after the rings met")
		w.retune(t, "E", "B", 3)
		w.Join("F", "G")
		w.folded(t, "after G joined both", 9)
		members := w.Place().Members()
		if len(members) != 7 || !slices.ContainsFunc(w.mustID("G").steward.core.History().Changes(), func(c member.Change) bool {
			return c.Founding != nil && len(c.Founding.Absorbed) > 0
		}) {
			t.Errorf("seed %d: there are %d members, and no checkpoint has the younger ring in it", seed, len(members))
		}
		w.showAll(t, "A", 10)
		w.showAll(t, "D", 10)
		if w.settleRing(); w.broken != nil {
			t.Errorf("seed %d: %v", seed, w.broken)
		}
	}
}
