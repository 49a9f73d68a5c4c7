package stale

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Trials is how many a prediction needs at least for shares of one in a thousand: a
// share of p is then right within two times the root of p/Trials, in 19 of 20.
const Trials = 20_000

// Prediction is what many trials came to, for each r and w up to n.
type Prediction struct {
	n, trials int
	// late are of each r and w the trials that were stale at once: by how much, longest
	// first.
	late [MaxN][MaxN][]time.Duration
}

// Predict makes trials of n replicas, 1 to [MaxN].
func Predict(r *rand.Rand, n, trials int, draw Draw) *Prediction {
	p := &Prediction{n: n, trials: trials}
	t := make(Trial, n)
	note := func(r, w int, by time.Duration) { p.late[r-1][w-1] = append(p.late[r-1][w-1], by) }
	for range trials {
		draw(r, t)
		t.late(note)
	}
	for i := range n {
		for j := range n {
			slices.SortFunc(p.late[i][j], func(a, b time.Duration) int { return int(min(max(b-a, -1), 1)) })
		}
	}
	return p
}

// N is of how many replicas it is.
func (p *Prediction) N() int { return p.n }

// Stale is the share of reads of r that do not show a write of w, where they begin so
// long after its acknowledgement: t-visibility, from the other side.
func (p *Prediction) Stale(r, w int, after time.Duration) float64 {
	late := p.late[r-1][w-1]
	stale, _ := slices.BinarySearchFunc(late, after, func(by, after time.Duration) int {
		if by > after {
			return -1
		}
		return 1
	})
	return float64(stale) / float64(p.trials)
}

// Visible is how long after its acknowledgement a write is shown to so large a share
// of reads, at least; 0: at once.
func (p *Prediction) Visible(r, w int, share float64) time.Duration {
	late := p.late[r-1][w-1]
	may := int((1-share)*float64(p.trials) + 1e-6) // so many may be stale
	if len(late) <= may {
		return 0
	}
	return late[may]
}
