package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
)

var errBroken = errors.New("test: broken")

// wantLeaves checks that every leaf is the sum of its records.
func wantLeaves(tb interface{ Fatal(...any) }, e store.Engine) {
	if err := disk.VerifyLeaves(e, replica.New(replica.Config{Seed: 9}), 0); err != nil {
		tb.Fatal(err)
	}
}

// survey asks and returns what was found, which must be at once.
func (s *shard) survey(q replica.Survey) replica.Found {
	s.tb.Helper()
	s.mem.Sync()
	s.deliver()
	s.runner.Survey(clock.Now{}, &q, &s.facts)
	s.mem.Sync() // a leaf was added up anew
	s.deliver()
	found := s.founds()
	if len(found) != 1 {
		s.tb.Fatalf("%d answers to one survey", len(found))
	}
	return found[0]
}

func (s *shard) founds() []replica.Found {
	var found []replica.Found
	s.runner.Founds(&found)
	return found
}

// all is the span of a whole tree.
var all = merkle.Around(0, 0)

// root returns the root of the tree of bucket b.
func (s *shard) root() merkle.Sum {
	s.tb.Helper()
	f := s.survey(replica.Survey{Look: replica.Roots})
	if len(f.Roots) == 0 {
		return merkle.Sum{}
	}
	if f.Status != replica.Have || len(f.Roots) != 1 || f.Roots[0].Bucket != "b" {
		s.tb.Fatalf("roots %+v", f)
	}
	whole := merkle.Part{Number: 1}
	for _, p := range s.survey(replica.Survey{Look: replica.Parts, Bucket: "b", Span: all}).Parts {
		whole.Sum, whole.Count = merkle.Add(whole.Sum, p.Sum), whole.Count+p.Count
	}
	if (replica.Root{Bucket: "b", Count: whole.Count, Sum: whole.Sum}) != f.Roots[0] {
		s.tb.Fatalf("the parts add up to %v, the root is %v", whole, f.Roots[0])
	}
	return f.Roots[0].Sum
}

// Whatever changes a record moves its leaf by as much; the same states make the
// same tree, in whatever order they came.
func TestEveryChangeMovesItsLeaf(t *testing.T) {
	a, b := newShard(t, disk.Config{}, nil), newShard(t, disk.Config{}, nil)
	a.run(join(1, "k", 1, "x"), join(2, "l", 1, "y"))
	a.run(join(3, "k", 2, "z"))
	wantLeaves(t, a.mem)
	b.run(join(1, "k", 2, "z"), join(2, "k", 1, "x"))
	if a.root() == b.root() {
		t.Error("a record more, and the roots are equal")
	}
	b.run(join(3, "l", 1, "y"))
	wantLeaves(t, b.mem)
	if a.root() != b.root() {
		t.Error("equal records, and the roots differ")
	}
	before := a.root()
	a.run(join(4, "k", 1, "x"), read(5, "k"))
	if a.root() != before {
		t.Error("what changes nothing moved a leaf")
	}
}

// TestRules_H24_TwoWritesOfOneKeyInOneBatch: the second sees what the first left,
// in the record and in the leaf, and the leaf is written once.
func TestRules_H24_TwoWritesOfOneKeyInOneBatch(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	for range 3 {
		s.run(write(1, "k", "a"), write(2, "k", "b"), join(3, "k", 1, "c"), write(4, "l", "d"))
		wantLeaves(t, s.mem)
	}
	changes := map[string]int{}
	counting := &counter{Engine: s.mem, sets: changes}
	s.engine = counting
	s.start(disk.Config{}, 2)
	s.run(write(1, "k", "a"), write(2, "k", "b"), join(3, "k", 2, "c"))
	for k, n := range changes {
		if _, _, _, leaf := store.SplitLeafKey([]byte(k)); leaf && n != 1 {
			t.Errorf("the leaf was written %d times in one batch", n)
		}
	}
	wantLeaves(t, s.mem)
}

type counter struct {
	*memory.Engine
	sets map[string]int
}

func (c *counter) Apply(b *store.Batch, synced func(error)) error {
	for _, ch := range b.Changes {
		c.sets[string(ch.Key)]++
	}
	return c.Engine.Apply(b, synced)
}

// TestRules_R27_FailedBatchMovesNoLeaf: what a batch that was not stored would
// have added to a leaf is in none of those after it.
func TestRules_R27_FailedBatchMovesNoLeaf(t *testing.T) {
	refuse := false
	s := newShard(t, disk.Config{}, func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Apply && refuse {
			return fault.Fault{Err: store.ErrFull}
		}
		return fault.Fault{}
	})
	s.run(write(1, "k", "a"))
	refuse = true
	s.run(write(2, "k", "lost"), write(3, "l", "lost"))
	refuse = false
	wantLeaves(t, s.mem)
	s.run(write(4, "k", "b"), write(5, "l", "c"))
	wantLeaves(t, s.mem)
}

// Leaves that fall out of memory are read again.
func TestLeavesOfManyTrees(t *testing.T) {
	s := newShard(t, disk.Config{Leaves: 40, LeafKeys: 8}, nil)
	for round := range 3 {
		for i := range 7 {
			var ops []replica.Op
			for k := range 200 { // so that trees have leaves in common
				op := write(1, fmt.Sprint(round, k), "v")
				op.Key = ring.NewKey(fmt.Sprintf("bucket%d", i), op.Key.Name)
				ops = append(ops, op)
			}
			s.run(ops[:20]...)
			s.run(ops[20:]...)
		}
	}
	wantLeaves(t, s.mem)
}

// What is kept for others is in no tree.
func TestPendingRecordsAreInNoTree(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(pending(write(1, "k", "v"), "B"), pending(join(2, "l", 1, "w"), "C"))
	if s.root() != (merkle.Sum{}) {
		t.Error("it is in a tree")
	}
	held, _ := s.all(10)
	s.run(paid(3, "k", held[0].Digest, "B"), paid(4, "k", held[1].Digest, "B"))
	wantLeaves(t, s.mem)
}

// rot damages the record of a key beneath the runner.
func (s *shard) rot(name string) {
	s.tb.Helper()
	k := key(name)
	at := store.AppendRecordKey(nil, 0, "b", k.Pos.Hi, name)
	var b store.Batch
	if _, err := s.mem.Get(at, func(v []byte) {
		v = bytes.Clone(v)
		v[len(v)-1] ^= 1
		b.Set(at, v)
	}); err != nil {
		s.tb.Fatal(err)
	}
	if err := s.mem.Apply(&b, func(error) {}); err != nil {
		s.tb.Fatal(err)
	}
	s.mem.Sync()
	s.posted = nil
	s.start(disk.Config{}, 2)
}

// TestRules_H9_RottenRecordLeavesItsLeaf: what it added to its leaf is not known
// any more, so the leaf is marked, durably, and added up anew. It is then neither as
// with the record nor as without: a comparison comes to it with either.
func TestRules_H9_RottenRecordLeavesItsLeaf(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "l", "w"), write(2, "m", "x"))
	without := s.root()
	s.run(write(3, "k", "v"))
	with := s.root()
	s.rot("k")
	if s.root() != with {
		t.Error("nobody has met the record, and its leaf moved")
	}
	expect(t, "read", s.run(read(4, "k")), "4 read dontknow")
	s.mem = s.mem.Crash(1)
	s.engine, s.posted = s.mem, nil
	s.start(disk.Config{}, 3)
	if root := s.root(); root == with || root == without {
		t.Error("the leaf is like that of a replica that has the record, or never had it")
	}
	f := s.survey(replica.Survey{Look: replica.Keys, Bucket: "b", Span: all})
	if f.Unreadable != 1 || slices.ContainsFunc(f.Keys, func(l replica.Listed) bool { return l.Name == "k" }) {
		t.Errorf("found %+v", f)
	}
	s.run(write(5, "m", "more"))
	wantLeaves(t, s.mem)
}

// What memory still has of a record that rotted is not in a leaf that was added up
// since: who replaces the record from there must not take it out of the sum.
func TestLeafOfARottenRecordInMemory(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	before := s.root()
	s.mem.Damage(store.AppendRecordKey(nil, 0, "b", key("k").Pos.Hi, "k"), func(v []byte) []byte { return v[:len(v)-1] })
	if err := s.runner.Doubt(&replica.Op{Key: key("k")}); err != nil {
		t.Fatal(err)
	}
	s.sync(1)
	if s.root() == before {
		t.Error("what can't be read is in the sum as what it was")
	}
	s.run(write(2, "k", "w"))
	wantLeaves(t, s.mem)
}

// Where the engine can't tell a leaf nothing is stored: it would be missing in it.
func TestLeafThatCannotBeLookedUp(t *testing.T) {
	fail := false
	s := newShard(t, disk.Config{}, func(op fault.Op, k []byte) fault.Fault {
		if store.IsLeaf(k) && op == fault.Range && fail {
			return fault.Fault{Err: errBroken}
		}
		return fault.Fault{}
	})
	s.run(write(1, "k", "v"))
	s.start(disk.Config{}, 2) // it knows no leaf
	fail = true
	expect(t, "it can't be added", s.run(write(2, "k", "w"), read(3, "k")), "2 write ioerror", "3 read v")
	fail = false
	s.run(write(3, "k", "x"))
	wantLeaves(t, s.mem)
}

// TestSurveyShowsWhatIsSynced is RULES R28 with R35.
func TestSurveyShowsWhatIsSynced(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	for _, look := range []replica.Look{replica.Roots, replica.Parts, replica.Keys} {
		s.runner.Survey(clock.Now{}, &replica.Survey{ID: uint64(look), Look: look, Bucket: "b", Span: all}, &s.facts)
	}
	if f := s.founds(); len(f) != 0 {
		t.Fatalf("shown before it is synced: %+v", f)
	}
	s.sync(1)
	f := s.founds()
	if len(f) != 3 || len(f[0].Roots) != 1 || len(f[1].Parts) != 1 || len(f[2].Keys) != 1 {
		t.Fatalf("found %+v", f)
	}
	for _, found := range f {
		if found.Status != replica.Have || found.Next != "" || found.Recovering {
			t.Errorf("found %+v", found)
		}
	}
	s.runner.Survey(clock.Now{}, &replica.Survey{Look: replica.Roots, Partition: 1}, &s.facts)
	if f := s.founds(); len(f) != 1 || len(f[0].Roots) != 0 {
		t.Errorf("of another partition: %+v", f)
	}
}

func TestSurveyFailsWithTheEngine(t *testing.T) {
	s := newShard(t, disk.Config{}, func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Range {
			return fault.Fault{Err: errBroken}
		}
		return fault.Fault{}
	})
	s.engine = s.mem // the runner counts what is pending as it starts
	s.start(disk.Config{}, 2)
	s.run(write(1, "k", "v"))
	s.mem.Fail(errBroken)
	s.deliver()
	if err := s.runner.Run(clock.Now{}, nil, new([]replica.Answer), new([]fact.Fact)); err == nil {
		t.Fatal("it goes on")
	}
	s.runner.Survey(clock.Now{}, &replica.Survey{Look: replica.Roots}, &s.facts)
	if f := s.founds(); len(f) != 1 || f[0].Status != replica.Failed || f[0].Reason != replica.IOError {
		t.Errorf("found %+v", f)
	}
}

// A peer may ask for any span.
func TestSurveysOfNoSpanFail(t *testing.T) {
	s := newShard(t, disk.Config{PartitionBits: 8}, nil)
	in := merkle.Whole(3, 8)
	for _, span := range []merkle.Span{{First: in.Last, Last: in.First}, {First: in.First - 1, Last: in.Last}, {First: in.First, Last: in.Last + 1}, all} {
		for _, look := range []replica.Look{replica.Parts, replica.Keys} {
			if f := s.survey(replica.Survey{Look: look, Partition: 3, Bucket: "b", Span: span}); f.Status != replica.Failed {
				t.Errorf("look %d at %x: %+v", look, span, f)
			}
		}
	}
	half := merkle.Span{First: in.First + 1, Last: in.Last}
	if f := s.survey(replica.Survey{Look: replica.Keys, Partition: 3, Bucket: "b", Span: half}); f.Status != replica.Have {
		t.Errorf("keys of a part: %+v", f)
	}
	if f := s.survey(replica.Survey{Look: replica.Parts, Partition: 3, Bucket: "b", Span: half}); f.Status != replica.Failed {
		t.Errorf("parts of what no leaf may have: %+v", f)
	}
}

// pages collects all pages of a survey.
func (s *shard) pages(q replica.Survey) (all replica.Found, pages int) {
	s.tb.Helper()
	for {
		f := s.survey(q)
		pages++
		all.Roots, all.Keys = append(all.Roots, f.Roots...), append(all.Keys, f.Keys...)
		if q.After = f.Next; f.Next == "" {
			return all, pages
		}
	}
}

func TestSurveysComeInPages(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	var ops []replica.Op
	for i := range 150 {
		op := join(1, "k", 1, "v")
		op.Key = ring.NewKey(strings.Repeat("x", 1+i%3)+fmt.Sprint(i), "k")
		ops = append(ops, op)
	}
	half := merkle.Around(key("k").Pos.Hi, 1)
	names := []string{}
	for i := 0; len(names) < 1200; i++ {
		if k := key(fmt.Sprint(i)); half.Holds(k.Pos.Hi) {
			names = append(names, k.Name)
			ops = append(ops, join(1, k.Name, 1, "v"))
		}
	}
	s.run(ops...)
	f, n := s.pages(replica.Survey{Look: replica.Roots})
	if len(f.Roots) != 151 || n != 3 {
		t.Errorf("%d roots in %d pages", len(f.Roots), n)
	}
	if !slices.IsSortedFunc(f.Roots, func(a, b replica.Root) int { return replica.BucketOrder(a.Bucket, b.Bucket) }) {
		t.Error("roots are out of order")
	}
	f, n = s.pages(replica.Survey{Look: replica.Keys, Bucket: "b", Span: half})
	if len(f.Keys) != 1200 || n != 3 {
		t.Errorf("%d keys in %d pages", len(f.Keys), n)
	}
	if !slices.IsSortedFunc(f.Keys, func(a, b replica.Listed) int {
		x, y := key(a.Name), key(b.Name)
		return replica.KeyOrder(&x, &y)
	}) {
		t.Error("keys are out of order")
	}
	slices.SortFunc(f.Keys, func(a, b replica.Listed) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(names)
	if !slices.EqualFunc(f.Keys, names, func(l replica.Listed, name string) bool { return l.Name == name }) {
		t.Error("not every key was listed once")
	}
}

// A page holds few large records, and at least one.
func TestPagesAreBoundedInBytes(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	for i := range 5 {
		s.run(join(1, fmt.Sprint(i), 1, strings.Repeat("x", 700<<10)))
	}
	if f, pages := s.pages(replica.Survey{Look: replica.Keys, Bucket: "b", Span: all}); len(f.Keys) != 5 || pages != 5 {
		t.Errorf("%d keys of 700 KiB in %d pages", len(f.Keys), pages)
	}
}

// A node that did not get a state is marked with the state, in one batch.
func TestMarks(t *testing.T) {
	s := newShard(t, disk.Config{Mine: func(p uint32) bool { return p != 3 }}, nil)
	missed := func(id uint64, partition uint32, name string, node ring.NodeID) replica.Op {
		op := join(id, name, 1, "v")
		op.Partition, op.Missed = partition, node
		return op
	}
	wrong := missed(5, 7, "bad", "X")
	wrong.State = []byte("no state")
	s.run(missed(1, 7, "k", "B"), missed(2, 8, "k", "B"), missed(3, 3, "k", "B"), pending(missed(4, 7, "l", "D"), "E"), wrong)
	expect(t, "again", s.run(missed(6, 7, "k", "C")))
	expect(t, "answers", s.sync(2), "1 join durable", "2 join durable", "3 join durable", "4 join durable", "6 join durable")
	again := read(8, "k")
	again.Partition = 7
	expect(t, "the record is still there", s.run(again), "8 read v")
	want := []replica.Mark{{Partition: 7, Peer: "B"}, {Partition: 7, Peer: "C"}, {Partition: 8, Peer: "B"}}
	if got := s.runner.Marks(); !slices.Equal(got, want) {
		t.Errorf("marks %v, want %v", got, want)
	}
	s.run(replica.Op{Verb: replica.Agreed, Partition: 7, Missed: "B", Silent: true}, read(9, "none"))
	s.mem.Sync()
	s.mem = s.mem.Crash(0)
	s.engine = s.mem
	s.start(disk.Config{}, 2)
	want = []replica.Mark{{Partition: 3, Peer: "B"}, {Partition: 7, Peer: "C"}, {Partition: 8, Peer: "B"}}
	if got := s.runner.Marks(); !slices.Equal(got, want) {
		t.Errorf("after a restart %v, want %v", got, want)
	}
}

// A mark without a new state leaves the record where it is: in memory, which has
// it even while the disk can't be read.
func TestMarksLeaveTheCacheAlone(t *testing.T) {
	b := &breaking{}
	s := newShard(t, disk.Config{}, b.plan)
	again := join(2, "k", 1, "v")
	again.Missed = "B"
	s.run(join(1, "k", 1, "v"))
	s.sync(1)
	s.run(again)
	expect(t, "marked", s.sync(1), "2 join durable")
	b.op, b.err = fault.Get, errors.New("test: bad block")
	expect(t, "from memory", s.run(read(3, "k")), "3 read v")
}
