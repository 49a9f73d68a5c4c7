package replica_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// shelf is one replica with the pending record of one key.
type shelf struct {
	t       rapid.TB
	replica *replica.Replica
	stored  []byte
	now     clock.Now
}

func newShelf(t rapid.TB) *shelf {
	return &shelf{t: t, replica: replica.New(replica.Config{Run: 1, Seed: seed}), now: clock.Now{Wall: 1_000}}
}

func (s *shelf) do(op replica.Op) replica.Answer {
	s.t.Helper()
	op.ID, op.Key, op.Pending = 42, key, true
	res := s.replica.Do(s.now, s.stored, &op, nil)
	if !res.Answer.Pending || res.Answer.ID != 42 {
		s.t.Fatalf("answer %+v", res.Answer)
	}
	switch {
	case res.Drop && res.Record != nil:
		s.t.Fatalf("stores and drops: %+v", res)
	case res.Drop:
		s.stored = nil
	case res.Record != nil:
		s.stored = res.Record
	}
	return res.Answer
}

func (s *shelf) put(value string, request uint64, targets ...ring.NodeID) replica.Answer {
	return s.do(replica.Op{Verb: replica.Write, Request: request, Targets: targets, Mint: &replica.Mint{Value: []byte(value)}})
}

func (s *shelf) paid(digest causal.Sum, targets ...ring.NodeID) replica.Answer {
	return s.do(replica.Op{Verb: replica.Paid, Digest: digest, Targets: targets})
}

// owed returns to whom the record is owed, in words.
func (s *shelf) owed() string {
	s.t.Helper()
	if s.stored == nil {
		return "nothing"
	}
	owed, _, record, err := replica.DecodePending(s.stored)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := replica.DecodeRecord(record); err != nil {
		s.t.Fatal(err)
	}
	words := ""
	for _, o := range owed {
		words += string(o.Target) + " "
	}
	return words
}

func (s *shelf) wantOwed(want string) {
	s.t.Helper()
	if got := s.owed(); got != want {
		s.t.Fatalf("owed to %q, want %q", got, want)
	}
}

// TestPendingRecordIsOwed (paper, 4.6; RULES R2): one record a key whatever the
// number of targets, each named once and oldest first remembered, and gone when
// the last of them has exactly what is stored.
func TestPendingRecordIsOwed(t *testing.T) {
	s := newShelf(t)
	first := s.put("one", 0, "n3", "n1")
	s.wantOwed("n1 n3 ")
	s.now.Wall = 2_000
	second := s.put("two", 0, "n2", "n1")
	s.wantOwed("n1 n2 n3 ")
	owed, _, _, _ := replica.DecodePending(s.stored)
	if owed[0].Since != 1_000 || owed[1].Since != 2_000 {
		t.Fatalf("owed since %v", owed)
	}
	if second.Dot.Actor != first.Dot.Actor || second.Dot.N != 2 {
		t.Fatalf("the life of a pending record did not last: %v after %v", second.Dot, first.Dot)
	}

	// What was delivered before the second write pays for nothing.
	if a := s.paid(first.Digest, "n1"); a.Found || a.Digest != second.Digest {
		t.Fatalf("an old digest paid: %+v", a)
	}
	s.wantOwed("n1 n2 n3 ")
	s.paid(second.Digest, "n1", "n3")
	s.wantOwed("n2 ")
	if a := s.paid(second.Digest, "n1"); a.Found {
		t.Fatalf("paid twice: %+v", a)
	}
	if a := s.paid(second.Digest, "n2"); !a.Found {
		t.Fatalf("not paid: %+v", a)
	}
	s.wantOwed("nothing")
	if a := s.paid(second.Digest, "n2"); a.Status != replica.Absent {
		t.Fatalf("paid after all was: %+v", a)
	}

	// Forgetting it ended its life.
	if a := s.put("three", 0, "n1"); a.Dot.Actor == first.Dot.Actor || a.Dot.N != 1 {
		t.Fatalf("the life went on: %v", a.Dot)
	}
}

// TestPendingJoinAddsTargets: a state that is there already may be owed to
// somebody else too, which must be stored.
func TestPendingJoinAddsTargets(t *testing.T) {
	s := newShelf(t)
	state := s.put("one", 0, "n1").State
	s.do(replica.Op{Verb: replica.Join, State: state, Targets: []ring.NodeID{"n2"}})
	s.wantOwed("n1 n2 ")
	before := bytes.Clone(s.stored)
	s.do(replica.Op{Verb: replica.Join, State: state, Targets: []ring.NodeID{"n2"}})
	if !bytes.Equal(before, s.stored) {
		t.Fatal("the same again changed the record")
	}
	if a := s.do(replica.Op{Verb: replica.Read, Full: true}); a.Status != replica.Have || !bytes.Equal(a.State, state) {
		t.Fatalf("read %+v", a)
	}
}

// TestPendingForNobody: a record that nobody would ever ask for is refused.
func TestPendingForNobody(t *testing.T) {
	s := newShelf(t)
	if a := s.put("one", 0); a.Status != replica.Failed || s.stored != nil {
		t.Fatalf("%+v, stored %x", a, s.stored)
	}
}

// TestPaidIsForPendingRecords: an ordinary record can't be paid away.
func TestPaidIsForPendingRecords(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	a := d.put("one", causal.Claims{})
	if got := d.do(replica.Op{Verb: replica.Paid, Digest: a.Digest, Targets: []ring.NodeID{"n1"}}); got.Status != replica.Failed {
		t.Fatalf("%+v", got)
	}
	d.wantValues("one")
}

// TestRetryAfterHandover: a request id whose record was handed over and
// forgotten is not taken for stored here; the answer would be counted.
func TestRetryAfterHandover(t *testing.T) {
	s := newShelf(t)
	a := s.put("one", 7, "n1")
	if again := s.put("one", 7, "n1"); !again.Found || again.Dot != a.Dot {
		t.Fatalf("not known: %+v", again)
	}
	s.paid(a.Digest, "n1")
	if again := s.put("one", 7, "n1"); again.Found || s.stored == nil {
		t.Fatalf("known without a record: %+v", again)
	}
	s.paid(s.do(replica.Op{Verb: replica.Read}).Digest, "n1")
	if again := s.do(replica.Op{Verb: replica.Recall, Request: 7}); again.Found {
		t.Fatalf("recalled without a record: %+v", again)
	}
	own := s.replica.Do(s.now, nil, &replica.Op{Verb: replica.Recall, Key: key, Request: 7}, nil) // it has become a primary
	if own.Answer.Found {
		t.Fatalf("recalled without a record of its own: %+v", own.Answer)
	}
}

// TestDamagedPendingRecord: any byte that changed is found out, no input makes
// the reader panic, and nothing is lost by being damaged.
func TestDamagedPendingRecord(t *testing.T) {
	s := newShelf(t)
	digest := s.put("one", 0, "n1", "n2").Digest
	whole := bytes.Clone(s.stored)
	for i := range whole {
		s.stored = bytes.Clone(whole)
		s.stored[i] ^= 0x40
		spoiled := bytes.Clone(s.stored)
		if a := s.paid(digest, "n1"); a.Status != replica.Failed || a.Reason != replica.Corrupt || !bytes.Equal(spoiled, s.stored) {
			t.Fatalf("byte %d: %+v", i, a)
		}
		if _, _, _, err := replica.DecodePending(whole[:i]); err == nil && i < 16 {
			t.Fatalf("%d bytes pass for a pending record", i)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		_, _, _, _ = replica.DecodePending(append([]byte{1}, rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes")...))
	})
}
