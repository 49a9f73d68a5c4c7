package coord

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// round numbers the asks that a machine may make of one replica. It asks each
// at most once a round, so that round and place name an ask.
type round uint8

const (
	recallRound round = 1 + iota // Put: was this request stored before?
	fetchRound                   // Put: the state that has it
	writeRound                   // Put: the mint at the own disk
	joinRound                    // Put: the state at the others
	firstRound                   // Get: everybody
	againRound                   // Get: the state behind a digest
	settleRound                  // Get: the merged state, before a strict answer
	aloneRound                   // Put: what it did, without the rest of the record
	wholeRound                   // Put: the whole record, to one that a delta was not enough for
	syncRound                    // Put: the record once more, to one that is to have it on disk after all
	rounds
)

// asks returns what a round asks of a replica.
func (r round) asks() replica.Verb {
	switch r {
	case recallRound:
		return replica.Recall
	case writeRound:
		return replica.Write
	case joinRound, settleRound, aloneRound, wholeRound, syncRound:
		return replica.Join
	default:
		return replica.Read
	}
}

// AskBits is how many low bits of an operation's id a machine uses for itself:
// they are zero in the ticket it is given.
const AskBits = 8

// placeBits number a replica within its round; MaxSlots fits.
const placeBits = 4

// op makes an operation for replica i and notes that its answer is awaited. One
// that is no primary works on its pending record.
func (c *common) op(now clock.Now, r round, i int) replica.Op {
	c.waiting[r].add(i)
	c.at[i] = now.Mono
	o := replica.Op{
		ID:   c.ticket | uint64(r)<<placeBits | uint64(i),
		Verb: r.asks(), Partition: c.part, Key: c.key, Background: c.aside,
	}
	if i >= c.prim {
		o.Pending = true
		if o.Verb == replica.Write || o.Verb == replica.Join {
			o.Targets = c.targets(i)
		}
	}
	return o
}

// match returns which ask an answer belongs to; false for a stranger's, a
// duplicate, and one that nobody waits for any more.
func (c *common) match(from ring.NodeID, a *replica.Answer) (round, int, bool) {
	low := a.ID & (1<<AskBits - 1)
	r, i := round(low>>placeBits), int(low&(1<<placeBits-1))
	if c.done || a.ID>>AskBits != c.ticket>>AskBits || r == 0 || r >= rounds || i >= c.n {
		return 0, 0, false
	}
	if c.ids[i] != from || a.Verb != r.asks() || !c.waiting[r].has(i) {
		return 0, 0, false
	}
	return r, i, true
}
