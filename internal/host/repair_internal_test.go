package host

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// The number that operators alert on is that of the worst pair, and one that
// never agreed is no better than the age of the node.
func TestSinceAgreed(t *testing.T) {
	start := time.Unix(1000, 0)
	now := start.Add(time.Hour)
	peer := func(never int, ago time.Duration) ouro.RepairPeer {
		if never > 0 {
			return ouro.RepairPeer{Partitions: 3, Never: never}
		}
		return ouro.RepairPeer{Partitions: 3, Oldest: now.Add(-ago)}
	}
	for _, c := range []struct {
		name  string
		peers []ouro.RepairPeer
		want  time.Duration
	}{
		{"alone", nil, 0},
		{"the worst comes first", []ouro.RepairPeer{peer(0, time.Minute), peer(0, time.Second)}, time.Minute},
		{"the worst comes last", []ouro.RepairPeer{peer(0, time.Second), peer(0, time.Minute)}, time.Minute},
		{"one partition never agreed", []ouro.RepairPeer{peer(0, time.Second), peer(1, 0)}, time.Hour},
		{"the clock went back", []ouro.RepairPeer{peer(0, -time.Minute)}, 0},
	} {
		if got := sinceAgreed(ouro.RepairInfo{Started: start, Peers: c.peers}, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
