package causal_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
)

// The model m4 of the rules, on the real join: three events with every order of
// stamps and every relation of who has seen whom, joined in every order.
//
// Kept as they are, all orders end in one state, which holds exactly what nobody
// has replaced (RULES R23). Where the join picked the greatest stamp, two replicas
// would annihilate each other (H7): that variant must be seen to fail.
func TestModelLWW(t *testing.T) {
	cases, erased := 0, 0
	for _, stamps := range [][3]int{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		for relation := range 8 {
			cases++
			events := lwwEvents(stamps, relation)
			want := maxima(relation)
			for _, s := range joined(events, func(s causal.State) causal.State { return s }) {
				if got := heldIn(s); got != want {
					t.Fatalf("stamps %v, relation %03b: %03b is held, not %03b", stamps, relation, got, want)
				}
			}
			picked := joined(events, winner)
			all := picked[0]
			for _, s := range picked[1:] {
				all, _ = causal.JoinStates(all, s)
			}
			if len(winner(all).Versions) == 0 {
				erased++
			}
		}
	}
	t.Logf("%d cases; with the winner picked in the join %d of them end with nothing", cases, erased)
	if erased == 0 {
		t.Error("the variant that must fail was not seen to fail")
	}
}

// lwwEvents are three writes of which the second has seen the first if bit 0 is
// set, the third the first if bit 1 is, and the second if bit 2 is.
func lwwEvents(stamps [3]int, relation int) [3]causal.State {
	var events [3]causal.State
	for i := range events {
		var seen causal.Claims
		for k := range i {
			if covers(relation, i, k) {
				seen = seen.Union(events[k].Claims)
			}
		}
		actor := causal.Actor{Run: uint64(i + 1), Life: 1}
		events[i], _ = causal.State{}.Mint(seen, causal.Version{Value: []byte{byte(i)}}, actor, 1, causal.DefaultLimits())
		events[i].Versions[0].Stamp = causal.StampAt(int64(stamps[i]))
	}
	return events
}

func covers(relation, i, k int) bool {
	switch {
	case i == 1:
		return relation&1 != 0
	case k == 1:
		return relation&4 != 0
	default:
		return relation&2 != 0 || relation&4 != 0 && relation&1 != 0
	}
}

// maxima are the events that no other has seen.
func maxima(relation int) (held int) {
	for k := range 3 {
		seen := false
		for i := k + 1; i < 3; i++ {
			seen = seen || covers(relation, i, k)
		}
		if !seen {
			held |= 1 << k
		}
	}
	return held
}

// joined joins the events in each order, with something done to each result.
func joined(e [3]causal.State, after func(causal.State) causal.State) []causal.State {
	var all []causal.State
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 2, 0}} {
		s, _ := causal.JoinStates(e[order[0]], e[order[1]])
		s, _ = causal.JoinStates(after(s), e[order[2]])
		all = append(all, after(s))
	}
	return all
}

// winner drops all but the greatest stamp.
func winner(s causal.State) causal.State {
	if v, ok := s.Latest(); ok {
		s.Versions = []causal.Version{v}
	}
	return s
}

func heldIn(s causal.State) (held int) {
	for i := range s.Versions {
		held |= 1 << s.Versions[i].Value[0]
	}
	return held
}
