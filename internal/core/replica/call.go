package replica

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
)

// call is one call of Do.
type call struct {
	*Replica
	now    clock.Now
	stored []byte
	op     *Op
	facts  *[]fact.Fact

	recovering bool
	beside     bool   // stored is what was written beside a record that can't be read
	canonical  []byte // of the stored state
	live       int    // index of the live actor's entry in it, or -1
	stamp      uint64 // of the state that an answer shows
}

// do carries out a verb on an ordinary record.
func (c *call) do() Result {
	switch c.op.Verb {
	case Write:
		return c.write()
	case Join, Heal:
		return c.join()
	case Read:
		return c.read()
	case Recall:
		return c.recall()
	case Drop:
		return c.reap()
	case Fold:
		return c.fold()
	default: // Paid is for pending records only
		return c.failed(Corrupt)
	}
}

// load decodes the stored record into r.stored and finds its live actor.
func (c *call) load() error {
	s := &c.Replica.stored
	if c.stored == nil {
		*s = causal.State{Claims: causal.Claims{Vector: s.Vector[:0], Exceptions: s.Exceptions[:0]}, Versions: s.Versions[:0]}
		return nil
	}
	canonical, local, err := open(c.stored)
	if err == nil {
		err = s.Decode(canonical)
	}
	if err == nil && local > len(s.Vector) {
		err = errLive
	}
	if err != nil {
		return err
	}
	c.canonical = canonical
	// An actor of another run ended with it (RULES R2).
	if local > 0 && s.Vector[local-1].Actor.Run == c.cfg.Run {
		c.live = local - 1
	}
	return nil
}

func (c *call) answer(s Status) Answer {
	return Answer{ID: c.op.ID, Verb: c.op.Verb, Status: s, Recovering: c.recovering}
}

func (c *call) failed(why Reason) Result {
	a := c.answer(Failed)
	a.Reason = why
	return Result{Answer: a}
}

// damaged is the answer where the state in a message is no such thing.
func (c *call) damaged(err error) Result {
	c.state(fact.Fact{Kind: fact.Damaged, Note: c.op.Key.Bucket + ": " + err.Error()})
	return c.failed(Corrupt)
}

// rotten is the answer where the record can't be read.
func (c *call) rotten(err error) Result {
	res := c.damaged(err)
	if !c.op.Pending {
		res.Answer.Rotten = &Rotten{c.op.Partition, c.op.Key}
	}
	return res
}

// state states a fact.
func (c *call) state(f fact.Fact) {
	if c.facts == nil {
		return
	}
	f.Ticket, f.At = c.op.ID, c.now.Mono
	*c.facts = append(*c.facts, f)
}

// count states a fact about n things, if there are any.
func (c *call) count(k fact.Kind, n int) {
	if n > 0 {
		c.state(fact.Fact{Kind: k, N: n})
	}
}

// store is the answer where s is to be stored; live is its live actor's entry,
// or -1.
func (c *call) store(s *causal.State, live int) Result {
	record := newRecord(s, live)
	a := c.answer(Have)
	a.State = stateIn(record)
	a.Digest = causal.Digest(a.State, c.cfg.Seed)
	a.Stamp = c.stamp
	return Result{Answer: a, Record: record, Due: Due(s)}
}

// unchanged is the answer where the stored state stays as it is.
func (c *call) unchanged(withState bool) Result {
	a := c.answer(Have)
	a.Stamp = c.stamp
	state := c.canonical
	if c.stored == nil {
		state = causal.State{}.Append(nil)
	}
	a.Digest = causal.Digest(state, c.cfg.Seed)
	if withState {
		a.State = append([]byte(nil), state...)
	}
	return Result{Answer: a}
}
