package replica

import (
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
)

// reap drops a tombstone if it is still the one that all primaries voted for and
// nothing older than it is taken here any more (RULES E2). Its actors' lives end
// with it (R2).
func (c *call) reap() Result {
	a, held := c.held()
	if !held {
		a.Found = a.Status == Absent && c.reaped.holds(c.op, c.now.Mono)
		return Result{Answer: a}
	}
	if len(c.Replica.stored.Versions) > 0 || a.Digest != c.op.Digest || c.standing.Floor <= c.op.Stamp {
		return Result{Answer: a}
	}
	a.Found = true
	c.reaped.add(c.op, c.now.Mono)
	c.count(fact.Reaped, 1)
	return Result{Answer: a, Drop: true}
}

// Due returns from when on nothing is shown of a state, on the wall clock in
// milliseconds: 1 where nothing is shown, 0 where something always will be. In an
// lww bucket a delete is a version: where it is the greatest nothing is shown
// (RULES R23); a siblings bucket has none.
func Due(s *causal.State) int64 {
	if at, ok := typed.Ends(s); ok {
		return at
	}
	at := int64(1)
	for i := range s.Versions {
		switch v := &s.Versions[i]; {
		case v.Deleted:
			if latest, _ := s.Latest(); latest.Deleted {
				return 1
			}
		case v.Expiry == 0:
			at = 0
		case at != 0:
			at = max(at, v.Expiry)
		}
	}
	return at
}

// held loads the record that is to be dropped or folded, and answers with its digest;
// false where there is none, it can't be read, or this replica does not know.
func (c *call) held() (a Answer, held bool) {
	switch {
	case c.op.Pending:
		return c.failed(Corrupt).Answer, false
	case c.recovering:
		return c.answer(DontKnow), false
	case c.stored == nil:
		return c.answer(Absent), false
	}
	if err := c.load(); err != nil {
		return c.rotten(err).Answer, false
	}
	a = c.answer(Have)
	a.Digest, a.Stamp = causal.Digest(c.canonical, c.cfg.Seed), c.stamp
	return a, true
}

// Mortal is a record of which nothing is shown any more, or nothing will be; or one
// of which a part may go.
type Mortal struct {
	Partition uint32
	Key       ring.Key
	Due       int64 // as [Due] says; 0: some is to be shown for ever
	Crowded   bool  // a number in it has shares to be folded
}

// Sweep is what a look through some of the node's own records found.
type Sweep struct {
	Found []Mortal
	Bytes int    // looked at
	Next  []byte // where the next one goes on; nil: these were the last
	Err   error  // why it ended early; Next is then nil
}

// MortalOf is [Due] of a stored record, and whether a number in it has shares to be
// folded; 0 and false also of one that cannot be read.
func (r *Replica) MortalOf(stored []byte) (due int64, crowded bool) {
	canonical, _, err := open(stored)
	if err != nil || r.result.Decode(canonical) != nil {
		return 0, false
	}
	return Due(&r.result), r.crowded(&r.result)
}

// reaped remembers the tombstones that were dropped of late (RULES, Reaping):
// until all primaries have dropped one, it is not stored again where it was.
type reaped struct {
	ttl   time.Duration
	max   int
	sums  map[ring.Position]tombstone
	queue []ring.Position // by age
}

type tombstone struct {
	sum causal.Sum
	at  time.Duration
}

func (t *reaped) add(op *Op, now time.Duration) {
	if _, ok := t.sums[op.Key.Pos]; !ok {
		if len(t.queue) >= t.max {
			delete(t.sums, t.queue[0])
			t.queue = t.queue[1:]
		}
		t.queue = append(t.queue, op.Key.Pos)
	}
	t.sums[op.Key.Pos] = tombstone{op.Digest, now}
}

// holds reports whether the tombstone that a Drop names was dropped here.
func (t *reaped) holds(op *Op, now time.Duration) bool {
	s, ok := t.sums[op.Key.Pos]
	return ok && s.sum == op.Digest && now-s.at <= t.ttl
}

// is reports whether the state in a Join is a tombstone that was dropped here.
func (t *reaped) is(op *Op, seed uint64, now time.Duration) bool {
	s, ok := t.sums[op.Key.Pos]
	return ok && now-s.at <= t.ttl && s.sum == causal.Digest(op.State, seed)
}
