package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
)

// scrub reads everything back once, in slices of so many bytes, and returns what
// was found. Between two slices it does what is given.
func (s *shard) scrub(limit int, between func(slice int)) replica.Scrubbed {
	s.tb.Helper()
	var all replica.Scrubbed
	for slice := 1; ; slice++ {
		f := s.runner.Scrub(clock.Now{}, all.Next, limit, nil, &s.facts)
		s.mem.Sync()
		s.deliver()
		all.Verified = all.With(f.Verified)
		all.Rotten, all.Mended, all.Lost = append(all.Rotten, f.Rotten...), all.Mended+f.Mended, all.Lost+f.Lost
		if f.Err != nil {
			s.tb.Fatal(f.Err)
		}
		if f.Next == nil {
			return all
		}
		if slice > 100_000 {
			s.tb.Fatal("it does not get round")
		}
		if between != nil {
			between(slice)
		}
	}
}

// stock stores so many records of a few bytes each and returns their names.
func (s *shard) stock(n int, value string) []string {
	s.tb.Helper()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint("k", i))
		s.run(join(uint64(i+1), names[i], 1, value))
		s.mem.Sync()
		s.deliver()
	}
	return names
}

// leafKeys returns the engine keys of the leaves.
func (s *shard) leafKeys() [][]byte {
	var keys [][]byte
	lo, hi := store.AllLeaves()
	if err := s.mem.Range(lo, hi, func(key, _ []byte) bool {
		keys = append(keys, bytes.Clone(key))
		return true
	}); err != nil {
		s.tb.Fatal(err)
	}
	return keys
}

// change changes what the engine has under a key, beneath the runner.
func (s *shard) change(key []byte, by func([]byte) []byte) {
	s.tb.Helper()
	var v []byte
	if found, err := s.mem.Get(key, func(value []byte) { v = bytes.Clone(value) }); !found || err != nil {
		s.tb.Fatalf("nothing is there: %v", err)
	}
	if v = by(v); v == nil {
		var b store.Batch
		b.Delete(key)
		if err := s.mem.Apply(&b, func(error) {}); err != nil {
			s.tb.Fatal(err)
		}
		s.mem.Sync()
		return
	}
	s.set(key, v)
}

// Nothing is found where nothing is wrong, and all is read, in slices of any size.
func TestScrubReadsAll(t *testing.T) {
	s := newShard(t, disk.Config{LeafKeys: 4}, nil)
	s.stock(300, "v")
	s.run(pendingJoin(1000, "p", "B"))
	s.mem.Sync()
	s.deliver()
	for _, limit := range []int{1, 100, 10_000, 1 << 20} {
		f := s.scrub(limit, nil)
		if f.Records != 300 || f.Mended+f.Lost+len(f.Rotten)+len(f.Wrong) != 0 {
			t.Errorf("slices of %d bytes: %+v", limit, f)
		}
		if f.Leaves != len(s.leafKeys()) {
			t.Errorf("slices of %d bytes: %d leaves were looked at of %d", limit, f.Leaves, len(s.leafKeys()))
		}
	}
}

// A leaf that rots is mended from its records, whatever of it rots and whatever
// memory has of it; what it is found by does not matter.
func TestScrubMendsLeaves(t *testing.T) {
	flip := func(i int) func([]byte) []byte {
		return func(v []byte) []byte { v[i%len(v)] ^= 1; return v }
	}
	for name, by := range map[string]func([]byte) []byte{
		"version": flip(0), "state": flip(1), "depth": flip(2), "count": flip(6), "sum": flip(12), "checksum": flip(26),
		"torn":  func(v []byte) []byte { return v[:9] },
		"empty": func([]byte) []byte { return []byte{} },
		"gone":  func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			for at := range 5 {
				s := newShard(t, disk.Config{LeafKeys: 4}, nil)
				s.stock(60, "v")
				keys := s.leafKeys()
				s.change(keys[at*(len(keys)-1)/4], by)
				if f := s.scrub(200, nil); f.Mended == 0 || len(f.Wrong) == 0 || f.Records < 60 || len(f.Rotten) > 0 {
					t.Errorf("leaf %d of %d: %+v", at, len(keys), f)
				}
				wantLeaves(t, s.mem)
				if f := s.scrub(200, nil); f.Mended+len(f.Wrong) != 0 || f.Records != 60 {
					t.Errorf("and once more: %+v", f)
				}
				s.run(join(1, "k0", 2, "w"), join(2, "new", 1, "x"))
				wantLeaves(t, s.mem)
			}
		})
	}
}

// A tree all of whose leaves are gone, and one whose sums are those of another
// moment though they can be read, are added up anew too.
func TestScrubMendsTrees(t *testing.T) {
	s := newShard(t, disk.Config{LeafKeys: 4}, nil)
	s.stock(60, "v")
	old := map[string][]byte{}
	for _, key := range s.leafKeys() {
		s.change(key, func(v []byte) []byte { old[string(key)] = bytes.Clone(v); return v })
	}
	for _, key := range s.leafKeys() {
		s.change(key, func([]byte) []byte { return nil })
	}
	s.scrub(500, nil)
	wantLeaves(t, s.mem)
	s.run(join(1, "k7", 2, "w"))
	s.mem.Sync()
	s.deliver()
	for _, key := range s.leafKeys() {
		if v := old[string(key)]; v != nil {
			s.change(key, func([]byte) []byte { return v }) // a write was lost
		}
	}
	s.scrub(500, nil)
	wantLeaves(t, s.mem)
}

// TestALeafThatRotsUnderItsCopyInMemory: a comparison finds it, and goes on.
func TestALeafThatRotsUnderItsCopyInMemory(t *testing.T) {
	s := newShard(t, disk.Config{LeafKeys: 4}, nil)
	s.stock(60, "v")
	before := s.root()
	s.change(s.leafKeys()[3], func(v []byte) []byte { v[12] ^= 1; return v })
	if after := s.root(); after != before {
		t.Error("the root differs")
	}
	wantLeaves(t, s.mem)
}

// TestLeavesThatRotBesideEachOther: of some memory has a copy. What fills the place of
// those that it has not must not take that of the others.
func TestLeavesThatRotBesideEachOther(t *testing.T) {
	for first := range 12 {
		s := newShard(t, disk.Config{LeafKeys: 4}, nil)
		names := s.stock(60, "v")
		s.runner.Refresh()
		for _, name := range names[first : first+3] {
			s.run(join(500, name, 2, "w")) // memory has its leaf
		}
		s.mem.Sync()
		s.deliver()
		for _, key := range s.leafKeys() {
			s.change(key, func(v []byte) []byte { v[12] ^= 1; return v })
		}
		for _, name := range append(names[first+1:first+9], names[first]) {
			s.run(join(501, name, 3, "x"))
			s.mem.Sync()
			s.deliver()
		}
		s.scrub(300, nil)
		s.scrub(300, nil)
		wantLeaves(t, s.mem)
	}
}

// A record that rots is told, wherever it is. What memory has of it is true, and stays.
func TestScrubFindsRecords(t *testing.T) {
	for _, limit := range []int{1, 300, 1 << 20} {
		s := newShard(t, disk.Config{LeafKeys: 4}, nil)
		names := s.stock(100, "v")
		var want []string
		for i := 0; i < 100; i += 9 {
			k := key(names[i])
			s.change(store.AppendRecordKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name), func(v []byte) []byte { v[len(v)/2] ^= 8; return v })
			want = append(want, names[i])
		}
		f := s.scrub(limit, nil)
		var got []string
		for _, r := range f.Rotten {
			got = append(got, r.Key.Name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("slices of %d bytes: found %v, want %v", limit, got, want)
		}
		expect(t, "memory has it", s.run(read(1, names[9])), "1 read v")
		s.runner.Refresh()
		expect(t, "the disk has not", s.run(read(2, names[9])), "2 read dontknow")
	}
}

// A rotten record under a leaf that rots as well is found in the same round.
func TestScrubFindsRecordsUnderRottenLeaves(t *testing.T) {
	s := newShard(t, disk.Config{LeafKeys: 4}, nil)
	for _, name := range s.stock(40, "v") {
		k := key(name)
		s.change(store.AppendRecordKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name), func(v []byte) []byte { v[len(v)/2] ^= 8; return v })
	}
	for i, key := range s.leafKeys() {
		s.change(key, func(v []byte) []byte {
			if i%3 == 0 {
				return nil
			}
			v[5] ^= 1
			return v
		})
	}
	found := map[string]bool{}
	for range 3 { // a leaf is mended once in a round, where many are wrong
		for _, r := range s.scrub(300, nil).Rotten {
			found[r.Key.Name] = true
		}
	}
	if len(found) != 40 {
		t.Errorf("%d of 40 were found", len(found))
	}
}

// A leaf that was mended, and rots again together with a record under it, is mended in
// a later round, which then reads that record (seed 592 of the ring among faults).
func TestALeafThatRotsAgain(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	names := s.stock(3, "v")
	rot := func(v []byte) []byte { v[len(v)/2] ^= 8; return v }
	for round := range names {
		for _, key := range s.leafKeys() {
			s.change(key, rot)
		}
		k := key(names[round])
		s.change(store.AppendRecordKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name), rot)
		if found := s.scrub(1<<20, nil); len(found.Rotten) != round+1 || found.Mended == 0 {
			t.Errorf("round %d: %d leaves mended, %d records found", round, found.Mended, len(found.Rotten))
		}
	}
}

// A leaf with more than a slice's worth of records is read in several, and judged
// where it did not change meanwhile.
func TestScrubReadsLargeLeavesInParts(t *testing.T) {
	const records, size = 20, 1000
	s := newShard(t, disk.Config{LeafKeys: 32}, nil)
	s.stock(records, strings.Repeat("v", size))
	largest := int64(0)
	measure := func(spoil func(int)) replica.Scrubbed {
		var from []byte
		var all replica.Scrubbed
		for slice := 1; ; slice++ {
			f := s.runner.Scrub(clock.Now{}, from, 2*size, nil, &s.facts)
			s.mem.Sync()
			s.deliver()
			largest = max(largest, f.Bytes)
			all.Verified, all.Mended, all.Rotten = all.With(f.Verified), all.Mended+f.Mended, append(all.Rotten, f.Rotten...)
			if from = f.Next; from == nil || slice > 1000 {
				return all
			}
			if spoil != nil {
				spoil(slice)
			}
		}
	}
	if f := measure(nil); f.Records != records || f.Leaves != 1 || largest > 6*size {
		t.Fatalf("%+v, at most %d bytes at a time", f, largest)
	}
	s.change(s.leafKeys()[0], func(v []byte) []byte { v[12] ^= 1; return v })
	if f := measure(nil); f.Mended != 1 || f.Records < records {
		t.Errorf("a sum that is wrong: %+v", f)
	}
	wantLeaves(t, s.mem)
	n := uint64(1)
	if f := measure(func(int) { n++; s.run(join(n, "k3", n, "w")) }); f.Mended != 0 || len(f.Wrong) != 0 || f.Records < records {
		t.Errorf("one that changes all the time: %+v", f)
	}
	wantLeaves(t, s.mem)
}

// What changes between two slices is no error.
func TestScrubAmongWrites(t *testing.T) {
	s := newShard(t, disk.Config{LeafKeys: 4}, nil)
	s.stock(200, "v")
	n := uint64(1000)
	f := s.scrub(50, func(slice int) {
		n++
		if name := fmt.Sprint("k", slice*37%400); slice%3 == 0 {
			s.run(join(n, name, n, "w"), join(n+1, "x"+name, n, "w"))
		} else {
			s.run(write(n, name, "own"))
		}
		s.mem.Sync()
		s.deliver()
	})
	if f.Mended+len(f.Wrong)+len(f.Rotten) != 0 {
		t.Errorf("%+v", f)
	}
}

// What is kept for others and can't be read goes, and is not counted any more.
func TestScrubLosesRottenHints(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	for i := range 9 {
		s.run(pendingJoin(uint64(i+1), fmt.Sprint("p", i), "B"))
	}
	s.mem.Sync()
	s.deliver()
	each := s.runner.PendingBytes() / 9
	for i, at := range []int{1, -1} { // in the head, in the record
		k := key(fmt.Sprint("p", 3+i))
		s.change(store.AppendPendingKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name), func(v []byte) []byte { v[(at+len(v))%len(v)] ^= 8; return v })
	}
	if f := s.scrub(100, nil); f.Lost != 2 {
		t.Errorf("%+v", f)
	}
	if page := s.runner.Scan(nil, 100); page.Damaged != 0 || len(page.Held) != 7 || s.runner.PendingBytes() != 7*each {
		t.Errorf("%d can be read, %d not, %d bytes are counted, want %d", len(page.Held), page.Damaged, s.runner.PendingBytes(), 7*each)
	}
}

// After a restart a record that can't be read is met by its side record.
func TestScrubMeetsSideRecords(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	s.sync(1)
	s.spoil("k")
	s.run(write(2, "k", "w"))
	s.sync(1)
	if !s.has(sideKey("k")) {
		t.Fatal("there is no side record")
	}
	if f := s.scrub(100, nil); len(f.Rotten) != 2 || f.Rotten[0] != f.Rotten[1] {
		t.Errorf("%+v", f.Rotten)
	}
}

// The note is kept, and what can't be read is told, with where to go on.
func TestScrubNotesAndFails(t *testing.T) {
	broken := false
	s := newShard(t, disk.Config{LeafKeys: 4}, func(op fault.Op, key []byte) fault.Fault {
		if broken && op == fault.Range && (store.IsRecord(key) || store.IsLeaf(key)) {
			return fault.Fault{Err: errBroken}
		}
		return fault.Fault{}
	})
	s.stock(20, "v")
	s.runner.Scrub(clock.Now{}, nil, 0, []byte("so far"), &s.facts)
	s.mem.Sync()
	s.start(disk.Config{LeafKeys: 4}, 2)
	if note := s.runner.ScrubNote(); string(note) != "so far" {
		t.Errorf("noted %q", note)
	}
	broken = true
	f := s.runner.Scrub(clock.Now{}, []byte{'r'}, 100, nil, &s.facts)
	if !errors.Is(f.Err, errBroken) || f.Next != nil || !bytes.Equal(f.Skip, []byte{'r', 0, 0, 0, 1}) {
		t.Errorf("%+v", f)
	}
	if err := s.runner.Err(); err != nil {
		t.Errorf("the runner has stopped: %v", err)
	}
}

func pendingJoin(id uint64, name string, targets ...ring.NodeID) replica.Op {
	op := join(id, name, 1, "kept")
	op.Pending, op.Targets = true, targets
	return op
}
