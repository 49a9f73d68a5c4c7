package repair_test

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestWaits: the number that operators alert on is that of the worst pair. One that
// never agreed counts from when both came to hold it, not from when the node started,
// which may be months ago as another joins.
func TestWaits(t *testing.T) {
	r := newRound(t, every())
	waits := func() (longest time.Duration) {
		for _, a := range r.machine.Agreements(r.now, nil) {
			longest = max(longest, a.Waits)
		}
		return longest
	}
	want := func(what string, want time.Duration) {
		t.Helper()
		if got := waits(); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	r.until(4500 * time.Millisecond)
	want("3C never agreed", 4500*time.Millisecond)
	r.until(5500 * time.Millisecond)
	want("all did, the first of them at once", 5500*time.Millisecond)
	r.until(6500 * time.Millisecond)
	want("1B did again", 5500*time.Millisecond)
	r.down["C"] = true
	r.until(time.Hour)
	want("C is away", time.Hour-time.Second)

	var held []replica.Mark
	for p := range uint32(3) {
		held = append(held, mark(p+1, "B"), mark(p+1, "D"))
	}
	r.down["D"] = true
	r.machine.Assign(r.now, held, r, &r.e)
	r.drain()
	r.until(time.Hour + 2*time.Second)
	want("D in the place of C, and just came", 2*time.Second)
	r.until(time.Hour + time.Minute)
	want("D is away", time.Minute)

	put := func(wall int64) clock.Now { return clock.Now{Mono: r.now.Mono, Wall: wall} }
	longest := func(now clock.Now, peer ring.NodeID) time.Duration {
		for _, a := range r.machine.Agreements(now, nil) {
			if a.Peer == peer {
				return a.Waits
			}
		}
		return -1
	}
	for peer, want := range map[ring.NodeID]time.Duration{"B": 2 * time.Second, "D": time.Minute} {
		if got := longest(put(0), peer); got != want {
			t.Errorf("the clock was put back: %v with %s, want %v", got, peer, want)
		}
	}
	if got := longest(put(r.now.Wall+time.Hour.Milliseconds()), "B"); got < time.Hour {
		t.Errorf("the machine slept for an hour: %v", got)
	}
}

// TestWaitsForNobody: where nobody else holds anything nothing waits.
func TestWaitsForNobody(t *testing.T) {
	if a := repair.New(repair.Config{}).Agreements(clock.Now{Mono: time.Hour}, nil); len(a) != 0 {
		t.Errorf("%+v", a)
	}
}
