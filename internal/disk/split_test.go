package disk_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
)

// forest is a shard whose records come and go, and a model of them: which state
// each has, by number.
type forest struct {
	*shard
	cfg   disk.Config
	have  map[string]uint64
	seq   uint64
	fails bool // the next batch is refused
}

func newForest(tb testing.TB, cfg disk.Config) *forest {
	f := &forest{cfg: cfg, have: map[string]uint64{}}
	f.shard = newShard(tb, cfg, nil)
	f.open()
	return f
}

// open starts on what is in mem, whose batches are refused while fails is set.
func (f *forest) open() {
	f.engine = fault.New(f.mem, func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Apply && f.fails {
			return fault.Fault{Err: store.ErrFull}
		}
		return fault.Fault{}
	})
	f.again()
}

// again starts a new runner on what is there. It takes nothing older than epoch 5.
func (f *forest) again() {
	r := replica.New(replica.Config{Run: f.nextID + 1, Seed: 9})
	r.Stand(replica.Standing{Known: true, Epoch: 5, Floor: 5, Heard: 5})
	f.posted = nil
	f.runner = disk.New(f.cfg, f.engine, r, func(seq uint64, err error) { f.posted = append(f.posted, posted{seq, err}) })
}

// state is the n-th state of a record, a tombstone where it is odd.
func state(n uint64) causal.State {
	actor := causal.Actor{Run: 7, Life: 1}
	s := causal.State{Claims: causal.Claims{Vector: []causal.Entry{{Actor: actor, N: n, Time: 1000}}}}
	if n%2 == 0 {
		s.Versions = []causal.Version{{Dot: causal.Dot{Actor: actor, N: n}, Value: fmt.Append(nil, n), Sum: causal.Sum{Hi: n}}}
	}
	return s
}

// put makes the operation that brings a record to its n-th state.
func (f *forest) put(name string, n uint64) replica.Op {
	f.seq++
	s := state(n)
	return replica.Op{ID: f.seq, Verb: replica.Join, Key: key(name), State: s.Append(nil), Stamp: 5}
}

// reap makes the operations after which nothing is left of a record.
func (f *forest) reap(name string, n uint64) []replica.Op {
	f.seq++
	s := state(n | 1)
	digest := causal.Digest(s.Append(nil), 9)
	return []replica.Op{f.put(name, n|1), {ID: f.seq, Verb: replica.Drop, Key: key(name), Digest: digest, Stamp: 4}}
}

// do runs a batch and keeps the model in step, unless it is refused.
func (f *forest) do(tb interface{ Fatalf(string, ...any) }, ops ...replica.Op) {
	var done []replica.Answer
	if err := f.runner.Run(clock.Now{Wall: 1000}, ops, &done, &f.facts); err != nil {
		tb.Fatalf("run: %v", err)
	}
	if f.fails {
		return
	}
	for _, op := range ops {
		if op.Verb == replica.Drop {
			delete(f.have, op.Key.Name)
			continue
		}
		s, err := causal.DecodeState(op.State)
		if err != nil {
			tb.Fatalf("state: %v", err)
		}
		f.have[op.Key.Name] = max(f.have[op.Key.Name], s.Vector[0].N)
	}
}

// leaves returns how many records each leaf says it has.
func (f *forest) leaves(tb interface{ Fatal(...any) }) (counts []int) {
	lo, hi := store.AllLeaves()
	if err := f.mem.Range(lo, hi, func(_, value []byte) bool {
		counts = append(counts, int(value[3])<<24|int(value[4])<<16|int(value[5])<<8|int(value[6]))
		return true
	}); err != nil {
		tb.Fatal(err)
	}
	return counts
}

// TestTreesGrowAndShrink: whatever comes and goes, in whatever batches, with
// crashes, refused batches and restarts between: leaves are the sums of their
// records at once, and cover all positions. Equal records make equal trees, in
// whatever order they came and however fine their leaves are; and of nothing
// there is no tree.
func TestTreesGrowAndShrink(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		drawConfig := func() disk.Config {
			return disk.Config{
				LeafKeys: rapid.SampledFrom([]int{1, 2, 4, 8}).Draw(rt, "leaf keys"),
				Leaves:   rapid.IntRange(1, 12).Draw(rt, "leaves in memory"),
			}
		}
		f := newForest(t, drawConfig())
		names := rapid.IntRange(1, 40).Draw(rt, "names")
		draw := func(n int) (ops []replica.Op) {
			for range n {
				name := fmt.Sprint(rapid.IntRange(0, names).Draw(rt, "name"))
				f.seq += 2
				if n := f.seq / 2 * 2; rapid.IntRange(0, 2).Draw(rt, "reap") == 0 {
					ops = append(ops, f.reap(name, n)...)
				} else {
					ops = append(ops, f.put(name, n))
				}
			}
			return ops
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				f.fails = true
				f.do(rt, draw(3)...)
				f.fails = false
			case 1:
				f.cfg = drawConfig()
				f.again()
			case 2:
				f.mem.Sync()
				f.mem = f.mem.Crash(0)
				f.open()
			default:
				f.do(rt, draw(rapid.IntRange(1, 12).Draw(rt, "batch"))...)
			}
			wantLeaves(rt, f.mem)
		}
		other := newForest(t, drawConfig())
		left := make([]string, 0, len(f.have))
		for name := range f.have {
			left = append(left, name)
		}
		slices.Sort(left)
		for _, name := range rapid.Permutation(left).Draw(rt, "order") {
			other.do(rt, other.put(name, f.have[name]))
		}
		wantLeaves(rt, other.mem)
		f.wantEqual(rt, other)
		f.wantApart(rt, other, fmt.Sprint(rapid.IntRange(0, names).Draw(rt, "differs")))
		for _, name := range left {
			f.do(rt, f.reap(name, f.have[name])...)
			wantLeaves(rt, f.mem)
		}
		if left := f.leaves(rt); len(left) > 0 {
			rt.Fatalf("nothing is left, and leaves of %v records are", left)
		}
	})
}

// wantEqual compares two trees down to single records, as replicas do.
func (f *forest) wantEqual(rt *rapid.T, other *forest) {
	if a, b := f.root(), other.root(); a != b {
		rt.Fatalf("equal records, and the roots are %v and %v", a, b)
	}
	for range 10 {
		span := merkle.Around(rapid.Uint64().Draw(rt, "position"), rapid.Uint8Range(0, 8).Draw(rt, "depth"))
		q := replica.Survey{Look: replica.Parts, Bucket: "b", Span: span}
		d, ok := merkle.Differ(nil, span, f.survey(q).Parts, other.survey(q).Parts)
		if !ok || len(d) > 0 {
			rt.Fatalf("equal records, and they differ in %v, %v", d, ok)
		}
	}
}

// wantApart changes one record of one of two equal trees: they differ there, and nowhere
// else, until the other has it too.
func (f *forest) wantApart(rt *rapid.T, other *forest, name string) {
	n := (max(f.have[name], f.seq, other.seq) + 2) / 2 * 2
	other.do(rt, other.put(name, n))
	at, span := key(name).Pos.Hi, merkle.Whole(0, 0)
	q := replica.Survey{Look: replica.Parts, Bucket: "b", Span: span}
	for _, side := range [][2]*forest{{f, other}, {other, f}} {
		d, ok := merkle.Differ(nil, span, side[0].survey(q).Parts, side[1].survey(q).Parts)
		if !ok || len(d) != 1 || at < d[0].First || at > d[0].Last {
			rt.Fatalf("one record differs, at %x, and the trees in %v, %v", at, d, ok)
		}
	}
	_, was := f.have[name]
	f.do(rt, f.put(name, n))
	f.wantEqual(rt, other)
	if !was {
		f.do(rt, f.reap(name, n)...)
	}
}

// reader counts what is read of records.
type reader struct {
	*memory.Engine
	read, ranges int
}

func (r *reader) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	r.ranges++
	return r.Engine.Range(lo, hi, func(key, value []byte) bool {
		if store.IsRecord(key) {
			r.read++
		}
		return fn(key, value)
	})
}

// TestGrowingCostsTheSame: a write reads as much for the shape of its tree however
// many keys there are, and leaves stay about as large as they may be.
func TestGrowingCostsTheSame(t *testing.T) {
	f := newForest(t, disk.Config{})
	count := &reader{Engine: f.mem}
	f.engine = count
	f.again()
	n := 0
	for _, until := range []int{2000, 4000, 8000, 16000, 32000} {
		before, ranges, from := count.read, count.ranges, n
		for n < until {
			var ops []replica.Op
			for range 25 {
				n++
				ops = append(ops, f.put(fmt.Sprint(n), 2))
			}
			f.do(t, ops...)
		}
		reads, looks := float64(count.read-before)/float64(n-from), float64(count.ranges-ranges)/float64(n-from)
		t.Logf("%d keys: %.2f records read and %.2f look-ups for each new one, %d leaves", n, reads, looks, len(f.leaves(t)))
		if reads > 2 || looks > 1 {
			t.Errorf("from %d to %d keys: %.2f records read and %.2f look-ups for each", from, n, reads, looks)
		}
	}
	wantLeaves(t, f.mem)
	for _, keys := range f.leaves(t) {
		if keys > 2*disk.DefaultLeafKeys {
			t.Errorf("a leaf of %d records", keys)
		}
	}
}

// TestLargeRecordsSplitLater: where the records of a leaf are too large to be read
// in the batch that splits it, its halves are added up when they are asked for.
func TestLargeRecordsSplitLater(t *testing.T) {
	s := newShard(t, disk.Config{LeafKeys: 4}, nil)
	for i := range 8 {
		s.run(join(uint64(i), fmt.Sprint(i), 1, string(make([]byte, 1<<20))))
	}
	wantLeaves(t, s.mem)
	s.root()
	wantLeaves(t, s.mem)
	all := replica.Verified{}
	for n := 0; n == 0 || all.Next != nil && all.Err == nil; n++ {
		all = all.With(s.runner.Verify(all.Next, 1<<30))
	}
	if all.Err != nil || all.Doubtful != 0 || all.Leaves < 2 || all.Records != 8 {
		t.Errorf("after they were asked for: %+v", all)
	}
}

// TestRottenOnDiskAndWellInMemory: what a leaf is added up without is not taken away
// from it by the next change, though the record is in memory still.
func TestRottenOnDiskAndWellInMemory(t *testing.T) {
	f := newForest(t, disk.Config{LeafKeys: 4})
	for i := range 4 {
		f.do(t, f.put(fmt.Sprint(i), 2), f.put(fmt.Sprint(i), 4))
	}
	for i := range 4 {
		k := key(fmt.Sprint(i))
		f.mem.Damage(store.AppendRecordKey(nil, 0, "b", k.Pos.Hi, k.Name), func(v []byte) []byte {
			v = slices.Clone(v)
			v[len(v)/2] ^= 1
			return v
		})
	}
	for i := range 6 {
		f.do(t, f.put(fmt.Sprint("more ", i), 2))
	}
	f.root()
	wantLeaves(t, f.mem)
	for i := range 4 {
		f.do(t, f.put(fmt.Sprint(i), 6))
	}
	f.root()
	if v := f.runner.Verify(nil, 1<<30); v.Err != nil || v.Unreadable != 0 || v.Doubtful != 0 {
		t.Errorf("they are not whole again: %+v", v)
	}
	wantLeaves(t, f.mem)
}

// TestDamagedLeaves: a leaf that can't be read, or that is not there, is added up
// anew from its records, whoever meets it first: one that changes a record under
// it or one who compares.
func TestDamagedLeaves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newForest(t, disk.Config{LeafKeys: 2})
		for i := range 30 {
			f.do(rt, f.put(fmt.Sprint(i), 2))
		}
		root := f.root()
		var keys [][]byte
		lo, hi := store.AllLeaves()
		if err := f.mem.Range(lo, hi, func(key, _ []byte) bool {
			keys = append(keys, slices.Clone(key))
			return true
		}); err != nil {
			rt.Fatal(err)
		}
		var b store.Batch
		for range rapid.IntRange(1, 3).Draw(rt, "damages") {
			if k := keys[rapid.IntRange(0, len(keys)-1).Draw(rt, "which")]; rapid.Bool().Draw(rt, "gone") && len(keys) > 3 {
				b.Delete(k)
			} else {
				b.Set(k, []byte("rotten"))
			}
		}
		if err := f.mem.Apply(&b, func(error) {}); err != nil {
			rt.Fatal(err)
		}
		if disk.VerifyLeaves(f.mem, replica.New(replica.Config{Seed: 9}), 0) == nil {
			rt.Fatal("damage that nobody sees")
		}
		f.mem.Sync()
		f.again()
		f.deliver()
		for range rapid.IntRange(0, 3).Draw(rt, "writes") {
			f.do(rt, f.put(fmt.Sprint(rapid.IntRange(0, 29).Draw(rt, "name")), 2), f.put("more", 2))
		}
		for i := range 30 { // each position is touched
			f.do(rt, f.put(fmt.Sprint(i), 4))
		}
		f.do(rt, f.put("more", 4))
		f.root()
		wantLeaves(rt, f.mem)
		again := newForest(t, disk.Config{})
		for i := range 30 {
			again.do(rt, again.put(fmt.Sprint(i), 4))
		}
		again.do(rt, again.put("more", 4))
		if f.root() != again.root() || f.root() == root {
			rt.Fatal("the trees differ")
		}
	})
}

// TestVerifyFindsDamage: whatever is wrong with a tree is found, in slices of any
// size, and nothing else is.
func TestVerifyFindsDamage(t *testing.T) {
	f := newForest(t, disk.Config{LeafKeys: 2})
	for i := range 40 {
		f.do(t, f.put(fmt.Sprint(i), 2))
		op := f.put(fmt.Sprint(i), 2)
		op.Partition, op.Key = 1, ring.NewKey("other", fmt.Sprint(i))
		f.do(t, op)
	}
	verify := func(limit int) (all replica.Verified, slices int) {
		for {
			all = all.With(f.runner.Verify(all.Next, limit))
			if slices++; all.Err != nil || all.Next == nil {
				return all, slices
			}
		}
	}
	for _, limit := range []int{1, 400, 1 << 20} {
		all, slices := verify(limit)
		if all.Err != nil || len(all.Wrong) > 0 || all.Records != 80 || all.Trees != 2 || all.Leaves != len(f.leaves(t)) {
			t.Errorf("slices of %d bytes: %+v", limit, all)
		}
		if (slices == 1) != (limit == 1<<20) {
			t.Errorf("%d slices of %d bytes", slices, limit)
		}
	}
	k := key("7")
	at := store.AppendRecordKey(nil, 0, "b", k.Pos.Hi, "7")
	var record []byte
	if _, err := f.mem.Get(at, func(v []byte) { record = slices.Clone(v) }); err != nil {
		t.Fatal(err)
	}
	change := func(what func(*store.Batch)) {
		t.Helper()
		var b, back store.Batch
		back.DeleteRange(nil, []byte{255})
		if err := f.mem.Range(nil, nil, func(key, value []byte) bool {
			back.Set(key, value)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		what(&b)
		if err := f.mem.Apply(&b, func(error) {}); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, 1 << 20} {
			if all, _ := verify(limit); all.Err != nil || len(all.Wrong) == 0 {
				t.Errorf("slices of %d bytes: %+v", limit, all)
			}
		}
		if err := f.mem.Apply(&back, func(error) {}); err != nil {
			t.Fatal(err)
		}
	}
	change(func(b *store.Batch) { b.Delete(at) })
	later := newForest(t, disk.Config{})
	later.do(t, later.put("7", 4))
	if _, err := later.mem.Get(at, func(v []byte) { record = slices.Clone(v) }); err != nil {
		t.Fatal(err)
	}
	change(func(b *store.Batch) { b.Set(at, record) }) // as many records, and another sum
	change(func(b *store.Batch) { b.Set(store.AppendRecordKey(nil, 0, "b", k.Pos.Hi, "x"), record) })
	change(func(b *store.Batch) { b.DeleteRange(store.LeafRange(0, "b")) })
	change(func(b *store.Batch) { b.Delete(f.leafKey(t, 0)) })
	change(func(b *store.Batch) { b.Delete(f.leafKey(t, 3)) })
	change(func(b *store.Batch) { b.Set(f.leafKey(t, 2), []byte("rotten")) })
	last := len(f.leaves(t)) - 1
	change(func(b *store.Batch) { b.Delete(f.leafKey(t, last)) })
	if all, _ := verify(1); all.Err != nil || len(all.Wrong) > 0 {
		t.Errorf("undamaged: %+v", all)
	}
}

func (f *forest) leafKey(tb testing.TB, n int) (at []byte) {
	lo, hi := store.AllLeaves()
	if err := f.mem.Range(lo, hi, func(key, _ []byte) bool {
		at = slices.Clone(key)
		n--
		return n >= 0
	}); err != nil {
		tb.Fatal(err)
	}
	return at
}

// TestVerifyAmongWrites: trees may change between two slices.
func TestVerifyAmongWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newForest(t, disk.Config{LeafKeys: rapid.IntRange(1, 4).Draw(rt, "leaf keys")})
		for i := range 20 {
			f.do(rt, f.put(fmt.Sprint(i), 2))
		}
		all := replica.Verified{}
		for {
			all = all.With(f.runner.Verify(all.Next, rapid.IntRange(1, 300).Draw(rt, "limit")))
			if all.Err != nil || len(all.Wrong) > 0 {
				rt.Fatalf("%+v", all)
			}
			if all.Next == nil {
				return
			}
			f.seq += 2
			if name, n := fmt.Sprint(rapid.IntRange(0, 40).Draw(rt, "name")), f.seq/2*2; rapid.Bool().Draw(rt, "reap") {
				f.do(rt, f.reap(name, n)...)
			} else {
				f.do(rt, f.put(name, n))
			}
		}
	})
}
