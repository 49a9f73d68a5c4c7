package host

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestWhomItWaitsFor(t *testing.T) {
	info := &ouro.ClusterInfo{Members: []ouro.ClusterMember{
		{ID: "n1", State: "member"},
		{ID: "n2", State: "member", Up: true},
		{ID: "n3", State: "joining", Peer: "h:3"},
		{ID: "n4", State: "joining", Up: true},
		{ID: "n5", State: "leaving", Holds: 1},
		{ID: "n6", State: "leaving", Up: true, Holds: 7},
		{ID: "n7", State: "leaving", Self: true, Up: true},
		{ID: "n8", State: "member"},
		{ID: "n9", State: "member", Up: true},
	}}
	got := waits(info, map[ring.NodeID]int{"n8": 28, "n9": 5, "n4": 3}, "2 members must answer")
	want := []string{
		"n3, which is to join and can't be reached at h:3", "n4, which is to join, to be taken in",
		"n5, which leaves and can't be reached: it holds 1 partition, and may keep writes for other nodes; start it again, or, if it is gone for good, 'ouro cluster force-remove n5 --commit'",
		"n6, which leaves and holds 7 partitions still", "n7, which leaves, to hand on",
		"n8, to which 28 partitions shall move and which can't be reached: start it again", "the next link: 2 members",
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

// Who has left is told so, and that nothing is waited for any more: it hears of nothing.
func TestWhoIsOutWaitsForNothing(t *testing.T) {
	info := &ouro.ClusterInfo{Moving: 3, Waiting: 4, Waits: []string{"n2, which leaves, to hand on"}, Members: []ouro.ClusterMember{
		{ID: "n1", State: "member"}, {ID: "n2", State: "leaving", Self: true}, {ID: "n3", State: "joining"},
	}}
	goneOut(info)
	if !info.Out || info.Moving+info.Waiting+len(info.Waits) > 0 || len(info.Members) != 2 || info.Members[1].ID != "n3" {
		t.Errorf("%+v", info)
	}
}

// What is counted is kept for as long as history and placement are the same.
func TestCountsAreKept(t *testing.T) {
	founders := []member.Member{{Node: ring.Node{ID: "a", Weight: 1}}, {Node: ring.Node{ID: "b", Weight: 1}}}
	first, err := member.Genesis("test", founders[:1], 8, member.NamedBucket{Bucket: member.DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	both, err := member.Genesis("test", founders, 8, member.NamedBucket{Bucket: member.DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := first.Fold()
	if err != nil {
		t.Fatal(err)
	}
	two, err := both.Fold()
	if err != nil {
		t.Fatal(err)
	}
	h := &Host{}
	k := &known{cluster: alone, place: place.Founded(place.Hash{}, alone.Ring, 3)}
	c := h.count(k)
	if c.holds["a"] != 8 || c.targets["a"] != 8 || c.waiting != 0 || h.count(k) != c {
		t.Errorf("of one: %+v, kept %v", c, h.count(k) == c)
	}
	k = &known{cluster: two, place: k.place}
	if c = h.count(k); c.holds["b"] != 0 || c.targets["b"] != 8 || c.waiting != 8 || c.coming["b"] != 8 || c.coming["a"] != 0 {
		t.Errorf("with b by the history: %+v", c)
	}
	k = &known{cluster: two, place: place.Founded(place.Hash{}, two.Ring, 3)}
	if c = h.count(k); c.holds["b"] != 8 || c.waiting != 0 || len(c.coming) != 0 {
		t.Errorf("with b in the lists: %+v", c)
	}
}

// A node that is joined is where the operator said, not where its configuration does:
// that is said, as the replicas are spread by it.
func TestAnotherPlaceThanConfiguredIsSaid(t *testing.T) {
	for _, test := range []struct {
		set, is ring.Node
		want    []string
	}{
		{ring.Node{ID: "a", Weight: 1}, ring.Node{ID: "a", Zone: "x", DC: "e", Weight: 3}, nil}, // nothing was configured
		{ring.Node{ID: "a", Zone: "x", Weight: 2}, ring.Node{ID: "a", Zone: "x", DC: "e", Weight: 2}, nil},
		{ring.Node{ID: "a", Zone: "x", Weight: 1}, ring.Node{ID: "a", DC: "e", Weight: 1}, []string{"relabel a --zone=x --dc=e"}},
		{ring.Node{ID: "a", DC: "e", Weight: 2}, ring.Node{ID: "a"}, []string{"relabel a --zone= --dc=e", "reweigh a 2"}},
	} {
		h := &Host{}
		h.cfg.Founding.Self.Node = test.set
		got := h.labelled(member.Member{Node: test.is})
		if len(got) != len(test.want) {
			t.Errorf("configured %+v, is %+v: %q", test.set, test.is, got)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], test.want[i]) {
				t.Errorf("configured %+v, is %+v: %q, want %q", test.set, test.is, got[i], test.want[i])
			}
		}
	}
}
