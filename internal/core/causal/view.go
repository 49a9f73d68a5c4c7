package causal

// Shown reports whether v is shown to a client when the wall clock shows now, in
// milliseconds: whether it is neither a delete nor expired. It is a filter for
// answers and never changes a state (RULES R36).
func (v *Version) Shown(now int64) bool {
	return !v.Deleted && (v.Expiry == 0 || now < v.Expiry)
}

// Latest returns the version with the greatest stamp, the greatest dot among
// equal ones, and whether there is any. Buckets of mode lww show this one and
// no other, or nothing where it is not [Version.Shown]; all others stay stored
// (RULES R23).
func (s State) Latest() (Version, bool) {
	if len(s.Versions) == 0 {
		return Version{}, false
	}
	best := 0
	for i := range s.Versions { // in the order of dots, so the last of equal stamps wins
		if s.Versions[i].Stamp >= s.Versions[best].Stamp {
			best = i
		}
	}
	return s.Versions[best], true
}
