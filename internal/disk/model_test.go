package disk_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/disk"
)

// TestCrashes runs random histories with syncs and crashes at random moments.
// Through all of them: every operation gets its answers, none too many; what
// was told durable, and what a read showed, is there after every crash (RULES
// R35, I10).
func TestCrashes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		rt.Repeat(map[string]func(*rapid.T){
			"run":   w.step,
			"sync":  w.sync,
			"crash": w.crash,
		})
		w.shard.mem.Sync()
		w.deliver()
		wantLeaves(rt, w.shard.mem)
		for id, op := range w.asked {
			rt.Fatalf("operation %d (%v) lacks an answer", id, op.Verb)
		}
	})
}

// world is a shard and what is known of it from its answers alone.
type world struct {
	rt    *rapid.T
	shard *shard
	run   uint64
	asked map[uint64]*replica.Op   // operations that lack an answer
	once  map[uint64]bool          // writes that were answered the first time
	kept  map[string]causal.Claims // told durable or shown: must outlive a crash
}

func newWorld(t *testing.T, rt *rapid.T) *world {
	s := newShard(t, disk.Config{}, nil)
	return &world{rt: rt, shard: s, run: 1, asked: map[uint64]*replica.Op{}, once: map[uint64]bool{}, kept: map[string]causal.Claims{}}
}

// drawOp draws an operation on one of few keys.
func drawOp(rt *rapid.T, id uint64) replica.Op {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
	value := fmt.Sprintf("%d", id)
	switch rapid.IntRange(0, 4).Draw(rt, "verb") {
	case 0, 1:
		op := write(id, name, value)
		op.Request = uint64(rapid.IntRange(0, 5).Draw(rt, "request"))
		op.Mint.LWW = rapid.Bool().Draw(rt, "over everything")
		return op
	case 2:
		return join(id, name, uint64(rapid.IntRange(1, 4).Draw(rt, "actor")), "j")
	case 3:
		op := read(id, name)
		op.Full = rapid.IntRange(0, 3).Draw(rt, "full") > 0
		return op
	default:
		return recall(id, name, uint64(rapid.IntRange(1, 5).Draw(rt, "request")))
	}
}

func (w *world) step(rt *rapid.T) {
	ops := make([]replica.Op, rapid.IntRange(1, 6).Draw(rt, "ops"))
	for i := range ops {
		w.shard.nextID++
		ops[i] = drawOp(rt, w.shard.nextID)
		w.asked[ops[i].ID] = &ops[i]
	}
	var done []replica.Answer
	if err := w.shard.runner.Run(clock.Now{Wall: 1000}, ops, &done, &w.shard.facts); err != nil {
		rt.Fatal(err)
	}
	w.answers(done)
}

func (w *world) sync(rt *rapid.T) {
	w.shard.mem.SyncTo(rapid.IntRange(1, 3).Draw(rt, "batches"))
	if rapid.Bool().Draw(rt, "told") {
		w.deliver()
	}
}

func (w *world) deliver() {
	var done []replica.Answer
	for _, p := range w.shard.posted {
		w.shard.runner.Synced(p.seq, p.err, &done)
	}
	w.shard.posted = nil
	w.answers(done)
}

// crash loses some of what is not synced, starts a new run on the rest and
// checks it.
func (w *world) crash(rt *rapid.T) {
	w.shard.mem = w.shard.mem.Crash(rapid.IntRange(0, 3).Draw(rt, "kept"))
	w.shard.engine, w.shard.posted = w.shard.mem, nil
	clear(w.asked)
	clear(w.once)
	w.run++
	wantLeaves(rt, w.shard.mem) // RELIABILITY I16: at once, and whatever was lost
	w.shard.start(disk.Config{}, w.run)
	for name, claims := range w.kept {
		record, err := w.shard.runner.Inspect(0, key(name))
		if err != nil || record == nil {
			rt.Fatalf("record %s after the crash: %x, %v", name, record, err)
		}
		state, err := replica.DecodeRecord(record)
		if err != nil {
			rt.Fatalf("record %s after the crash: %v", name, err)
		}
		for _, e := range claims.Vector {
			if !state.Covers(causal.Dot{Actor: e.Actor, N: e.N}) {
				rt.Fatalf("record %s lost %v, which was told or shown: %v", name, e, state)
			}
		}
	}
}

// answers takes in answers and checks that they were due.
func (w *world) answers(done []replica.Answer) {
	for _, a := range done {
		op := w.asked[a.ID]
		if op == nil || op.Verb != a.Verb {
			w.rt.Fatalf("an answer too many: %s", words([]replica.Answer{a}))
		}
		if a.Status == replica.Failed {
			w.rt.Fatalf("failed: %s", words([]replica.Answer{a}))
		}
		if a.Verb == replica.Write && a.Durable != w.once[a.ID] {
			w.rt.Fatalf("a write is told durable %v as its answer number %v", a.Durable, w.once[a.ID])
		}
		w.note(op, a)
		if a.Verb == replica.Write && !a.Durable {
			w.once[a.ID] = true
			continue
		}
		delete(w.asked, a.ID)
	}
}

// note remembers what an answer promised.
func (w *world) note(op *replica.Op, a replica.Answer) {
	name := op.Key.Name
	switch {
	case a.Verb == replica.Write && a.Durable, a.Verb == replica.Recall && a.Found:
		w.keep(name, a.Dot)
	case a.Verb == replica.Join:
		if !a.Durable {
			w.rt.Fatal("a join was answered before its sync")
		}
		w.keepAll(name, op.State)
	case a.Verb == replica.Read && a.State != nil:
		w.keepAll(name, a.State)
	}
}

func (w *world) keepAll(name string, canonical []byte) {
	s, err := causal.DecodeState(canonical)
	if err != nil {
		w.rt.Fatal(err)
	}
	for _, e := range s.Vector {
		w.keep(name, causal.Dot{Actor: e.Actor, N: e.N})
	}
	for _, d := range s.Exceptions {
		w.keep(name, d)
	}
}

// keep adds one event to what must be known of a record. Here N is the event
// itself: it may be an exception, with nothing below it.
func (w *world) keep(name string, d causal.Dot) {
	c := w.kept[name]
	if !slices.ContainsFunc(c.Vector, func(e causal.Entry) bool { return e.Actor == d.Actor && e.N == d.N }) {
		c.Vector = append(c.Vector, causal.Entry{Actor: d.Actor, N: d.N})
	}
	w.kept[name] = c
}

// TestRunsCompose checks that it makes no difference into how many runs
// operations are cut: the same answers in the end and the same records (RULES
// R27).
func TestRunsCompose(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ops := make([]replica.Op, rapid.IntRange(1, 20).Draw(rt, "ops"))
		for i := range ops {
			ops[i] = drawOp(rt, uint64(i+1))
		}
		whole, cut := newShard(t, disk.Config{}, nil), newShard(t, disk.Config{}, nil)
		want := whole.run(ops...)
		want = append(want, whole.sync(1)...)
		var got []string
		for rest := ops; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "cut")
			got = append(got, cut.run(rest[:n]...)...)
			rest = rest[n:]
			if rapid.Bool().Draw(rt, "sync") {
				got = append(got, cut.sync(1)...)
			}
		}
		got = append(got, cut.sync(len(ops))...)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			rt.Fatalf("cut up:\n%q\nin one run:\n%q", got, want)
		}
		for _, name := range []string{"a", "b", "c"} {
			a, errA := whole.runner.Inspect(0, key(name))
			b, errB := cut.runner.Inspect(0, key(name))
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				rt.Fatalf("record %s: %x, %v; in one run %x, %v", name, b, errB, a, errA)
			}
		}
	})
}
