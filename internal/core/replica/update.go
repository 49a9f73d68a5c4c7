package replica

import (
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/typed"
)

// update carries out an update of a data type: it is a write of several dots, and
// which versions it covers follows from what is stored.
func (c *call) update() Result {
	m, old := c.op.Mint, &c.Replica.stored
	actor := c.actor(causal.Claims{})
	in := typed.Input{
		Update: m.Update, Actor: actor, Now: c.now.Wall, Expires: m.Expiry,
		Limits: typed.Limits{Elements: c.cfg.MaxElements, Bytes: c.cfg.MaxTyped},
	}
	replaces := m.Update.Kind == ouro.Register && m.Update.Act == ouro.Assign
	if !m.Context.IsEmpty() && !replaces {
		in.Seen = &m.Context
	}
	change, why := typed.Decide(old, in)
	if why != typed.None {
		return c.failed(reasons[why])
	}
	if len(change.Mints)+len(change.Covers) == 0 {
		c.tokens.insert(c.op.Request, c.op, causal.Dot{}, c.now.Mono)
		res := c.unchanged(true)
		res.Answer.Updated = c.shown(old, change.Changed)
		return res
	}
	ctx := causal.ClaimsOf(change.Covers)
	if replaces {
		ctx = ctx.Union(m.Context) // what the client saw and this node did not goes too
	}
	return c.change(change, ctx, actor)
}

// reasons are the refusals of package typed as they are told.
var reasons = [...]Reason{typed.None: None, typed.WrongType: WrongType, typed.NotNumber: NotNumber, typed.Overflow: Overflow, typed.Full: TooLarge}

// change stores what an update does.
func (c *call) change(change typed.Change, ctx causal.Claims, actor causal.Actor) Result {
	old := &c.Replica.stored
	var dots []causal.Dot
	var dot causal.Dot
	if len(change.Mints) > 0 {
		for i := range change.Mints {
			v := &change.Mints[i]
			v.Request, v.Sum = c.op.Request, causal.SumValue(c.cfg.Seed, v.ContentType, v.Value)
		}
		dot = c.result.SetMintAll(old, ctx, change.Mints, actor, c.now.Wall).Dot
		for i := range change.Mints {
			dots = append(dots, change.Mints[i].Dot)
		}
		c.state(fact.Fact{Kind: fact.Minted, Note: dot.String()})
	} else {
		c.result.SetRemove(old, ctx, c.now.Wall, c.limits())
	}
	c.tokens.insert(c.op.Request, c.op, dot, c.now.Mono)
	live := c.result.Index(actor)
	if dot.IsZero() {
		live = c.liveIn(&c.result)
	}
	res := c.store(&c.result, live)
	res.Crowded = c.live < 0 && c.crowded(&c.result)
	res.Answer.Dot = dot
	res.Answer.Updated = c.shown(&c.result, change.Changed)
	c.cut(res.Answer.Updated, &res.Answer, ctx, dots)
	return res
}

// cut adds what the update did alone, and whether that is worth sending in the
// stead of the whole record: where it is smaller by far.
func (c *call) cut(u *Updated, a *Answer, ctx causal.Claims, dots []causal.Dot) {
	old := &c.Replica.stored
	alone := c.result.Alone(ctx, dots...)
	u.Alone = alone.Append(nil)
	claims := len(old.Vector)*entryBytes + len(old.Exceptions)*entryBytes
	if len(u.Alone)+claims < len(a.State)/2 && !old.Claims.IsEmpty() {
		u.Base = &causal.Claims{Vector: slices.Clone(old.Vector), Exceptions: slices.Clone(old.Exceptions)}
	}
}

// entryBytes is about what an entry of claims takes when it is sent.
const entryBytes = 20

// shown is what is there of the elements that the update names.
func (c *call) shown(s *causal.State, changed int) *Updated {
	u := c.op.Mint.Update
	out := &Updated{Changed: changed}
	if u.Act == ouro.Expire {
		return out
	}
	names := make(map[string]bool, len(u.Elements))
	for i := range u.Elements {
		names[u.Elements[i].Name] = true
	}
	out.Shown = typed.Show(s, c.now.Wall, names)
	for i := range out.Shown { // the record's memory is used again
		out.Shown[i].Data = slices.Clone(out.Shown[i].Data)
	}
	return out
}

// lacks reports whether the record lacks some of what a delta was cut from.
func (c *call) lacks(claims *causal.Claims) bool {
	return c.op.Base != nil && !claims.Contains(*c.op.Base)
}
