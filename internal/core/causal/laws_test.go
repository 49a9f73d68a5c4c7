package causal_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
)

func draw(t *rapid.T, states []causal.State, name string) causal.State {
	return states[rapid.IntRange(0, len(states)-1).Draw(t, name)]
}

func TestJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, wide)
		a, b, c := draw(t, states, "a"), draw(t, states, "b"), draw(t, states, "c")
		ab := join(a, b)
		same(t, "commutative", ab, join(b, a))
		same(t, "idempotent", join(a, a), a)
		same(t, "associative", join(ab, c), join(a, join(b, c)))
		same(t, "absorbing", join(ab, b), ab)
		same(t, "nothing is neutral", join(a, causal.State{}), a)
		if !ab.Contains(a.Claims) || !ab.Contains(b.Claims) {
			t.Fatalf("claims shrank: %+v and %+v gave %+v", a.Claims, b.Claims, ab.Claims)
		}
	})
}

// TestJoinIsTheSetRule holds the join against the rule written with plain sets.
func TestJoinIsTheSetRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, wide)
		a, b := draw(t, states, "a"), draw(t, states, "b")
		j := join(a, b)
		seenA, seenB := dots(a.Claims), dots(b.Claims)
		if !equalDots(dots(j.Claims), union(seenA, seenB)) {
			t.Fatalf("claims of %+v and %+v: %+v", a.Claims, b.Claims, j.Claims)
		}
		heldA, heldB, held := heldBy(a), heldBy(b), heldBy(j)
		for d := range union(union(heldA, heldB), held) {
			want := heldA[d] && heldB[d] || heldA[d] && !seenB[d] || heldB[d] && !seenA[d]
			if held[d] != want {
				t.Fatalf("%v survives: %v, want %v", d, held[d], want)
			}
		}
	})
}

func heldBy(s causal.State) map[causal.Dot]bool {
	held := map[causal.Dot]bool{}
	for _, v := range s.Versions {
		held[v.Dot] = true
	}
	return held
}

// TestJoinUnderPruning: what is lost to floors and bounds is lost to all alike.
// Among states of one floor the join keeps all its laws, and who hears of what all
// have holds just that.
func TestJoinUnderPruning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, tight(t))
		a, b, c := draw(t, states, "a"), draw(t, states, "b"), draw(t, states, "c")
		ab := join(a, b)
		same(t, "commutative", ab, join(b, a))
		same(t, "idempotent", join(a, a), a)
		same(t, "absorbing", join(ab, a), ab)
		floor := max(a.Floor, b.Floor, c.Floor)
		same(t, "a join is at the higher floor", ab, join(a.At(ab.Floor), b.At(ab.Floor)))
		all := join(join(a.At(floor), b), c)
		same(t, "associative at one floor", all, join(a, join(b.At(floor), c)))
		for _, s := range []causal.State{a, b, c} {
			same(t, "all exchanged", join(s, all), all)
		}
	})
}

// TestRemovalSticks: a delete of all that a replica shows survives the next
// exchange, whatever was pruned (RULES R7).
func TestRemovalSticks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lim := tight(t)
		states := history(t, lim)
		a, b := draw(t, states, "a"), draw(t, states, "b")
		shown := join(a, b)
		now := int64(rapid.IntRange(-1, 40).Draw(t, "now"))
		after := join(shown.Remove(shown.Claims, now, lim), b)
		for _, v := range shown.Versions {
			if heldBy(after)[v.Dot] {
				t.Fatalf("%v is back: %+v", v.Dot, after)
			}
		}
	})
}

// TestAloneIsAPart: what a write did alone is a state, its record contains it, and
// it brings another that knows nothing the version and no claims besides.
func TestAloneIsAPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lim := tight(t)
		states := history(t, lim)
		s, ctx := draw(t, states, "state"), draw(t, states, "context").Claims
		now := int64(rapid.IntRange(-1, 40).Draw(t, "now"))
		next, dot := s.Remove(ctx, now, lim), causal.Dot{}
		if rapid.Bool().Draw(t, "put") {
			minted, report := s.Mint(ctx, version("new"), causal.Actor{Run: 99, Life: 1}, now, lim)
			next, dot = minted, report.Dot
		}
		alone := next.Alone(ctx, dot)
		same(t, "a part of its record", join(next, alone), next)
		if alone.Floor != next.Floor || heldBy(alone)[dot] == dot.IsZero() || len(alone.Versions) > 1 {
			t.Fatalf("%+v of %+v", alone, next)
		}
		for d := range dots(alone.Claims) {
			if d != dot && !ctx.Covers(d) {
				t.Fatalf("it claims %v, which the context does not", d)
			}
		}
	})
}

// TestMintAddsNothingElse: the result claims what the record and the context
// claim and the new dot, and holds what the context does not cover.
func TestMintAddsNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, wide)
		s, ctx := draw(t, states, "state"), draw(t, states, "context").Claims
		actor := causal.Actor{Run: 99, Life: 1}
		next, report := s.Mint(ctx, version("new"), actor, 7, wide)
		bytesOf(t, next)
		if report.Dot != (causal.Dot{Actor: actor, N: 1}) {
			t.Fatalf("dot %v", report.Dot)
		}
		want := union(union(dots(s.Claims), dots(ctx)), map[causal.Dot]bool{report.Dot: true})
		if !equalDots(dots(next.Claims), want) {
			t.Fatalf("claims %+v", next.Claims)
		}
		checkSurvivors(t, s, ctx, next, report.Removed, report.Dot)
	})
}

func TestRemoveMintsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, wide)
		s, ctx := draw(t, states, "state"), draw(t, states, "context").Claims
		var next causal.State
		report := next.SetRemove(&s, ctx, 7, wide)
		same(t, "both forms agree", next, s.Remove(ctx, 7, wide))
		if !equalDots(dots(next.Claims), union(dots(s.Claims), dots(ctx))) {
			t.Fatalf("claims %+v", next.Claims)
		}
		checkSurvivors(t, s, ctx, next, report.Removed, causal.Dot{})
	})
}

func checkSurvivors(t *rapid.T, s causal.State, ctx causal.Claims, next causal.State, removed int, minted causal.Dot) {
	before, after := heldBy(s), heldBy(next)
	if !minted.IsZero() && !after[minted] {
		t.Fatalf("the new version is not there")
	}
	delete(after, minted)
	gone := 0
	for d := range before {
		if ctx.Covers(d) {
			gone++
		}
		if after[d] == ctx.Covers(d) {
			t.Fatalf("%v survives: %v, though covered: %v", d, after[d], ctx.Covers(d))
		}
	}
	if removed != gone || len(after) != len(before)-gone {
		t.Fatalf("removed %d of %d, reported %d", gone, len(before), removed)
	}
}

func TestClaimsAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, wide)
		a, b := draw(t, states, "a").Claims, draw(t, states, "b").Claims
		seenA, seenB := dots(a), dots(b)
		if !equalDots(dots(a.Union(b)), union(seenA, seenB)) {
			t.Fatalf("%+v and %+v make %+v", a, b, a.Union(b))
		}
		if a.Contains(b) != equalDots(union(seenA, seenB), seenA) {
			t.Fatalf("%+v contains %+v: %v", a, b, a.Contains(b))
		}
		d := causal.Dot{
			Actor: causal.Actor{Run: rapid.SampledFrom([]uint64{10, 20, 30}).Draw(t, "run"), Life: rapid.Uint64Range(1, 2).Draw(t, "life")},
			N:     rapid.Uint64Range(1, 6).Draw(t, "n"),
		}
		if a.Covers(d) != seenA[d] {
			t.Fatalf("%+v covers %v: %v", a, d, a.Covers(d))
		}
		if !equalDots(dots(a.With(d)), union(seenA, map[causal.Dot]bool{d: true})) {
			t.Fatalf("%+v with %v: %+v", a, d, a.With(d))
		}
		bytesOf(t, causal.State{Claims: a.With(d)})
		if a.IsEmpty() != (len(seenA) == 0) {
			t.Fatalf("%+v is empty: %v", a, a.IsEmpty())
		}
	})
}

// TestScratchIsReused: the forms that reuse memory give what the others give.
func TestScratchIsReused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, wide)
		var scratch, decoded causal.State
		for range 3 {
			a, b := draw(t, states, "a"), draw(t, states, "b")
			scratch.SetJoin(&a, &b)
			same(t, "join", scratch, join(a, b))
			canonical := scratch.Append(nil)
			if err := decoded.Decode(canonical); err != nil {
				t.Fatal(err)
			}
			same(t, "decode", decoded, scratch)
			next, _ := a.Mint(b.Claims, version("x"), causal.Actor{Run: 99, Life: 1}, 3, wide)
			scratch.SetMint(&a, b.Claims, version("x"), causal.Actor{Run: 99, Life: 1}, 3, wide)
			same(t, "mint", scratch, next)
		}
	})
}
