package replica

import (
	"bytes"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
)

// Standing is where a node stands in the epochs by which tombstones are reaped
// (RULES E1). Nodes go from epoch to epoch no further than one apart. One that
// is in an epoch holds no pending record stamped below it and keeps none.
type Standing struct {
	// Epoch is what this node's own records and fresh versions are stamped with,
	// and the lowest stamp that it keeps for others.
	Epoch uint64
	// Floor is the lowest stamp that is joined into this node's own records.
	Floor uint64
	// Heard is the highest epoch that any member is known to have shown.
	Heard uint64
	// Born is the epoch in which this disk was filled anew: what it kept before
	// it knew, it minted itself in that epoch.
	Born uint64
	// Known says that a member was heard of since this process started.
	Known bool
}

// Stand puts the replica into an epoch, for operations from now on. Whatever it
// was stamped before stays as it is.
func (r *Replica) Stand(s Standing) { r.standing = s }

// Standing returns where the replica stands.
func (r *Replica) Standing() Standing { return r.standing }

// StampOf returns the stamp in a stored pending record, false where there is none
// to read.
func StampOf(stored []byte) (uint64, bool) {
	stamp, _, err := pendingStamp(stored)
	return stamp, err == nil
}

// Of returns the stamp that a pending record counts as having: a disk that is filled
// anew has kept nothing older than itself.
func (s *Standing) Of(stamp uint64) uint64 { return max(stamp, s.Born) }

// alone is the stamp under which a fresh version may be sent by itself.
func (s *Standing) alone(pending bool) uint64 {
	if pending {
		return max(s.Epoch, s.Heard)
	}
	return s.Epoch + 1
}

// takes is the stamp of what a Write or Join on a pending record brings.
func (c *call) takes() uint64 {
	if c.op.Verb == Join {
		return c.op.Stamp
	}
	return c.standing.Epoch
}

// late refuses a state that is too old to be taken: what it shows may have been
// deleted, and the tombstone reaped. A tombstone that was reaped here is taken
// and not stored: another primary has it yet.
func (c *call) late() (Result, bool) {
	if c.op.Verb != Join && c.op.Verb != Heal {
		return Result{}, false
	}
	if c.op.Verb == Join && c.stored == nil && !c.op.Pending && c.reaped.is(c.op, c.cfg.Seed, c.now.Mono) {
		a := c.answer(Have)
		a.Digest = causal.Digest(c.op.State, c.cfg.Seed)
		return Result{Answer: a}, true
	}
	if c.op.Verb == Heal && bytes.Equal(c.op.State, causal.State{}.Append(nil)) {
		return Result{}, false // that there is nothing is never too old
	}
	s := &c.standing
	least := s.Floor
	switch {
	case s.Epoch == 0 && !s.Known && c.op.Stamp > 0:
		return Result{Answer: c.answer(DontKnow)}, true // its disk may be new, and the floor unknown
	case c.op.Pending:
		least = s.Epoch
	}
	if c.op.Stamp >= least {
		return Result{}, false
	}
	c.state(fact.Fact{Kind: fact.TooOld, N: int(least)})
	res := c.failed(Stale)
	res.Answer.Stamp = least
	return res, true
}
