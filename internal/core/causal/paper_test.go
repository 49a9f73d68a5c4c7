package causal_test

import (
	"fmt"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
)

// clockOf returns the vector clock of a version as the paper writes it: how many
// events of each site it has behind it, itself included.
func clockOf(c causal.Claims, runs ...uint64) string {
	s := ""
	for _, run := range runs {
		if n := c.N(causal.Actor{Run: run, Life: 1}); n > 0 {
			s += fmt.Sprintf("(S%c,%d)", rune(run), n)
		}
	}
	return s
}

// TestFigure3 is figure 3 of the paper on values (PAPER 4.4.9).
func TestFigure3(t *testing.T) {
	x, y, z := &site{run: 'x'}, &site{run: 'y'}, &site{run: 'z'}
	put := func(s *site, ctx causal.Claims, value string) causal.Claims {
		s.mint(ctx, version(value), 1, wide)
		return s.state.Claims
	}
	clock := func(c causal.Claims, want string) {
		t.Helper()
		if got := clockOf(c, 'x', 'y', 'z'); got != want {
			t.Errorf("clock %s, want %s", got, want)
		}
	}
	d1 := put(x, causal.Claims{}, "D1")
	clock(d1, "(Sx,1)")
	old := x.state
	d2 := put(x, d1, "D2")
	clock(d2, "(Sx,2)")
	wantValues(t, x.state, "D2")

	y.state, z.state = x.state, x.state
	clock(put(y, d2, "D3"), "(Sx,2)(Sy,1)")
	clock(put(z, d2, "D4"), "(Sx,2)(Sz,1)")

	// Who knows D1 or D2 and receives D4 drops them; who knows D3 keeps both.
	wantValues(t, join(old, z.state), "D4")
	wantValues(t, join(x.state, z.state), "D4")
	both := join(y.state, z.state)
	wantValues(t, both, "D3", "D4")
	clock(both.Claims, "(Sx,2)(Sy,1)(Sz,1)")

	x.set(join(x.state, both))
	clock(put(x, both.Claims, "D5"), "(Sx,3)(Sy,1)(Sz,1)")
	wantValues(t, x.state, "D5")
	wantValues(t, join(both, x.state), "D5")
}

// TestInterleavedStaleContexts: two clients write 100 times each in turn through
// one coordinator, each under its own last reply alone (PAPER 9.3).
func TestInterleavedStaleContexts(t *testing.T) {
	s := &site{run: 1}
	var ctx [2]causal.Claims
	for i := range 100 {
		c := i % 2
		report := s.mint(ctx[c], version(fmt.Sprintf("client %d write %d", c, i)), int64(i), causal.DefaultLimits())
		ctx[c] = ctx[c].With(report.Dot)
		if n := len(s.state.Versions); n > 2 {
			t.Fatalf("%d siblings after %d writes", n, i+1)
		}
	}
	wantValues(t, s.state, "client 0 write 98", "client 1 write 99")
	if n := len(s.state.Exceptions); n != 0 {
		t.Errorf("%d exceptions where the record has no gap", n)
	}
	for c := range ctx {
		if n := len(ctx[c].Vector) + len(ctx[c].Exceptions); n > 51 { // the actor and its 50 events
			t.Errorf("the context of client %d has %d parts", c, n)
		}
	}
}

// TestH1 (RULES H1): a fallback that forgets a key lawfully must not give out a
// dot twice, or the newer write is dropped as seen.
func TestH1(t *testing.T) {
	home, fallback := &site{run: 1}, &site{run: 2}
	first := fallback.mint(causal.Claims{}, version("w0"), 1, wide)
	home.set(join(home.state, fallback.state))
	fallback.set(causal.State{}) // hint delivered and deleted

	read := home.state.Claims
	home.mint(read, version("w1"), 2, wide)
	second := fallback.mint(causal.Claims{}, version("w2"), 3, wide)
	if first.Dot == second.Dot {
		t.Fatalf("dot %v was given out twice", first.Dot)
	}
	home.set(join(home.state, fallback.state))
	wantValues(t, home.state, "w1", "w2")
}

// TestH2 (RULES H2): a bigger number does not help where a record was forgotten:
// entry n claims 1..n, and the first write would disappear.
func TestH2(t *testing.T) {
	home, fallback := &site{run: 1}, &site{run: 2}
	fallback.mint(causal.Claims{}, version("w0"), 1, wide)
	home.set(join(home.state, fallback.state))
	fallback.set(causal.State{})
	report := fallback.mint(causal.Claims{}, version("w1"), 2, wide)
	if fallback.state.N(causal.Actor{Run: 2, Life: 1}) != 0 {
		t.Fatalf("after %v the record claims events of a life it has forgotten: %+v", report.Dot, fallback.state.Claims)
	}
	home.set(join(home.state, fallback.state))
	wantValues(t, home.state, "w0", "w1")
}

// TestH6 (RULES H6): a context with a gap is neither folded (loss) nor cut (an
// overwritten value returns): the record keeps the exception until it knows.
func TestH6(t *testing.T) {
	a, b := &site{run: 1}, &site{run: 2}
	a.mint(causal.Claims{}, version("a1"), 1, wide)
	reply := causal.Claims{}.With(a.mint(causal.Claims{}, version("a2"), 2, wide).Dot)
	b.mint(reply, version("b1"), 3, wide)
	if n := len(b.state.Exceptions); n != 1 {
		t.Fatalf("%d exceptions, want 1", n)
	}
	merged := join(a.state, b.state)
	wantValues(t, merged, "a1", "b1")
	if n := len(merged.Exceptions); n != 0 {
		t.Errorf("%d exceptions left where the gap is known", n)
	}
	same(t, "both sides", merged, join(b.state, a.state))
}

// TestH7 (RULES H7): the join never compares stamps, so a clock that is behind
// cannot make two replicas annihilate each other; lww is a way of reading.
func TestH7(t *testing.T) {
	a, b := &site{run: 1}, &site{run: 2}
	a.mint(causal.Claims{}, version("w0"), 2, wide)
	b.mint(causal.Claims{}, version("w1"), 3, wide)
	slow := &site{run: 3, state: b.state}
	slow.mint(b.state.Claims, version("w2"), 1, wide)

	merged := join(join(a.state, b.state), slow.state)
	wantValues(t, merged, "w0", "w2")
	if w, ok := merged.Latest(); !ok || string(w.Value) != "w2" {
		t.Errorf("shown: %q; a write that replaces another has the greater stamp, whatever the clock says", w.Value)
	}
	// A delete in an lww bucket covers an older loser on another replica by its
	// stamp, not by removing it.
	gone := version("")
	gone.Deleted = true
	b.mint(b.state.Claims, gone, 5, wide)
	merged = join(a.state, b.state)
	if w, ok := merged.Latest(); !ok || w.Shown(9) {
		t.Errorf("%q is shown after a later delete", w.Value)
	}
}

// TestFloorMeetsException: one replica has pruned and holds a version, another has
// removed just that and heard of no floor, a third holds nothing. On an earlier
// tree the version was removed by the exception, whose entry then fell to the
// floor; the second kept the exception and the first the version, for ever.
func TestFloorMeetsException(t *testing.T) {
	a, b := &site{run: 1}, &site{run: 2}
	first := a.mint(causal.Claims{}, version("w0"), 1, wide)
	second := a.mint(causal.Claims{}.With(first.Dot), version("w1"), 2, wide)
	a.set(a.state.At(2))
	b.set(b.state.Remove(causal.Claims{}.With(second.Dot), 3, wide))
	c := causal.State{}

	all := join(join(a.state, b.state), c)
	for _, s := range []causal.State{a.state, b.state, c} {
		same(t, "who hears of everything", join(s, all), all)
	}
	wantValues(t, all) // the removal is younger than the floor

	// With a floor above both, what was removed is back, but everywhere.
	high := causal.State{Floor: 3}
	all = join(join(a.state.At(3), b.state), high)
	for _, s := range []causal.State{a.state, b.state, high} {
		same(t, "who hears of the floor too", join(s, all), all)
	}
	wantValues(t, all, "w1")
}

// TestTwoRemovalsMeet: two replicas each hold one version of an actor and removed
// the other's, before a floor. Were the whole entry of a version held kept, they
// would remove each other's version in a join and then claim nothing of either.
func TestTwoRemovalsMeet(t *testing.T) {
	a, b := &site{run: 1}, &site{run: 2}
	first := a.mint(causal.Claims{}, version("w0"), 1, wide)
	second := a.mint(causal.Claims{}, version("w1"), 2, wide)
	b.set(join(b.state, a.state))
	a.set(a.state.Remove(causal.Claims{}.With(first.Dot), 3, wide).At(5))
	b.set(b.state.Remove(causal.Claims{}.With(second.Dot), 4, wide).At(5))
	both := join(a.state, b.state)
	wantValues(t, both, "w0", "w1") // both removals are older than the floor
	same(t, "what it was made of", join(both, a.state), both)
	same(t, "what it was made of", join(both, b.state), both)
}

// TestH15 (RULES H15): what one replica prunes at a mint, the others let go at
// their next join, and it does not come back.
func TestH15(t *testing.T) {
	lim := causal.Limits{Exceptions: 64, Prune: 3, PruneHard: 3, PruneAge: 0}
	a, b := &site{run: 1}, &site{run: 2}
	for i := range uint64(6) {
		stranger := &site{run: 100 + i, state: a.state}
		stranger.mint(a.state.Claims, version("x"), int64(10+i), wide)
		a.set(join(a.state, stranger.state))
		b.set(join(b.state, stranger.state))
	}
	if len(b.state.Vector) != 6 {
		t.Fatalf("%d entries before pruning", len(b.state.Vector))
	}
	for i := range 4 {
		report := a.mint(a.state.Claims, version("y"), int64(20+i), lim)
		if (report.Pruned > 0) != (i == 0) {
			t.Errorf("mint %d pruned %d entries: they come back", i, report.Pruned)
		}
		b.set(join(b.state, a.state))
		a.set(join(a.state, b.state))
		same(t, "both replicas", a.state, b.state)
		if len(a.state.Vector) > lim.Prune {
			t.Errorf("%d entries after mint %d", len(a.state.Vector), i)
		}
	}
}
