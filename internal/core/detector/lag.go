package detector

import (
	"math/bits"
	"time"

	"github.com/ourodb/ouro/internal/core/stale"
)

// lag is how long a peer's recent answers took: a mean that follows them, and a
// 95th percentile out of counts that fade.
type lag struct {
	mean   time.Duration // moves an eighth of the way with each answer
	p95    time.Duration // upper bound of its step; 0: too few answers
	n      uint32        // in counts
	fresh  uint32        // since p95 was taken
	counts [lagSteps]uint16
}

// Four steps to each power of two microseconds, up to 16 s and above.
const (
	lagSteps  = 4 * 24
	lagFew    = 16  // answers before which there is no percentile
	lagWindow = 512 // answers after which all counts are halved
)

func (l *lag) add(d time.Duration) {
	if l.mean == 0 {
		l.mean = d
	} else {
		l.mean += (d - l.mean) / 8
	}
	l.counts[lagStep(d)]++
	l.n++
	if l.fresh++; l.fresh < lagFew {
		return
	}
	l.fresh, l.p95 = 0, l.percentile()
	if l.n >= lagWindow {
		l.fade()
	}
}

func (l *lag) fade() {
	l.n = 0
	for i := range l.counts {
		l.counts[i] /= 2
		l.n += uint32(l.counts[i])
	}
}

func (l *lag) percentile() time.Duration {
	over := l.n / 20 // this many may be above
	var above uint32
	for i := lagSteps - 1; i >= 0; i-- {
		if above += uint32(l.counts[i]); above > over {
			return lagBound(i)
		}
	}
	return 0
}

// lagStep is the step of a duration: the power of two of its microseconds, and
// the two bits below.
func lagStep(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 4))
	exp := bits.Len64(us) - 3 // at least 0
	return min(4*exp+int(us>>exp&3), lagSteps-1)
}

// lagBound is the upper bound of a step.
func lagBound(step int) time.Duration {
	return time.Duration(5+step%4) << (step / 4) * time.Microsecond
}

// spread adds what is counted to what others have.
func (l *lag) spread(to *stale.Spread) {
	for i, n := range l.counts {
		low := time.Duration(0) // what takes less than 4 µs is in the first step
		if i > 0 {
			low = lagBound(i - 1)
		}
		to.Add(low, lagBound(i), uint64(n))
	}
}
