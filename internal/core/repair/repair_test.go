package repair_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// bench is a machine between its own storage, a, and that of peer B, b. What it
// asks for waits in a queue until it is served and answered.
type bench struct {
	t       testing.TB
	machine *repair.Repair
	now     clock.Now
	a, b    *side
	e       repair.Effects
	queue   []func() // deliveries of answers
	done    []repair.Outcome
	ops     []replica.Op // Agreed
	moved   int          // states joined at b
	up      bool
	alone   string // a bucket that b does not hold
	wish    repair.Wish
	number  uint64 // of the lists that b goes by
	own     uint64 // of those that the machine's node goes by
	asked   func(replica.Verb)
	reads   int // that asked counts
}

func newBench(t testing.TB, cfg repair.Config) *bench {
	b := &bench{t: t, machine: repair.New(cfg), a: newSide(1), b: newSide(2), up: true, now: clock.Now{Mono: time.Second, Wall: 1000}}
	b.machine.Assign(b.now, []replica.Mark{{Partition: 7, Peer: "B"}}, b, &b.e)
	b.drain()
	return b
}

// Usable and Shares make a bench the machine's view of peers.
func (b *bench) Usable(ring.NodeID) bool { return b.up }

func (b *bench) Shares(_ uint32, bucket string, _ ring.NodeID) bool { return bucket != b.alone }

func (b *bench) Takes(_ uint32, bucket string, _ ring.NodeID) bool { return bucket != b.alone }

func (b *bench) Whole(uint32) merkle.Span { return merkle.Around(0, 0) }

func (b *bench) Number(uint32) uint64 { return b.own }

// drain serves everything that was asked for, in order, and queues the answers.
func (b *bench) drain() {
	e := &b.e
	for i := range e.Ops {
		if op := e.Ops[i]; op.Verb == replica.Agreed {
			b.ops = append(b.ops, op)
		} else {
			b.answer("", b.a, op)
		}
	}
	for i := range e.Asks {
		if e.Asks[i].To != "B" {
			b.t.Fatalf("asks %q", e.Asks[i].To)
		}
		if e.Asks[i].Op.Verb == replica.Join {
			b.moved++
		}
		if b.asked != nil {
			b.asked(e.Asks[i].Op.Verb)
		}
		b.answer("B", b.b, e.Asks[i].Op)
	}
	for i := range e.Surveys {
		b.found("", b.a, e.Surveys[i])
	}
	for i := range e.Questions {
		if e.Questions[i].Number != b.wish.Number {
			b.t.Fatalf("asks at number %d", e.Questions[i].Number)
		}
		b.found("B", b.b, e.Questions[i].Survey)
	}
	b.done = append(b.done, e.Done...)
	e.Reset()
}

func (b *bench) answer(from ring.NodeID, at *side, op replica.Op) {
	if op.Partition != 7 {
		b.t.Fatalf("asks about partition %d", op.Partition)
	}
	b.queue = append(b.queue, func() {
		a := at.do(&op)
		b.machine.Answer(b.now, from, &a, b, &b.e)
		b.drain()
	})
}

func (b *bench) found(from ring.NodeID, at *side, q replica.Survey) {
	b.queue = append(b.queue, func() {
		f := at.survey(&q)
		if from != "" && b.wish.Number != 0 {
			if f.Number = b.number; b.number != b.wish.Number {
				f = replica.Found{ID: q.ID, Look: q.Look, Status: replica.Failed, Reason: replica.NotPrimary, Number: b.number}
			}
		}
		b.machine.Found(b.now, from, &f, b, &b.e)
		b.drain()
	})
}

// run delivers everything, lets time pass where the machine waits for it, and
// returns the outcome of the comparison that was asked for.
func (b *bench) run() repair.Outcome {
	b.t.Helper()
	b.compare()
	for range 10000 {
		if len(b.done) > 0 {
			o := b.done[0]
			b.done = b.done[1:]
			return o
		}
		b.next(0)
	}
	b.t.Fatal("it does not end")
	return repair.Outcome{}
}

func (b *bench) compare() {
	b.wish.Mark = replica.Mark{Partition: 7, Peer: "B"}
	b.machine.Compare(b.now, b.wish, b, &b.e)
	b.drain()
}

// next delivers answer i, or lets time pass where there is none.
func (b *bench) next(i int) {
	if len(b.queue) == 0 {
		b.pass()
		return
	}
	deliver := b.queue[i]
	b.queue = slices.Delete(b.queue, i, i+1)
	deliver()
}

// pass lets time pass until the machine wants a tick.
func (b *bench) pass() {
	b.now.Mono = max(b.now.Mono, b.machine.Deadline())
	b.machine.Tick(b.now, b, &b.e)
	b.drain()
}

func (b *bench) equal() bool { return maps.EqualFunc(b.a.records, b.b.records, sameState) }

func sameState(x, y []byte) bool {
	a, _ := replica.StateOf(x)
	b, _ := replica.StateOf(y)
	return string(a) == string(b)
}

func off() repair.Config { return repair.Config{Off: true} }

func k(name string) ring.Key {
	b, n, _ := strings.Cut(name, "/")
	return ring.NewKey(b, n)
}

func TestBothEndEqual(t *testing.T) {
	b := newBench(t, off())
	for i := range 40 {
		b.a.put(k(fmt.Sprintf("x/mine%d", i)), "v")
		b.b.put(k(fmt.Sprintf("x/theirs%d", i)), "v")
		b.a.put(k(fmt.Sprintf("y/both%d", i)), "v")
		b.b.put(k(fmt.Sprintf("y/both%d", i)), "v")
	}
	b.b.put(k("z/k"), "v")
	o := b.run()
	if !o.Complete || o.Why != "" || o.Pulled != 81 || o.Pushed != 80 || !o.Asked || o.Recovering {
		t.Errorf("outcome %+v", o)
	}
	if !b.equal() {
		t.Error("they are not equal")
	}
	state, err := replica.DecodeRecord(b.b.records["y/both3"])
	if err != nil || len(state.Versions) != 2 {
		t.Errorf("concurrent versions: %d are left, %v", len(state.Versions), err)
	}
	moved := b.moved
	if o := b.run(); !o.Complete || o.Pulled+o.Pushed != 0 || b.moved != moved {
		t.Errorf("equal ones exchange %+v", o)
	}
}

// Equal roots cost one small message each way.
func TestEqualRootsCostOneMessage(t *testing.T) {
	b := newBench(t, off())
	b.a.put(k("x/k"), "v")
	b.b.records = maps.Clone(b.a.records)
	b.compare()
	if len(b.queue) != 2 {
		t.Fatalf("%d questions", len(b.queue))
	}
	b.next(1)
	b.next(0)
	if len(b.done) != 1 || !b.done[0].Complete || len(b.queue) != 0 {
		t.Errorf("outcomes %+v, %d things under way", b.done, len(b.queue))
	}
}

// A bucket that only one of them is a primary of is none of their business.
func TestForeignBucketsAreLeftAlone(t *testing.T) {
	b := newBench(t, off())
	b.alone = "y"
	b.a.put(k("y/k"), "v")
	b.a.put(k("x/k"), "v")
	if o := b.run(); !o.Complete || o.Pushed != 1 || b.b.records["y/k"] != nil || b.b.records["x/k"] == nil {
		t.Errorf("outcome %+v", o)
	}
}

// crowd returns keys of bucket x that are all in one 256th of the positions.
func crowd(n int) []string {
	var names []string
	near := merkle.Around(k("x/0").Pos.Hi, 8)
	for i := 0; len(names) < n; i++ {
		if name := fmt.Sprintf("x/%d", i); near.Holds(k(name).Pos.Hi) {
			names = append(names, name)
		}
	}
	return names
}

// A leaf of many keys is listed in pages, of which either side may have more.
func TestCrowdedLeaf(t *testing.T) {
	names := crowd(24)
	for split := range 3 {
		b := newBench(t, off())
		for i, name := range names {
			switch {
			case split == 0 && i%2 == 0, split == 1 && i < 3, split == 2 && i > 20:
				b.a.put(k(name), "v")
			default:
				b.b.put(k(name), "v")
			}
		}
		if o := b.run(); !o.Complete || o.Pulled+o.Pushed != 24 || !b.equal() {
			t.Errorf("split %d: %+v", split, o)
		}
	}
}

// TestComparisons runs comparisons among writes at both sides, with answers in
// any order, late, twice and not at all. One that ends complete has merged here
// all that the peer held when it began, and the peer all that was here.
func TestComparisons(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, repair.Config{Off: true, Window: rapid.IntRange(1, 3).Draw(rt, "window"), List: rapid.SampledFrom([]int{1, 2, 32}).Draw(rt, "list")})
		b.a.leaf, b.b.leaf = rapid.SampledFrom([]int{1, 3, 32}).Draw(rt, "leaf here"), rapid.SampledFrom([]int{1, 3, 32}).Draw(rt, "leaf there")
		names := append(crowd(7), "a/k", "b/k", "c/k", "d/k", "e/k", "f/k", "g/k", "x/elsewhere")
		write := func(label string) {
			s := rapid.SampledFrom([]*side{b.a, b.b}).Draw(rt, label)
			s.put(k(rapid.SampledFrom(names).Draw(rt, "key")), rapid.StringN(1, 3, -1).Draw(rt, "value"))
		}
		for range rapid.IntRange(0, 20).Draw(rt, "records") {
			write("side")
		}
		mine, theirs := maps.Clone(b.a.records), maps.Clone(b.b.records)
		began := b.now.Mono
		b.compare()
		for len(b.done) == 0 {
			switch i := rapid.IntRange(0, 20).Draw(rt, "what"); {
			case i == 0:
				write("side now")
			case i == 1 && len(b.queue) > 0:
				b.queue = b.queue[1:] // lost
			case i == 2 && len(b.queue) > 0:
				b.queue = append(b.queue, b.queue[0]) // twice
			case len(b.queue) > 0:
				b.next(rapid.IntRange(0, len(b.queue)-1).Draw(rt, "which"))
			default:
				b.pass()
			}
		}
		o := b.done[0]
		if o.Complete != (o.Why == "") || o.Began != began {
			rt.Fatalf("outcome %+v, began %v", o, began)
		}
		if o.Complete && !b.a.contains(t, theirs) {
			rt.Fatalf("complete, and not all is here: %+v", o)
		}
		if o.Complete && !b.b.contains(t, mine) {
			rt.Fatalf("complete, and not all is there: %+v", o)
		}
		b.queue = nil
		b.done = nil
		if o := b.run(); !o.Complete || !b.equal() {
			rt.Fatalf("undisturbed they end unequal: %+v", o)
		}
	})
}

// What comes between ends a comparison with a word, and it is made again.
func TestWhatComesBetween(t *testing.T) {
	start := func(cfg repair.Config) *bench {
		b := newBench(t, cfg)
		b.a.put(k("x/a"), "v")
		b.b.put(k("x/b"), "v")
		return b
	}
	want := func(what string, o repair.Outcome, why string) {
		t.Helper()
		if o.Complete || o.Why != why {
			t.Errorf("%s: %+v, want %q", what, o, why)
		}
	}
	b := start(off())
	b.b.refuse = replica.Overloaded
	want("overloaded", b.run(), "overloaded")
	b.b.refuse, b.a.refuse = replica.None, replica.DiskFull
	want("full here", b.run(), "here: no room")
	b.a.refuse = replica.None
	b.compare()
	b.queue = nil
	want("silence", b.run(), "no answer")
	b.compare()
	b.next(1)
	b.queue = nil
	want("silence here", b.run(), "here: no answer")
	b.compare()
	b.up = false
	b.machine.Down(b.now, "B", b, &b.e)
	b.drain()
	want("the link falls", b.run(), "its link fell")
	b.done = nil
	want("no link", b.run(), "it can't be reached")
	b.up = true
	b.done = nil
	b.machine.Compare(b.now, repair.Wish{Mark: replica.Mark{Partition: 8, Peer: "B"}}, b, &b.e)
	b.drain()
	want("another partition", b.done[0], "both do not hold the partition")
	b.done = nil
	if o := b.run(); !o.Complete || !b.equal() {
		t.Errorf("at last %+v", o)
	}
	b.compare()
	b.machine.Assign(b.now, nil, b, &b.e)
	b.drain()
	want("the ring changes", b.done[0], "the ring changed")
}

// What nobody asked for is not taken, nor what was asked of another, nor twice.
func TestStrangersAnswers(t *testing.T) {
	b := newBench(t, off())
	b.machine.Compare(b.now, repair.Wish{Mark: replica.Mark{Partition: 7, Peer: "B"}}, b, &b.e)
	mine, theirs := b.e.Surveys[0].ID, b.e.Questions[0].Survey.ID
	b.e.Reset()
	take := func(from ring.NodeID, id uint64, look replica.Look) bool {
		f := replica.Found{ID: id, Look: look, Status: replica.Have}
		return b.machine.Found(b.now, from, &f, b, &b.e)
	}
	for name, taken := range map[string]bool{
		"another question": take("B", theirs+100, replica.Roots), "the own side's": take("B", mine, replica.Roots),
		"another look": take("B", theirs, replica.Keys), "another node": take("C", theirs, replica.Roots), "the peer's": take("", theirs, replica.Roots),
	} {
		if taken {
			t.Errorf("the answer to %s was taken", name)
		}
	}
	if !take("B", theirs, replica.Roots) || take("B", theirs, replica.Roots) {
		t.Error("an answer is not taken once")
	}
	if a := (replica.Answer{ID: theirs, Verb: replica.Read}); b.machine.Answer(b.now, "B", &a, b, &b.e) {
		t.Error("an answer to no operation was taken")
	}
}

// A record that can't be read is counted, and keeps nobody from exchanging the
// others.
func TestUnreadableRecords(t *testing.T) {
	b := newBench(t, off())
	for i := range 8 {
		b.a.put(k(fmt.Sprintf("x/k%d", i)), "v")
	}
	b.b.records = maps.Clone(b.a.records)
	b.b.put(k("x/k5"), "w")
	b.a.rotten["x/k3"] = true
	o := b.run()
	if o.Complete || o.Unreadable != 1 || o.Why != "here: checksum mismatch" || o.Pulled != 1 {
		t.Errorf("rotten here: %+v", o)
	}
	b.a.rotten, b.b.rotten = b.b.rotten, b.a.rotten
	if o = b.run(); o.Complete || o.UnreadableThere != 1 || o.Why != "checksum mismatch" {
		t.Errorf("rotten there: %+v", o)
	}
	b.b.rotten = map[string]bool{}
	if o = b.run(); !o.Complete || !b.equal() {
		t.Errorf("at last %+v", o)
	}
}

// A recovering peer is compared with, and the outcome says so.
func TestRecoveringPeer(t *testing.T) {
	b := newBench(t, off())
	b.b.put(k("x/b"), "v")
	b.b.replica.SetRecovering(7, &replica.Progress{})
	if o := b.run(); !o.Complete || !o.Recovering || o.Pulled != 1 || !b.equal() {
		t.Errorf("outcome %+v", o)
	}
}

// States are exchanged at their rate.
func TestRate(t *testing.T) {
	b := newBench(t, repair.Config{Off: true, Rate: 1 << 20, Window: 2})
	for i := range 32 {
		b.b.put(k(fmt.Sprintf("x/k%d", i)), strings.Repeat("v", 128<<10))
	}
	start := b.now.Mono
	if o := b.run(); !o.Complete || o.Pulled != 32 {
		t.Errorf("outcome %+v", o)
	}
	if took := b.now.Mono - start; took < 3*time.Second || took > 5*time.Second {
		t.Errorf("4 MiB at 1 MiB a second took %v", took)
	}
}

// The epoch of a state goes with it.
func TestStampsArePassedOn(t *testing.T) {
	b := newBench(t, off())
	b.a.stamp, b.b.stamp = 4, 5
	b.b.put(k("x/k"), "v")
	b.a.put(k("x/k"), "w")
	if o := b.run(); !o.Complete || o.Pulled != 1 || o.Pushed != 1 {
		t.Errorf("outcome %+v", o)
	}
	if !slices.Equal(b.a.joined, []uint64{5}) || !slices.Equal(b.b.joined, []uint64{4}) {
		t.Errorf("joined here under %v, there under %v", b.a.joined, b.b.joined)
	}
}
