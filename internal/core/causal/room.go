package causal

import "slices"

// room makes room for a write. What falls, falls before the write is made, as if
// another replica had raised the floor: so the write itself is never forgotten,
// and others that hear of the floor come to the same (RULES R7).
type room struct {
	lim     Limits
	old     *State
	rest    State  // what is left of old
	news    Claims // what is taken of the context
	minting Actor  // zero: the write is a removal
	fell    fallen
}

// vectorFull reports whether so many actors are claimed that old ones should fall.
func (lim *Limits) vectorFull(s *State) bool { return lim.Prune > 0 && len(s.Vector) > lim.Prune }

// exceptionsFull reports whether there are too many exceptions. Those of versions
// held do not count: they go with their versions, of which there are few.
func (lim *Limits) exceptionsFull(s *State) bool {
	return len(s.Exceptions) > lim.Exceptions && loose(s.Exceptions, s.Versions) > lim.Exceptions
}

// news returns what ctx has to say to s: events that s has not seen, and versions
// to remove. The rest of it may fall, and must not be told anew.
func (s *State) news(ctx Claims) Claims {
	var n Claims
	for _, e := range ctx.Vector {
		held := s.heldOf(e.Actor)
		if e.N > s.N(e.Actor) || len(held) > 0 && held[0].Dot.N <= e.N {
			n.Vector = append(n.Vector, e)
		}
	}
	for _, d := range ctx.Exceptions {
		if !s.Covers(d) || holds(s.Versions, d) {
			n.Exceptions = append(n.Exceptions, d)
		}
	}
	n.absorb()
	return n
}

// fallTo raises the floor. Where the minting actor falls, its mint claims all that
// it wrote here again.
func (r *room) fallTo(floor int64) {
	rest, fell := r.rest.fall(floor)
	r.rest = rest
	r.fell.actors += fell.actors
	r.fell.exceptions += fell.exceptions
}

// pruneVector raises the floor so far that the vector of result, to which the
// write would come without it, is within its limits, oldest actors first (paper,
// section 4.4). Actors of equal time go together; those of versions held, and
// those to whom the write does something, don't go.
func (r *room) pruneVector(result *State, now int64) {
	if !r.lim.vectorFull(result) {
		return
	}
	times := make([]int64, 0, len(r.old.Vector))
	for _, e := range r.old.Vector {
		if e.Actor != r.minting && r.news.Index(e.Actor) < 0 && len(r.old.heldOf(e.Actor)) == 0 {
			times = append(times, e.Time)
		}
	}
	slices.Sort(times)
	n, floor := len(result.Vector), r.old.Floor
	for i := range min(n-r.lim.Prune, len(times)) {
		if young := now-times[i] < r.lim.PruneAge; young && n-i <= r.lim.PruneHard {
			break
		}
		floor = times[i]
	}
	r.fallTo(floor)
	r.refuseActors()
}

// refuseActors takes no strangers from the context for whom there is no room, and
// who would remove nothing.
func (r *room) refuseActors() {
	free := r.lim.PruneHard - len(r.rest.Vector)
	if r.rest.Index(r.minting) < 0 {
		free--
	}
	var refused []Actor
	for _, e := range r.news.Vector {
		if r.rest.Index(e.Actor) >= 0 || len(r.old.heldOf(e.Actor)) > 0 {
			continue
		}
		if free--; free < 0 {
			refused = append(refused, e.Actor)
		}
	}
	if len(refused) == 0 {
		return
	}
	r.fell.actors += len(refused)
	without := func(a Actor) bool { return slices.Contains(refused, a) }
	r.news.Vector = slices.DeleteFunc(r.news.Vector, func(e Entry) bool { return without(e.Actor) })
	r.news.Exceptions = slices.DeleteFunc(r.news.Exceptions, func(d Dot) bool { return without(d.Actor) })
}

// pruneExceptions takes of the context's exceptions those that remove a version,
// for a delete must do what it says, and as many of the others as there may be,
// the newest. Then it raises the floor until there is room for them.
func (r *room) pruneExceptions() {
	var removing, others []Dot
	for _, d := range r.news.Exceptions {
		if holds(r.old.Versions, d) {
			removing = append(removing, d)
		} else {
			others = append(others, d)
		}
	}
	kept := newest(others, max(r.lim.Exceptions-len(removing), 0))
	if len(kept) < len(others) {
		r.fell.exceptions += len(others) - len(kept)
		r.news = r.news.only(mergeDots(nil, removing, kept))
	}
	var times []int64
	for _, d := range r.rest.Exceptions {
		times = append(times, r.rest.Vector[r.rest.Index(d.Actor)].Time)
	}
	slices.Sort(times)
	for _, t := range slices.Compact(times) {
		if r.exceptions() <= r.lim.Exceptions {
			return
		}
		r.fallTo(t)
	}
}

// exceptions returns how many exceptions count once the write is made.
func (r *room) exceptions() int {
	var c Claims
	c.union(r.rest.Claims, r.news)
	held := slices.DeleteFunc(slices.Clone(r.rest.Versions), func(v Version) bool { return r.news.Covers(v.Dot) })
	return loose(c.Exceptions, held)
}
