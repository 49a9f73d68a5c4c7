package reap_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/typed"
)

// What becomes of a record, of a hint, of an epoch and of a round of folding is what
// packages replica and reap say, asked once for each question that comes up. Epochs are
// told as they are beyond the lowest that a node is in: nothing in the code depends on
// more, so that histories have no end and few states.

const (
	lowest  = 8          // the epoch that the last node is in
	ancient = lowest - 2 // a stamp that nobody takes any more, nor ever will
)

// seen is a state and its stamp: on its way, or kept for others, or told in a survey.
type seen struct {
	state uint16 // of the canonical states, or the records; 0: none
	stamp uint8
	alive uint16 // told: the live actor
}

// folds asks the real code, and remembers what it said.
type folds struct {
	*oracle
	states, records, actors, rounds interned
	memo                            map[any]any
	witness                         []round // how each round may have come to what it folds
}

// interned gives numbers, from 1, to what is equal.
type interned struct {
	all   []string
	index map[string]uint16
}

func (in *interned) number(b []byte) uint16 {
	if len(b) == 0 {
		return 0
	}
	i, known := in.index[string(b)]
	if !known {
		if in.index == nil {
			in.index, in.all = map[string]uint16{}, []string{""}
		}
		i = uint16(len(in.all))
		in.index[string(b)], in.all = i, append(in.all, string(b))
	}
	return i
}

func (in *interned) bytes(i uint16) []byte {
	if i == 0 {
		return nil
	}
	return []byte(in.all[i])
}

func newFolds(t *testing.T) *folds {
	return &folds{oracle: newOracle(t), memo: map[any]any{}, witness: make([]round, 1)}
}

// once answers a question by work, the first time.
func once[Q comparable, A any](f *folds, q Q, work func() A) A {
	if a, ok := f.memo[q]; ok {
		return a.(A)
	}
	a := work()
	f.memo[q] = a
	return a
}

// place is a node and the record it holds.
type place struct {
	node   uint8
	epoch  uint8
	run    uint8
	record uint16
}

func (f *folds) replica(p place) *replica.Replica {
	r := replica.New(replica.Config{Run: uint64(p.run)<<8 | uint64(p.node) + 1})
	r.Stand(replica.Standing{Epoch: uint64(p.epoch), Floor: uint64(p.epoch) - 1, Heard: uint64(p.epoch), Known: true})
	return r
}

// stored is the record that a node has after an operation.
func (f *folds) stored(p place, res replica.Result) uint16 {
	if res.Record == nil {
		return p.record
	}
	return f.records.number(res.Record)
}

// read is a copy of a node's record, as a survey is told of it.
func (f *folds) read(p place) seen {
	return once(f, struct {
		string
		place
	}{"read", p}, func() seen {
		res := f.replica(p).Do(exploreNow, f.records.bytes(p.record), &replica.Op{Verb: replica.Fold, Key: exploreKey}, nil)
		if res.Answer.Status != replica.Have {
			return seen{}
		}
		var alive []byte
		if d := res.Answer.Dot; !d.IsZero() {
			alive = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, d.Actor.Run), d.Actor.Life)
		}
		return seen{state: f.states.number(res.Answer.State), stamp: uint8(res.Answer.Stamp), alive: f.actors.number(alive)}
	})
}

type joined struct {
	record uint16
	ok     bool
}

// takes brings a copy to a primary; false if it is refused.
func (f *folds) takes(p place, c seen) joined {
	return once(f, struct {
		p place
		c seen
	}{p, c}, func() joined {
		res := f.replica(p).Do(exploreNow, f.records.bytes(p.record), &replica.Op{
			Verb: replica.Join, Key: exploreKey, State: f.states.bytes(c.state), Stamp: uint64(c.stamp),
		}, nil)
		return joined{f.stored(p, res), res.Answer.Status == replica.Have}
	})
}

// minted is what came of an increment: the record, of a hint its stamp, and what is sent
// alone.
type minted struct {
	record uint16
	stamp  uint8
	alone  seen
}

// increments adds to the number at a node: at F to what it keeps for the others.
func (f *folds) increments(p place, stamp, heard, by uint8) minted {
	return once(f, struct {
		p                place
		stamp, heard, by uint8
	}{p, stamp, heard, by}, func() minted {
		r := f.replica(p)
		s := r.Standing()
		s.Heard = uint64(heard)
		r.Stand(s)
		op := replica.Op{Verb: replica.Write, Key: exploreKey, Mint: &replica.Mint{Types: true, Update: &ouro.Update{
			Kind: ouro.Counter, Act: ouro.Increment, Elements: []ouro.Element{{By: 1 << by}},
		}}}
		before := f.records.bytes(p.record)
		if p.node == nodeF {
			op.Pending, op.Targets = true, ids[:2]
			before = pendingOf(before, stamp)
		}
		res := r.Do(exploreNow, before, &op, nil)
		if res.Answer.Status != replica.Have || res.Record == nil {
			f.t.Fatalf("an increment at %s: %+v", ids[p.node], res.Answer)
		}
		out := minted{alone: seen{state: f.states.number(res.Answer.Updated.Alone), stamp: uint8(res.Answer.Alone)}}
		out.record, out.stamp = f.kept(p, res)
		return out
	})
}

// keeps stores a copy at F; the record is 0 if it is refused.
func (f *folds) keeps(p place, stamp uint8, c seen) minted {
	return once(f, struct {
		p     place
		stamp uint8
		c     seen
	}{p, stamp, c}, func() minted {
		res := f.replica(p).Do(exploreNow, pendingOf(f.records.bytes(p.record), stamp), &replica.Op{
			Verb: replica.Join, Key: exploreKey, State: f.states.bytes(c.state), Stamp: uint64(c.stamp), Pending: true, Targets: ids[:2],
		}, nil)
		if res.Answer.Status != replica.Have {
			return minted{}
		}
		var out minted
		if out.record, out.stamp = f.kept(p, res); res.Record == nil {
			out.stamp = stamp
		}
		return out
	})
}

func (f *folds) kept(p place, res replica.Result) (record uint16, stamp uint8) {
	if p.node != nodeF || res.Record == nil {
		return f.stored(p, res), 0
	}
	_, s, inner, err := replica.DecodePending(res.Record)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.records.number(inner), uint8(s)
}

// pendingOf is how a record is kept for A and B.
func pendingOf(record []byte, stamp uint8) []byte {
	if record == nil {
		return nil
	}
	b := []byte{1, stamp, 2, 1, 'A', 2, 1, 'B', 2}
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, record...)
}

// state is the state in a record.
func (f *folds) state(record uint16) uint16 {
	if record == 0 {
		return 0
	}
	return once(f, struct {
		string
		uint16
	}{"state", record}, func() uint16 {
		s, err := replica.StateOf(f.records.bytes(record))
		if err != nil {
			f.t.Fatal(err)
		}
		return f.states.number(s)
	})
}

// both is what two states are together. In either order it is the same.
func (f *folds) both(a, b uint16) uint16 {
	if a == 0 || b == 0 || a == b {
		return max(a, b)
	}
	return once(f, [2]uint16{a, b}, func() uint16 {
		join := func(a, b uint16) string {
			r := replica.New(replica.Config{})
			r.Stand(replica.Standing{Known: true})
			op := replica.Op{Verb: replica.Join, Key: exploreKey, State: f.states.bytes(a)}
			res := r.Do(exploreNow, nil, &op, nil)
			op.State = f.states.bytes(b)
			record := append([]byte(nil), res.Record...)
			if res = r.Do(exploreNow, record, &op, nil); res.Record != nil {
				record = res.Record
			}
			s, err := replica.StateOf(record)
			if err != nil {
				f.t.Fatal(err)
			}
			return string(s)
		}
		s := join(a, b)
		if s != join(b, a) {
			f.t.Fatalf("joined in another order two replicas are not equal: %d and %d", a, b)
		}
		return f.states.number([]byte(s))
	})
}

// total is the number that a state shows.
func (f *folds) total(state uint16) uint32 {
	if state == 0 {
		return 0
	}
	return once(f, struct {
		string
		uint16
	}{"total", state}, func() uint32 {
		s, err := causal.DecodeState(f.states.bytes(state))
		if err != nil {
			f.t.Fatal(err)
		}
		shown, _ := typed.View(typed.Show(&s, exploreNow.Wall, nil))
		if shown == nil {
			return 0
		}
		return uint32(shown.Count)
	})
}
