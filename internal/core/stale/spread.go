package stale

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// MaxSteps is how many steps a [Spread] has at most.
const MaxSteps = 1024

// Spread is how long something took, by steps. The zero value has nothing.
type Spread struct {
	steps []step // by low
	all   uint64
}

// step is how often something took at least low and less than high; up to is the sum
// of n of this step and of those below it.
type step struct {
	low, high time.Duration
	n, upTo   uint64
}

// Add notes that something took at least low and less than high so many times. What
// would be one step more than there may be is left out.
func (s *Spread) Add(low, high time.Duration, n uint64) {
	if n == 0 {
		return
	}
	i, found := slices.BinarySearchFunc(s.steps, low, func(e step, low time.Duration) int { return cmp.Compare(e.low, low) })
	switch {
	case found:
		s.steps[i].n += n
		s.steps[i].high = max(s.steps[i].high, high)
	case len(s.steps) == MaxSteps:
		return
	default:
		s.steps = slices.Insert(s.steps, i, step{low: low, high: high, n: n})
	}
	s.all += n
	sum := uint64(0)
	if i > 0 {
		sum = s.steps[i-1].upTo
	}
	for ; i < len(s.steps); i++ {
		sum += s.steps[i].n
		s.steps[i].upTo = sum
	}
}

// Join adds what another has.
func (s *Spread) Join(o *Spread) {
	for i := range o.steps {
		s.Add(o.steps[i].low, o.steps[i].high, o.steps[i].n)
	}
}

// Len is how often it took anything.
func (s *Spread) Len() int { return int(s.all) }

// Mean is about how long it took on average; 0 where it never did.
func (s *Spread) Mean() time.Duration {
	if s.all == 0 {
		return 0
	}
	sum := 0.0
	for _, e := range s.steps {
		sum += float64(e.n) * float64(e.low+e.high) / 2
	}
	return time.Duration(sum / float64(s.all))
}

// Draw draws how long it takes, evenly within a step; 0 where it never did.
func (s *Spread) Draw(r *rand.Rand) time.Duration {
	if s.all == 0 {
		return 0
	}
	at := r.Uint64N(s.all)
	i, found := slices.BinarySearchFunc(s.steps, at, func(e step, at uint64) int { return cmp.Compare(e.upTo, at) })
	if found {
		i++ // it is the first of the next
	}
	e := &s.steps[i]
	return e.low + time.Duration(r.Int64N(int64(max(e.high-e.low, 1))))
}
