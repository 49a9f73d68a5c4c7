package disk_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
)

func pending(op replica.Op, targets ...ring.NodeID) replica.Op {
	op.Pending, op.Targets = true, targets
	return op
}

func paid(id uint64, name string, digest causal.Sum, targets ...ring.NodeID) replica.Op {
	return pending(replica.Op{ID: id, Verb: replica.Paid, Key: key(name), Digest: digest}, targets...)
}

// all walks the pending records in pages and returns what they are, in words.
func (s *shard) all(limit int) ([]replica.Held, []string) {
	s.tb.Helper()
	var held []replica.Held
	var words []string
	var from []byte
	for {
		page := s.runner.Scan(from, limit)
		if page.Err != nil || page.Damaged != 0 {
			s.tb.Fatalf("page %+v", page)
		}
		for _, h := range page.Held {
			w := h.Key.Name
			for _, o := range h.Owed {
				w += " " + string(o.Target)
			}
			held, words = append(held, h), append(words, fmt.Sprintf("%s: %v", w, values(h.State)))
		}
		if from = page.Next; from == nil {
			slices.Sort(words)
			return held, words
		}
	}
}

func (s *shard) wantBytes() {
	s.tb.Helper()
	var sum int64
	held, _ := s.all(100)
	for _, h := range held {
		sum += int64(h.Size)
	}
	if got := s.runner.PendingBytes(); got != sum {
		s.tb.Errorf("pending records take %d bytes, counted %d", sum, got)
	}
}

// TestPendingRecordsLieApart (paper, 4.6): what is held for others is neither
// seen nor changed by operations on the node's own record of the key.
func TestPendingRecordsLieApart(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "own"), pending(write(2, "k", "for b"), "b"))
	s.sync(1)
	expect(t, "own", s.run(read(3, "k")), "3 read own")
	expect(t, "pending", s.run(pending(read(4, "k"))), "4 read for b")
	record, err := s.runner.Inspect(0, key("k"))
	if _, bad := replica.DecodeRecord(record); err != nil || bad != nil {
		t.Errorf("inspected %x: %v, %v", record, err, bad)
	}
}

// TestScan walks what is held, page by page, and pays it.
func TestScan(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(pending(write(1, "k1", "x"), "b"), pending(write(2, "k2", "y"), "b", "c"), pending(join(3, "k3", 1, "z"), "c"), write(4, "k4", "own"))
	s.sync(1)
	for _, limit := range []int{1, 2, 100} {
		_, words := s.all(limit)
		expect(t, fmt.Sprintf("limit %d", limit), words, "k1 b: [x]", "k2 b c: [y]", "k3 c: [z]")
	}
	s.wantBytes()
	held, _ := s.all(100)
	for _, h := range held {
		op := paid(5, h.Key.Name, h.Digest, "b")
		op.Partition = h.Partition
		s.run(op)
	}
	_, words := s.all(2)
	expect(t, "after b has its own", words, "k2 c: [y]", "k3 c: [z]")
	s.wantBytes()

	// In one batch: dropped, seen as dropped, written again.
	i := slices.IndexFunc(held, func(h replica.Held) bool { return h.Key.Name == "k2" })
	s.run(paid(6, "k2", held[i].Digest, "c"), pending(read(7, "k2")), pending(write(8, "k2", "again"), "d"))
	s.sync(10)
	expect(t, "read", s.run(pending(read(9, "k2"))), "9 read again")
	s.wantBytes()

	// Another run on the same disk counts what is there.
	before := s.runner.PendingBytes()
	s.start(disk.Config{}, 2)
	if got := s.runner.PendingBytes(); got != before || got == 0 {
		t.Errorf("counted %d at the start, %d before", got, before)
	}
	s.start(disk.Config{Mine: func(p uint32) bool { return p != 0 }}, 3)
	if _, words := s.all(10); words != nil || s.runner.PendingBytes() != 0 {
		t.Errorf("another's records: %q, %d bytes", words, s.runner.PendingBytes())
	}
}

// TestPendingBound: a full shelf declines what is held for others, and nothing
// else; paying makes room again.
func TestPendingBound(t *testing.T) {
	s := newShard(t, disk.Config{MaxPending: 1}, nil)
	s.run(pending(write(1, "k1", "x"), "b"))
	s.sync(1)
	expect(t, "full", s.run(pending(write(2, "k2", "y"), "b"), pending(join(3, "k3", 1, "z"), "b"), write(4, "k4", "own"), pending(read(5, "k1"))),
		"2 write full", "3 join full", "4 write own", "5 read x")
	held, _ := s.all(10)
	// Its target left: it goes to others, or it could never go.
	inherited := pending(join(8, "k1", 1, "x"), "c", "d")
	inherited.State, inherited.Kept = held[0].State, true
	expect(t, "inherited", append(s.run(inherited), s.sync(10)...), "4 write durable", "8 join durable")
	s.run(paid(9, "k1", held[0].Digest, "c", "d"))
	s.sync(10)
	s.run(paid(6, "k1", held[0].Digest, "b"))
	s.sync(10)
	expect(t, "room again", s.run(pending(write(7, "k2", "y"), "b")), "7 write y")
	s.wantBytes()
}

// TestRefusedBatchOfPending: what the engine refused is not counted.
func TestRefusedBatchOfPending(t *testing.T) {
	refuse := true
	s := newShard(t, disk.Config{}, func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Apply && refuse {
			return fault.Fault{Err: store.ErrFull}
		}
		return fault.Fault{}
	})
	expect(t, "refused", s.run(pending(write(1, "k", "x"), "b")), "1 write full")
	s.wantBytes()
	refuse = false
	s.run(pending(write(2, "k", "y"), "b"))
	s.wantBytes()
	if s.runner.PendingBytes() == 0 {
		t.Error("nothing is counted")
	}
}

// TestScanOfFailingEngine: a scan that cannot read says so.
func TestScanOfFailingEngine(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	if err := s.mem.Close(); err != nil {
		t.Fatal(err)
	}
	if page := s.runner.Scan(nil, 1); !errors.Is(page.Err, store.ErrClosed) {
		t.Errorf("page %+v", page)
	}
}
