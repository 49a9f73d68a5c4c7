package disk_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
)

// shard is a runner as its host drives it: syncs are posted and delivered
// later.
type shard struct {
	tb     testing.TB
	engine store.Engine
	mem    *memory.Engine // the engine, or what is below it
	runner *disk.Runner
	posted []posted
	facts  []fact.Fact
	nextID uint64
}

type posted struct {
	seq uint64
	err error
}

func newShard(tb testing.TB, cfg disk.Config, plan fault.Plan) *shard {
	mem := memory.New(memory.Options{Manual: true})
	s := &shard{tb: tb, mem: mem, engine: mem}
	if plan != nil {
		s.engine = fault.New(mem, plan)
	}
	s.start(cfg, 1)
	return s
}

func (s *shard) start(cfg disk.Config, run uint64) {
	s.runner = disk.New(cfg, s.engine, replica.New(replica.Config{Run: run, Seed: 9}), func(seq uint64, err error) {
		s.posted = append(s.posted, posted{seq, err})
	})
}

// run runs ops and returns the answers given at once, in words.
func (s *shard) run(ops ...replica.Op) []string {
	s.tb.Helper()
	var done []replica.Answer
	if err := s.runner.Run(clock.Now{Wall: 1000}, ops, &done, &s.facts); err != nil {
		s.tb.Errorf("run: %v", err)
	}
	return words(done)
}

// sync syncs the first n waiting batches and returns the answers that come.
func (s *shard) sync(n int) []string {
	s.mem.SyncTo(n)
	return s.deliver()
}

func (s *shard) deliver() []string {
	var done []replica.Answer
	for _, p := range s.posted {
		s.runner.Synced(p.seq, p.err, &done)
	}
	s.posted = nil
	return words(done)
}

// words tells each answer: its ticket, what it says, and the values in it.
func words(answers []replica.Answer) []string {
	out := []string{}
	for _, a := range answers {
		verb := [...]string{replica.Write: "write", replica.Join: "join", replica.Read: "read", replica.Recall: "recall", replica.Paid: "paid", replica.Recover: "recover", replica.Heal: "heal", replica.Drop: "drop", replica.Vacate: "vacate", replica.Arrive: "arrive"}[a.Verb]
		w := fmt.Sprintf("%d %s", a.ID, verb)
		switch a.Status {
		case replica.Absent:
			w += " absent"
		case replica.DontKnow:
			w += " dontknow"
		case replica.Failed:
			w += " " + [...]string{
				replica.Overloaded: "overloaded", replica.DiskFull: "full", replica.IOError: "ioerror", replica.Corrupt: "corrupt",
				replica.TooManySiblings: "siblings", replica.Stopping: "stopping",
			}[a.Reason]
		}
		if a.Durable {
			w += " durable"
		}
		if a.Relaxed {
			w += " relaxed"
		}
		if a.Found {
			w += " found"
		}
		if a.State != nil {
			w += " " + strings.Join(values(a.State), "+")
		}
		out = append(out, w)
	}
	return out
}

// values lists the surviving versions of a state, sorted.
func values(canonical []byte) []string {
	s, err := causal.DecodeState(canonical)
	if err != nil {
		return []string{err.Error()}
	}
	out := []string{}
	for _, v := range s.Versions {
		out = append(out, string(v.Value))
	}
	slices.Sort(out)
	return out
}

func key(name string) ring.Key { return ring.NewKey("b", name) }

func write(id uint64, name, value string) replica.Op {
	return replica.Op{ID: id, Verb: replica.Write, Key: key(name), Mint: &replica.Mint{Value: []byte(value)}}
}

func read(id uint64, name string) replica.Op {
	return replica.Op{ID: id, Verb: replica.Read, Key: key(name), Full: true}
}

// join merges a state with one version, written by actor number n elsewhere.
func join(id uint64, name string, n uint64, value string) replica.Op {
	actor := causal.Actor{Run: 77, Life: n}
	v := causal.Version{Value: []byte(value)}
	v.Sum = causal.SumValue(9, "", v.Value)
	s, _ := causal.State{}.Mint(causal.Claims{}, v, actor, 1000, causal.DefaultLimits())
	return replica.Op{ID: id, Verb: replica.Join, Key: key(name), State: s.Append(nil)}
}

func recall(id uint64, name string, request uint64) replica.Op {
	return replica.Op{ID: id, Verb: replica.Recall, Key: key(name), Request: request}
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestWriteIsAnsweredTwice(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	expect(t, "applied", s.run(write(1, "k", "v")), "1 write v")
	expect(t, "synced", s.sync(1), "1 write durable")
	expect(t, "synced again", s.sync(1))
}

// TestLaterOpsSeeEarlier is RULES R27.
func TestLaterOpsSeeEarlier(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	got := s.run(write(1, "k", "a"), write(2, "k", "b"), write(3, "other", "x"), join(4, "k", 1, "c"), read(5, "k"), read(6, "none"))
	expect(t, "applied", got, "1 write a", "2 write a+b", "3 write x", "6 read absent")
	if s.mem.Pending() != 1 {
		t.Errorf("%d batches for one run", s.mem.Pending())
	}
	expect(t, "synced", s.sync(1), "1 write durable", "2 write durable", "3 write durable", "4 join durable", "5 read a+b+c")
	expect(t, "read later", s.run(read(7, "k")), "7 read a+b+c")
}

// TestNothingUnsyncedIsShown is RULES R35.
func TestNothingUnsyncedIsShown(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "a"))
	s.sync(1)
	w := write(3, "k", "b")
	w.Request = 55
	expect(t, "a read before the write shows the synced state", s.run(read(2, "k"), w), "2 read a", "3 write a+b")
	expect(t, "reads wait", s.run(read(4, "k"), recall(5, "k", 55), recall(6, "k", 56), join(7, "k", 1, "c"), read(8, "z")),
		"6 recall", "8 read absent")
	expect(t, "the first batch", s.sync(1), "3 write durable", "4 read a+b", "5 recall found")
	same := join(10, "k", 1, "c")
	expect(t, "a join that changes nothing waits for what it found", s.run(read(9, "k"), same))
	expect(t, "the second batch", s.sync(1), "7 join durable", "9 read a+b+c", "10 join durable")
	same.ID = 11
	expect(t, "the same join once synced", s.run(same), "11 join durable")
}

func TestSilentJoin(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	quiet := join(1, "k", 1, "a")
	quiet.Silent = true
	expect(t, "applied", s.run(quiet))
	expect(t, "synced", s.sync(1))
	expect(t, "stored", s.run(read(2, "k")), "2 read a")
}

// TestKnownRequest checks that a repeated write is answered twice as well, and
// durable only when the first one is.
func TestKnownRequest(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	w := write(1, "k", "a")
	w.Request = 55
	s.run(w)
	w.ID = 2
	expect(t, "repeated before the sync", s.run(w), "2 write found a")
	expect(t, "synced", s.sync(1), "1 write durable", "2 write durable found")
	w.ID = 3
	expect(t, "repeated after the sync", s.run(w), "3 write found a", "3 write durable found")
}

func TestSyncedIsCumulative(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "a", "1"))
	s.run(write(2, "b", "2"))
	s.run(write(3, "c", "3"))
	s.mem.SyncTo(2)
	s.posted = s.posted[1:] // a host may tell of the last one only
	expect(t, "two at once", s.deliver(), "1 write durable", "2 write durable")
	expect(t, "the third", s.sync(1), "3 write durable")
}

// breaking is a fault plan that is switched on and off.
type breaking struct {
	op  fault.Op
	err error
}

func (b *breaking) plan(op fault.Op, _ []byte) fault.Fault {
	if op == b.op {
		return fault.Fault{Err: b.err}
	}
	return fault.Fault{}
}

// TestRefusedBatch checks that nothing of a batch that the engine refused is
// told, shown, remembered or waited for (RULES R27).
func TestRefusedBatch(t *testing.T) {
	for reason, refusal := range map[string]error{"full": fmt.Errorf("test: %w", store.ErrFull), "ioerror": errors.New("test: no")} {
		b := &breaking{}
		s := newShard(t, disk.Config{}, b.plan)
		s.run(write(1, "k", "old"))
		s.sync(1)
		s.facts = nil
		b.op, b.err = fault.Apply, refusal
		w := write(3, "k", "new")
		w.Request = 55
		got := s.run(read(2, "k"), w, read(4, "k"), write(5, "n", "x"), read(6, "n"), recall(7, "k", 55), read(8, "z"))
		expect(t, "refused", got, "2 read old", "3 write "+reason, "4 read old", "5 write "+reason, "6 read absent",
			"7 recall "+reason, "8 read absent")
		if len(s.facts) != 1 || s.facts[0].Kind != fact.Refused || s.facts[0].N != 3 || !strings.Contains(s.facts[0].Note, "test: ") {
			t.Errorf("facts of a refused batch: %v", s.facts)
		}
		b.op = 0
		w.ID = 9
		expect(t, "the retry is a first try", s.run(read(10, "k"), recall(11, "k", 55), w), "10 read old", "11 recall", "9 write new+old")
		expect(t, "synced", s.sync(1), "9 write durable")
		if s.runner.Err() != nil {
			t.Errorf("the runner stopped: %v", s.runner.Err())
		}
	}
}

// TestFailedSync checks that nothing is acknowledged after a failed sync.
func TestFailedSync(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "a", "1"))
	s.run(write(2, "b", "2"), read(3, "b"))
	s.run(write(4, "c", "3"))
	expect(t, "the good sync", s.sync(1), "1 write durable")
	s.mem.Fail(errors.New("test: input/output error"))
	expect(t, "the failed sync", s.deliver())
	if err := s.runner.Err(); !errors.Is(err, store.ErrDead) || !strings.Contains(err.Error(), "input/output") {
		t.Errorf("the runner says %v", err)
	}
	var done []replica.Answer
	err := s.runner.Run(clock.Now{}, []replica.Op{write(5, "d", "4"), read(6, "a"), join(7, "a", 1, "x"), recall(8, "a", 1)}, &done, &s.facts)
	if !errors.Is(err, store.ErrDead) {
		t.Errorf("run of a stopped runner: %v", err)
	}
	expect(t, "afterwards", words(done), "5 write ioerror", "6 read ioerror", "7 join ioerror", "8 recall ioerror")
	s.runner.Synced(3, nil, &done)
	if len(done) != 4 {
		t.Errorf("a sync after the failed one was believed: %q", words(done))
	}
}

// TestDeadEngine checks that the runner notices an engine that died before its
// failed sync was told.
func TestDeadEngine(t *testing.T) {
	for _, op := range []replica.Op{write(1, "a", "1"), read(1, "a")} {
		s := newShard(t, disk.Config{}, nil)
		s.mem.Fail(errors.New("test: broken"))
		var done []replica.Answer
		if err := s.runner.Run(clock.Now{}, []replica.Op{op}, &done, &s.facts); !errors.Is(err, store.ErrDead) {
			t.Errorf("run: %v", err)
		}
		if got := words(done); len(got) != 1 || !strings.HasSuffix(got[0], " ioerror") {
			t.Errorf("answers %q", got)
		}
	}
}

// TestReadError is RULES R33: an error is never "absent".
func TestReadError(t *testing.T) {
	b := &breaking{}
	s := newShard(t, disk.Config{CacheBytes: -1}, b.plan)
	s.run(write(1, "k", "a"))
	s.sync(1)
	b.op, b.err = fault.Get, errors.New("test: bad block")
	expect(t, "unreadable", s.run(read(2, "k"), write(3, "k", "b"), join(4, "k", 1, "c"), recall(5, "k", 1)),
		"2 read ioerror", "3 write ioerror", "4 join ioerror", "5 recall ioerror")
	if _, err := s.runner.Inspect(0, key("k")); err == nil {
		t.Error("inspect shows an unreadable record")
	}
	b.op = 0
	expect(t, "readable again", s.run(read(6, "k")), "6 read a")
}

func TestRottenRecord(t *testing.T) {
	rot := false
	s := newShard(t, disk.Config{CacheBytes: -1}, func(op fault.Op, _ []byte) fault.Fault { return fault.Fault{Rot: rot && op == fault.Get} })
	s.run(write(1, "k", "a"))
	s.sync(1)
	rot = true
	// Whatever is read rots, side records too: there is nowhere to put a write.
	expect(t, "rotten", s.run(read(2, "k"), write(3, "k", "b")), "2 read dontknow", "3 write b")
	s.sync(1)
	expect(t, "so is the side record", s.run(read(4, "k"), write(5, "k", "c")), "4 read corrupt", "5 write corrupt")
}

func TestFull(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "a"))
	s.sync(1)
	s.runner.SetFull(true)
	expect(t, "full", s.run(write(2, "k", "b"), join(3, "k", 1, "c"), read(4, "k")), "2 write full", "3 join full", "4 read a")
	s.runner.SetFull(false)
	expect(t, "room again", s.run(write(5, "k", "b")), "5 write a+b")
}

func TestBounds(t *testing.T) {
	s := newShard(t, disk.Config{MaxWaiting: 2}, nil)
	expect(t, "answers", s.run(write(1, "a", "1"), write(2, "b", "2"), write(3, "c", "3")), "1 write 1", "2 write 2", "3 write overloaded")
	expect(t, "nor may reads wait", s.run(read(4, "a"), join(5, "d", 1, "x"), read(6, "z")), "4 read overloaded", "5 join overloaded", "6 read absent")
	expect(t, "those in time", s.sync(1), "1 write durable", "2 write durable")
	expect(t, "room again", s.run(write(7, "c", "3"), read(8, "a")), "7 write 3", "8 read 1")

	s = newShard(t, disk.Config{MaxWaitingBytes: 60}, nil)
	s.run(write(1, "a", strings.Repeat("v", 101)), write(2, "b", "small"))
	expect(t, "bytes", s.run(read(3, "a"), read(4, "b"), read(5, "b")), "3 read overloaded", "5 read overloaded")
	expect(t, "within", s.sync(1), "1 write durable", "2 write durable", "4 read small")
	s.run(write(6, "b", "large"))
	expect(t, "the bytes are free again", append(s.run(read(7, "c")), s.sync(1)...), "7 read absent", "6 write durable")
	lww := write(8, "b", "new")
	lww.Mint.LWW = true
	expect(t, "one may wait again", append(s.run(lww, read(9, "b")), s.sync(1)...), "8 write new", "8 write durable", "9 read new")

	s = newShard(t, disk.Config{MaxBatches: 1}, nil)
	s.run(write(1, "a", "1"))
	expect(t, "batches", s.run(write(2, "b", "2"), read(3, "z")), "2 write overloaded", "3 read absent")
	s.sync(1)
	expect(t, "room again", s.run(write(4, "b", "2")), "4 write 2")
}

func TestInspect(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	if got, err := s.runner.Inspect(0, key("k")); got != nil || err != nil {
		t.Errorf("nothing stored: %q, %v", got, err)
	}
	s.run(write(1, "k", "a"))
	got, err := s.runner.Inspect(0, key("k"))
	if err != nil {
		t.Fatal(err)
	}
	state, err := replica.DecodeRecord(got)
	if err != nil || len(state.Versions) != 1 || string(state.Versions[0].Value) != "a" {
		t.Errorf("record %v, %v", state, err)
	}
	if other, err := s.runner.Inspect(1, key("k")); other != nil || err != nil {
		t.Errorf("another partition: %q, %v", other, err)
	}
}

// TestFailedBatchEmptiesTheCache is RULES R27: after a failed batch memory must
// not show what the disk does not have.
func TestFailedBatchEmptiesTheCache(t *testing.T) {
	b := &breaking{}
	s := newShard(t, disk.Config{}, b.plan)
	s.run(write(1, "k", "a"))
	s.sync(1)
	expect(t, "cached", s.run(read(2, "k")), "2 read a")
	b.op, b.err = fault.Apply, errors.New("test: no batch")
	s.run(write(3, "k", "b"), write(4, "l", "c"))
	b.op = 0
	expect(t, "after a failed batch", s.run(read(5, "k"), read(6, "l")), "5 read a", "6 read absent")
}
