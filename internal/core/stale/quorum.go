package stale

import "math"

// Missed is how likely a read of r of n replicas asks none of the w that acknowledged
// a write, if both choose at random and nothing goes on to the others: the share of
// stale reads of a partial quorum that propagates nothing (PBS, equation 1).
func Missed(n, r, w int) float64 {
	p := 1.0
	for i := range r {
		p *= float64(max(n-w-i, 0)) / float64(n-i)
	}
	return p
}

// Behind is how likely a read shows none of the last so many writes, of each of which
// it is stale with that likelihood, were they independent (PBS, equation 2). Writes
// that came before have had longer to arrive, so that it is rather less.
func Behind(stale float64, writes int) float64 { return math.Pow(stale, float64(writes)) }
