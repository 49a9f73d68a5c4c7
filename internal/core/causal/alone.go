package causal

// Alone returns what one put or delete did to s and nothing else: the version
// under its dot, if it minted one and s still holds it, and the claims of the
// context it was made under (RULES R4). It is a state like any other; what s
// knows besides is not in it.
func (s *State) Alone(ctx Claims, d Dot) State {
	var out State
	if d.IsZero() {
		out.union(ctx, Claims{})
	} else {
		out.union(ctx, Claims{Exceptions: []Dot{d}})
		out.absorb()
	}
	for i := range out.Vector {
		e := &out.Vector[i]
		if at, ok := find(s.Vector, e.Actor); ok {
			e.Time = s.Vector[at].Time
		}
	}
	for i := range s.Versions {
		if s.Versions[i].Dot == d {
			out.Versions = append(out.Versions, s.Versions[i])
		}
	}
	return out
}
