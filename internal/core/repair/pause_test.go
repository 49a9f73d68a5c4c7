package repair_test

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestPause: while paused nothing is begun but what is asked for, what was under way in
// turn ends, and what is marked waits; then it goes on.
func TestPause(t *testing.T) {
	b := newBench(t, repair.Config{})
	if p := b.machine.Pairs(nil); len(p) != 1 || !p[0].Running || !b.machine.Turns() {
		t.Fatalf("at first: %+v", p)
	}
	b.machine.Pause(b.now, true, b, &b.e)
	b.drain()
	b.queue = nil
	if p := b.machine.Pairs(nil)[0]; p.Running || p.Failed != "paused" || p.Failures != 1 || !p.Marked || p.Agreed != 0 {
		t.Fatalf("paused: %+v", p)
	}
	for range 100 {
		b.now.Mono += time.Second
		b.machine.Tick(b.now, b, &b.e)
		b.drain()
	}
	b.machine.Back(b.now, "B", b, &b.e)
	b.drain()
	if len(b.queue) > 0 || b.machine.Turns() {
		t.Fatal("it compares while it is paused")
	}
	b.done = nil
	if out := b.run(); !out.Complete || !out.Asked {
		t.Fatalf("asked for while it is paused: %+v", out)
	}
	b.machine.Pause(b.now, false, b, &b.e)
	b.now.Mono += time.Minute
	b.machine.Tick(b.now, b, &b.e)
	b.drain()
	if len(b.queue) == 0 {
		t.Fatal("it does not go on")
	}
}

// TestRound: every pair that is named is marked, and none else; one that failed waits no
// longer.
func TestRound(t *testing.T) {
	m := repair.New(repair.Config{})
	b := newBench(t, repair.Config{})
	b.up = false // nothing is begun
	var held []replica.Mark
	for p := range uint32(4) {
		for _, id := range []ring.NodeID{"B", "C"} {
			held = append(held, replica.Mark{Partition: p, Peer: id})
		}
	}
	var e repair.Effects
	m.Assign(b.now, held, b, &e)
	for _, c := range []struct {
		partition int
		peer      ring.NodeID
		want      int
	}{{9, "", 0}, {2, "C", 1}, {2, "", 2}, {-1, "B", 4}, {-1, "", 8}} {
		if n := m.Round(b.now, c.partition, c.peer, b, &e); n != c.want {
			t.Errorf("partition %d with %q: %d pairs, not %d", c.partition, c.peer, n, c.want)
		}
		marked := 0
		for _, p := range m.Pairs(nil) {
			if p.Marked {
				marked++
			}
		}
		if want := map[int]int{0: 0, 1: 1, 2: 2, 4: 5, 8: 8}[c.want]; marked != want {
			t.Errorf("partition %d with %q: %d are marked, not %d", c.partition, c.peer, marked, want)
		}
	}
}
