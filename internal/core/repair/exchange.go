package repair

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// step is what is under way for a key. They follow each other: what the peer has
// is fetched and joined here, and what is here then is loaded and given to it.
// Where only one side has the key the other half falls away.
type step uint8

const (
	fetching step = iota // the peer's state is read
	joining              // it is joined here
	loading              // the state here is read
	giving               // it is joined at the peer
)

// flight is a key being exchanged.
type flight struct {
	differing
	step step
	id   uint64
	sent time.Duration
}

// exchange exchanges the keys that differ; false when none is left.
func (r *Repair) exchange(now clock.Now, t *talk, e *Effects) bool {
	t.paced = false
	window := r.window(t)
	for len(t.keys) > 0 && len(t.flights) < window {
		if t.paced = now.Mono+burst < *r.freeAt(t); t.paced {
			break
		}
		t.flights = append(t.flights, flight{differing: t.keys[0]})
		t.keys = t.keys[1:]
		f := &t.flights[len(t.flights)-1]
		if f.there && !t.out.Push {
			r.do(now, t, f, fetching, replica.Op{Verb: replica.Read, Full: true}, e)
		} else {
			r.do(now, t, f, loading, replica.Op{Verb: replica.Read, Full: true}, e)
		}
	}
	return len(t.keys) > 0 || len(t.flights) > 0
}

// do does one step.
func (r *Repair) do(now clock.Now, t *talk, f *flight, s step, op replica.Op, e *Effects) {
	f.step, f.id, f.sent = s, r.seq, now.Mono
	r.seq++
	op.ID, op.Partition, op.Key = f.id, t.out.Partition, f.key
	if s == fetching || s == giving {
		e.Asks = append(e.Asks, Ask{To: t.out.Peer, Op: op})
	} else {
		e.Ops = append(e.Ops, op)
	}
}

// flight returns the place of what an answer is for, or -1.
func (t *talk) flight(from ring.NodeID, a *replica.Answer) int {
	return slices.IndexFunc(t.flights, func(f flight) bool {
		there := f.step == fetching || f.step == giving
		verb := replica.Read
		if f.step == joining || f.step == giving {
			verb = replica.Join
		}
		return f.id == a.ID && a.Verb == verb && (there && from == t.out.Peer || !there && from == "")
	})
}

// exchanged takes the answer of one step and begins the next.
func (r *Repair) exchanged(now clock.Now, t *talk, i int, a *replica.Answer, e *Effects) {
	f := &t.flights[i]
	if a.Status == replica.Failed {
		r.failed(now, t, i, a.Reason, e)
		return
	}
	switch f.step {
	case fetching:
		f.theirs = a.Digest
		r.pace(now, t, len(a.State))
		if a.State != nil {
			r.do(now, t, f, joining, replica.Op{Verb: replica.Join, State: a.State, Stamp: a.Stamp}, e)
			return
		}
		if f.there = false; f.here { // it has forgotten it since
			r.do(now, t, f, loading, replica.Op{Verb: replica.Read, Full: true}, e)
			return
		}
	case joining:
		if a.Status != replica.Have {
			r.end(now, t, "here: it does not say that it stored a state", e) // a new node that knows no epoch yet takes none
			return
		}
		if a.Digest != f.mine {
			t.out.Pulled++
		}
		if a.Digest != f.theirs {
			r.do(now, t, f, loading, replica.Op{Verb: replica.Read, Full: true}, e)
			return
		}
	case loading:
		r.pace(now, t, len(a.State))
		if a.State != nil {
			r.do(now, t, f, giving, replica.Op{Verb: replica.Join, State: a.State, Stamp: a.Stamp}, e)
			return
		}
	case giving:
		if a.Status != replica.Have || !a.Durable {
			r.end(now, t, "it does not say that it stored a state", e)
			return
		}
		t.out.Pushed++
	}
	t.flights = slices.Delete(t.flights, i, i+1)
}

// failed takes a failure. One that is the key's own leaves the others as they
// are; any other will come again, and ends the comparison.
func (r *Repair) failed(now clock.Now, t *talk, i int, why replica.Reason, e *Effects) {
	s := t.flights[i].step
	words := why.String()
	if s == joining || s == loading {
		words = "here: " + words
	}
	if why != replica.Corrupt && why != replica.Stale {
		r.end(now, t, words, e)
		return
	}
	t.wrong = words
	t.flights = slices.Delete(t.flights, i, i+1)
}
