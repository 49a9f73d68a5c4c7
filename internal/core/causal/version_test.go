package causal_test

import (
	"math"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
)

// reused returns a state that holds value under a dot that others use too.
func reused(value string) causal.State {
	a := causal.Actor{Run: 4, Life: 4}
	v := version(value)
	v.Dot = causal.Dot{Actor: a, N: 1}
	return causal.State{
		Claims:   causal.Claims{Vector: []causal.Entry{{Actor: a, N: 1, Time: 1}}},
		Versions: []causal.Version{v},
	}
}

// TestReusedDot: two versions with one dot are both kept, on every replica under
// the same two dots, and reported (RULES R3).
func TestReusedDot(t *testing.T) {
	a, b, c := reused("a"), reused("b"), reused("c")
	ab, report := causal.JoinStates(a, b)
	if report.DotReused != 1 {
		t.Errorf("reported %d", report.DotReused)
	}
	wantValues(t, ab, "a", "b")
	same(t, "commutative", ab, join(b, a))
	same(t, "absorbing", join(ab, b), ab)
	same(t, "absorbing", join(a, ab), ab)
	all := join(ab, c)
	wantValues(t, all, "a", "b", "c")
	same(t, "associative", all, join(a, join(b, c)))
	same(t, "associative", all, join(b, join(a, c)))

	// The smaller sum keeps the dot, on every node of every version.
	small, large := a.Versions[0], b.Versions[0]
	if small.Sum.Hi > large.Sum.Hi {
		small, large = large, small
	}
	for _, v := range ab.Versions {
		if (v.Dot == small.Dot) != (v.Sum == small.Sum) {
			t.Errorf("%v holds %q", v.Dot, v.Value)
		}
	}
	// The other one, removed under its derived dot, does not come back.
	for _, v := range ab.Versions {
		if v.Sum == large.Sum {
			one := ab.Remove(causal.Claims{}.With(v.Dot), 5, wide)
			for _, s := range []causal.State{a, b} {
				wantValues(t, join(one, s), string(small.Value))
				wantValues(t, join(s, one), string(small.Value))
			}
		}
	}

	// Removed under what was read, they stay removed.
	none := all.Remove(all.Claims, 5, wide)
	wantValues(t, join(none, b))
	wantValues(t, join(c, none))
	// And one removed alone leaves the other.
	for _, v := range ab.Versions {
		one := ab.Remove(causal.Claims{}.With(v.Dot), 5, wide)
		if n := len(one.Versions); n != 1 {
			t.Fatalf("%d versions after removing one of two", n)
		}
		same(t, "back from the other", join(one, ab), one)
	}
}

// TestReusedDotOfOneValue: the same bytes written twice under one dot are two
// events; only what is equal in everything is one.
func TestReusedDotOfOneValue(t *testing.T) {
	for name, change := range map[string]func(v *causal.Version){
		"stamp":        func(v *causal.Version) { v.Stamp++ },
		"request":      func(v *causal.Version) { v.Request++ },
		"expiry":       func(v *causal.Version) { v.Expiry++ },
		"deleted":      func(v *causal.Version) { v.Deleted = true },
		"content type": func(v *causal.Version) { v.ContentType = "x" },
	} {
		a, b := reused("a"), reused("a")
		change(&b.Versions[0])
		ab, report := causal.JoinStates(a, b)
		if report.DotReused != 1 || len(ab.Versions) != 2 {
			t.Errorf("%s: %d versions, reported %d", name, len(ab.Versions), report.DotReused)
		}
		same(t, name, ab, join(b, a))
	}
	if _, report := causal.JoinStates(reused("a"), reused("a")); report.DotReused != 0 {
		t.Error("one version is taken for two")
	}
}

func TestStamps(t *testing.T) {
	if s := causal.StampAt(1234); s.Millis() != 1234 || causal.StampAt(-5) != 0 {
		t.Errorf("stamp %d", s)
	}
	s := &site{run: 1}
	s.mint(causal.Claims{}, version("a"), 1000, wide)
	first := s.state.Versions[0].Stamp
	if first <= causal.StampAt(1000) || first.Millis() != 1000 {
		t.Errorf("stamp %d at 1000 ms", first)
	}
	// The clock went back: stamps do not, beside a sibling and over it.
	s.mint(causal.Claims{}, version("b"), 500, wide)
	second := s.state.Versions[1].Stamp
	s.mint(s.state.Claims, version("c"), 0, wide)
	if third := s.state.Versions[0].Stamp; second <= first || third <= second {
		t.Errorf("stamps %d, %d, %d", first, second, third)
	}
	forged := causal.State{Versions: []causal.Version{{Stamp: math.MaxUint64}}}
	if n := forged.NextStamp(5); n != math.MaxUint64 {
		t.Errorf("after the last stamp comes %d", n)
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct {
		v     causal.Version
		now   int64
		shown bool
	}{
		{causal.Version{}, math.MaxInt64, true},
		{causal.Version{Expiry: 100}, 99, true},
		{causal.Version{Expiry: 100}, 100, false},
		{causal.Version{Deleted: true}, 0, false},
	} {
		if c.v.Shown(c.now) != c.shown {
			t.Errorf("%+v at %d: want %v", c.v, c.now, c.shown)
		}
	}
}

func TestLatest(t *testing.T) {
	if _, ok := (causal.State{}).Latest(); ok {
		t.Error("nothing has a latest version")
	}
	s := causal.State{Versions: []causal.Version{{Stamp: 5, Value: []byte("a")}, {Stamp: 9, Value: []byte("b")}, {Stamp: 9, Value: []byte("c")}, {Stamp: 1}}}
	if v, ok := s.Latest(); !ok || string(v.Value) != "c" {
		t.Errorf("latest is %q", v.Value)
	}
}

func TestNames(t *testing.T) {
	d := causal.Dot{Actor: causal.Actor{Run: 0xab, Life: 7}, N: 3}
	if s := d.String(); s != "00000000000000ab.7:3" || d.Actor.String() != "00000000000000ab.7" {
		t.Errorf("%s, %s", s, d.Actor)
	}
	if d.IsZero() || !(causal.Dot{}).IsZero() {
		t.Error("only the zero dot is zero")
	}
}
