package causal_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
)

// site is a replica of one object as the rules want it: its live actor ends
// whenever its record or its own entry is gone.
type site struct {
	state  causal.State
	run    uint64
	life   uint64
	live   bool
	minted uint64 // the last event of the live actor
}

func (s *site) actor() causal.Actor { return causal.Actor{Run: s.run, Life: s.life} }

func (s *site) set(next causal.State) {
	s.state = next
	if next.N(s.actor()) < s.minted {
		s.live = false
	}
}

func (s *site) mint(ctx causal.Claims, v causal.Version, now int64, lim causal.Limits) causal.MintReport {
	if !s.live {
		s.life++
		s.live = true
	}
	next, report := s.state.Mint(ctx, v, s.actor(), now, lim)
	s.minted = report.Dot.N
	s.set(next)
	return report
}

// wide are limits that nothing in these tests reaches.
var wide = causal.Limits{Exceptions: 1 << 20, Prune: 1 << 20, PruneHard: 1 << 20}

// version returns a version whose sum belongs to its value.
func version(value string) causal.Version {
	return causal.Version{Value: []byte(value), ContentType: "text/plain", Sum: causal.SumValue(1, "text/plain", []byte(value))}
}

// history plays a random one on three sites and returns every state on the way:
// mints under contexts old and new, whole and with gaps, removals, joins of new
// and of old states, and forgetting.
func history(t *rapid.T, lim causal.Limits) []causal.State {
	sites := [3]site{{run: 10}, {run: 20}, {run: 30}}
	states := []causal.State{{}}
	contexts := []causal.Claims{{}}
	for range rapid.IntRange(1, 24).Draw(t, "steps") {
		s := &sites[rapid.IntRange(0, 2).Draw(t, "site")]
		ctx := rapid.SampledFrom(contexts).Draw(t, "context")
		now := int64(rapid.IntRange(-1, 40).Draw(t, "now"))
		switch rapid.IntRange(0, 9).Draw(t, "step") {
		case 0, 1, 2, 3:
			v := version(string(rune('a' + len(states)%26)))
			v.Request = uint64(rapid.IntRange(0, 2).Draw(t, "request"))
			v.Expiry = int64(rapid.IntRange(0, 1).Draw(t, "expiry"))
			report := s.mint(ctx, v, now, lim)
			contexts = append(contexts, ctx.With(report.Dot), s.state.Claims)
		case 4:
			s.set(s.state.Remove(ctx, now, lim))
		case 5, 6, 7, 8:
			joined, _ := causal.JoinStates(s.state, rapid.SampledFrom(states).Draw(t, "state"))
			s.set(joined)
			contexts = append(contexts, joined.Claims)
		case 9:
			s.set(causal.State{})
		}
		states = append(states, s.state)
	}
	return states
}

// tight are limits that short histories reach.
func tight(t *rapid.T) causal.Limits {
	return causal.Limits{
		Exceptions: rapid.IntRange(0, 3).Draw(t, "exceptions"),
		Prune:      rapid.IntRange(1, 3).Draw(t, "prune"),
		PruneHard:  rapid.IntRange(3, 5).Draw(t, "hard"),
		PruneAge:   int64(rapid.IntRange(0, 20).Draw(t, "age")),
	}
}

// bytesOf encodes s and checks that it is a state that decodes to itself.
func bytesOf(t rapid.TB, s causal.State) string {
	b := s.Append(nil)
	d, err := causal.DecodeState(b)
	if err != nil {
		t.Fatalf("%+v does not decode: %v", s, err)
	}
	if again := d.Append(nil); string(again) != string(b) {
		t.Fatalf("%x decodes to another state: %x", b, again)
	}
	return string(b)
}

func same(t rapid.TB, what string, a, b causal.State) {
	t.Helper()
	if bytesOf(t, a) != bytesOf(t, b) {
		t.Fatalf("%s:\n%+v\n%+v", what, a, b)
	}
}

func join(a, b causal.State) causal.State {
	s, _ := causal.JoinStates(a, b)
	return s
}

// dots lists every event that claims have seen.
func dots(c causal.Claims) map[causal.Dot]bool {
	all := map[causal.Dot]bool{}
	for _, e := range c.Vector {
		for n := uint64(1); n <= e.N; n++ {
			all[causal.Dot{Actor: e.Actor, N: n}] = true
		}
	}
	for _, d := range c.Exceptions {
		all[d] = true
	}
	return all
}

func union(a, b map[causal.Dot]bool) map[causal.Dot]bool {
	u := map[causal.Dot]bool{}
	for d := range a {
		u[d] = true
	}
	for d := range b {
		u[d] = true
	}
	return u
}

func equalDots(a, b map[causal.Dot]bool) bool {
	for d := range a {
		if !b[d] {
			return false
		}
	}
	return len(a) == len(b)
}

func values(s causal.State) []string {
	var out []string
	for _, v := range s.Versions {
		out = append(out, string(v.Value))
	}
	slices.Sort(out)
	return out
}

func wantValues(t testing.TB, s causal.State, want ...string) {
	t.Helper()
	if got := values(s); !slices.Equal(got, want) {
		t.Fatalf("values %q, want %q", got, want)
	}
}
