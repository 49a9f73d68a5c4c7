package replica

import (
	"bytes"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/typed"
)

// fold answers with the whole record and its live actor, which is what a node needs
// to know of all primaries before it folds the shares of ended actors. Asked to fold
// some it does so if all of them are there yet and nothing is taken any more that may
// have been folded elsewhere (RULES R8).
func (c *call) fold() Result {
	a, held := c.held()
	if !held {
		return Result{Answer: a}
	}
	old := &c.Replica.stored
	if change, ok := typed.Fold(old, c.op.Dots); ok && c.standing.Floor > c.op.Stamp {
		return c.folded(change)
	}
	if len(c.op.Dots) == 0 {
		a.State = bytes.Clone(c.canonical)
		if c.live >= 0 {
			a.Dot = causal.Dot{Actor: old.Vector[c.live].Actor, N: old.Vector[c.live].N}
		}
	}
	return Result{Answer: a}
}

// folded stores what folding made.
func (c *call) folded(change typed.Change) Result {
	for i := range change.Mints {
		v := &change.Mints[i]
		v.Sum = causal.SumValue(c.cfg.Seed, v.ContentType, v.Value)
	}
	actor := c.actor(causal.Claims{})
	c.result.SetMintAll(&c.Replica.stored, causal.ClaimsOf(change.Covers), change.Mints, actor, c.now.Wall)
	c.count(fact.Folded, len(change.Covers))
	res := c.store(&c.result, c.result.Index(actor))
	res.Answer.Found = true
	return res
}

// crowded reports whether some number has more shares than there should be.
func (r *Replica) crowded(s *causal.State) bool {
	return len(s.Vector) > r.cfg.MaxShares && typed.Crowded(s, r.cfg.MaxShares)
}
