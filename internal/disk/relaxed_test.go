package disk_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

func relaxed(op replica.Op) replica.Op {
	op.Relaxed = true
	return op
}

func (s *shard) mark() bool { return s.has(store.AppendBufferedKey(nil, 0, "b")) }

// TestRules_R35_Relaxed: a relaxed operation is answered before it is synced, but for
// the first of a partition and bucket, which waits for the mark that what is so
// acknowledged may be lost. Whoever is not relaxed waits, and is not kept waiting.
func TestRules_R35_Relaxed(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	expect(t, "the first", s.run(relaxed(write(1, "k", "v")), relaxed(join(2, "k", 1, "w"))), "1 write v")
	expect(t, "before the mark is on disk", s.run(relaxed(write(3, "l", "v")), relaxed(read(4, "k"))), "3 write v", "4 read v+w")
	expect(t, "the mark is", s.sync(2), "1 write durable", "2 join durable", "3 write durable")
	if !s.mark() {
		t.Fatal("there is no mark")
	}
	expect(t, "from then on", s.run(relaxed(write(5, "k", "x")), relaxed(join(6, "l", 1, "w")), relaxed(read(7, "k"))),
		"5 write relaxed v+w+x", "6 join relaxed", "7 read v+w+x")
	expect(t, "a strict read waits", s.run(read(8, "k")))
	if n := s.mem.Pending(); n != 2 {
		t.Errorf("%d batches are applied, not 2: nobody is told that one waits", n)
	}
	expect(t, "for its sync", s.sync(2), "8 read v+w+x")
	expect(t, "what is on disk is durable", s.run(relaxed(join(9, "l", 1, "w"))), "9 join durable")
}

// TestRelaxedBatchesAreLazy: a batch is lazy where nothing in it is waited for.
func TestRelaxedBatchesAreLazy(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	var lazy []bool
	s.engine = watched{s.mem, &lazy}
	s.start(disk.Config{MaxBatches: 8}, 1)
	s.run(relaxed(write(1, "k", "v")))
	s.sync(1)
	lazy = nil
	s.run(relaxed(write(2, "k", "v")), write(3, "l", "w"))
	s.sync(1)
	for range 5 {
		s.run(relaxed(write(2, "k", "v")))
	}
	if want := []bool{false, true, true, true, true, false}; !equal(lazy, want) {
		t.Errorf("lazy %v, want %v: somebody waits for the first, and before the last half of what may be unsynced is", lazy, want)
	}
}

func equal(a, b []bool) bool {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// watched notes which batches are lazy.
type watched struct {
	store.Engine
	lazy *[]bool
}

func (w watched) Apply(b *store.Batch, synced func(error)) error {
	*w.lazy = append(*w.lazy, b.Lazy)
	return w.Engine.Apply(b, synced)
}

// TestRules_R9_Lost: after a crash the marks make the replica recover in their buckets
// alone, and what it had compared counts no more; after a clean stop there are none.
func TestRules_R9_Lost(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(relaxed(write(1, "k", "v")), write(2, "other", "v"))
	s.sync(1)
	s.run(relaxed(write(3, "k", "lost")))
	restart := func(crash bool, want int) []disk.Recovering {
		t.Helper()
		if crash {
			s.mem = s.mem.Crash(0)
			s.engine = s.mem
		}
		if n, err := disk.Lost(s.engine, 7, func(error) {}); n != want || err != nil {
			t.Fatalf("%d partitions are recovering, %v; want %d", n, err, want)
		}
		s.mem.Sync()
		s.posted = nil
		s.start(disk.Config{}, 2)
		all, err := s.runner.Recoveries()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := restart(true, 1)
	if len(all) != 1 || len(all[0].Progress.Buckets) != 1 || all[0].Progress.Buckets[0] != "b" || all[0].Progress.Away {
		t.Fatalf("%+v", all)
	}
	expect(t, "after the crash", s.run(read(4, "k"), in(0, "c", read(5, "k"))), "4 read dontknow v", "5 read absent")
	progress := all[0].Progress
	progress.Sources = []replica.Source{{Node: "n2"}}
	s.run(replica.Op{ID: 6, Verb: replica.Recover, State: replica.AppendProgress(nil, &progress)})
	s.sync(1)
	if all = restart(true, 1); len(all) != 1 || len(all[0].Progress.Sources) != 0 || all[0].Progress.Since != 7 {
		t.Fatalf("what was compared before the second crash counts: %+v", all)
	}
	s.run(replica.Op{ID: 7, Verb: replica.Recover})
	s.sync(1)
	expect(t, "when it is over", s.run(read(8, "k")), "8 read v")
	if err := disk.Stopped(s.engine, func(error) {}); err != nil {
		t.Fatal(err)
	}
	s.mem.Sync()
	if all = restart(false, 0); len(all) != 0 || s.mark() {
		t.Fatalf("after a clean stop: %+v", all)
	}
}

// TestRules_R9_LostAndAway: what recovers in some buckets has not forgotten all of a
// partition; and where the node was then away for long, it missed what was written in
// the others.
func TestRules_R9_LostAndAway(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(relaxed(write(1, "k", "v")))
	s.sync(1)
	done := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := disk.Lost(s.engine, 7, done); err != nil {
		t.Fatal(err)
	}
	s.mem.Sync()
	if all, err := disk.AllRecover(s.engine, []uint32{0}); all || err != nil {
		t.Errorf("one bucket of many is taken for all, %v", err)
	}
	if err := disk.Away(s.engine, []uint32{0}, 8, done); err != nil {
		t.Fatal(err)
	}
	s.mem.Sync()
	s.start(disk.Config{}, 2)
	all, err := s.runner.Recoveries()
	if err != nil || len(all) != 1 || len(all[0].Progress.Buckets) != 0 || all[0].Progress.Away || all[0].Progress.Since != 8 {
		t.Fatalf("%+v, %v", all, err)
	}
	expect(t, "another bucket", s.run(in(0, "c", read(5, "k"))), "5 read dontknow")
}
