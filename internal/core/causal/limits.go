package causal

// Limits bound what a state remembers. Reaching one of them costs at worst an
// extra sibling or the return of a deleted version, never a loss.
type Limits struct {
	Exceptions int   // exceptions kept beside those of versions held; actors whose last event is oldest go, with all that is claimed of them
	Prune      int   // entries kept when a version is minted, if old enough
	PruneHard  int   // entries kept however young they are
	PruneAge   int64 // milliseconds since its last event from which an entry may go
}

// DefaultLimits are the bounds of DESIGN 4.
func DefaultLimits() Limits {
	return Limits{Exceptions: 64, Prune: 24, PruneHard: 50, PruneAge: 24 * 60 * 60 * 1000}
}
