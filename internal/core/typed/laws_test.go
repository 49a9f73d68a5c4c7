package typed_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/typed"
)

const wall = 1_764_000_000_000

// world is three replicas of a key, each with an actor of its own.
type world struct {
	states [3]causal.State
	now    int64
}

// do carries out an update at a replica, as package replica does.
func (w *world) do(at int, u *ouro.Update) (typed.Change, typed.Refusal) {
	w.now++
	s := w.states[at]
	actor := causal.Actor{Run: uint64(at + 1), Life: 1}
	c, why := typed.Decide(&s, typed.Input{Update: u, Actor: actor, Now: w.now, Limits: typed.Limits{Elements: 1000, Bytes: 1 << 20}})
	if why != typed.None || len(c.Covers)+len(c.Mints) == 0 {
		return c, why
	}
	var out causal.State
	out.SetMintAll(&s, causal.ClaimsOf(c.Covers), c.Mints, actor, w.now)
	w.states[at] = out
	return c, why
}

func (w *world) join(a, b int) {
	w.states[a], _ = causal.JoinStates(w.states[a], w.states[b])
}

func draw(r *rand.Rand) *ouro.Update {
	all := []ouro.Update{
		{Kind: ouro.Set, Act: ouro.Assign},
		{Kind: ouro.Set, Act: ouro.Remove},
		{Kind: ouro.Map, Act: ouro.Assign},
		{Kind: ouro.Map, Act: ouro.Increment},
		{Kind: ouro.Map, Act: ouro.Remove},
		{Kind: ouro.SortedSet, Act: ouro.Assign},
		{Kind: ouro.SortedSet, Act: ouro.Increment},
		{Kind: ouro.Counter, Act: ouro.Increment},
		{Kind: ouro.Register, Act: ouro.Assign},
	}
	u := all[r.IntN(len(all))]
	e := ouro.Element{Name: string(rune('a' + r.IntN(3))), Score: r.Float64(), By: int64(r.IntN(5)), Value: fmt.Append(nil, r.IntN(9))}
	if u.Kind == ouro.Counter || u.Kind == ouro.Register {
		e.Name = ""
	}
	u.Elements = []ouro.Element{e}
	return &u
}

func show(s *causal.State, now int64) []ouro.Sibling { return typed.Show(s, now, nil) }

func joined(a, b causal.State) causal.State {
	s, _ := causal.JoinStates(a, b)
	return s
}

// Whatever three replicas did, and told each other of it: states join in any order
// and any number of times to one state, which shows the same.
func TestTypedStatesJoinInAnyOrder(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := world{now: wall}
		for range 30 {
			if a, b := r.IntN(3), r.IntN(3); r.IntN(3) == 0 {
				w.join(a, b)
			} else {
				w.do(a, draw(r))
			}
		}
		a, b, c := w.states[0], w.states[1], w.states[2]
		one := joined(joined(a, b), c)
		for i, other := range []causal.State{joined(a, joined(b, c)), joined(joined(c, b), a), joined(one, one), joined(one, b)} {
			if !slices.Equal(one.Append(nil), other.Append(nil)) || !reflect.DeepEqual(show(&one, w.now), show(&other, w.now)) {
				t.Fatalf("seed %d, order %d: %v and %v", seed, i, show(&one, w.now), show(&other, w.now))
			}
		}
	}
}

// An update does to what it names what it says, whatever was joined before; an
// addition outlives a removal made elsewhere at once.
func TestTypedUpdatesHaveTheirEffect(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := world{now: wall}
		for range 20 {
			if a, b := r.IntN(3), r.IntN(3); r.IntN(2) == 0 {
				w.join(a, b)
			} else if u := draw(r); u.Kind == ouro.Set {
				w.do(a, u)
			}
		}
		name := map[string]bool{"a": true}
		elements := []ouro.Element{{Name: "a"}}
		w.do(0, &ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: elements})
		if len(typed.Show(&w.states[0], w.now, name)) != 1 {
			t.Fatalf("seed %d: what was added is not there", seed)
		}
		w.do(1, &ouro.Update{Kind: ouro.Set, Act: ouro.Remove, Elements: elements})
		if len(typed.Show(&w.states[1], w.now, name)) != 0 {
			t.Fatalf("seed %d: what was removed is there", seed)
		}
		w.join(1, 0)
		if len(typed.Show(&w.states[1], w.now, name)) != 1 {
			t.Fatalf("seed %d: a removal that had not seen the addition removed it", seed)
		}
		w.do(1, &ouro.Update{Kind: ouro.Set, Act: ouro.Remove, Elements: elements})
		w.join(0, 1)
		if len(typed.Show(&w.states[0], w.now, name)) != 0 {
			t.Fatalf("seed %d: a removal that had seen the addition did not", seed)
		}
	}
}

// What is refused stores nothing, and bounds refuse growth alone.
func TestTypedRefusals(t *testing.T) {
	w := world{now: wall}
	one := []ouro.Element{{Name: "a", Value: []byte("text"), By: 1}}
	most := []ouro.Element{{Name: "most", Value: []byte("9223372036854775807"), By: 1}}
	w.do(0, &ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: append(one, most...)})
	for want, u := range map[typed.Refusal]*ouro.Update{
		typed.WrongType: {Kind: ouro.Set, Act: ouro.Assign, Elements: one},
		typed.NotNumber: {Kind: ouro.Map, Act: ouro.Increment, Elements: one},
		typed.Overflow:  {Kind: ouro.Map, Act: ouro.Increment, Elements: most},
	} {
		if c, why := w.do(0, u); why != want || len(c.Covers)+len(c.Mints) > 0 {
			t.Errorf("%v: refusal %d, want %d", u, why, want)
		}
	}
	in := typed.Input{Now: w.now, Limits: typed.Limits{Elements: 1, Bytes: 4}}
	in.Update = &ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: []ouro.Element{{Name: "b"}}}
	if _, why := typed.Decide(&w.states[0], in); why != typed.Full {
		t.Errorf("growth over the bound: refusal %d", why)
	}
	in.Update = &ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: []ouro.Element{{Name: "a"}}}
	if _, why := typed.Decide(&w.states[0], in); why != typed.None {
		t.Errorf("what makes it smaller: refusal %d", why)
	}
}
