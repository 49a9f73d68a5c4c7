package coord

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
)

// freshness tells which digest is that of the merged state, if any.
type freshness struct {
	sum   causal.Sum
	known bool
}

// merge joins the states in hand of some.
func (g *Get) merge(now clock.Now, e *Effects, of set) {
	of &= g.body
	g.merged, g.bytes, g.fresh = causal.State{}, nil, freshness{}
	floor, altered := g.floor(of), false
	for i := range g.n {
		if !of.has(i) || g.fresh.known && g.sums[i] == g.fresh.sum {
			continue
		}
		if g.bytes == nil {
			g.merged, g.bytes, g.fresh = g.states[i], g.raw[i], freshness{g.sums[i], true}
			g.stamp = g.stamps[i]
			if g.merged.Floor < floor { // all at one floor, or their order would matter
				g.merged, altered = g.merged.At(floor), true
			}
			continue
		}
		var report causal.JoinReport
		g.merged, report = causal.JoinStates(g.merged, g.states[i])
		g.report(now, e, report)
		g.stamp = min(g.stamp, g.stamps[i])
		altered = true
	}
	if altered {
		g.bytes = g.merged.Append(nil)
		g.fresh = g.find(g.bytes)
	}
}

// floor is the highest of the floors of some states in hand.
func (g *Get) floor(of set) int64 {
	floor := int64(0)
	for i := range g.n {
		if of.has(i) {
			floor = max(floor, g.states[i].Floor)
		}
	}
	return floor
}

// find looks for a replica that holds this very state.
func (g *Get) find(raw []byte) freshness {
	for i := range g.n {
		if g.body.has(i) && string(g.raw[i]) == string(raw) {
			return freshness{g.sums[i], true}
		}
	}
	return freshness{}
}

// stale is the set of primaries that replied with another state than the merged.
// What stands in for them is no matter: it hands over what it holds.
func (g *Get) stale() set {
	s := g.counted & g.primaries()
	for i := range g.prim {
		switch {
		case g.absent.has(i) && g.bytes == nil:
			s.remove(i)
		case !g.absent.has(i) && g.fresh.known && g.sums[i] == g.fresh.sum:
			s.remove(i)
		}
	}
	return s
}

// report states what a join came across.
func (g *Get) report(now clock.Now, e *Effects, r causal.JoinReport) {
	if r.DotReused > 0 {
		g.state(e, fact.DotReused, now, -1, r.DotReused, g.key.Bucket)
	}
	if r.Exceptions > 0 {
		g.state(e, fact.ExceptionDropped, now, -1, r.Exceptions, g.verb)
	}
	if r.Fell > 0 {
		g.state(e, fact.Pruned, now, -1, r.Fell, g.verb)
	}
}
