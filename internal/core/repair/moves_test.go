package repair_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/repair"
)

// fenced is a comparison at number 9, with a peer that is at another, maybe.
func fenced(t *testing.T, peer uint64) *bench {
	b := newBench(t, off())
	b.machine.Assign(b.now, nil, b, &b.e) // who takes a partition over is in no pair
	b.own, b.number, b.wish.Number = 9, peer, 9
	b.b.put(k("x/k"), "v")
	return b
}

// TestRules_R16_FencedComparison: a peer counts only where it is at the number that
// this node is at.
func TestRules_R16_FencedComparison(t *testing.T) {
	b := fenced(t, 9)
	if o := b.run(); !o.Complete || !o.Known || o.Behind || o.Number != 9 || o.Pulled != 1 || o.Bytes == 0 || !b.equal() {
		t.Errorf("at the same number: %+v", o)
	}
	b = fenced(t, 8)
	if o := b.run(); o.Complete || o.Known || !o.Behind || o.Pulled != 0 {
		t.Errorf("with one that is behind: %+v", o)
	}
	b = fenced(t, 10)
	if o := b.run(); o.Complete || o.Known || o.Behind || o.Pulled != 0 {
		t.Errorf("with one that is ahead: %+v", o)
	}
	b = fenced(t, 9)
	b.own = 10
	if o := b.run(); o.Complete || o.Why != "the ring changed" {
		t.Errorf("when this node has gone on: %+v", o)
	}
}

// TestFenceHoldsToTheEnd: a peer that goes on in the middle of a comparison spoils
// it, and so does this node.
func TestFenceHoldsToTheEnd(t *testing.T) {
	for at := range 4 {
		for _, own := range []bool{false, true} {
			b := fenced(t, 9)
			b.compare()
			for range at {
				b.next(0)
			}
			if own {
				b.own = 10
				b.machine.Assign(b.now, nil, b, &b.e)
				b.drain()
			} else {
				b.number = 10
			}
			for range 50 {
				if len(b.done) == 0 {
					b.next(0)
				}
			}
			// After the last survey a peer may have gone on: it had shown all before.
			if o := b.done[0]; o.Complete && (own || at < 3) {
				t.Errorf("after %d answers, own %v: %+v", at, own, o)
			}
		}
	}
}

// TestPush: who leaves gives what the others lack, and takes nothing.
func TestPush(t *testing.T) {
	b := newBench(t, off())
	b.machine.Assign(b.now, nil, b, &b.e)
	b.own, b.number, b.wish = 9, 9, repair.Wish{Number: 9, Push: true}
	b.alone = "y"
	for i := range 5 {
		b.a.put(k(fmt.Sprintf("x/mine%d", i)), "v")
		b.b.put(k(fmt.Sprintf("x/theirs%d", i)), "v")
		b.a.put(k("x/both"), "a")
		b.b.put(k("x/both"), "b")
		b.a.put(k("y/k"), "v")
		b.b.put(k("z/k"), "v")
	}
	before := len(b.a.records)
	o := b.run()
	if !o.Complete || !o.Push || o.Pulled != 0 || o.Pushed != 6 || len(b.a.records) != before || len(b.a.joined) != 0 {
		t.Errorf("%+v, %d records of %d, joined %v", o, len(b.a.records), before, b.a.joined)
	}
	if b.a.reads != 6 || b.b.reads != 0 {
		t.Errorf("%d reads here, %d there", b.a.reads, b.b.reads)
	}
	if b.b.records["y/k"] != nil {
		t.Error("a bucket that the peer does not hold was given to it")
	}
	delete(b.a.records, "y/k")
	if !b.b.contains(t, b.a.records) {
		t.Error("the peer lacks something")
	}
	moved := b.moved
	b.a.records["x/mine9"] = b.a.records["x/mine1"]
	if b.run(); b.moved > moved+2 { // both differs still
		t.Errorf("%d states were given again", b.moved-moved)
	}
}

// TestNothingIsSentTwice: a comparison that breaks off anywhere and begins again
// sends nothing anew but what was under way (paper, 4.9.3).
func TestNothingIsSentTwice(t *testing.T) {
	const keys, window = 60, 4
	for broken := 1; broken < 200; broken += 7 {
		b := newBench(t, repair.Config{Off: true, MoveWindow: window})
		b.machine.Assign(b.now, nil, b, &b.e)
		b.own, b.number, b.wish.Number = 9, 9, 9
		for i := range keys {
			b.b.put(k(fmt.Sprintf("x/%d", i)), "v")
		}
		b.compare()
		for range broken {
			if len(b.done) == 0 {
				b.next(0)
			}
		}
		if len(b.done) > 0 {
			return
		}
		b.machine.Down(b.now, "B", b, &b.e)
		b.drain()
		b.queue, b.done = nil, nil
		if o := b.run(); !o.Complete || !b.equal() {
			t.Fatalf("%+v", o)
		}
		if twice := len(b.a.joined) - keys; twice < 0 || twice > window {
			t.Errorf("broken off after %d answers: %d states came twice", broken, twice)
		}
	}
}

// TestMoveRate: partitions that move have a rate of their own, which may change.
func TestMoveRate(t *testing.T) {
	took := func(rate int) time.Duration {
		b := newBench(t, repair.Config{Off: true, Rate: 1})
		b.machine.SetMoveRate(b.now, rate)
		b.own, b.number, b.wish.Number = 9, 9, 9
		for i := range 20 {
			b.b.put(k(fmt.Sprintf("x/%d", i)), string(make([]byte, 1000)))
		}
		began := b.now.Mono
		if o := b.run(); !o.Complete {
			t.Fatalf("%+v", o)
		}
		return b.now.Mono - began
	}
	slow, fast := took(10_000), took(1_000_000)
	if slow < time.Second || slow > 4*time.Second || fast > 100*time.Millisecond {
		t.Errorf("20 kB at 10 kB/s took %v, at 1 MB/s %v", slow, fast)
	}
}

// TestMoveRateWhileItMoves: what was exchanged at a rate of almost nothing holds nothing
// up once the rate is a usual one.
func TestMoveRateWhileItMoves(t *testing.T) {
	b := newBench(t, repair.Config{Off: true})
	b.machine.SetMoveRate(b.now, 10)
	b.own, b.number, b.wish.Number = 9, 9, 9
	for i := range 60 {
		b.b.put(k(fmt.Sprintf("x/%d", i)), string(make([]byte, 1000)))
	}
	b.compare()
	for len(b.queue) > 0 { // a window's worth: then it waits for its rate
		b.next(0)
	}
	if len(b.done) > 0 || b.machine.Deadline() < b.now.Mono+time.Minute {
		t.Fatalf("60 kB at 10 bytes a second: it goes on at %v, %+v", b.machine.Deadline(), b.done)
	}
	b.machine.SetMoveRate(b.now, 1_000_000)
	began := b.now.Mono
	for len(b.done) == 0 && b.now.Mono < began+time.Hour {
		b.next(0)
	}
	if took := b.now.Mono - began; took > time.Second || len(b.done) == 0 || !b.done[0].Complete {
		t.Errorf("the rest at 1 MB/s took %v: %+v", took, b.done)
	}
}
