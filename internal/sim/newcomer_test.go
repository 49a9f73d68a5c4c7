package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
)

// returning is a world in which every partition is at one node, and the weight that A
// is given to move some there.
func returning(t *testing.T) *World {
	cfg := Config{Nodes: []ring.Node{{ID: "A", Weight: 1}, {ID: "B", Weight: 1}, {ID: "C", Weight: 1}, {ID: "D", Weight: 1}}, Q: 32}
	cfg.Buckets.Default.N = 1
	w := newChangingWorld(t, cfg)
	w.settles(t, "at first")
	return w
}

func (w *World) reweigh(at, id ring.NodeID, weight int) {
	w.Issue(at, member.Change{Kind: member.Reweigh, Member: member.Member{Node: ring.Node{ID: id, Weight: weight}}})
	w.RunFor(10 * time.Second) // all have heard of it
}

// outAndBack returns a key that goes from C to A as A weighs more, and back again.
func outAndBack(t *testing.T) ouro.Key {
	w := returning(t)
	var at [3][]ring.NodeID
	for step, weight := range []int{1, 3, 1} {
		if step > 0 {
			w.reweigh("B", "A", weight)
			w.settles(t, "once A weighs something else")
		}
		for p := range uint32(w.Place().Q()) {
			at[step] = append(at[step], w.Place().Of(p).Old[0])
		}
	}
	for i := range 1000 {
		key := keyIn("b", fmt.Sprint("k", i))
		p := w.ring.Partition(ring.NewKey(key.Bucket, key.Name).Pos)
		if at[0][p] == "C" && at[1][p] == "A" && at[2][p] == "C" {
			return key
		}
	}
	t.Fatal("no partition goes to A and comes back")
	return ouro.Key{}
}

// TestRules_R34_WhoReturnsPaysNoNewcomer: who has kept a write for C was away while its
// partition left C, and C is getting that again when it comes back, knowing nothing of
// it. What C takes as a newcomer goes where its move is aborted: C takes no payment.
func TestRules_R34_WhoReturnsPaysNoNewcomer(t *testing.T) {
	key := outAndBack(t)
	w := returning(t)
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		w.Cut("D", id)
	}
	w.RunFor(5 * time.Second)
	must(t, w.Put("D", key, text("v"), ouro.W(1)))
	if w.Kept("D") == 0 {
		t.Fatal("D keeps nothing")
	}
	w.reweigh("B", "A", 3)
	w.RunFor(time.Minute)
	w.Lose(func(from, to ring.NodeID, m *node.Message) bool {
		return m.Kind == node.KindSurvey && from == "C" || steward.Takes(m.Kind) && to == "D"
	})
	w.reweigh("B", "A", 1)
	w.RunFor(10 * time.Second)
	p := w.ring.Partition(ring.NewKey(key.Bucket, key.Name).Pos)
	if l := w.Place().Of(p); !l.Moving() || !slices.Contains(l.New, ring.NodeID("C")) {
		t.Fatalf("it is not on its way to C: %+v", l)
	}
	w.Heal("D", "C")
	w.RunFor(time.Minute)
	if w.Kept("D") == 0 {
		t.Error("C has taken what is owed to who has the partition")
	}
	w.reweigh("B", "A", 3)
	w.Lose(nil)
	w.Heal("D", "A")
	w.Heal("D", "B")
	w.settles(t, "once the move is aborted")
	w.RunFor(time.Minute)
	if w.Kept("D") > 0 {
		t.Error("D keeps it still")
	}
	res, err := w.Get("B", key).Wait()
	if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "v" {
		t.Errorf("B shows %v: %v", res.Siblings, err)
	}
}

// TestAJoinIsLostWithWhoTookIt: A takes a join, has the link chosen that names the newcomer
// before anybody else has heard of the join, and is lost. No link follows, as nobody knows
// what was wanted, until the newcomer is joined again; the status says so.
func TestAJoinIsLostWithWhoTookIt(t *testing.T) {
	w := newChangingWorld(t, Config{Nodes: []ring.Node{{ID: "A", Weight: 1}, {ID: "B", Weight: 1}, {ID: "C", Weight: 1}, {ID: "D", Weight: 1}}}, "E")
	w.settles(t, "at first")
	w.RunFor(10 * time.Second) // their disks are named
	w.Lose(func(from, _ ring.NodeID, m *node.Message) bool { return m.Kind == node.KindGossip && from == "A" })
	joined := w.Join("A", "E")
	w.RunFor(200 * time.Millisecond)
	if _, named := w.Place().Member("E"); !named || !joined.Done || joined.Err != nil {
		t.Fatalf("E is named %v, the join is done %v: %v", named, joined.Done, joined.Err)
	}
	w.Crash("A")
	w.Lose(nil)
	w.forceRemove("B", "A")
	w.RunFor(time.Minute)
	if s := w.mustID("B").steward.core.Links(); !strings.Contains(s.Waits, "join it again") || len(w.Place().Members()) != 5 {
		t.Errorf("it waits: %q", s.Waits)
	}
	w.Join("C", "E")
	w.settles(t, "once E is joined again")
	if _, in := w.Place().Member("A"); in {
		t.Error("A is not removed")
	}
}
