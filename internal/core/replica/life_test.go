package replica_test

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

func actor(run, life uint64) causal.Actor { return causal.Actor{Run: run, Life: life} }

func wantDot(t *testing.T, a replica.Answer, run, life, n uint64) {
	t.Helper()
	if a.Dot != (causal.Dot{Actor: actor(run, life), N: n}) {
		t.Fatalf("dot %v, want %v:%d", a.Dot, actor(run, life), n)
	}
}

// TestRestartEndsLives (RULES R1, R2): nobody goes on under the actor of an
// earlier run, although the record remembers it.
func TestRestartEndsLives(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	wantDot(t, d.put("one", causal.Claims{}), 1, 1, 1)
	wantDot(t, d.put("two", causal.Claims{}), 1, 1, 2)
	e := newDisk(t, replica.Config{Run: 2})
	e.record = d.record
	wantDot(t, e.put("three", causal.Claims{}), 2, 1, 1)
	wantDot(t, e.put("four", causal.Claims{}), 2, 1, 2)
	e.wantValues("four", "one", "three", "two")

	// After an unexplained gap between the clocks the run is over as well.
	e.replica.NewRun(3)
	wantDot(t, e.put("five", causal.Claims{}), 3, 1, 1)
}

// TestWipedReplicaReusesNoDot (PAPER 9.2): the disk is gone, the process too,
// and what is written next survives the merge with what the others have.
func TestWipedReplicaReusesNoDot(t *testing.T) {
	a, b := newDisk(t, replica.Config{Run: 1}), newDisk(t, replica.Config{Run: 2})
	for _, v := range []string{"one", "two"} {
		a.put(v, a.state().Claims)
		b.join(a.canonical())
	}
	wiped := newDisk(t, replica.Config{Run: 3})
	wiped.put("after the loss", causal.Claims{})
	b.join(wiped.canonical())
	b.wantValues("after the loss", "two")
	wiped.join(b.canonical())
	wiped.wantValues("after the loss", "two")
}

// TestForgottenRecordEndsItsLife: hint paid, reaped, partition dropped, rotten
// and removed: in the same run, with the same memory, a new life begins; even
// when the record comes back from another replica first.
func TestForgottenRecordEndsItsLife(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	d.put("one", causal.Claims{})
	old := d.canonical()
	d.record = nil
	wantDot(t, d.put("two", causal.Claims{}), 1, 2, 1)
	d.record = nil
	d.join(old)
	wantDot(t, d.put("three", causal.Claims{}), 1, 3, 1)
	d.join(old) // its own older state is no reason to stop
	wantDot(t, d.put("four", causal.Claims{}), 1, 3, 2)
	d.wantValues("four", "one", "three")
	// Each key has lives of its own.
	d.record = nil
	wantDot(t, d.put("another key", causal.Claims{}), 1, 4, 1)
}

// TestFallenEntryEndsTheLife (RULES R7): an actor whose entry was pruned away
// would begin again at 1.
func TestFallenEntryEndsTheLife(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	d.put("one", causal.Claims{})
	d.remove(d.state().Claims)
	d.join(causal.State{Floor: 5_000}.Append(nil))
	if len(d.state().Vector) != 0 {
		t.Fatalf("%+v", d.state())
	}
	wantDot(t, d.put("two", causal.Claims{}), 1, 2, 1)
	// Of what is claimed the dots of versions held stay: as long as that is all of
	// it, the life goes on.
	d.join(causal.State{Floor: 9_000}.Append(nil))
	wantDot(t, d.put("three", causal.Claims{}), 1, 2, 2)
	// Here it is all but the last event, whose dot would be given out again.
	d.remove(causal.Claims{}.With(causal.Dot{Actor: actor(1, 2), N: 2}))
	d.join(causal.State{Floor: 12_000}.Append(nil))
	if d.state().N(actor(1, 2)) != 1 {
		t.Fatalf("%+v", d.state())
	}
	wantDot(t, d.put("four", causal.Claims{}), 1, 3, 1)
}

// TestStrangersMayNotCount (RULES R3): if somebody has seen events of a live
// actor that its own record does not know of, its life ends, with an alarm.
func TestStrangersMayNotCount(t *testing.T) {
	beyond := causal.Claims{Vector: []causal.Entry{{Actor: actor(1, 1), N: 7, Time: 1}}}
	gap := causal.Claims{}.With(causal.Dot{Actor: actor(1, 1), N: 7})
	for _, ctx := range []causal.Claims{beyond, gap} {
		d := newDisk(t, replica.Config{Run: 1})
		d.put("one", causal.Claims{})
		d.facts = nil
		wantDot(t, d.put("two", ctx), 1, 2, 1)
		d.wantFact(fact.DotReused, "ALARM dot reused (1): a context has seen unknown events of 0000000000000001.1")

		d = newDisk(t, replica.Config{Run: 1})
		d.put("one", causal.Claims{})
		d.facts = nil
		d.join(causal.State{Claims: ctx}.Append(nil))
		d.wantFact(fact.DotReused, "ALARM dot reused (1): a state has seen unknown events of 0000000000000001.1")
		wantDot(t, d.put("two", causal.Claims{}), 1, 2, 1)

		d = newDisk(t, replica.Config{Run: 1})
		d.put("one", causal.Claims{})
		d.remove(ctx)
		wantDot(t, d.put("two", causal.Claims{}), 1, 2, 1)
	}
	// A life that somebody claims to know already is not taken.
	d := newDisk(t, replica.Config{Run: 1})
	wantDot(t, d.put("one", beyond), 1, 2, 1)
	d = newDisk(t, replica.Config{Run: 1})
	d.join(causal.State{Claims: gap}.Append(nil))
	wantDot(t, d.put("one", causal.Claims{}), 1, 2, 1)
}

// TestLiveEntryMoves: the record finds its live actor again wherever the others'
// entries push it, and where a byte cannot name it a new life begins.
func TestLiveEntryMoves(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1000, Limits: causal.Limits{Exceptions: 64, Prune: 1 << 20, PruneHard: 1 << 20}})
	wantDot(t, d.put("one", causal.Claims{}), 1000, 1, 1)
	var n uint64
	for n = 2; n < 300; n++ {
		d.join(causal.State{Claims: causal.Claims{Vector: []causal.Entry{{Actor: actor(n, 1), N: 1, Time: 1}}}}.Append(nil))
		if n <= 255 { // 254 entries before it: its index is 254 at most
			wantDot(t, d.put("x", d.state().Claims), 1000, 1, n)
		}
	}
	life := d.put("x", d.state().Claims).Dot.Actor.Life
	if next := d.put("x", d.state().Claims); life == 1 || next.Dot.Actor.Life != life+1 || next.Dot.N != 1 {
		t.Errorf("far beyond: life %d, then %v", life, next.Dot)
	}
}

// TestH1 and TestH2 are the traces of RULES on the machine: a fallback that
// delivers its hint and forgets the key neither reuses a dot nor claims what it
// has forgotten.
func TestH1(t *testing.T) {
	home, fallback := newDisk(t, replica.Config{Run: 1}), newDisk(t, replica.Config{Run: 2})
	fallback.put("w0", causal.Claims{})
	home.join(fallback.canonical())
	fallback.record = nil
	home.put("w1", home.state().Claims)
	fallback.put("w2", causal.Claims{})
	home.join(fallback.canonical())
	home.wantValues("w1", "w2")
}

func TestH2(t *testing.T) {
	home, fallback := newDisk(t, replica.Config{Run: 1}), newDisk(t, replica.Config{Run: 2})
	fallback.put("w0", causal.Claims{})
	home.join(fallback.canonical())
	fallback.record = nil
	fallback.put("w1", causal.Claims{})
	home.join(fallback.canonical())
	home.wantValues("w0", "w1")
	if vector := fallback.state().Vector; !slices.Equal(vector, []causal.Entry{{Actor: actor(2, 2), N: 1, Time: 1000}}) {
		t.Errorf("it claims %+v", vector)
	}
}
