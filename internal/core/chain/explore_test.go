package chain

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/effort"
)

// outcome is what a search found.
type outcome struct {
	states, locals, messages int
	chosen                   int      // different links that were adopted, each in some state
	diverged                 []string // the shortest history with two links of one number
}

// agree says whether nobody has adopted two different links of one number.
func (e *explorer) agree(g *global) bool {
	var one place.Hash
	for _, id := range g.nodes {
		p := e.locals[id].c.placement
		if p.Number() == 3 {
			continue
		}
		e.chosen[p.Hash()] = true
		if one != (place.Hash{}) && p.Hash() != one {
			return false
		}
		one = p.Hash()
	}
	return true
}

// possible are the events that may happen to a node.
func (e *explorer) possible(g *global, node int) []int32 {
	all := []int32{eventPropose, eventSynced, eventCrash, eventWipe}
	for w, set := range g.sent {
		for ; set != 0; set &= set - 1 {
			id := int32(w*64 + bits.TrailingZeros64(set))
			if int(e.parcels[id].to) == node {
				all = append(all, events+id)
			}
		}
	}
	return all
}

func (e *explorer) describe(node int, event int32) string {
	if event >= events {
		m := e.messages[event-events]
		return fmt.Sprintf("%s hears from %s: kind %d, number %d, ballot %v, accepted %v", names[node], names[e.parcels[event-events].from], m.Kind, m.Number, m.Ballot, m.Accepted)
	}
	return fmt.Sprintf("%s %s", names[node], [...]string{"proposes", "has synced", "crashes", "loses its disk"}[event])
}

// search goes through every history.
func (x exploration) search(t testing.TB) outcome {
	e, first := newExplorer(t, x)
	seen := map[global]struct{}{first: {}}
	type origin struct {
		from  int32
		node  int8
		event int32
	}
	queue, how := []global{first}, []origin{{-1, 0, 0}}
	for i := 0; i < len(queue); i++ {
		s := queue[i]
		for node := range names {
			for _, event := range e.possible(&s, node) {
				h := e.at(node, s.nodes[node], event)
				if h == nil {
					continue
				}
				n := s
				n.nodes[node] = h.next
				for _, id := range h.sent {
					n.sent[id/64] |= 1 << (id % 64)
				}
				if _, ok := seen[n]; ok {
					continue
				}
				seen[n] = struct{}{}
				queue, how = append(queue, n), append(how, origin{int32(i), int8(node), event})
				if !e.agree(&n) {
					var trace []string
					for k := int32(len(how) - 1); k > 0; k = how[k].from {
						trace = append(trace, e.describe(int(how[k].node), how[k].event))
					}
					slices.Reverse(trace)
					return outcome{diverged: trace, states: len(seen)}
				}
			}
		}
	}
	return outcome{states: len(seen), locals: len(e.locals), messages: len(e.parcels), chosen: len(e.chosen)}
}

// TestChoices: whatever is delayed, crashes or is lost, two members never adopt
// different links of one number.
func TestChoices(t *testing.T) {
	scopes := []exploration{
		{name: "all are slow", ballots: [2]int{1, 1}},
		{name: "one crashes", ballots: [2]int{1, 1}, crashes: 1},
		{name: "one loses its disk", ballots: [2]int{1, 1}, wipes: 1},
	}
	if !effort.Small() {
		scopes = append(scopes,
			exploration{name: "all are slow, three ballots", ballots: [2]int{1, 2}},
		)
	}
	for _, x := range scopes {
		o := x.search(t)
		if o.diverged != nil {
			t.Fatalf("%s: two links of one number after %d steps:\n%q", x.name, len(o.diverged), o.diverged)
		}
		t.Logf("%s: all %d states, of %d of one node and %d messages", x.name, o.states, o.locals, o.messages)
		if o.chosen < 2 {
			t.Errorf("%s: %d different links were chosen, want both", x.name, o.chosen)
		}
	}
}

// A disk that forgets and is not noticed does harm: the search would see it.
func TestADiskThatForgotMustBeNoticed(t *testing.T) {
	x := exploration{name: "alike", ballots: [2]int{1, 1}, wipes: 1, alike: true}
	if o := x.search(t); o.diverged == nil {
		t.Errorf("nobody notices in %d states", o.states)
	}
}
