package repair_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// round is a machine with partitions 1 to 3 held with B and C, whose questions
// are answered at once, with nothing, or left.
type round struct {
	t       *testing.T
	machine *repair.Repair
	now     clock.Now
	e       repair.Effects
	down    map[ring.NodeID]bool
	mute    map[ring.NodeID]bool
	refuses ring.NodeID
	talks   []string // what was compared with whom, when
	agreed  []string
}

func newRound(t *testing.T, cfg repair.Config) *round {
	r := &round{t: t, machine: repair.New(cfg), down: map[ring.NodeID]bool{}, mute: map[ring.NodeID]bool{}, now: clock.Now{Wall: 1000}}
	var held []replica.Mark
	for p := range uint32(3) {
		held = append(held, mark(p+1, "C"), mark(p+1, "B"))
	}
	r.machine.Assign(r.now, held, r, &r.e)
	r.drain()
	return r
}

func mark(p uint32, id ring.NodeID) replica.Mark { return replica.Mark{Partition: p, Peer: id} }

func (r *round) Usable(id ring.NodeID) bool { return !r.down[id] }

func (r *round) Takes(uint32, string, ring.NodeID) bool { return true }

func (r *round) Whole(uint32) merkle.Span { return merkle.Around(0, 0) }

func (r *round) Number(uint32) uint64 { return 0 }

func (r *round) Shares(uint32, string, ring.NodeID) bool { return true }

func (r *round) drain() {
	for len(r.e.Questions)+len(r.e.Ops)+len(r.e.Done) > 0 {
		e := r.e
		r.e = repair.Effects{}
		for _, op := range e.Ops {
			r.agreed = append(r.agreed, fmt.Sprint(op.Partition, op.Missed))
		}
		for i, q := range e.Questions {
			r.talks = append(r.talks, fmt.Sprintf("%v:%d%s", r.now.Mono, q.Survey.Partition, q.To))
			if r.mute[q.To] {
				continue
			}
			if q.To == r.refuses {
				f := replica.Found{ID: q.Survey.ID, Look: replica.Roots, Status: replica.Failed, Reason: replica.IOError}
				r.machine.Found(r.now, q.To, &f, r, &r.e)
				continue
			}
			for from, id := range map[ring.NodeID]uint64{"": e.Surveys[i].ID, q.To: q.Survey.ID} {
				f := replica.Found{ID: id, Look: replica.Roots, Status: replica.Have}
				if !r.machine.Found(r.now, from, &f, r, &r.e) {
					r.t.Fatal("an answer is not taken")
				}
			}
		}
	}
	r.e.Reset()
}

// until lets time pass.
func (r *round) until(at time.Duration) {
	for d := r.machine.Deadline(); d <= at; d = r.machine.Deadline() {
		if d < r.now.Mono {
			r.t.Fatalf("at %v a tick is wanted at %v", r.now.Mono, d)
		}
		r.now = clock.Now{Mono: d, Wall: 1000 + d.Milliseconds()}
		r.machine.Tick(r.now, r, &r.e)
		r.drain()
	}
	r.now = clock.Now{Mono: at, Wall: 1000 + at.Milliseconds()}
}

func (r *round) want(what string, want ...string) {
	r.t.Helper()
	if !slices.Equal(r.talks, want) {
		r.t.Errorf("%s:\n got %v\nwant %v", what, r.talks, want)
	}
	r.talks = nil
}

func every() repair.Config { return repair.Config{Every: time.Second, Settle: 5 * time.Second} }

func TestInTurn(t *testing.T) {
	r := newRound(t, every())
	r.until(6500 * time.Millisecond)
	r.want("in turn", "0s:1B", "1s:1C", "2s:2B", "3s:2C", "4s:3B", "5s:3C", "6s:1B")
	r.down["C"] = true
	r.until(9500 * time.Millisecond)
	r.want("without C", "7s:2B", "8s:3B", "9s:1B")
	r.down["B"] = true
	r.until(20 * time.Second)
	r.want("without anybody")
	if a := r.machine.Agreements(r.now, nil); len(a) != 2 || a[0].Peer != "B" || a[0].Partitions != 3 || a[0].Never != 0 || a[0].Oldest != 1000+7000 || a[1].Oldest != 1000+1000 {
		t.Errorf("agreements %+v", a)
	}
}

func TestOff(t *testing.T) {
	r := newRound(t, repair.Config{Off: true, Every: time.Second})
	r.machine.Mark(r.now, mark(1, "B"), false, r, &r.e)
	r.until(time.Hour)
	r.want("off")
	r.machine.SetOff(r.now, false, r, &r.e)
	r.drain()
	r.until(time.Hour + 1100*time.Millisecond)
	r.want("on", "1h0m0s:1B", "1h0m1s:1B")
	r.machine.SetOff(r.now, true, r, &r.e)
	r.until(2 * time.Hour)
	r.want("off again")
}

// Marked partitions come first, and what somebody waits for at once.
func TestMarkedFirst(t *testing.T) {
	r := newRound(t, every())
	r.until(500 * time.Millisecond)
	r.machine.Mark(r.now, mark(3, "C"), true, r, &r.e)
	r.drain()
	r.machine.Mark(r.now, mark(2, "C"), false, r, &r.e)
	r.machine.Compare(r.now, repair.Wish{Mark: mark(3, "B")}, r, &r.e)
	r.machine.Mark(r.now, mark(9, "C"), false, r, &r.e)
	r.drain()
	r.until(1900 * time.Millisecond)
	r.want("marked", "0s:1B", "500ms:3C", "500ms:3B", "600ms:2C", "1.6s:1C")
	if !slices.Equal(r.agreed, []string{"3C"}) {
		t.Errorf("marks taken back: %v", r.agreed)
	}
}

// A node that comes back is compared with once it had time to get its hints.
func TestBack(t *testing.T) {
	r := newRound(t, every())
	r.down["B"] = true
	r.until(2500 * time.Millisecond)
	r.talks = nil
	r.down["B"] = false
	r.machine.Back(r.now, "B", r, &r.e)
	if a := r.machine.Agreements(r.now, nil); a[0].Marked != 3 || a[1].Marked != 0 {
		t.Errorf("agreements %+v", a)
	}
	r.until(8300 * time.Millisecond)
	got := strings.Join(r.talks, " ")
	if !strings.Contains(got, "7.5s:1B 7.6s:2B 7.7s:3B") {
		t.Errorf("compared %v", got)
	}
}

// A comparison that failed is made again, later and later, and keeps its mark;
// one that was marked meanwhile, too.
func TestFailedIsMarked(t *testing.T) {
	cfg := every()
	cfg.Wait, cfg.BackOff, cfg.MaxBackOff = time.Second, 10*time.Second, 30*time.Second
	r := newRound(t, cfg)
	r.mute["B"], r.down["C"] = true, true
	r.machine.Mark(r.now, mark(2, "B"), true, r, &r.e)
	r.drain()
	r.until(100 * time.Second)
	var at []string
	for _, talk := range r.talks {
		if when, ok := strings.CutSuffix(talk, ":2B"); ok {
			at = append(at, when)
		}
	}
	if len(at) < 4 || len(at) > 7 || len(r.agreed) != 0 {
		t.Errorf("compared at %v, marks taken back: %v", at, r.agreed)
	}
	if a := r.machine.Agreements(r.now, nil); a[0].Failed != "no answer" || a[0].Marked == 0 || a[0].FailedAt == 0 {
		t.Errorf("agreements %+v", a)
	}
	r.mute["B"] = false
	r.until(200 * time.Second)
	if !slices.Equal(r.agreed, []string{"2B"}) {
		t.Errorf("marks taken back: %v", r.agreed)
	}
}

func TestMarkedMeanwhile(t *testing.T) {
	r := newRound(t, repair.Config{Off: true})
	r.mute["B"] = true
	r.machine.Mark(r.now, mark(2, "B"), true, r, &r.e)
	r.machine.Compare(r.now, repair.Wish{Mark: mark(2, "B")}, r, &r.e)
	ids := [2]uint64{r.e.Surveys[0].ID, r.e.Questions[0].Survey.ID}
	r.e.Reset()
	r.machine.Mark(r.now, mark(2, "B"), true, r, &r.e)
	for i, from := range []ring.NodeID{"", "B"} {
		f := replica.Found{ID: ids[i], Look: replica.Roots, Status: replica.Have}
		r.machine.Found(r.now, from, &f, r, &r.e)
	}
	if len(r.e.Done) != 1 || !r.e.Done[0].Complete || len(r.e.Ops) != 0 {
		t.Errorf("effects %+v", r.e)
	}
}

// A comparison that is asked for begins after the one under way, not with it:
// only so has it begun after it was asked for.
func TestAskedWhileUnderWay(t *testing.T) {
	r := newRound(t, every())
	r.mute["B"] = true
	r.mute["C"] = true
	r.machine.Mark(r.now, mark(1, "B"), false, r, &r.e)
	r.until(time.Second) // 1B fails at 5s
	r.machine.Compare(r.now, repair.Wish{Mark: mark(1, "B")}, r, &r.e)
	r.machine.Compare(r.now, repair.Wish{Mark: mark(1, "B")}, r, &r.e)
	if len(r.e.Questions) != 0 || len(r.e.Done) != 0 {
		t.Fatalf("effects %+v", r.e)
	}
	for r.now.Mono < 5*time.Second {
		r.now.Mono = r.machine.Deadline()
		r.machine.Tick(r.now, r, &r.e)
	}
	began := 0
	for _, q := range r.e.Questions {
		if q.To == "B" {
			began++
		}
	}
	if began != 1 || len(r.e.Done) != 1 || r.e.Done[0].Asked {
		t.Errorf("%d comparisons with B began, ended %+v", began, r.e.Done)
	}
}

// TestTurnsGoOnWhereTheyWere: while partitions move the lists change again and again,
// and those that come late in the order are compared all the same.
func TestTurnsGoOnWhereTheyWere(t *testing.T) {
	r := newRound(t, every())
	held := []replica.Mark{mark(1, "B"), mark(1, "C"), mark(2, "B"), mark(2, "C"), mark(3, "B"), mark(3, "C")}
	for i := range 5 {
		if i == 1 { // the one whose turn it would be goes
			held = slices.DeleteFunc(held, func(m replica.Mark) bool { return m == mark(2, "B") })
		}
		r.machine.Assign(r.now, held, r, &r.e)
		r.drain()
		r.until(time.Duration(i+1) * time.Second)
	}
	r.want("with the lists changing", "0s:1B", "1s:1C", "2s:2C", "3s:3B", "4s:3C", "5s:1B")
}

// TestSilenceHoldsUpNobodyElse: a node that answers no question, as its disk hangs,
// takes a wait for each of its partitions. The others are compared meanwhile.
func TestSilenceHoldsUpNobodyElse(t *testing.T) {
	r := newRound(t, repair.Config{})
	var held []replica.Mark
	for p := range uint32(64) {
		held = append(held, mark(p, "B"), mark(p, "C"))
	}
	r.machine.Assign(r.now, held, r, &r.e)
	r.drain()
	r.mute["B"] = true
	r.until(10 * time.Minute)
	r.talks = nil
	r.until(20 * time.Minute)
	with := map[string]int{}
	for _, talk := range r.talks {
		with[talk[len(talk)-1:]]++
	}
	if with["C"] < 2*64 || with["B"] == 0 {
		t.Errorf("in ten minutes %d comparisons with C, which answers, and %d with B, which does not", with["C"], with["B"])
	}
	r.mute["B"] = false
	r.machine.Round(r.now, -1, "B", r, &r.e) // an operator does not wait for it either
	r.drain()
	r.until(20*time.Minute + 10*time.Second)
	for _, a := range r.machine.Agreements(r.now, nil) {
		if a.Marked > 1 || a.Never > 1 { // one was under way and is given up
			t.Errorf("once B answers: %+v", a)
		}
	}
}

// TestFailuresLeaveTurns: so many partitions fail with one node, and are marked, that
// they are due all the time where comparing has few slices. One of eleven is another's.
func TestFailuresLeaveTurns(t *testing.T) {
	r := newRound(t, repair.Config{Every: 1600 * time.Millisecond})
	held := []replica.Mark{mark(1, "C"), mark(2, "C")}
	for p := range uint32(600) {
		held = append(held, mark(p, "B"))
	}
	r.refuses = "B"
	r.machine.Assign(r.now, held, r, &r.e)
	r.machine.Round(r.now, -1, "B", r, &r.e)
	r.drain()
	r.until(20 * time.Minute)
	r.talks = nil
	r.until(30 * time.Minute)
	with := map[string]int{}
	for _, talk := range r.talks {
		with[talk[len(talk)-1:]]++
	}
	if with["C"] < 200 || with["C"] > 400 || with["B"] < 2000 {
		t.Errorf("in ten minutes %d comparisons with C, and %d with B, which refuses", with["C"], with["B"])
	}
}
