package handoff_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// old returns a record that is owed to a target since an age.
func (d *desk) old(name string, size int, age time.Duration, to ring.NodeID) replica.Held {
	return replica.Held{
		Key: ring.NewKey("b", name), State: []byte("state"), Size: size,
		Owed: []replica.Owed{{Target: to, Since: d.now.Wall - age.Milliseconds()}},
	}
}

// has answers an ask as a primary does that has it durably, and returns what is
// to be paid.
func (d *desk) has(ask handoff.Ask) []replica.Op {
	d.t.Helper()
	d.Reset()
	a := replica.Answer{ID: ask.Op.ID, Verb: replica.Join, Status: replica.Have, Durable: true}
	if !d.machine.Answer(d.now, ask.To, &a, d, &d.Effects) {
		d.t.Fatal("nobody waits for the answer")
	}
	return slices.Clone(d.Ops)
}

// walks goes through pages of nothing but these records.
func (d *desk) walks(p replica.Page) {
	d.t.Helper()
	for len(d.Scans) == 0 {
		d.tick(d.machine.Deadline() - d.now.Mono)
	}
	d.page(p)
}

// TestLetGo (DESIGN 6): what is too old goes when two other primaries have it,
// who are told which node missed it; one is not enough, and a target that is
// there gets it whatever its age.
func TestLetGo(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.down["a"] = true
	old := d.old("k", 100, 3*time.Hour+time.Second, "a")
	d.page(replica.Page{Held: []replica.Held{d.old("young", 100, 3*time.Hour-time.Second, "a"), old, d.old("there", 100, 9*time.Hour, "b")}})
	d.wantAsks(3)
	asks := slices.Clone(d.Asks)
	for _, a := range asks[:2] {
		if a.To == "a" || a.Op.Key != old.Key || a.Op.Missed != "a" || !a.Op.Pending || !slices.Equal(a.Op.Targets, []ring.NodeID{a.To}) {
			t.Fatalf("offered %+v", a)
		}
	}
	if asks[2].To != "b" || asks[2].Op.Missed != "" {
		t.Fatalf("handed over %+v", asks[2])
	}
	if ops := d.has(asks[0]); len(ops) != 0 {
		t.Fatalf("one primary has it, and is enough: %+v", ops)
	}
	ops := d.has(asks[1])
	if len(ops) != 1 || ops[0].Verb != replica.Paid || !slices.Equal(ops[0].Targets, []ring.NodeID{"a"}) || ops[0].Digest != old.Digest {
		t.Fatalf("two primaries have it: %+v", ops)
	}
	d.Reset()
	d.machine.Complete(d.now, &replica.Answer{ID: ops[0].ID, Verb: replica.Paid, Status: replica.Have, Found: true}, d, &d.Effects)
	if len(d.Facts) != 1 || d.Facts[0].Kind != fact.LetGo || d.Facts[0].Peer != "a" {
		t.Fatalf("facts %v", d.Facts)
	}
	d.tick(d.machine.Deadline() - d.now.Mono)
	if b := d.machine.Backlog(nil)[0]; b.Target != "a" || b.OverAge != 1 || b.Records != 2 {
		t.Fatalf("backlog %+v", b)
	}
}

// TestKeptWhateverItsAge: where two other primaries can't be reached, or do not
// say that they have it, it may be all there is.
func TestKeptWhateverItsAge(t *testing.T) {
	d := newDesk(t, handoff.Config{Every: 20 * time.Second})
	d.down["a"], d.down["b"] = true, true
	page := replica.Page{Held: []replica.Held{d.old("k", 100, 1000*time.Hour, "a")}, Bytes: 100, Max: 100}
	d.page(page)
	d.wantAsks(0)
	d.down["b"] = false
	d.walks(page)
	d.wantAsks(2)
	asks := slices.Clone(d.Asks)
	d.has(asks[0])
	d.Reset()
	d.machine.Answer(d.now, asks[1].To, &replica.Answer{ID: asks[1].Op.ID, Status: replica.Failed, Reason: replica.DiskFull}, d, &d.Effects)
	if len(d.Ops) != 0 {
		t.Fatalf("it goes: %+v", d.Ops)
	}
	if b := d.machine.Backlog(nil); len(b) != 1 || b[0].Failed != fmt.Sprintf("%s, offered it in its stead: no room", asks[1].To) {
		t.Fatalf("backlog %+v", b)
	}
	d.walks(page) // the one that failed is left alone no longer
	d.wantAsks(2)
}

// TestOffersTakeTurns: of many primaries others are asked in each walk.
func TestOffersTakeTurns(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.down["a"] = true
	d.primary = []ring.NodeID{"a", "b", "c", "d", "e"}
	page := replica.Page{Held: []replica.Held{d.old("k", 100, 4*time.Hour, "a")}}
	asked := map[ring.NodeID]bool{}
	for range 5 {
		d.walks(page)
		for _, a := range d.Asks {
			asked[a.To] = true
		}
		d.machine.Down(d.now, d.Asks[0].To, d, &d.Effects)
		d.tick(time.Hour)
	}
	if len(asked) != 4 {
		t.Errorf("asked %v", asked)
	}
}

// TestOldestGoFirst: where room gets short the oldest records go, and no more
// than make room.
func TestOldestGoFirst(t *testing.T) {
	d := newDesk(t, handoff.Config{Window: 1000, PerTarget: 1000})
	d.down["a"] = true
	var held []replica.Held
	for i := range 100 {
		held = append(held, d.old(fmt.Sprint(i), 10, time.Duration(1+(i*37)%100)*time.Minute, "a"))
	}
	page := replica.Page{Held: held, Bytes: 700, Max: 1000}
	d.page(page)
	d.walks(page)
	d.wantAsks(0) // there is room
	page.Bytes = 1000
	d.walks(page)
	d.wantAsks(0) // and none, but which are the oldest shows in the end
	d.walks(page)
	youngest, gone := time.Hour, map[string]bool{}
	for _, a := range d.Asks {
		gone[a.Op.Key.Name] = true
	}
	for i := range held {
		if gone[held[i].Key.Name] {
			youngest = min(youngest, time.Duration(1+(i*37)%100)*time.Minute)
		}
	}
	// Ages are known to a fifth.
	if len(gone) < 50 || len(gone) > 65 || youngest < 35*time.Minute {
		t.Errorf("%d go, the youngest is %v old", len(gone), youngest)
	}
	page.Bytes = 500
	d.walks(page)
	d.wantAsks(0)
}

// TestSlowTarget (FIELD 2.14 #8): a target that takes its time, whether much or
// little more than others, holds up none of them, has no more on its way for it,
// and gets all it is owed; what is sent twice is little.
func TestSlowTarget(t *testing.T) {
	const n = 200
	for _, took := range []map[ring.NodeID]time.Duration{
		{"a": time.Second, "b": time.Millisecond},
		{"a": 20 * time.Millisecond, "b": 18 * time.Millisecond},
		{"a": 300 * time.Millisecond, "b": 290 * time.Millisecond},
	} {
		sent, done := handOverAll(t, n, took)
		alone := time.Duration(n/16+1) * took["b"]
		if limit := alone + 500*time.Millisecond + 3*alone/2; done["b"] > limit {
			t.Errorf("%v: b got all after %v, want at most %v", took, done["b"], limit)
		}
		alone = time.Duration(n/16+1) * took["a"]
		if limit := 2*alone + 500*time.Millisecond; done["a"] > limit {
			t.Errorf("%v: a got all after %v, want at most %v", took, done["a"], limit)
		}
		if sent["a"] > n+n/4 || sent["b"] > n+n/4 {
			t.Errorf("%v: sent %v, %d each were owed", took, sent, n)
		}
	}
}

// handOverAll hands n records over to each of two targets that take so long to
// answer, and returns how many were sent and when each had all.
func handOverAll(t *testing.T, n int, took map[ring.NodeID]time.Duration) (sent map[ring.NodeID]int, done map[ring.NodeID]time.Duration) {
	d := newDesk(t, handoff.Config{Found: []replica.Owing{{Target: "a", Records: n}, {Target: "b", Records: n}}})
	sent, done = map[ring.NodeID]int{}, map[ring.NodeID]time.Duration{}
	owed := append(held(0, n, "a"), held(n, n, "b")...)
	left := map[ring.NodeID]int{"a": n, "b": n}
	type due struct {
		at  time.Duration
		ask handoff.Ask
	}
	var flying []due
	gone := map[ring.Key]bool{}
	for left["a"]+left["b"] > 0 {
		for _, a := range d.Asks {
			sent[a.To]++
			flying = append(flying, due{d.now.Mono + took[a.To], a})
		}
		d.Asks = d.Asks[:0]
		slices.SortStableFunc(flying, func(a, b due) int { return cmp.Compare(a.at, b.at) })
		switch {
		case len(d.Scans) > 0:
			from := 0
			if f := d.Scans[0].From; f != nil {
				from, _ = strconv.Atoi(string(f))
			}
			to := min(from+64, len(owed))
			page := replica.Page{Held: slices.DeleteFunc(slices.Clone(owed[from:to]), func(h replica.Held) bool { return gone[h.Key] })}
			if to < len(owed) {
				page.Next = strconv.AppendInt(nil, int64(to), 10)
			}
			d.page(page)
		case len(flying) > 0 && flying[0].at <= d.machine.Deadline():
			f := flying[0]
			flying = flying[1:]
			d.now.Mono = max(d.now.Mono, f.at)
			d.store(f.ask)
			if !gone[f.ask.Op.Key] {
				left[f.ask.To]--
				done[f.ask.To] = d.now.Mono
			}
			gone[f.ask.Op.Key] = true
		default:
			if d.machine.Deadline() > time.Hour {
				t.Fatalf("nothing happens any more, %v are owed", left)
			}
			d.tick(max(d.machine.Deadline()-d.now.Mono, 0))
		}
	}
	return sent, done
}

// TestProbe (FIELD 2.14 #8): a node that failed is tried with one record, not
// with all it is owed.
func TestProbe(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.page(replica.Page{Held: held(0, 9, "a")})
	d.wantAsks(9)
	d.tick(5 * time.Second)
	d.walks(replica.Page{Held: held(0, 9, "a")})
	d.wantAsks(1)
	d.store(d.Asks[0])
	d.wantAsks(8)
}

// TestFound: what an earlier run left is told before a walk has found it, and
// looked for at once.
func TestFound(t *testing.T) {
	d := newDesk(t, handoff.Config{Found: []replica.Owing{{Target: "a", Records: 2, Bytes: 200, Oldest: 1000}}})
	d.wantBacklog(owing("a", 2, 200, 1000))
	if d.machine.Oldest() != 1000 {
		t.Errorf("the oldest is %d", d.machine.Oldest())
	}
	d.page(replica.Page{Held: held(0, 1, "a")})
	d.wantAsks(1)
}

// TestNoView: a node that knows of no primaries takes nobody for none.
func TestNoView(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.primary = nil
	d.page(replica.Page{Held: []replica.Held{d.old("k", 100, 4*time.Hour, "a")}})
	if len(d.Asks)+len(d.Ops) != 0 {
		t.Errorf("asks %+v, operations %+v", d.Asks, d.Ops)
	}
}

// TestRules_H19 (RULES R34): a target that is no primary any more is owed
// nothing; all that are get its claim, before it goes. What no room is left for
// is offered to two of them.
func TestRules_H19_TargetLeft(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	left := d.old("k", 100, time.Minute, "gone")
	left.State = []byte("state")
	d.page(replica.Page{Held: []replica.Held{left}})
	d.wantAsks(0)
	if len(d.Ops) != 1 || d.Ops[0].Verb != replica.Join || !d.Ops[0].Pending || !slices.Equal(d.Ops[0].Targets, d.primary) {
		t.Fatalf("operations %+v", d.Ops)
	}
	join := d.Ops[0]
	d.Reset()
	d.machine.Complete(d.now, &replica.Answer{ID: join.ID, Status: replica.Have, Durable: true, Pending: true}, d, &d.Effects)
	if len(d.Ops) != 1 || d.Ops[0].Verb != replica.Paid || !slices.Equal(d.Ops[0].Targets, []ring.NodeID{"gone"}) {
		t.Fatalf("operations %+v", d.Ops)
	}

	d = newDesk(t, handoff.Config{})
	page := replica.Page{Held: []replica.Held{d.old("k", 100, 4*time.Hour, "gone")}}
	d.page(page)
	d.wantAsks(2)
	if d.Asks[0].Op.Missed != "" {
		t.Errorf("%s, no primary, is said to have missed it", d.Asks[0].Op.Missed)
	}
}

// TestHolderIsPrimary (RULES R34): what a node keeps of a key that it is a primary
// of goes into its own record, unless its target is there to take it.
func TestHolderIsPrimary(t *testing.T) {
	d := newDesk(t, handoff.Config{})
	d.primary, d.down["a"] = []ring.NodeID{"a", self, "b"}, true
	d.page(replica.Page{Held: []replica.Held{d.old("k", 100, 0, "a"), d.old("l", 100, 0, "b"), d.old("m", 100, 0, self)}})
	d.wantAsks(1)
	if len(d.Ops) != 2 || d.Ops[0].Pending || d.Ops[0].Missed != "a" || d.Ops[1].Pending || d.Ops[1].Missed != "" {
		t.Fatalf("operations %+v", d.Ops)
	}
	own := d.Ops[0]
	d.Reset()
	d.machine.Complete(d.now, &replica.Answer{ID: own.ID, Status: replica.Have, Durable: true}, d, &d.Effects)
	if len(d.Ops) != 1 || d.Ops[0].Verb != replica.Paid {
		t.Fatalf("operations %+v", d.Ops)
	}
}
