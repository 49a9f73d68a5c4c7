package host

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro"
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
	}}
	got := waits(info, "2 members must answer")
	want := []string{
		"n3, which is to join and can't be reached at h:3", "n4, which is to join, to be taken in",
		"n5, which leaves and can't be reached: it holds 1 partition, and may keep writes for other nodes; start it again, or, if it is gone for good, 'ouro cluster force-remove n5 --commit'",
		"n6, which leaves and holds 7 partitions still", "n7, which leaves, to hand on", "the next link: 2 members",
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
