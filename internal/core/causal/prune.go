package causal

import "slices"

// fallen counts what fell to a prune floor.
type fallen struct {
	actors     int // of whom claims fell
	exceptions int // of these claims those beyond the vector
}

// At returns s as it is once it has heard of a prune floor: of actors to whom
// nothing happened since, it claims the dots of the versions it holds and nothing
// else (RULES R7). Several states that are joined should be brought to the
// highest of their floors first; then their order does not matter.
func (s State) At(floor int64) State {
	if floor <= s.Floor {
		return s
	}
	out, _ := s.fall(floor)
	return out
}

// fall is At, with what fell.
//
// A version whose dot is not claimed could never be removed, so that stays. The
// rest of its entry must not: two replicas that each hold one version of an actor
// and removed the other's would remove both in a join, and then claim neither.
func (s *State) fall(floor int64) (out State, fell fallen) {
	if floor <= s.Floor { // what it has reached is gone
		return *s, fell
	}
	out = State{Floor: floor, Versions: s.Versions}
	out.Vector = make([]Entry, 0, len(s.Vector))
	for _, e := range s.Vector {
		beyond := exceptionsOf(s.Exceptions, e.Actor)
		if e.Time > floor {
			out.Vector, out.Exceptions = append(out.Vector, e), append(out.Exceptions, beyond...)
			continue
		}
		claimed, held := e.N+uint64(len(beyond)), s.heldOf(e.Actor)
		e.N = 0
		for i := range held {
			if d := held[i].Dot; d.N == e.N+1 {
				e.N = d.N
			} else {
				out.Exceptions = append(out.Exceptions, d)
			}
		}
		if len(held) > 0 {
			out.Vector = append(out.Vector, e)
		}
		if claimed != uint64(len(held)) {
			fell.actors++
		}
		fell.exceptions += loose(beyond, held)
	}
	return out, fell
}

// loose returns how many of some dots are not those of versions held.
func loose(dots []Dot, held []Version) (n int) {
	for _, d := range dots {
		if !holds(held, d) {
			n++
		}
	}
	return n
}

// heldOf returns the versions of an actor that survive.
func (s *State) heldOf(a Actor) []Version {
	from, _ := slices.BinarySearchFunc(s.Versions, Dot{a, 0}, func(v Version, d Dot) int { return v.Dot.Compare(d) })
	to := from
	for to < len(s.Versions) && s.Versions[to].Dot.Actor == a {
		to++
	}
	return s.Versions[from:to]
}
