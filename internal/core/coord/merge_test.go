package coord

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
)

// TestMergeAtOneFloor: where replicas have pruned to different floors, what a get
// merges does not depend on their order, and each of them joins it to just that:
// one read makes them equal (RULES R7).
func TestMergeAtOneFloor(t *testing.T) {
	v := causal.Version{Dot: causal.Dot{Actor: causal.Actor{Run: 1, Life: 1}, N: 1}, Value: []byte("v")}
	seen := causal.Claims{Vector: []causal.Entry{{Actor: v.Dot.Actor, N: 1, Time: 2}}}
	states := []causal.State{{Claims: seen}, {Claims: seen, Versions: []causal.Version{v}}, {Floor: 5}}
	want := ""
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		var g Get
		var e Effects
		g.n = len(order)
		for i, which := range order {
			g.body.add(i)
			g.states[i], g.raw[i], g.sums[i] = states[which], states[which].Append(nil), sumOf(int8(which))
		}
		g.merge(clock.Now{}, &e, g.everyone())
		if want == "" {
			want = string(g.bytes)
		}
		if string(g.bytes) != want {
			t.Errorf("%v: %+v", order, g.merged)
		}
		for _, s := range states {
			if joined, _ := causal.JoinStates(s, g.merged); string(joined.Append(nil)) != want {
				t.Errorf("%+v and what was merged make %+v", s, joined)
			}
		}
	}
}
