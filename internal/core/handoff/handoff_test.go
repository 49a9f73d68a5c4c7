package handoff_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// desk is a machine whose effects a test looks at.
type desk struct {
	t       *testing.T
	machine *handoff.Handoff
	now     clock.Now
	down    map[ring.NodeID]bool
	primary []ring.NodeID // of every key; none: whomever it is owed to
	handoff.Effects
}

const self = ring.NodeID("self")

func newDesk(t *testing.T, cfg handoff.Config) *desk {
	d := &desk{t: t, machine: handoff.New(cfg), now: clock.Now{Wall: 1_000_000}, down: map[ring.NodeID]bool{}, primary: []ring.NodeID{"a", "b", "c"}}
	d.tick(0)
	return d
}

func (d *desk) Usable(id ring.NodeID) bool { return id != self && !d.down[id] }

func (d *desk) Self() ring.NodeID { return self }

func (d *desk) Primaries(uint32, string) []ring.NodeID { return d.primary }

func (d *desk) tick(after time.Duration) {
	d.now.Mono += after
	d.now.Wall += after.Milliseconds()
	d.Reset()
	d.machine.Tick(d.now, d, &d.Effects)
}

func (d *desk) page(p replica.Page) {
	d.t.Helper()
	if len(d.Scans) != 1 {
		d.t.Fatalf("%d scans were asked for", len(d.Scans))
	}
	d.Reset()
	d.machine.Page(d.now, &p, d, &d.Effects)
}

// held returns n records of 100 bytes that are owed to targets.
func held(from, n int, targets ...ring.NodeID) []replica.Held {
	var all []replica.Held
	for i := range n {
		h := replica.Held{Key: ring.NewKey("b", fmt.Sprint("k", from+i)), State: []byte("state"), Size: 100}
		for _, t := range targets {
			h.Owed = append(h.Owed, replica.Owed{Target: t, Since: int64(1000 + from + i)})
		}
		all = append(all, h)
	}
	return all
}

func (d *desk) wantAsks(n int) {
	d.t.Helper()
	if len(d.Asks) != n {
		d.t.Fatalf("%d records are sent, want %d", len(d.Asks), n)
	}
}

// store answers an ask as a target does, and pays it.
func (d *desk) store(ask handoff.Ask) {
	d.t.Helper()
	d.Reset()
	a := replica.Answer{ID: ask.Op.ID, Verb: replica.Join, Status: replica.Have, Durable: true}
	if !d.machine.Answer(d.now, ask.To, &a, d, &d.Effects) || len(d.Ops) != 1 || d.Ops[0].Verb != replica.Paid {
		d.t.Fatalf("the answer pays for nothing: %+v", d.Ops)
	}
	paid := replica.Answer{ID: ask.Op.ID, Verb: replica.Paid, Status: replica.Have, Found: true, Pending: true}
	if !d.machine.Complete(d.now, &paid, d, &d.Effects) {
		d.t.Fatal("nobody waits for the payment")
	}
}

// owing is a backlog without failures.
func owing(to ring.NodeID, records int, bytes, oldest int64) handoff.Backlog {
	return handoff.Backlog{Owing: replica.Owing{Target: to, Records: records, Bytes: bytes, Oldest: oldest}}
}

func (d *desk) wantBacklog(want ...handoff.Backlog) {
	d.t.Helper()
	got := d.machine.Backlog(nil)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.t.Fatalf("backlog\n%+v, want\n%+v", got, want)
	}
}

// TestWindows: no more than the window is on its way, to one target no more than
// its share, and each answer lets the next one go.
func TestWindows(t *testing.T) {
	d := newDesk(t, handoff.Config{Window: 5, PerTarget: 3})
	d.page(replica.Page{Held: append(held(0, 3, "a", "b"), held(3, 2, "b")...)})
	d.wantAsks(5) // a, b, a, b, a; the third of b waits
	first := d.Asks[0]
	d.store(first)
	d.wantAsks(1)
	d.store(d.Asks[0])
	d.wantAsks(1)
}

// TestPace: what is sent is paced in bytes, and the deadline says when it goes
// on.
func TestPace(t *testing.T) {
	d := newDesk(t, handoff.Config{Rate: 10_000})
	d.page(replica.Page{Held: held(0, 4, "a")})
	d.wantAsks(2)
	at := d.machine.Deadline()
	if at <= d.now.Mono || at > d.now.Mono+10*time.Millisecond {
		t.Fatalf("deadline %v at %v", at, d.now.Mono)
	}
	d.tick(at - d.now.Mono)
	d.wantAsks(1)
}

// TestBackOff: a target that fails is left alone, longer each time, and asked at
// once when it is back.
func TestBackOff(t *testing.T) {
	d := newDesk(t, handoff.Config{Every: 6 * time.Second})
	d.page(replica.Page{Held: held(0, 2, "a")})
	d.wantAsks(2)
	ask := d.Asks[0]
	d.Reset()
	d.machine.Answer(d.now, "a", &replica.Answer{ID: ask.Op.ID, Status: replica.Failed, Reason: replica.DiskFull}, d, &d.Effects)
	if len(d.Facts) != 1 || d.Facts[0].Kind != fact.NotHandedOver || d.Facts[0].Note != "no room" {
		t.Fatalf("facts %v", d.Facts)
	}
	d.tick(5 * time.Second) // the other one is given up
	late := owing("a", 2, 200, 1000)
	late.Failed, late.FailedAt = "no answer", d.now.Wall
	d.wantBacklog(late)

	d.tick(time.Second)
	d.page(replica.Page{Held: held(0, 2, "a")})
	d.wantAsks(0) // the second failure in a row: two seconds
	d.machine.Back("a")
	d.tick(d.machine.Deadline() - d.now.Mono) // the walk ends
	d.tick(d.machine.Deadline() - d.now.Mono) // and another begins
	d.page(replica.Page{Held: held(0, 2, "a")})
	d.wantAsks(2)
	d.store(d.Asks[0])
	d.wantBacklog(owing("a", 1, 100, 1000))
}

// TestASlowTargetIsWaitedFor: one that takes longer than the first wait, whenever it is
// asked, has it all in the end.
func TestASlowTargetIsWaitedFor(t *testing.T) {
	const takes = 7 * time.Second
	d := newDesk(t, handoff.Config{Wait: time.Second, Every: time.Second})
	for d.now.Mono < 5*time.Minute {
		if len(d.Scans) > 0 {
			d.page(replica.Page{Held: held(0, 1, "a")})
		}
		if len(d.Asks) == 0 {
			d.tick(100 * time.Millisecond)
			continue
		}
		ask := d.Asks[0]
		d.tick(takes)
		if d.machine.Answer(d.now, ask.To, &replica.Answer{ID: ask.Op.ID, Verb: replica.Join, Status: replica.Have, Durable: true}, d, &d.Effects) {
			return
		}
	}
	t.Fatalf("it was handed over nothing: %+v", d.machine.Backlog(nil))
}

// TestUnusableTargets: what can't be delivered is counted, and holds up nobody.
func TestUnusableTargets(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.down["a"] = true
	d.page(replica.Page{Held: held(0, 3, "a"), Next: []byte("more")})
	d.wantAsks(0)
	d.wantBacklog() // the walk is not over
	d.tick(d.machine.Deadline() - d.now.Mono)
	if string(d.Scans[0].From) != "more" {
		t.Fatalf("the walk goes on at %q", d.Scans[0].From)
	}
	d.page(replica.Page{Held: held(3, 1, "a", "b")})
	d.wantAsks(1)
	d.tick(d.machine.Deadline() - d.now.Mono)
	d.wantBacklog(
		owing("a", 4, 400, 1000), owing("b", 1, 100, 1003))
	if at := d.machine.Deadline(); at < 5*time.Second || at > 5*time.Second+time.Millisecond {
		t.Fatalf("deadline %v: the flight's", at)
	}
}

// TestStrangers: answers that nobody waits for, from somebody else, pending or
// not durable, pay for nothing.
func TestStrangers(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.page(replica.Page{Held: held(0, 1, "a")})
	ask := d.Asks[0]
	good := replica.Answer{ID: ask.Op.ID, Verb: replica.Join, Status: replica.Have, Durable: true}
	unknown := good
	unknown.ID++
	d.Reset()
	if d.machine.Answer(d.now, "b", &good, d, &d.Effects) || d.machine.Answer(d.now, "a", &unknown, d, &d.Effects) ||
		d.machine.Complete(d.now, &good, d, &d.Effects) {
		t.Fatal("a stranger's answer is taken")
	}
	shelved := good
	shelved.Pending = true
	d.machine.Answer(d.now, "a", &shelved, d, &d.Effects)
	if len(d.Ops) != 0 {
		t.Fatalf("paid by a record that is pending there too: %+v", d.Ops)
	}
}

// TestFallenLink: what was on its way is given up at once; a payment is not.
func TestFallenLink(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.page(replica.Page{Held: held(0, 2, "a")})
	first, second := d.Asks[0], d.Asks[1]
	d.Reset()
	a := replica.Answer{ID: first.Op.ID, Verb: replica.Join, Status: replica.Have, Durable: true}
	d.machine.Answer(d.now, "a", &a, d, &d.Effects)
	d.machine.Down(d.now, "a", d, &d.Effects)
	late := replica.Answer{ID: second.Op.ID, Status: replica.Have, Durable: true}
	if d.machine.Answer(d.now, "a", &late, d, &d.Effects) {
		t.Fatal("the answer of a link that fell is taken")
	}
	if !d.machine.Complete(d.now, &replica.Answer{ID: first.Op.ID, Found: true}, d, &d.Effects) {
		t.Fatal("the payment is forgotten")
	}
}

// TestFailedScan: the walk ends and another one begins in its time.
func TestFailedScan(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.page(replica.Page{Err: fmt.Errorf("broken")})
	if len(d.Facts) != 1 || d.machine.Deadline() != 10*time.Second {
		t.Fatalf("facts %v, deadline %v", d.Facts, d.machine.Deadline())
	}
	d.tick(10 * time.Second)
	d.page(replica.Page{})
}

// TestQuiet: where nothing is kept nothing is looked for, until something is.
func TestQuiet(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.page(replica.Page{})
	d.machine.Back("a")
	d.tick(time.Hour)
	if len(d.Scans) != 0 {
		t.Fatal("it looks for nothing")
	}
	d.machine.Kept(d.now)
	d.tick(10 * time.Second)
	d.machine.Kept(d.now) // while it walks
	d.page(replica.Page{})
	d.tick(10 * time.Second)
	d.page(replica.Page{})
	d.tick(time.Hour)
	if len(d.Scans) != 0 {
		t.Fatal("it goes on looking for nothing")
	}
}

// TestOwnStorageIsWaitedFor: the own disk may take longer than a peer may to answer,
// and what it says then still counts. Without that a record whose target left would
// be moved again and again, and never be paid.
func TestOwnStorageIsWaitedFor(t *testing.T) {
	for _, primaries := range [][]ring.NodeID{{self, "b"}, {"b", "c"}} { // it moves to the own record; others get the claim
		d := newDesk(t, handoff.Config{Wait: time.Second, Every: time.Minute})
		d.primary = primaries
		d.page(replica.Page{Held: held(0, 1, "gone")})
		if len(d.Ops) != 1 || d.Ops[0].Verb != replica.Join {
			t.Fatalf("the own storage is asked for %+v", d.Ops)
		}
		op := d.Ops[0]
		d.tick(5 * time.Second)
		if at := d.machine.Deadline(); at <= d.now.Mono {
			t.Errorf("the deadline %v is past at %v", at, d.now.Mono)
		}
		d.Reset()
		a := replica.Answer{ID: op.ID, Verb: replica.Join, Status: replica.Have, Durable: true, Pending: op.Pending}
		if !d.machine.Complete(d.now, &a, d, &d.Effects) || len(d.Ops) != 1 || d.Ops[0].Verb != replica.Paid {
			t.Errorf("at %v the late answer pays for nothing: %+v", primaries, d.Ops)
		}
	}
}
