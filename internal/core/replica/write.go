package replica

import (
	"math"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
)

// write mints a version under a context, or removes what the context covers.
func (c *call) write() Result {
	if c.op.Mint == nil {
		return c.failed(Corrupt)
	}
	if err := c.load(); err != nil {
		return c.rotten(err)
	}
	if dot, ok := c.known(); ok {
		c.state(fact.Fact{Kind: fact.Known, Note: dot.String()})
		res := c.unchanged(true)
		res.Answer.Found, res.Answer.Dot = true, dot
		if c.op.Mint.Update != nil {
			res.Answer.Updated = c.shown(&c.Replica.stored, 0)
		}
		return res
	}
	var res Result
	if c.op.Mint.Delete && !c.op.Mint.LWW {
		res = c.remove()
	} else {
		res = c.mint()
	}
	res.Answer.Alone = c.standing.alone(c.op.Pending)
	return res
}

// known looks for the request id in what this replica remembers and in the
// stored versions, which outlive its memory (RULES R29).
func (c *call) known() (causal.Dot, bool) {
	if c.op.Request == 0 {
		return causal.Dot{}, false
	}
	versions := c.Replica.stored.Versions
	for i := range versions {
		if versions[i].Request == c.op.Request {
			return versions[i].Dot, true
		}
	}
	t, found := c.tokens.find(c.op.Request, &c.op.Key, c.now.Mono)
	if !found || !c.holdsYet(t) {
		return causal.Dot{}, false
	}
	return t.dot, true
}

func (c *call) mint() Result {
	if c.op.Mint.Update != nil {
		return c.update()
	}
	m, old := c.op.Mint, &c.Replica.stored
	ctx := m.Context
	if m.LWW {
		ctx = old.Union(ctx)
	} else if c.tooMany(ctx) {
		return c.failed(TooManySiblings)
	}
	v := causal.Version{Request: c.op.Request, Expiry: m.Expiry, Deleted: m.Delete, ContentType: m.ContentType, Value: m.Value}
	v.Sum = causal.SumValue(c.cfg.Seed, v.ContentType, v.Value)
	actor := c.actor(ctx)
	report := c.result.SetMint(old, ctx, v, actor, c.now.Wall, c.cfg.Limits)
	c.state(fact.Fact{Kind: fact.Minted, Note: report.Dot.String()})
	c.count(fact.Pruned, report.Pruned)
	c.count(fact.ExceptionDropped, report.Exceptions)
	c.tokens.insert(c.op.Request, c.op, report.Dot, c.now.Mono)
	res := c.store(&c.result, c.result.Index(actor))
	res.Answer.Dot = report.Dot
	return res
}

// tooMany reports whether a put would grow a full sibling set blindly. One that
// replaces at least one version is always taken (DESIGN 4).
func (c *call) tooMany(ctx causal.Claims) bool {
	limit := c.op.Mint.MaxSiblings
	if limit == 0 {
		limit = c.cfg.MaxSiblings
	}
	versions := c.Replica.stored.Versions
	if len(versions) < limit {
		return false
	}
	for i := range versions {
		if ctx.Covers(versions[i].Dot) {
			return false
		}
	}
	return true
}

// actor returns who mints in the stored record: its live actor, or a new life
// where it has none (RULES R1-R3). If the context has seen events of the live
// actor that this record does not know of, something forgot or made them up:
// its life ends too.
func (c *call) actor(ctx causal.Claims) causal.Actor {
	old := &c.Replica.stored
	if c.live >= 0 {
		e := old.Vector[c.live]
		if !seesBeyond(ctx, e) {
			return e.Actor
		}
		c.state(fact.Fact{Kind: fact.DotReused, N: 1, Note: "a context has seen unknown events of " + e.Actor.String()})
	}
	for {
		c.life++
		a := causal.Actor{Run: c.cfg.Run, Life: c.life}
		if none := (causal.Entry{Actor: a}); !seesBeyond(ctx, none) && !seesBeyond(old.Claims, none) {
			return a
		}
	}
}

// seesBeyond reports whether claims have seen an event of e's actor after e.N.
func seesBeyond(claims causal.Claims, e causal.Entry) bool {
	if claims.N(e.Actor) > e.N {
		return true
	}
	for _, d := range claims.Exceptions {
		if d.Actor == e.Actor && d.N > e.N {
			return true
		}
	}
	return false
}

// remove deletes what the context covers; it mints no dot (RULES R6).
func (c *call) remove() Result {
	ctx, old := c.op.Mint.Context, &c.Replica.stored
	c.tokens.insert(c.op.Request, c.op, causal.Dot{}, c.now.Mono)
	if ctx.IsEmpty() {
		return c.unchanged(true)
	}
	report := c.result.SetRemove(old, ctx, c.now.Wall, c.limits())
	c.count(fact.Pruned, report.Pruned)
	c.count(fact.ExceptionDropped, report.Exceptions)
	if report.Removed == 0 && old.Contains(ctx) {
		return c.unchanged(true)
	}
	return c.store(&c.result, c.liveIn(&c.result))
}

// limits are those of the record: those of data types forget nothing (RULES R7).
func (c *call) limits() causal.Limits {
	if c.op.Mint.Types {
		return causal.Limits{Exceptions: math.MaxInt}
	}
	return c.cfg.Limits
}

// liveIn returns the index in s of the stored record's live actor, or -1: where
// its entry fell, or only a part of it is left, or somebody else raised it, its
// life has ended (R3, R7).
func (c *call) liveIn(s *causal.State) int {
	if c.live < 0 {
		return -1
	}
	e := c.Replica.stored.Vector[c.live]
	if seesBeyond(s.Claims, e) {
		c.state(fact.Fact{Kind: fact.DotReused, N: 1, Note: "a state has seen unknown events of " + e.Actor.String()})
		return -1
	}
	if s.N(e.Actor) < e.N {
		return -1
	}
	return s.Index(e.Actor)
}
