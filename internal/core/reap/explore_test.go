package reap_test

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The model reap-epoch of the rules, on the real code: two primaries A and B, one
// other member F, two copies in flight; a put, a delete, a second blind put, a
// second delete; every interleaving. What becomes of a record, of a hint and of
// an epoch is what packages replica and reap say, asked once for each question
// that comes up.
//
// Not in the model and here besides: the floor is what a node has durably, so it
// lags; a fresh version is sent alone under the next epoch (RULES R20); what was
// dropped is remembered or was forgotten; a Drop arrives any number of times.

const (
	nodeA, nodeB, nodeF = 0, 1, 2
	noRecord            = 0
)

var (
	exploreKey = ring.NewKey("b", "k")
	exploreNow = clock.Now{Mono: time.Hour, Wall: 1_700_000_000_000}
	ids        = [...]ring.NodeID{"A", "B", "F"}
)

// copied is a state on its way, or kept for others: a record and its stamp.
type copied struct {
	state uint8 // index of the canonical state, from 1; 0: none
	stamp uint8
}

// model is one state of the world.
type model struct {
	record  [2]uint8  // of A and B
	hint    copied    // at F
	flying  [2]copied // copies; interchangeable
	clients uint8     // how many of put v, delete v, put w, delete w were done
	epoch   [3]uint8
	votes   [2]copied // collected
	decided bool
	tomb    uint8
	above   uint8 // the floor must be above it
	gone    [2]bool
}

// oracle asks the real code, and remembers what it said.
type oracle struct {
	t      testing.TB
	states [][]byte // canonical
	index  map[string]uint8
	memo   map[question]answer
	seed   uint64
}

type question struct {
	verb                       uint8
	x                          uint8
	a, b                       copied
	epoch, other, third, extra uint8
}

type answer struct {
	ok    bool
	state uint8
	stamp uint8
	fresh copied
}

func newOracle(t testing.TB) *oracle {
	return &oracle{t: t, states: [][]byte{nil}, index: map[string]uint8{}, memo: map[question]answer{}}
}

func (o *oracle) intern(canonical []byte) uint8 {
	if len(canonical) == 0 {
		return noRecord
	}
	if i, ok := o.index[string(canonical)]; ok {
		return i
	}
	o.states = append(o.states, append([]byte(nil), canonical...))
	i := uint8(len(o.states) - 1)
	o.index[string(canonical)] = i
	return i
}

func (o *oracle) ask(q question, work func() answer) answer {
	a, ok := o.memo[q]
	if !ok {
		a = work()
		o.memo[q] = a
	}
	return a
}

// at returns a replica in an epoch, with a run of its own for what it mints.
func (o *oracle) at(x, epoch uint8, run uint64) *replica.Replica {
	r := replica.New(replica.Config{Run: run<<8 | uint64(x) + 1})
	r.Stand(replica.Standing{Epoch: uint64(epoch), Floor: uint64(max(epoch, 1)) - 1, Heard: uint64(epoch), Known: true})
	return r
}

// record is how a state is stored.
func (o *oracle) record(state uint8) []byte {
	if state == noRecord {
		return nil
	}
	res := replica.New(replica.Config{}).Do(exploreNow, nil, &replica.Op{Verb: replica.Join, Key: exploreKey, State: o.states[state]}, nil)
	return res.Record
}

// pending is how a hint is stored.
func (o *oracle) pending(h copied) []byte {
	if h.state == noRecord {
		return nil
	}
	r := replica.New(replica.Config{})
	r.Stand(replica.Standing{Known: true})
	res := r.Do(exploreNow, nil, &replica.Op{
		Verb: replica.Join, Key: exploreKey, State: o.states[h.state], Stamp: uint64(h.stamp), Pending: true, Targets: ids[:2],
	}, nil)
	return res.Record
}

func (o *oracle) stored(res replica.Result, before uint8) uint8 {
	switch {
	case res.Drop:
		return noRecord
	case res.Record == nil:
		return before
	}
	state, err := replica.StateOf(res.Record)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.intern(state)
}

func (o *oracle) held(res replica.Result, before copied) copied {
	if res.Record == nil {
		return before
	}
	_, stamp, record, err := replica.DecodePending(res.Record)
	if err != nil {
		o.t.Fatal(err)
	}
	state, err := replica.StateOf(record)
	if err != nil {
		o.t.Fatal(err)
	}
	return copied{o.intern(state), uint8(stamp)}
}

// claimsOf returns the claims of the put that minted v or w.
func (o *oracle) version(run uint64) causal.Claims {
	return causal.Claims{Vector: []causal.Entry{{Actor: causal.Actor{Run: run, Life: 1}, N: 1}}}
}

// The runs in which v and w are minted, wherever that is: they name the versions.
const runV, runW = 100<<8 | 1, 200<<8 | 1

// mint is a blind put at x. F writes into its hint.
func (o *oracle) mint(x, epoch, heard uint8, run uint64, before copied) answer {
	return o.ask(question{verb: 1, x: x, a: before, epoch: epoch, other: heard, extra: uint8(run >> 8)}, func() answer {
		r := o.at(x, epoch, 0)
		s := r.Standing()
		s.Heard = uint64(heard)
		r.Stand(s)
		r.NewRun(run)
		op := replica.Op{Verb: replica.Write, Key: exploreKey, Mint: &replica.Mint{Value: []byte{byte(run >> 8)}}}
		stored := o.record(before.state)
		if x == nodeF {
			op.Pending, op.Targets = true, ids[:2]
			stored = o.pending(before)
		}
		res := r.Do(exploreNow, stored, &op, nil)
		if res.Answer.Status != replica.Have {
			o.t.Fatalf("put at %s: %+v", ids[x], res.Answer)
		}
		all, err := causal.DecodeState(res.Answer.State)
		if err != nil {
			o.t.Fatal(err)
		}
		alone := all.Alone(causal.Claims{}, res.Answer.Dot)
		a := answer{fresh: copied{o.intern(alone.Append(nil)), uint8(res.Answer.Alone)}}
		if x == nodeF {
			h := o.held(res, before)
			a.state, a.stamp = h.state, h.stamp
		} else {
			a.state = o.stored(res, before.state)
		}
		return a
	})
}

// remove is a delete at x under the context of one version.
func (o *oracle) remove(x, epoch uint8, run uint64, before uint8) uint8 {
	return o.ask(question{verb: 2, x: x, a: copied{state: before}, epoch: epoch, extra: uint8(run >> 8)}, func() answer {
		op := replica.Op{Verb: replica.Write, Key: exploreKey, Mint: &replica.Mint{Delete: true, Context: o.version(run)}}
		res := o.at(x, epoch, 9).Do(exploreNow, o.record(before), &op, nil)
		return answer{state: o.stored(res, before)}
	}).state
}

// join brings a copy to a primary; false if it is refused.
func (o *oracle) join(x, epoch uint8, before uint8, c copied, dropped uint8) (uint8, bool) {
	a := o.ask(question{verb: 3, x: x, a: copied{state: before}, b: c, epoch: epoch, extra: dropped}, func() answer {
		r := o.at(x, epoch, 9)
		if dropped != noRecord { // and it remembers
			r.Stand(replica.Standing{Epoch: 9, Floor: 9, Known: true})
			op := o.drop(dropped, 0)
			if res := r.Do(exploreNow, o.record(dropped), &op, nil); !res.Drop {
				o.t.Fatalf("%+v", res.Answer)
			}
			r.Stand(o.at(x, epoch, 9).Standing())
		}
		res := r.Do(exploreNow, o.record(before), &replica.Op{Verb: replica.Join, Key: exploreKey, State: o.states[c.state], Stamp: uint64(c.stamp)}, nil)
		return answer{ok: res.Answer.Status == replica.Have, state: o.stored(res, before)}
	})
	return a.state, a.ok
}

// keep stores a copy at F; false if it is refused.
func (o *oracle) keep(epoch uint8, h, c copied) (copied, bool) {
	a := o.ask(question{verb: 4, a: h, b: c, epoch: epoch}, func() answer {
		op := replica.Op{Verb: replica.Join, Key: exploreKey, State: o.states[c.state], Stamp: uint64(c.stamp), Pending: true, Targets: ids[:2]}
		res := o.at(nodeF, epoch, 9).Do(exploreNow, o.pending(h), &op, nil)
		kept := o.held(res, h)
		return answer{ok: res.Answer.Status == replica.Have, state: kept.state, stamp: kept.stamp}
	})
	return copied{a.state, a.stamp}, a.ok
}

// copyOf is a copy of a primary's record, as read.
func (o *oracle) copyOf(x, epoch, state uint8) copied {
	a := o.ask(question{verb: 5, x: x, a: copied{state: state}, epoch: epoch}, func() answer {
		res := o.at(x, epoch, 9).Do(exploreNow, o.record(state), &replica.Op{Verb: replica.Read, Full: true, Key: exploreKey}, nil)
		return answer{state: o.intern(res.Answer.State), stamp: uint8(res.Answer.Stamp)}
	})
	return copied{a.state, a.stamp}
}

func (o *oracle) empty(state uint8) bool {
	return state != noRecord && o.live(state) == 0
}

// live says which of v and w a state holds.
func (o *oracle) live(state uint8) uint8 {
	if state == noRecord {
		return 0
	}
	return o.ask(question{verb: 6, a: copied{state: state}}, func() answer {
		s, err := causal.DecodeState(o.states[state])
		if err != nil {
			o.t.Fatal(err)
		}
		a := answer{}
		for i := range s.Versions {
			if s.Versions[i].Dot.Actor.Run == runV {
				a.state |= 1
			} else {
				a.state |= 2
			}
		}
		return a
	}).state
}

// merged is what a reader of two states sees.
func (o *oracle) merged(a, b uint8) uint8 {
	if a == noRecord {
		return b
	}
	s, _ := o.join(nodeA, 0, a, copied{state: max(b, 0)}, noRecord)
	if b == noRecord {
		return a
	}
	return s
}

func (o *oracle) drop(tomb, above uint8) replica.Op {
	return replica.Op{Verb: replica.Drop, Key: exploreKey, Digest: causal.Digest(o.states[tomb], o.seed), Stamp: uint64(above)}
}

// dropAt has a primary drop a tombstone; false if it does not.
func (o *oracle) dropAt(x, epoch, before, tomb, above uint8) bool {
	return o.ask(question{verb: 7, x: x, a: copied{before, tomb}, epoch: epoch, extra: above}, func() answer {
		op := o.drop(tomb, above)
		res := o.at(x, epoch, 9).Do(exploreNow, o.record(before), &op, nil)
		return answer{ok: res.Drop}
	}).ok
}

// members is a cluster of which a node is asked whether it may go on.
type members struct{ primaries []ring.NodeID }

func (m members) Primaries(uint32, *ring.Key) []ring.NodeID { return m.primaries }

func (m members) Moving(uint32) bool      { return false }
func (m members) Usable(ring.NodeID) bool { return true }

// enters asks whether a node goes on to the next epoch, given what all have shown
// and what it keeps for others.
func (o *oracle) enters(x uint8, epoch [3]uint8, h copied) bool {
	q := question{verb: 8, x: x, epoch: epoch[0], other: epoch[1], third: epoch[2]}
	if x == nodeF {
		q.a = h
	}
	return o.ask(q, func() answer {
		e := reap.NewEpochs(reap.EpochConfig{}, ids[x], ids[:], reap.Disk{Durable: reap.Durable{Epoch: uint64(epoch[x])}, Holds: true})
		var out reap.EpochEffects
		e.Begin(&out)
		show := reap.Show{}
		for i, id := range ids {
			show.Shown = append(show.Shown, reap.Shown{Node: id, Epoch: uint64(epoch[i])})
		}
		out.Reset()
		e.Hear(exploreNow, ids[(x+1)%3], &show, &out)
		e.Want(exploreNow, uint64(epoch[x])+1, &out)
		for out.Stand.Seq != 0 {
			seq := out.Stand.Seq
			out.Stand.Seq = 0
			e.Stood(exploreNow, 0, seq, uint64(q.a.stamp), q.a.state != noRecord, &out)
		}
		if out.Storing && out.Store.Epoch != uint64(epoch[x])+1 {
			o.t.Fatalf("%s in %d stores epoch %d", ids[x], epoch[x], out.Store.Epoch)
		}
		return answer{ok: out.Storing}
	}).ok
}

// decide lets a machine collect two votes; false if it does not take them for
// the same.
func (o *oracle) decide(a, b copied) (above uint8, ok bool) {
	res := o.ask(question{verb: 9, a: a, b: b}, func() answer {
		m := members{ids[:2]}
		r := reap.NewReaper(reap.Config{Delay: time.Nanosecond}, "A")
		var e reap.Effects
		r.Found(exploreNow, []replica.Mortal{{Key: exploreKey, Due: 1}}, m)
		later := exploreNow
		later.Mono += time.Second
		r.Tick(later, m, &e)
		own := e.Ops[0]
		e.Reset()
		r.Answer(later, "A", &replica.Answer{
			ID: own.ID, Verb: replica.Read, Status: replica.Have, State: o.states[a.state],
			Digest: causal.Digest(o.states[a.state], 0), Stamp: uint64(a.stamp),
		}, m, &e)
		if e.Want != 0 || len(e.Asks) != 1 {
			return answer{ok: true, stamp: uint8(max(e.Want, 2) - 2)} // without B's vote
		}
		peer := e.Asks[0].Op
		e.Reset()
		r.Answer(later, "B", &replica.Answer{
			ID: peer.ID, Verb: replica.Read, Status: replica.Have, Digest: causal.Digest(o.states[b.state], 0), Stamp: uint64(b.stamp),
		}, m, &e)
		return answer{ok: e.Want != 0, stamp: uint8(max(e.Want, 2) - 2)}
	})
	return res.stamp, res.ok
}
