package replica

import (
	"bytes"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
)

// join merges a state. No limit refuses one: what another replica has stored
// must find its place here too (RULES R37).
func (c *call) join() Result {
	if c.stored == nil {
		return c.joinAbsent()
	}
	canonical, _, err := open(c.stored)
	if err != nil {
		return c.rotten(err)
	}
	if bytes.Equal(canonical, c.op.State) {
		c.canonical = canonical
		c.rememberDelete()
		return c.unchanged(false)
	}
	if err := c.load(); err != nil {
		return c.rotten(err)
	}
	old := &c.Replica.stored
	if c.lacks(&old.Claims) {
		return c.failed(Lacking)
	}
	if err := c.incoming.Decode(c.op.State); err != nil {
		return c.damaged(err)
	}
	report := c.result.SetJoin(old, &c.incoming)
	c.count(fact.DotReused, report.DotReused)
	c.count(fact.ExceptionDropped, report.Exceptions)
	c.remember(&old.Claims)
	res := c.store(&c.result, c.liveIn(&c.result))
	if bytes.Equal(res.Answer.State, c.canonical) {
		return c.unchanged(false)
	}
	res.Crowded = len(c.result.Vector) > len(old.Vector) && c.crowded(&c.result)
	res.Answer.State = nil
	return res
}

// joinAbsent stores a state where nothing is. Its actors are all strangers, even
// one of this run: the record that knew it was forgotten (RULES R2).
func (c *call) joinAbsent() Result {
	if c.lacks(&causal.Claims{}) {
		return c.failed(Lacking)
	}
	if err := c.incoming.Decode(c.op.State); err != nil {
		return c.damaged(err)
	}
	c.remember(nil)
	if c.incoming.IsEmpty() {
		return c.unchanged(false)
	}
	record := recordOf(c.op.State)
	a := c.answer(Have)
	a.Digest = causal.Digest(c.op.State, c.cfg.Seed)
	a.Stamp = c.stamp
	return Result{Answer: a, Record: record, Due: Due(&c.incoming), Crowded: c.crowded(&c.incoming)}
}

// remember keeps the request ids of the versions that are new here: those the
// stored record has not seen.
func (c *call) remember(seen *causal.Claims) {
	versions := c.incoming.Versions
	for i := range versions {
		if v := &versions[i]; v.Request != 0 && (seen == nil || !seen.Covers(v.Dot)) {
			c.tokens.add(v.Request, c.op, v.Dot, c.now.Mono)
		}
	}
	c.rememberDelete()
}

// rememberDelete keeps the request id of a delete, which no version carries.
func (c *call) rememberDelete() {
	c.tokens.add(c.op.Request, c.op, causal.Dot{}, c.now.Mono)
}
