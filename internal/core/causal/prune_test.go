package causal_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
)

// vector returns a record with n entries and no version; entry i has the times
// given, or 1000 + 10 * i.
func vector(n int, times ...int64) causal.State {
	var s causal.State
	for i := range n {
		at := int64(1000 + 10*i)
		if i < len(times) {
			at = times[i]
		}
		s.Vector = append(s.Vector, causal.Entry{Actor: causal.Actor{Run: uint64(i + 1), Life: 1}, N: 5, Time: at})
	}
	return s
}

// TestPruneAtThreshold is the paper's truncation with its threshold of 10: at 9
// entries and at 10 nothing goes, at 11 the oldest by time (PAPER 4.4.11, 8.7).
func TestPruneAtThreshold(t *testing.T) {
	paper := causal.Limits{Exceptions: 64, Prune: 10, PruneHard: 10, PruneAge: 0}
	for after := 9; after <= 11; after++ {
		s := vector(after-1, 1500, 1400, 900, 1300) // the third is the oldest
		next, report := s.Mint(causal.Claims{}, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 2000, paper)
		bytesOf(t, next)
		oldest := next.N(causal.Actor{Run: 3, Life: 1}) == 0
		want := after == 11
		if oldest != want || (report.Pruned == 1) != want || len(next.Vector) != min(after, 10) {
			t.Errorf("%d entries: %d left, oldest gone: %v, reported %d", after, len(next.Vector), oldest, report.Pruned)
		}
		if want && next.Floor != 900 {
			t.Errorf("floor %d", next.Floor)
		}
	}
}

// TestPruneSparesTheYoung: entries younger than the age go only where there are
// more than the hard limit.
func TestPruneSparesTheYoung(t *testing.T) {
	lim := causal.DefaultLimits()
	const day = 24 * 60 * 60 * 1000
	for _, c := range []struct{ entries, pruned int }{{24, 0}, {30, 0}, {49, 0}, {50, 1}, {55, 6}} {
		next, report := vector(c.entries).Mint(causal.Claims{}, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 2000, lim)
		if report.Pruned != c.pruned {
			t.Errorf("%d young entries and a new one: %d pruned, want %d", c.entries, report.Pruned, c.pruned)
		}
		bytesOf(t, next)
	}
	// Times are 1000, 1010, …: at this moment eight of them are a day old.
	next, report := vector(40).Mint(causal.Claims{}, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, day+1070, lim)
	if report.Pruned != 8 || next.Floor != 1070 {
		t.Errorf("pruned %d to floor %d, want 8 and 1070", report.Pruned, next.Floor)
	}
	next, report = vector(40).Mint(causal.Claims{}, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 2*day, lim)
	if report.Pruned != 17 || len(next.Vector) != 24 {
		t.Errorf("of 41 old entries %d were pruned and %d left", report.Pruned, len(next.Vector))
	}
}

// TestPruneSparesTheHeld: without its entry a version could not be removed.
func TestPruneSparesTheHeld(t *testing.T) {
	lim := causal.Limits{Exceptions: 64, Prune: 2, PruneHard: 2, PruneAge: 0}
	s := vector(3, 100, 200, 300)
	v := version("held")
	v.Dot = causal.Dot{Actor: s.Vector[0].Actor, N: 5}
	s.Versions = []causal.Version{v}
	next, report := s.Mint(causal.Claims{}, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 50, lim)
	if report.Pruned != 2 || next.N(v.Dot.Actor) != 5 || next.Floor != 300 {
		t.Fatalf("pruned %d, floor %d: %+v", report.Pruned, next.Floor, next.Vector)
	}
	// The clock stands at 50, but what happens is dated above the floor, or the
	// removal would be forgotten at once.
	for _, e := range next.Vector {
		if e.Actor == report.Dot.Actor && e.Time != 301 {
			t.Errorf("minted at %d, floor 300", e.Time)
		}
	}
	removed := next.Remove(next.Claims, 50, lim)
	wantValues(t, removed)
	if removed.Vector[0].Time != 301 {
		t.Errorf("removed at %d, floor 300", removed.Vector[0].Time)
	}
	wantValues(t, join(removed, next, lim))
	bytesOf(t, removed)
}

// TestContextsAreDatedAboveTheFloor: what a context brings happened now, and
// were it older than the floor it would be forgotten at once.
func TestContextsAreDatedAboveTheFloor(t *testing.T) {
	s := causal.State{Floor: 300}
	removed := s.Remove(vector(2, 100, 200).Claims, 50, wide)
	minted, _ := s.Mint(vector(2, 100, 200).Claims, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 50, wide)
	for _, next := range []causal.State{removed, minted} {
		bytesOf(t, next)
		for _, e := range next.Vector {
			if e.Time != 301 {
				t.Errorf("entry %v is of %d, floor 300", e.Actor, e.Time)
			}
		}
	}
}

// TestTimesInContextsCountForNothing: a context that tells nothing new changes
// nothing, whatever times it comes with.
func TestTimesInContextsCountForNothing(t *testing.T) {
	s := vector(2, 100, 200)
	same(t, "removal", s.Remove(vector(2, 900, 900).Claims, 50, wide), s)
}

// TestPruneOnlyAtMint: removing, joining and reading never prune (PAPER 9.1).
func TestPruneOnlyAtMint(t *testing.T) {
	lim := causal.Limits{Exceptions: 64, Prune: 2, PruneHard: 2, PruneAge: 0}
	s := vector(5)
	if next := s.Remove(vector(9).Claims, 5000, lim); len(next.Vector) != 9 || next.Floor != 0 {
		t.Errorf("a removal pruned: %+v", next)
	}
	next, report := causal.JoinStates(s, vector(9), lim)
	if len(next.Vector) != 9 || report.Fell != 0 {
		t.Errorf("a join pruned: %+v", next)
	}
}

// TestFloorFells: entries at a joined floor go, and are counted.
func TestFloorFells(t *testing.T) {
	s := vector(4)
	high := causal.State{Floor: 1010}
	next, report := causal.JoinStates(s, high, wide)
	if report.Fell != 2 || len(next.Vector) != 2 || next.Floor != 1010 {
		t.Errorf("%d fell: %+v", report.Fell, next)
	}
	bytesOf(t, next)
}

// TestExceptionsAreBounded: the oldest go, never one of a version held, and both
// sides of a join drop the same ones.
func TestExceptionsAreBounded(t *testing.T) {
	var ctx causal.Claims
	for i := range uint64(70) {
		ctx.Exceptions = append(ctx.Exceptions, causal.Dot{Actor: causal.Actor{Run: 7, Life: 1}, N: 2 * (i + 1)})
	}
	next, report := causal.State{}.Mint(ctx, version("v"), causal.Actor{Run: 1, Life: 1}, 1, causal.DefaultLimits())
	if report.Exceptions != 6 || len(next.Exceptions) != 64 || next.Exceptions[0].N != 14 {
		t.Fatalf("dropped %d, %d left, the first is %v", report.Exceptions, len(next.Exceptions), next.Exceptions[0])
	}
	bytesOf(t, next)
	held := version("held")
	held.Dot = next.Exceptions[0]
	next.Versions = append(next.Versions, held)
	tightest := causal.Limits{Exceptions: 2}
	a, ra := causal.JoinStates(next, causal.State{}, tightest)
	b, rb := causal.JoinStates(causal.State{}, next, tightest)
	same(t, "both sides", a, b)
	if ra != rb || ra.Exceptions != 62 || len(a.Exceptions) != 2 || a.Exceptions[0] != held.Dot {
		t.Errorf("dropped %d: %v", ra.Exceptions, a.Exceptions)
	}
	removal := causal.MintReport{}
	var r causal.State
	removal = r.SetRemove(&causal.State{}, ctx, 1, causal.DefaultLimits())
	if removal.Exceptions != 6 {
		t.Errorf("a removal dropped %d", removal.Exceptions)
	}
}
