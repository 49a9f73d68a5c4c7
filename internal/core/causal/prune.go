package causal

import "slices"

// trim drops the entries that the floor has reached, except those of versions
// held, without which such a version could never be removed again (RULES R7).
// Floor 0 means that nothing was ever pruned.
func (s *State) trim() (fell int) {
	if s.Floor == 0 {
		return 0
	}
	kept := s.Vector[:0]
	for _, e := range s.Vector {
		if e.Time <= s.Floor && !s.holdsOf(e.Actor) {
			fell++
			continue
		}
		kept = append(kept, e)
	}
	s.Vector = kept
	return fell
}

// holdsOf reports whether a version of an actor survives.
func (s *State) holdsOf(a Actor) bool {
	for i := range s.Versions {
		if s.Versions[i].Dot.Actor == a {
			return true
		}
	}
	return false
}

// prune raises the floor so far that the vector is within its limits, oldest
// entries first (paper, section 4.4). Entries of equal time go together.
func (s *State) prune(now int64, lim Limits) (fell int) {
	excess := len(s.Vector) - lim.Prune
	if lim.Prune <= 0 || excess <= 0 {
		return 0
	}
	times := make([]int64, 0, len(s.Vector))
	for _, e := range s.Vector {
		if !s.holdsOf(e.Actor) {
			times = append(times, e.Time)
		}
	}
	slices.Sort(times)
	take := 0
	for ; take < min(excess, len(times)); take++ {
		young := now-times[take] < lim.PruneAge
		if young && len(s.Vector)-take <= lim.PruneHard {
			break
		}
	}
	if take == 0 {
		return 0
	}
	s.Floor = max(s.Floor, times[take-1])
	return s.trim()
}
