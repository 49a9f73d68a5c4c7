package replica

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/merkle"
)

// weigh fills in what becomes of the leaf.
func (c *call) weigh(res *Result) {
	corrupt := res.Answer.Status == Failed && res.Answer.Reason == Corrupt
	if res.Record == nil && !res.Drop && !corrupt {
		return
	}
	var before merkle.Sum
	if c.stored != nil {
		var err error
		if _, before, err = c.Member(c.op.Key.Name, c.stored); err != nil {
			res.Unreadable = true
			return
		}
	}
	if c.stored != nil {
		res.Members--
	}
	switch {
	case res.Record != nil:
		res.Members++
		res.Leaf = merkle.Sub(merkle.Member(c.cfg.Seed, c.op.Key.Name, res.Answer.Digest), before)
	case res.Drop:
		res.Leaf = merkle.Sub(merkle.Sum{}, before)
	}
}

// Member returns the digest of the state in a stored record and what it adds to
// its leaf. The error is a [DamageError].
func (r *Replica) Member(name string, stored []byte) (digest, sum merkle.Sum, err error) {
	state, err := StateOf(stored)
	if err != nil {
		return merkle.Sum{}, merkle.Sum{}, err
	}
	digest = causal.Digest(state, r.cfg.Seed)
	return digest, merkle.Member(r.cfg.Seed, name, digest), nil
}

// Unreadable returns what a stored record that can't be read adds to its leaf: what no
// record adds that can be. So the leaf is like that of no other replica, and whoever
// compares comes to the record, and hears that it can't be read (RULES R26).
func (r *Replica) Unreadable(name string, stored []byte) merkle.Sum {
	return merkle.Member(r.cfg.Seed, name, causal.Digest(stored, r.cfg.Seed))
}
