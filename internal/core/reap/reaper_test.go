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

// peers are three primaries, of which some are away.
type peers struct {
	away   map[ring.NodeID]bool
	moving bool
}

func (p peers) Primaries(uint32, *ring.Key) []ring.NodeID { return []ring.NodeID{"A", "B", "C"} }
func (p peers) Usable(id ring.NodeID) bool                { return !p.away[id] }
func (p peers) Moving(uint32) bool                        { return p.moving }

// bench is a reaper at A with a tombstone to reap.
type bench struct {
	t       *testing.T
	now     clock.Now
	r       *reap.Reaper
	p       peers
	e       reap.Effects
	tomb    []byte
	digest  causal.Sum
	wanted  uint64
	byAsked map[ring.NodeID]replica.Op
}

func newBench(t *testing.T) *bench {
	o := newOracle(t)
	put := o.mint(nodeA, 0, 0, runV, copied{})
	b := &bench{
		t: t, now: exploreNow, p: peers{away: map[ring.NodeID]bool{}}, tomb: o.states[o.remove(nodeA, 0, runV, put.state)],
		r: reap.NewReaper(reap.Config{Delay: time.Second}, "A"), byAsked: map[ring.NodeID]replica.Op{},
	}
	b.digest = causal.Digest(b.tomb, 0)
	b.r.Found(b.now, []replica.Mortal{{Key: exploreKey, Due: 1}}, b.p)
	return b
}

// pass lets time pass and takes what is asked.
func (b *bench) pass(d time.Duration) {
	b.now.Mono += d
	b.now.Wall += d.Milliseconds()
	b.r.Tick(b.now, b.p, &b.e)
	b.take()
}

func (b *bench) take() {
	for _, op := range b.e.Ops {
		b.byAsked["A"] = op
	}
	for _, a := range b.e.Asks {
		b.byAsked[a.To] = a.Op
	}
	b.wanted = max(b.wanted, b.e.Want)
	b.e.Reset()
}

// answer has a node answer what it was asked last.
func (b *bench) answer(from ring.NodeID, a replica.Answer) {
	b.t.Helper()
	op, ok := b.byAsked[from]
	if !ok {
		b.t.Fatalf("%s was asked nothing", from)
	}
	delete(b.byAsked, from)
	a.ID, a.Verb = op.ID, op.Verb
	b.r.Answer(b.now, from, &a, b.p, &b.e)
	b.take()
}

func (b *bench) votes(from ring.NodeID, stamp uint64) {
	b.t.Helper()
	a := replica.Answer{Status: replica.Have, Digest: b.digest, Stamp: stamp}
	if from == "A" {
		a.State = b.tomb
	}
	b.answer(from, a)
}

func TestVotesThenEpochsThenDrop(t *testing.T) {
	b := newBench(t)
	b.pass(time.Second)
	b.votes("A", 4)
	b.votes("B", 5)
	if b.wanted != 0 {
		t.Fatal("it was decided without C")
	}
	b.votes("C", 4)
	if b.wanted != 8 {
		t.Fatalf("votes of 4, 5 and 4: epoch %d is waited for, not 8", b.wanted)
	}
	b.r.Stand(b.now, 6)
	b.pass(0)
	if len(b.byAsked) != 0 {
		t.Fatalf("with the floor at 6 %v are asked", b.byAsked)
	}
	b.r.Stand(b.now, 7)
	b.pass(0)
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		if op := b.byAsked[id]; op.Verb != replica.Drop || op.Digest != b.digest || op.Stamp != 6 {
			t.Fatalf("%s is asked %+v", id, op)
		}
		b.answer(id, replica.Answer{Status: replica.Have, Found: true, Digest: b.digest})
	}
	if left := b.r.Backlog(); left.Keys != 0 {
		t.Errorf("%+v is left", left)
	}
}

// TestATombstoneBesideItsOwnDrop: a key is deleted again while all are told to drop the
// tombstone, or while the record is looked at. Nobody else has that one in mind.
func TestATombstoneBesideItsOwnDrop(t *testing.T) {
	again := func(b *bench) { b.r.Found(b.now, []replica.Mortal{{Key: exploreKey, Due: 1}}, b.p) }
	for name, race := range map[string]func(b *bench){
		"dropped": func(b *bench) {
			b.pass(time.Second)
			for _, id := range []ring.NodeID{"A", "B", "C"} {
				b.votes(id, 4)
			}
			b.r.Stand(b.now, 7)
			b.pass(0)
			again(b)
			for _, id := range []ring.NodeID{"A", "B", "C"} {
				b.answer(id, replica.Answer{Status: replica.Have, Found: true, Digest: b.digest})
			}
		},
		"looked at": func(b *bench) {
			b.pass(time.Second)
			again(b)
			b.answer("A", replica.Answer{Status: replica.Absent})
		},
	} {
		b := newBench(t)
		race(b)
		if left := b.r.Backlog(); left.Keys != 1 {
			t.Errorf("%s: %+v is left", name, left)
			continue
		}
		b.pass(time.Second)
		if op := b.byAsked["A"]; op.Verb != replica.Read {
			t.Errorf("%s: then %+v", name, op)
		}
		b.answer("A", replica.Answer{Status: replica.Absent})
		if left := b.r.Backlog(); left.Keys != 0 {
			t.Errorf("%s: in the end %+v is left", name, left)
		}
	}
}

// Nothing is reaped while a primary is away, does not answer, does not know, or
// fails; and the backlog says who it is.
func TestNoVoteWithoutAllPrimaries(t *testing.T) {
	for name, spoil := range map[string]func(b *bench){
		"away":     func(b *bench) { b.p.away["C"] = true; b.pass(time.Second) },
		"silent":   func(b *bench) { b.pass(time.Second); b.votes("A", 1); b.votes("B", 1); b.pass(5 * time.Second) },
		"leaves":   func(b *bench) { b.pass(time.Second); b.votes("A", 1); b.votes("B", 1); b.r.Down(b.now, "C", b.p, &b.e) },
		"does not": func(b *bench) { b.pass(time.Second); b.votes("A", 1); b.votes("B", 1); b.answer("C", unsure(b)) },
		"fails": func(b *bench) {
			b.pass(time.Second)
			b.votes("A", 1)
			b.votes("B", 1)
			b.answer("C", replica.Answer{Status: replica.Failed, Reason: replica.IOError})
		},
	} {
		b := newBench(t)
		spoil(b)
		if b.wanted != 0 {
			t.Errorf("%s: it was decided without C", name)
		}
		if left := b.r.Backlog(); left.Keys != 1 || left.Voted != 0 || left.Blocked != "C" || left.Why == "" {
			t.Errorf("%s: %+v", name, left)
		}
		b.p.away["C"] = false
		clear(b.byAsked)
		b.pass(2 * time.Minute)
		for _, id := range []ring.NodeID{"A", "B", "C"} {
			b.votes(id, 1)
		}
		if b.wanted == 0 {
			t.Errorf("%s: nothing came of it afterwards", name)
		}
	}
}

// While a partition moves nothing of it is voted on or dropped; it goes on later.
func TestNoVoteWhileThePartitionMoves(t *testing.T) { // RULES E2
	b := newBench(t)
	b.p.moving = true
	b.pass(time.Second)
	if len(b.byAsked) != 0 {
		t.Fatalf("%v are asked", b.byAsked)
	}
	b.p.moving = false
	b.pass(2 * time.Second)
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		b.votes(id, 1)
	}
	if b.wanted == 0 {
		t.Fatal("nothing came of it afterwards")
	}
	b.p.moving = true
	clear(b.byAsked)
	b.r.Stand(b.now, 9)
	b.pass(time.Second)
	if len(b.byAsked) != 0 {
		t.Fatalf("%v are told to drop it", b.byAsked)
	}
}

// Votes of those who held the partition are none of those who hold it now.
func TestVotesAreVoidWhereTheListsChange(t *testing.T) { // RULES E2
	for votes := range 4 {
		b := newBench(t)
		b.pass(time.Second)
		for _, id := range []ring.NodeID{"A", "B", "C"}[:votes] {
			b.votes(id, 1)
		}
		clear(b.byAsked)
		b.r.Changed(b.now, func(p uint32) bool { return p == 1 })
		if left := b.r.Backlog(); (left.Voted == 1) != (votes == 3) {
			t.Fatalf("%d votes: it was not its partition: %+v", votes, left)
		}
		b.r.Changed(b.now, func(p uint32) bool { return p == 0 })
		b.r.Stand(b.now, 9)
		b.pass(time.Second)
		if _, dropped := b.byAsked["B"]; dropped || b.byAsked["A"].Verb != replica.Read {
			t.Fatalf("%d votes: %v are asked", votes, b.byAsked)
		}
	}
}

func unsure(b *bench) replica.Answer {
	return replica.Answer{Status: replica.DontKnow, Digest: b.digest, Stamp: 1}
}

// A primary that holds something else gets the tombstone, and what it holds comes
// here; then votes are asked for again.
func TestUnequalPrimariesAreBroughtTogether(t *testing.T) {
	b := newBench(t)
	b.pass(time.Second)
	b.votes("A", 1)
	b.votes("B", 1)
	other := []byte("another state")
	b.answer("C", replica.Answer{Status: replica.Have, Digest: causal.Sum{Lo: 9}, Stamp: 2})
	if op := b.byAsked["C"]; op.Verb != replica.Read || !op.Full {
		t.Fatalf("C is asked %+v, not for its state", op)
	}
	b.answer("C", replica.Answer{Status: replica.Have, Digest: causal.Sum{Lo: 9}, Stamp: 2, State: other})
	if op := b.byAsked["A"]; op.Verb != replica.Join || !op.Silent || string(op.State) != string(other) || op.Stamp != 2 {
		t.Errorf("A is asked %+v", op)
	}
	if op := b.byAsked["C"]; op.Verb != replica.Join || !op.Silent || string(op.State) != string(b.tomb) || op.Stamp != 1 {
		t.Errorf("C is asked %+v", op)
	}
	if b.wanted != 0 {
		t.Error("it was decided")
	}
}
