package causal

import "slices"

// MintReport says what a mint or a removal did.
type MintReport struct {
	Dot        Dot // of the new version; zero for a removal
	Removed    int // versions that the context covered
	Pruned     int // actors of whom claims fell, or were not taken from the context, because there were too many
	Exceptions int // exceptions that fell, or were not taken from the context, because there were too many
}

// IsEmpty reports whether s holds nothing at all: neither versions nor claims.
func (s State) IsEmpty() bool { return s.Claims.IsEmpty() && len(s.Versions) == 0 }

// Mint returns s with the new version v, which replaces what ctx covers. It
// gives v its dot, the next one of actor, and its stamp. The result claims what
// s claims, what ctx claims, the new dot, and nothing else (RULES R3, R4).
//
// The actor must be the caller's own live one for this record, or a fresh one;
// ctx must not have seen events of it that s has not. Now is the wall clock in
// milliseconds. Only here is a vector pruned (PAPER 9.1), before the write: what
// the write itself does is younger than the floor.
func (s State) Mint(ctx Claims, v Version, actor Actor, now int64, lim Limits) (State, MintReport) {
	var out State
	report := out.SetMint(&s, ctx, v, actor, now, lim)
	return out, report
}

// SetMint sets s to what [State.Mint] makes of old, using the memory of s, which
// must share none with old or ctx.
func (s *State) SetMint(old *State, ctx Claims, v Version, actor Actor, now int64, lim Limits) MintReport {
	report := MintReport{Dot: Dot{actor, old.N(actor) + 1}}
	v.Dot, v.Stamp = report.Dot, old.NextStamp(now)
	report.Removed = s.mint(old, ctx, v, now)
	if lim.vectorFull(s) || lim.exceptionsFull(s) {
		r := room{lim: lim, old: old, rest: *old, news: old.news(ctx), minting: actor}
		r.pruneVector(s, now)
		r.pruneExceptions()
		report.Pruned, report.Exceptions = r.fell.actors, r.fell.exceptions
		if r.fell != (fallen{}) {
			report.Removed = s.mint(&r.rest, r.news, v, now)
		}
	}
	return report
}

// SetMintAll sets s to old with several new versions, minted at once under dots
// that follow each other, in the place of what ctx covers. It gives them their dots,
// in vs too, and all one stamp. It is for data types, whose claims are never pruned
// (RULES R7), and so knows no limits. The report names the last dot.
func (s *State) SetMintAll(old *State, ctx Claims, vs []Version, actor Actor, now int64) MintReport {
	last, stamp := Dot{actor, old.N(actor)}, old.NextStamp(now)
	report := MintReport{Removed: s.subtract(old, ctx, now)}
	for i := range vs {
		last.N++
		vs[i].Dot, vs[i].Stamp = last, stamp
	}
	at, found := find(s.Vector, actor)
	if !found {
		s.Vector = slices.Insert(s.Vector, at, Entry{Actor: actor})
	}
	s.Vector[at].N = max(s.Vector[at].N, last.N)
	s.date(actor, now)
	if len(s.Exceptions) > 0 {
		s.absorb()
	}
	if len(vs) > 0 {
		at, _ := slices.BinarySearchFunc(s.Versions, vs[0].Dot, func(v Version, d Dot) int { return v.Dot.Compare(d) })
		s.Versions = slices.Insert(s.Versions, at, vs...)
	}
	report.Dot = last
	return report
}

// mint sets s to old with v in the place of what ctx covers.
func (s *State) mint(old *State, ctx Claims, v Version, now int64) (removed int) {
	removed = s.subtract(old, ctx, now)
	at, found := find(s.Vector, v.Dot.Actor)
	if !found {
		s.Vector = slices.Insert(s.Vector, at, Entry{Actor: v.Dot.Actor})
	}
	s.Vector[at].N = max(s.Vector[at].N, v.Dot.N)
	s.date(v.Dot.Actor, now)
	if len(s.Exceptions) > 0 {
		s.absorb()
	}
	s.insert(v)
	return removed
}

// Remove returns s without the versions that ctx covers and with its claims. It
// mints no dot (RULES R6).
func (s State) Remove(ctx Claims, now int64, lim Limits) State {
	var out State
	out.SetRemove(&s, ctx, now, lim)
	return out
}

// SetRemove sets s to what [State.Remove] makes of old, using the memory of s,
// which must share none with old or ctx.
func (s *State) SetRemove(old *State, ctx Claims, now int64, lim Limits) MintReport {
	report := MintReport{Removed: s.subtract(old, ctx, now)}
	if lim.exceptionsFull(s) {
		r := room{lim: lim, old: old, rest: *old, news: old.news(ctx)}
		r.pruneExceptions()
		report.Pruned, report.Exceptions = r.fell.actors, r.fell.exceptions
		if r.fell != (fallen{}) {
			report.Removed = s.subtract(&r.rest, r.news, now)
		}
	}
	return report
}

// subtract sets s to old without what ctx covers, with the claims of both. An
// actor of whom ctx has seen more, or of whom it removes a version, is dated now:
// if the removal were older than the floor it would be forgotten at once (RULES
// R7). Times in ctx count for nothing.
func (s *State) subtract(old *State, ctx Claims, now int64) (removed int) {
	s.Floor = old.Floor
	s.union(old.Claims, ctx)
	for i := range s.Vector {
		e, before := &s.Vector[i], Entry{}
		if at, ok := find(old.Vector, e.Actor); ok {
			before = old.Vector[at]
		}
		e.Time = before.Time
		if before.N < e.N {
			e.Time = max(e.Time, now, s.Floor+1)
		}
	}
	for _, d := range ctx.Exceptions {
		if !old.Covers(d) {
			s.date(d.Actor, now)
		}
	}
	s.Versions = slices.Grow(s.Versions[:0], len(old.Versions)+1)
	for i := range old.Versions {
		if v := &old.Versions[i]; ctx.Covers(v.Dot) {
			s.date(v.Dot.Actor, now)
			removed++
		} else {
			s.Versions = append(s.Versions, *v)
		}
	}
	return removed
}

// date says that something happened to an actor's events now.
func (s *State) date(a Actor, now int64) {
	if i, ok := find(s.Vector, a); ok {
		s.Vector[i].Time = max(s.Vector[i].Time, now, s.Floor+1)
	}
}
