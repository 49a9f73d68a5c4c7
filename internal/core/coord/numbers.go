package coord

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/place"
)

// MaxN is the largest number of replicas that a bucket may have. It bounds the
// memory of a machine; nobody was seen to use more than seven.
const MaxN = 8

// MaxSlots is how many nodes a machine may ask for one request, the primaries
// and those that stand in for them.
const MaxSlots = 16

// Numbers are the quorum numbers in force for one request. They can be met: R
// and W are 1 to N, the others 0 to N, N at most [MaxN].
type Numbers struct {
	N          int // replicas of the key
	R, W       int // how many must answer a read, acknowledge a write
	PR, PW, DW int // of them primaries; of a write's, durable
	// Relaxed: of the acknowledgements of a write only dw need be of copies on disk,
	// and a read may show what is not there yet. Else all are (RULES R35).
	Relaxed bool
	Timeout time.Duration
}

// reads says whether the replies of some nodes are enough for a read, given how
// many they are and how many of them are primaries.
func (n Numbers) reads(all, primaries int) bool { return all >= n.R && primaries >= n.PR }

// writes says whether the acknowledgements of some nodes are enough for a
// write, given how many they are and how many of them are of primaries and durable.
func (n Numbers) writes(all, primaries, durable int) bool {
	return all >= n.W && durable >= n.DW && primaries >= n.PW
}

// settled is on how many primaries a strict read must know what it shows.
func (n Numbers) settled() int { return place.Settled(n.N, n.PR) }

// quorum reports the numbers with how many nodes have answered, and how many of
// them are primaries.
func (n Numbers) quorum(acks, primaries, durable int) ouro.Quorum {
	return ouro.Quorum{
		N: n.N, R: n.R, W: n.W, PR: n.PR, PW: n.PW, DW: n.DW,
		Acks: acks, Primaries: primaries, Durable: durable,
	}
}
