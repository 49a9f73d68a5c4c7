package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
)

// in makes an operation one on a key of a bucket in a partition.
func in(partition uint32, bucket string, op replica.Op) replica.Op {
	op.Partition, op.Key = partition, ring.NewKey(bucket, op.Key.Name)
	return op
}

func vacate(id uint64, partition uint32, bucket string) replica.Op {
	return replica.Op{ID: id, Verb: replica.Vacate, Partition: partition, Key: ring.Key{Bucket: bucket}}
}

func arrive(id uint64, partition uint32, number uint64) replica.Op {
	op := replica.Op{ID: id, Verb: replica.Arrive, Partition: partition}
	if number > 0 {
		op.State = replica.AppendArrival(nil, number, true)
	}
	return op
}

// keys counts the engine keys by what they are of: prefix and partition.
func (s *shard) keys() map[string]int {
	s.tb.Helper()
	all := map[string]int{}
	err := s.engine.Range(nil, nil, func(key, _ []byte) bool {
		at := 1
		if key[0] == 'm' {
			at = 2
		}
		all[fmt.Sprintf("%s%d", key[:at], key[at+3])]++
		return true
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return all
}

func (s *shard) holdings() string {
	s.tb.Helper()
	all := s.runner.Holdings()
	if err := s.runner.Err(); err != nil {
		s.tb.Fatal(err)
	}
	return fmt.Sprint(all.Buckets, all.Arrivals)
}

// fill puts two records of bucket b and one of bucket long into partition 1, one
// of b into partition 2, and what else is kept of partition 1: a pending record, a
// mark, a record beside an unreadable one and the number of an arrival.
func (s *shard) fill() {
	missed := in(1, "b", join(5, "y", 1, "5"))
	missed.Missed = "C"
	s.run(
		in(1, "b", write(1, "x", "1")), in(1, "b", write(2, "y", "2")), in(1, "long", write(3, "x", "3")),
		in(2, "b", write(4, "x", "4")), missed, pending(in(1, "b", write(6, "p", "6")), "D"), arrive(7, 1, 30),
	)
	s.set(store.AppendSideKey(nil, 1, "b", ring.NewKey("b", "x").Pos.Hi, "x"), []byte("side"))
	s.mem.Sync()
	s.deliver()
}

func expectKeys(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// TestVacatedPartition: all of a partition goes that is this node's own, and
// what it owes to others stays, and so do other partitions.
func TestVacatedPartition(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.fill()
	before := s.keys()
	expectKeys(t, "filled", before, map[string]int{"r1": 3, "t1": before["t1"], "h1": 1, "q1": 1, "mc1": 1, "mn1": 1, "r2": 1, "t2": 1})
	if got := s.holdings(); got != "[{1 b} {1 long} {2 b}] [{1 30 true}]" {
		t.Errorf("held: %s", got)
	}
	got := s.run(in(1, "b", read(1, "x")), vacate(2, 1, ""), in(1, "b", read(3, "x")), in(2, "b", read(4, "x")))
	expect(t, "at once", got, "1 read 1", "3 read absent", "4 read 4")
	expect(t, "synced", s.sync(9), "2 vacate durable")
	expectKeys(t, "after", s.keys(), map[string]int{"h1": 1, "r2": 1, "t2": 1})
	wantLeaves(t, s.engine)
	if got := s.holdings(); got != "[{2 b}] []" {
		t.Errorf("held: %s", got)
	}
	if f := s.survey(replica.Survey{ID: 1, Look: replica.Roots, Partition: 1}); len(f.Roots) != 0 {
		t.Errorf("roots of what is gone: %v", f.Roots)
	}
	s.run(in(1, "b", write(5, "x", "new")))
	s.sync(9)
	wantLeaves(t, s.engine) // nothing is added to what the tree was
}

// TestRules_R29_VacatedRequests: what goes with a partition may be stored nowhere, where
// a move is aborted. A retry that meets the partition here again is not told that it is.
func TestRules_R29_VacatedRequests(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	mint := func(id, request uint64, name string) replica.Op {
		op := write(id, name, "new")
		op.Request = request
		return op
	}
	s.run(in(1, "b", mint(1, 7, "x")), in(2, "b", mint(2, 8, "y")))
	s.sync(9)
	expect(t, "before", s.run(in(1, "b", recall(3, "x", 7))), "3 recall found")
	s.run(vacate(4, 1, ""))
	s.sync(9)
	expect(t, "after", s.run(in(1, "b", recall(5, "x", 7)), in(2, "b", recall(6, "y", 8))), "5 recall absent", "6 recall found")
}

func TestVacatedBucket(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.fill()
	expect(t, "at once", s.run(vacate(1, 1, "b"), in(1, "b", read(2, "y")), in(1, "long", read(3, "x"))), "2 read absent", "3 read 3")
	expect(t, "synced", s.sync(9), "1 vacate durable")
	expectKeys(t, "after", s.keys(), map[string]int{"r1": 1, "t1": 1, "h1": 1, "mc1": 1, "mn1": 1, "r2": 1, "t2": 1})
	wantLeaves(t, s.engine)
}

// TestVacatedForAnotherArrival: what an earlier arrival left goes in the batch
// that says when the next one began.
func TestVacatedForAnotherArrival(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.fill()
	op := vacate(1, 1, "")
	op.State = replica.AppendArrival(nil, 40, false)
	s.run(op)
	s.mem.Sync()
	if got := s.holdings(); got != "[{2 b}] [{1 40 false}]" {
		t.Errorf("held: %s", got)
	}
	s.run(arrive(2, 1, 0))
	if got := s.holdings(); got != "[{2 b}] []" {
		t.Errorf("held when it is over: %s", got)
	}
	expect(t, "synced", s.sync(9), "1 vacate durable", "2 arrive durable")
}

// TestRules_R2_VacatedRecordEndsItsLife: a record that comes again after its
// partition went is minted in a new life.
func TestRules_R2_VacatedRecordEndsItsLife(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	dot := func(op replica.Op) replica.Answer {
		var done []replica.Answer
		if err := s.runner.Run(clock.Now{Wall: 1000}, []replica.Op{op}, &done, &s.facts); err != nil {
			t.Fatal(err)
		}
		return done[0]
	}
	first, second := dot(write(1, "k", "a")).Dot, dot(write(2, "k", "b")).Dot
	s.run(vacate(3, 0, ""))
	third := dot(write(4, "k", "c")).Dot
	if first.Actor != second.Actor || third.Actor == first.Actor || third.N != 1 {
		t.Errorf("dots %v, %v, and after the partition went %v", first, second, third)
	}
}

// TestVacateIsAllOrNothing: with a crash before the sync all is there, after it
// nothing.
func TestVacateIsAllOrNothing(t *testing.T) {
	for kept, want := range []string{"[{1 b} {1 long} {2 b}] [{1 30 true}]", "[{2 b}] []"} {
		s := newShard(t, disk.Config{}, nil)
		s.fill()
		s.run(vacate(1, 1, ""))
		s.mem = s.mem.Crash(kept)
		s.engine, s.posted = s.mem, nil
		s.start(disk.Config{}, 2)
		if got := s.holdings(); got != want {
			t.Errorf("after a crash that kept %d batches: %s, want %s", kept, got, want)
		}
		wantLeaves(t, s.engine)
	}
}

// TestRefusedVacate: where the engine refuses, nothing is gone and nothing is
// forgotten.
func TestRefusedVacate(t *testing.T) {
	refuse := false
	s := newShard(t, disk.Config{}, func(op fault.Op, _ []byte) fault.Fault {
		if refuse && op == fault.Apply {
			return fault.Fault{Err: store.ErrFull}
		}
		return fault.Fault{}
	})
	s.fill()
	refuse = true
	expect(t, "refused", s.run(in(1, "b", read(1, "x")), vacate(2, 1, ""), in(1, "b", read(3, "x"))), "1 read 1", "2 vacate ioerror", "3 read 1")
	refuse = false
	if got := s.holdings(); got != "[{1 b} {1 long} {2 b}] [{1 30 true}]" {
		t.Errorf("held: %s", got)
	}
}

// TestHoldingsAreTheShards: another shard's partitions are not looked at.
func TestHoldingsAreTheShards(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.fill()
	s.start(disk.Config{Mine: func(p uint32) bool { return p == 2 }}, 2)
	if got := s.holdings(); got != "[{2 b}] []" {
		t.Errorf("held: %s", got)
	}
}

// TestHoldingsBesideDamage: a node starts though a record that tells what it holds lies in
// a damaged block: its trees tell as well. Where these are damaged too nobody knows, and
// it stops.
func TestHoldingsBesideDamage(t *testing.T) {
	damaged := func([]byte) bool { return false }
	s := newShard(t, disk.Config{}, func(op fault.Op, at []byte) fault.Fault {
		if op == fault.Range && damaged(at) {
			return fault.Fault{Err: fmt.Errorf("test: %w", store.ErrDamaged)}
		}
		return fault.Fault{}
	})
	s.fill()
	second, _ := store.PartitionRange(2)
	damaged = func(at []byte) bool { return store.IsRecord(at) && bytes.Compare(at, second) >= 0 }
	if got := s.holdings(); got != "[{1 b} {1 long} {2 b}] [{1 30 true}]" {
		t.Errorf("held: %s", got)
	}
	damaged = func(at []byte) bool { return store.IsRecord(at) || store.IsLeaf(at) }
	if all := s.runner.Holdings(); len(all.Buckets) != 0 || !errors.Is(s.runner.Err(), store.ErrDamaged) {
		t.Errorf("held: %v, %v", all, s.runner.Err())
	}
}

// TestMortalsOutliveAVacate: a vacate cuts a run in two, and what the first part
// left is told with what the second did.
func TestMortalsOutliveAVacate(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	gone := func(id uint64, name string) replica.Op {
		op := write(id, name, "")
		op.Mint.Delete, op.Mint.LWW = true, true
		return op
	}
	s.run(write(1, "a", "1"), write(2, "c", "1"))
	s.run(gone(3, "a"), vacate(4, 9, ""), gone(5, "c"))
	var names []string
	for _, m := range s.runner.Mortals() {
		names = append(names, m.Key.Name)
	}
	if !slices.Equal(names, []string{"a", "c"}) {
		t.Errorf("mortals %q", names)
	}
}
