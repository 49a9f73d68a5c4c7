package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
)

// spoil flips a byte in the middle of the record of a key, on the disk and in no
// cache.
func (s *shard) spoil(name string) {
	s.tb.Helper()
	k := key(name)
	engineKey := store.AppendRecordKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name)
	var value []byte
	if found, err := s.mem.Get(engineKey, func(v []byte) { value = append(value, v...) }); !found || err != nil {
		s.tb.Fatalf("no record to rot: %v", err)
	}
	value[len(value)/2] ^= 0x10
	s.set(engineKey, value)
	s.runner.Refresh()
}

func (s *shard) set(key, value []byte) {
	s.tb.Helper()
	var b store.Batch
	b.Set(key, value)
	if err := s.mem.Apply(&b, func(error) {}); err != nil {
		s.tb.Fatal(err)
	}
	s.mem.SyncTo(1)
}

// has says whether the engine has something under a key.
func (s *shard) has(key []byte) bool {
	found, _ := s.mem.Get(key, func([]byte) {})
	return found
}

func sideKey(name string) []byte {
	k := key(name)
	return store.AppendSideKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name)
}

// stateOf returns the state that a join of one version elsewhere brings.
func stateOf(n uint64, value string) []byte { return join(0, "k", n, value).State }

// TestRules_H9: a record that fails its checksum takes what comes beside it,
// shows nothing, keeps its bytes, and is whole again once it is had from others.
func TestRules_H9(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "acknowledged"))
	s.sync(1)
	s.spoil("k")
	s.facts = nil
	expect(t, "rotten", s.run(join(2, "k", 1, "new"), read(3, "k"), recall(4, "k", 9), write(5, "k", "own")), "4 recall dontknow", "5 write new+own")
	expect(t, "synced", s.sync(1), "2 join durable", "3 read dontknow new", "5 write durable")
	if s.facts[0].Kind != fact.Damaged || !s.has(sideKey("k")) {
		t.Errorf("facts %v, side record %v", s.facts, s.has(sideKey("k")))
	}
	heal := replica.Op{ID: 6, Verb: replica.Heal, Key: key("k"), State: stateOf(2, "from others")}
	expect(t, "healing", s.run(heal, read(7, "k")))
	expect(t, "healed", s.sync(1), "6 heal durable", "7 read from others+new+own")
	if s.has(sideKey("k")) {
		t.Error("the side record is still there")
	}
	s.runner.Refresh()
	expect(t, "later", s.run(read(8, "k"), write(9, "k", "more")), "8 read from others+new+own", "9 write from others+more+new+own")
	s.sync(1)
	heal.ID = 10
	expect(t, "healing what is whole is a join", append(s.run(heal), s.sync(1)...), "10 heal durable")
}

// TestMemoryHealsTheDisk: a record rots beneath its copy in memory. Whoever finds that,
// what memory has is shown, and stored anew when the record is healed, even where the
// others add nothing to it; or when it changes before that (seed 2879 of the ring among
// faults: a heal joined what memory had, changed nothing, and stored nothing, for ever).
func TestMemoryHealsTheDisk(t *testing.T) {
	found := map[string]func(*shard){
		"a survey of keys": func(s *shard) {
			if f := s.survey(replica.Survey{Look: replica.Keys, Bucket: "b", Span: all}); len(f.Rotten) != 1 {
				t.Errorf("found %+v", f)
			}
		},
		"a leaf that is added up anew": func(s *shard) {
			if err := s.runner.Doubt(&replica.Op{Key: key("k")}); err != nil {
				t.Error(err)
			}
			s.root()
		},
		"the scrubber": func(s *shard) {
			if f := s.scrub(1<<20, nil); len(f.Rotten) != 1 {
				t.Errorf("found %+v", f)
			}
		},
	}
	mended := map[string]struct {
		by   replica.Op
		want string
	}{
		"a heal that adds nothing":    {replica.Op{ID: 5, Verb: replica.Heal, Key: key("k"), State: causal.State{}.Append(nil), Alone: true}, "v"},
		"a heal":                      {replica.Op{ID: 5, Verb: replica.Heal, Key: key("k"), State: stateOf(2, "theirs")}, "theirs+v"},
		"a write":                     {write(5, "k", "own"), "own+v"},
		"a join that changes nothing": {replica.Op{ID: 5, Verb: replica.Join, Key: key("k"), State: causal.State{}.Append(nil)}, ""},
	}
	for by, find := range found {
		for how, m := range mended {
			s := newShard(t, disk.Config{}, nil)
			s.run(write(1, "k", "v"), write(2, "other", "w"))
			s.sync(1)
			s.root()
			k := key("k")
			s.mem.Damage(store.AppendRecordKey(nil, 0, k.Bucket, k.Pos.Hi, k.Name), func(v []byte) []byte {
				v = bytes.Clone(v)
				v[len(v)/2] ^= 0x10
				return v
			})
			find(s)
			expect(t, by+", "+how+": memory", s.run(read(3, "k")), "3 read v")
			s.run(m.by)
			s.sync(1)
			s.root()
			wantLeaves(t, s.mem)
			s.runner.Refresh()
			if m.want == "" {
				expect(t, by+", "+how+": the disk", s.run(read(6, "k")), "6 read dontknow")
			} else {
				expect(t, by+", "+how+": the disk", s.run(read(6, "k")), "6 read "+m.want)
			}
		}
	}
}

// TestWhatLiesInADamagedBlockIsRotten: the engine says that it can't tell what is under
// a key. That is no "not found", and heals like a record that fails its own checksum.
func TestWhatLiesInADamagedBlockIsRotten(t *testing.T) {
	bad := false
	s := newShard(t, disk.Config{CacheBytes: -1}, func(op fault.Op, at []byte) fault.Fault {
		if bad && op == fault.Get && store.IsRecord(at) {
			return fault.Fault{Err: fmt.Errorf("test: %w", store.ErrDamaged)}
		}
		return fault.Fault{}
	})
	s.run(write(1, "k", "acknowledged"))
	s.sync(1)
	bad = true
	expect(t, "rotten", s.run(join(2, "k", 1, "new"), read(3, "k"), recall(4, "k", 9)), "4 recall dontknow")
	expect(t, "synced", s.sync(1), "2 join durable", "3 read dontknow new")
	var done []replica.Answer
	alone := read(5, "never written")
	if err := s.runner.Run(clock.Now{}, []replica.Op{alone}, &done, &s.facts); err != nil || len(done) != 1 || done[0].Rotten == nil || done[0].Status == replica.Absent {
		t.Errorf("%v %+v", err, done)
	}
	heal := replica.Op{ID: 6, Verb: replica.Heal, Key: key("k"), State: stateOf(2, "from others")}
	s.run(heal)
	expect(t, "healed", s.sync(1), "6 heal durable")
	bad = false
	expect(t, "whole", s.run(read(7, "k")), "7 read from others+new")
}

// TestNobodyElseHasIt: where nobody else holds a record that rots it stays an error, not
// "not found", until something is written in its stead.
func TestNobodyElseHasIt(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	s.sync(1)
	s.spoil("k")
	nothing := causal.State{}
	heal := replica.Op{ID: 2, Verb: replica.Heal, Key: key("k"), State: nothing.Append(nil), Alone: true}
	expect(t, "nothing was written since", append(s.run(heal, read(3, "k")), s.sync(9)...), "2 heal corrupt", "3 read dontknow")
	s.run(write(4, "k", "w"))
	s.sync(9)
	s.run(heal)
	expect(t, "something was", s.sync(9), "2 heal durable")
	expect(t, "it is shown", s.run(read(5, "k")), "5 read w")
}

// TestRottenAnswersName: whoever meets a rotten record is told which it is, also
// where nobody waits for the answer, and no answer counts for anything strict.
func TestRottenAnswersName(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	s.sync(1)
	s.spoil("k")
	quiet := join(0, "k", 1, "a")
	quiet.Silent = true
	var done []replica.Answer
	if err := s.runner.Run(clock.Now{}, []replica.Op{quiet, write(2, "k", "w"), read(3, "z")}, &done, &s.facts); err != nil {
		t.Fatal(err)
	}
	if len(done) != 3 || done[0].ID != 0 || done[0].State != nil || done[2].Rotten != nil {
		t.Fatalf("answers %+v", done)
	}
	for _, a := range done[:2] {
		if a.Rotten == nil || a.Rotten.Key != key("k") {
			t.Errorf("%+v names %+v", a, a.Rotten)
		}
	}
	if !done[1].Recovering || done[2].Recovering {
		t.Errorf("recovering: %v and %v", done[1].Recovering, done[2].Recovering)
	}
}

// TestHealedToNothing: where nobody has anything, nothing is left.
func TestHealedToNothing(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	s.sync(1)
	s.spoil("k")
	s.run(replica.Op{ID: 2, Verb: replica.Heal, Key: key("k"), State: causal.State{}.Append(nil)}, read(3, "k"))
	s.sync(1)
	expect(t, "afterwards", s.run(read(4, "k")), "4 read absent")
}

// TestHealSurvivesARottenSideRecord: then what others have is all there is.
func TestHealSurvivesARottenSideRecord(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"))
	s.sync(1)
	s.spoil("k")
	s.set(sideKey("k"), []byte("garbage"))
	expect(t, "both rotten", s.run(write(2, "k", "w"), read(3, "k")), "2 write corrupt", "3 read corrupt")
	s.run(replica.Op{ID: 4, Verb: replica.Heal, Key: key("k"), State: stateOf(2, "theirs")})
	s.mem.Sync()
	s.deliver()
	expect(t, "healed", s.run(read(5, "k")), "5 read theirs")
}

// TestHealFails: the bytes stay until the healed record is stored.
func TestHealFails(t *testing.T) {
	b := &breaking{}
	s := newShard(t, disk.Config{}, b.plan)
	s.run(write(1, "k", "v"))
	s.sync(1)
	s.spoil("k")
	b.op, b.err = fault.Apply, errors.New("test: no")
	heal := replica.Op{ID: 2, Verb: replica.Heal, Key: key("k"), State: stateOf(2, "theirs")}
	expect(t, "refused", s.run(heal), "2 heal ioerror")
	b.op = 0
	expect(t, "still rotten", s.run(read(3, "k")), "3 read dontknow")
	expect(t, "again", append(s.run(heal), s.sync(2)...), "2 heal durable")
}

// TestProgressOutlivesTheRun: what is recovering goes on recovering after a
// restart, until that is noted durably to be over.
func TestProgressOutlivesTheRun(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	if err := disk.Found(s.engine, 77, []uint32{0, 5}, 1000, func(error) {}); err != nil {
		t.Fatal(err)
	}
	s.mem.SyncTo(1)
	again := func() []disk.Recovering {
		t.Helper()
		s.start(disk.Config{}, 2)
		all, err := s.runner.Recoveries()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := again(); len(all) != 2 || all[0].Partition != 0 || all[1].Partition != 5 || all[0].Progress.Since != 1000 {
		t.Fatalf("recovering %+v", all)
	}
	expect(t, "recovering", s.run(write(1, "k", "v"), read(2, "none")), "1 write v", "2 read dontknow")
	s.sync(1)
	progress := replica.AppendProgress(nil, &replica.Progress{Since: 1000, Sources: []replica.Source{{Node: "B"}, {Node: "C", Recovering: true}}})
	expect(t, "progress", append(s.run(replica.Op{ID: 3, Verb: replica.Recover, State: progress}), s.sync(1)...), "3 recover durable")
	if all := again(); len(all) != 2 || len(all[0].Progress.Sources) != 2 || !all[0].Progress.Sources[1].Recovering {
		t.Errorf("after a restart: %+v", all)
	}
	expect(t, "still", s.run(read(4, "none")), "4 read dontknow")
	expect(t, "over", append(s.run(replica.Op{ID: 5, Verb: replica.Recover}), s.sync(1)...), "5 recover durable")
	expect(t, "current", s.run(read(6, "none")), "6 read absent")
	if all := again(); len(all) != 1 || all[0].Partition != 5 {
		t.Errorf("left: %+v", all)
	}
	if id, err := disk.Belongs(s.engine); id != 77 || err != nil {
		t.Errorf("the data belongs to %d, %v", id, err)
	}
	for _, start := range []uint64{0, 3, 9} {
		if start > 0 {
			if err := disk.NoteStart(s.engine, start, func(error) {}); err != nil {
				t.Fatal(err)
			}
		}
		if last, err := disk.LastStart(s.engine); last != start || err != nil {
			t.Errorf("the last start is %d, %v, want %d", last, err, start)
		}
	}
	// A second loss: no progress is kept.
	if err := disk.Found(s.engine, 78, []uint32{0}, 2000, func(error) {}); err != nil {
		t.Fatal(err)
	}
	if all := again(); len(all) != 1 || all[0].Partition != 0 || len(all[0].Progress.Sources) != 0 {
		t.Errorf("after a second loss: %+v", all)
	}
}

// TestHealedRecordIsInItsLeaf: once healed, the tree counts the record again.
func TestHealedRecordIsInItsLeaf(t *testing.T) {
	s := newShard(t, disk.Config{}, nil)
	s.run(write(1, "k", "v"), write(2, "other", "w"))
	s.mem.Sync()
	s.spoil("k")
	s.run(write(3, "k", "beside"))
	s.root() // the leaf is added up without it
	s.run(replica.Op{ID: 4, Verb: replica.Heal, Key: key("k"), State: stateOf(2, "theirs")})
	wantLeaves(t, s.mem)
	s.run(write(5, "k", "more"))
	wantLeaves(t, s.mem)
}
