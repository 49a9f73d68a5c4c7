package causal

import "slices"

// Alone returns what one put or delete did to s and nothing else: the versions
// under its dots, as far as it minted any and s still holds them, and of the context
// it was made under (RULES R4) what s claims for it. It is a state like any other,
// with the floor of s; what s knows besides is not in it. Dots are in order; zero
// ones are none.
func (s *State) Alone(ctx Claims, dots ...Dot) State {
	told := s.removed(ctx)
	var minted []Dot
	for _, d := range dots {
		if !d.IsZero() && s.Covers(d) {
			minted = append(minted, d)
		}
	}
	told.Exceptions = mergeDots(nil, told.Exceptions, minted)
	out := State{Floor: s.Floor}
	out.union(told, Claims{})
	for i := range out.Vector {
		e := &out.Vector[i]
		e.Time = s.Vector[s.Index(e.Actor)].Time
	}
	for i := range s.Versions {
		if _, own := slices.BinarySearchFunc(dots, s.Versions[i].Dot, Dot.Compare); own {
			out.Versions = append(out.Versions, s.Versions[i])
		}
	}
	return out
}

// removed returns what s claims of what ctx has seen, but for the dots of versions
// that it holds.
func (s *State) removed(ctx Claims) Claims {
	var c Claims
	for _, e := range ctx.Vector {
		switch held := s.heldOf(e.Actor); {
		case len(held) > 0 && held[0].Dot.N <= e.N:
		case e.N > 0 && e.N <= s.N(e.Actor):
			c.Vector = append(c.Vector, Entry{Actor: e.Actor, N: e.N})
		default:
			for _, d := range exceptionsOf(s.Exceptions, e.Actor) {
				if d.N <= e.N {
					c.Exceptions = append(c.Exceptions, d)
				}
			}
		}
	}
	var single []Dot
	for _, d := range ctx.Exceptions {
		if s.Covers(d) && !holds(s.Versions, d) {
			single = append(single, d)
		}
	}
	c.Exceptions = mergeDots(nil, c.Exceptions, single)
	return c
}
