package replica

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
)

// Beside is [Replica.Do] for a record that fails its checksum: stored is the side
// record of the key, which takes what comes until the record is had from others
// (RULES R10, H9). Until then the record is recovering alone. The result is to be
// stored under the key of the side record; that of a Heal, which is not to be
// asked for a side record, under the key itself, and the side record goes.
func (r *Replica) Beside(now clock.Now, side []byte, op *Op, facts *[]fact.Fact) Result {
	c := call{Replica: r, now: now, stored: side, op: op, facts: facts, live: -1, recovering: true, beside: true, stamp: r.standing.Epoch}
	if res, over := c.late(); over {
		return res
	}
	if op.Verb == Heal && side != nil {
		if _, err := DecodeRecord(side); err != nil {
			c.stored = nil // nothing is left to keep of it
		}
	}
	if op.Verb == Heal && op.Alone && c.stored == nil {
		return c.failed(Corrupt)
	}
	res := c.do()
	if res.Answer.Status == Failed && op.Verb != Heal {
		return res
	}
	if op.Verb == Heal && res.Answer.Status == Have {
		c.healed(&res)
		return res
	}
	res.Answer.Rotten = &Rotten{op.Partition, op.Key}
	return res
}

// healed sees to it that there is a record to store, whether or not the state
// added anything to the side record, and without its live actor: the life of the
// record has ended (RULES R2). Request ids of what is lost with the record speak for
// nothing any more.
func (c *call) healed(res *Result) {
	s := c.Replica.stored // as the side record has it
	if res.Record != nil {
		s, _ = DecodeRecord(res.Record) // made here
	} else if c.load() == nil {
		s = c.Replica.stored
	}
	c.tokens.forget(func(a *tokenAge, dot causal.Dot) bool {
		return a.key.pos == c.op.Key.Pos.Lo && (dot.IsZero() || !s.Covers(dot))
	})
	res.Record, res.Drop = newRecord(&s, -1), false
	if s.IsEmpty() {
		res.Record, res.Drop = nil, true
	}
	c.count(fact.Healed, 1)
}
