package causal_test

import (
	"slices"
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

// TestPruneSparesTheHeld: without its dot a version could not be removed. The
// rest of what is claimed of its actor falls like everything else.
func TestPruneSparesTheHeld(t *testing.T) {
	lim := causal.Limits{Exceptions: 64, Prune: 2, PruneHard: 2, PruneAge: 0}
	s := vector(3, 100, 200, 300)
	v := version("held")
	v.Dot = causal.Dot{Actor: s.Vector[0].Actor, N: 5}
	s.Versions = []causal.Version{v}
	next, report := s.Mint(causal.Claims{}, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 50, lim)
	if report.Pruned != 3 || next.N(v.Dot.Actor) != 0 || !slices.Equal(next.Exceptions, []causal.Dot{v.Dot}) || next.Floor != 300 {
		t.Fatalf("pruned %d, floor %d: %+v", report.Pruned, next.Floor, next.Claims)
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
	wantValues(t, join(removed, next))
	bytesOf(t, removed)
}

// TestFallLeavesTheHeld: of an entry whose first version is still held
// only that is left, and who minted there must not go on from it.
func TestFallLeavesTheHeld(t *testing.T) {
	a := causal.Actor{Run: 1, Life: 1}
	s := causal.State{Claims: causal.Claims{Vector: []causal.Entry{{Actor: a, N: 5, Time: 10}}, Exceptions: []causal.Dot{{Actor: a, N: 7}, {Actor: a, N: 9}}}}
	for _, n := range []uint64{1, 2, 4, 9} {
		v := version("held")
		v.Dot = causal.Dot{Actor: a, N: n}
		s.Versions = append(s.Versions, v)
	}
	fallen := s.At(10)
	bytesOf(t, fallen)
	if fallen.N(a) != 2 || !slices.Equal(fallen.Exceptions, []causal.Dot{{Actor: a, N: 4}, {Actor: a, N: 9}}) || len(fallen.Versions) != 4 {
		t.Errorf("%+v", fallen)
	}
	same(t, "a lower floor", s.At(9), causal.State{Floor: 9, Claims: s.Claims, Versions: s.Versions})
	same(t, "the same floor again", fallen.At(10), fallen)
	joined, report := causal.JoinStates(causal.State{Floor: 10}, s)
	same(t, "by a join", joined, fallen)
	if report != (causal.JoinReport{Fell: 1, Exceptions: 1}) {
		t.Errorf("%+v", report)
	}
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
	next, report := causal.JoinStates(s, vector(9))
	if len(next.Vector) != 9 || report.Fell != 0 {
		t.Errorf("a join pruned: %+v", next)
	}
}

// TestFloorFells: entries at a joined floor go, and are counted.
func TestFloorFells(t *testing.T) {
	s := vector(4)
	high := causal.State{Floor: 1010}
	next, report := causal.JoinStates(s, high)
	if report.Fell != 2 || len(next.Vector) != 2 || next.Floor != 1010 {
		t.Errorf("%d fell: %+v", report.Fell, next)
	}
	bytesOf(t, next)
}

// gaps returns a context with n exceptions of one actor.
func gaps(run uint64, n int) causal.Claims {
	var c causal.Claims
	for i := range uint64(n) {
		c = c.With(causal.Dot{Actor: causal.Actor{Run: run, Life: 1}, N: 2 * (i + 1)})
	}
	return c
}

// TestContextIsCutToTheNewest: of a context with more exceptions than a record
// may have those are taken that remove a version, and the newest of the others.
func TestContextIsCutToTheNewest(t *testing.T) {
	held := version("held")
	held.Dot = gaps(7, 1).Exceptions[0]
	old := causal.State{Claims: causal.Claims{}.With(held.Dot), Versions: []causal.Version{held}}
	minted, report := old.Mint(gaps(7, 70), version("v"), causal.Actor{Run: 1, Life: 1}, 1, causal.DefaultLimits())
	if report.Exceptions != 6 || report.Removed != 1 || len(minted.Exceptions) != 64 || minted.Exceptions[1].N != 16 {
		t.Errorf("dropped %d, removed %d, %d left, the second is %v", report.Exceptions, report.Removed, len(minted.Exceptions), minted.Exceptions[1])
	}
	wantValues(t, join(minted, old), "v")
	var removed causal.State
	report = removed.SetRemove(&old, gaps(7, 70), 1, causal.DefaultLimits())
	if report.Exceptions != 6 || report.Removed != 1 || len(removed.Exceptions) != 64 {
		t.Errorf("a removal dropped %d", report.Exceptions)
	}
	wantValues(t, join(removed, old))
	bytesOf(t, minted)
	bytesOf(t, removed)
}

// TestExceptionsAreBounded: where there is no room for more, the actors to whom
// nothing happened for longest fall whole, by a floor that others will hear of;
// joins leave alone what each side may have.
func TestExceptionsAreBounded(t *testing.T) {
	lim := causal.Limits{Exceptions: 4}
	s := causal.State{}.Remove(gaps(1, 2), 10, lim).Remove(gaps(2, 2), 20, lim)
	if len(s.Exceptions) != 4 || s.Floor != 0 {
		t.Fatalf("%+v", s)
	}
	var next causal.State
	report := next.SetRemove(&s, gaps(3, 1), 30, lim)
	if report != (causal.MintReport{Pruned: 1, Exceptions: 2}) || next.Floor != 10 || len(next.Exceptions) != 3 || len(next.Vector) != 2 {
		t.Fatalf("%+v: %+v", report, next)
	}
	bytesOf(t, next)
	same(t, "whoever joins it", join(s, next), next)
	// One that has more exceptions than there is room for can still be written to.
	full := join(next, causal.State{Floor: 10}.Remove(gaps(3, 4), 40, lim))
	report = next.SetRemove(&full, gaps(3, 6), 50, lim)
	if len(full.Exceptions) != 6 || report.Exceptions != 6 || len(next.Exceptions) != 2 || next.Floor != 40 {
		t.Errorf("of %d dropped %d: %+v", len(full.Exceptions), report.Exceptions, next)
	}
	// So can one that is full of what a delete left, though it holds another.
	held := version("held")
	held.Dot = gaps(3, 5).Exceptions[4]
	full = join(causal.State{}.Remove(gaps(3, 4), 40, lim), causal.State{Claims: causal.Claims{}.With(held.Dot), Versions: []causal.Version{held}})
	wantValues(t, join(full.Remove(full.Claims, 50, lim), full))
}

// TestStrangersAreBounded: a context brings no more actors than there is room for,
// but those whose versions it removes.
func TestStrangersAreBounded(t *testing.T) {
	lim := causal.Limits{Exceptions: 64, Prune: 3, PruneHard: 4, PruneAge: 0}
	next, report := causal.State{}.Mint(vector(9).Claims, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 50, lim)
	if len(next.Vector) != 4 || report.Pruned != 6 || next.Floor != 0 {
		t.Errorf("%+v: %+v", report, next)
	}
	old := vector(9)
	for i := range old.Vector {
		v := version("held")
		v.Dot = causal.Dot{Actor: old.Vector[i].Actor, N: 1}
		old.Versions = append(old.Versions, v)
	}
	next, _ = old.Mint(vector(9).Claims, version("v"), causal.Actor{Run: 1 << 40, Life: 1}, 50, lim)
	wantValues(t, join(next, old), "v")
}
