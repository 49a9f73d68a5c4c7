package admit

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
)

// steps is how many parts the window has: what leaves it does so in these.
const steps = 60

// patience is how many steps lie between two slices more, near to where they were too
// many the last time.
const patience = 4

// Admit is the machine.
type Admit struct {
	cfg    Config
	pool   int
	slices [Kinds]int
	busy   Busy
	shrunk uint64

	// The pool at which it last began to be too much, and whether that goes on.
	knee     int
	shrinks  bool
	waited   int         // steps since the pool grew
	parts    [steps]part // of the window, in a ring
	last     int         // the part that is filled
	sum      Sample      // of the parts
	decided  time.Duration
	measured bool // anything yet
}

// part is what was measured in one step of the window.
type part struct {
	began time.Duration
	Sample
}

// New returns a machine that lets all kinds go at their full pace.
func New(cfg Config) *Admit {
	a := &Admit{cfg: cfg.withDefaults()}
	a.pool = a.most()
	a.knee = a.pool
	a.share()
	return a
}

func (a *Admit) most() int  { return int(Kinds) * a.cfg.Slices }
func (a *Admit) least() int { return int(Kinds) * a.cfg.Floor }

// step is the least time between two decisions.
func (a *Admit) step() time.Duration { return (a.cfg.Window + steps - 1) / steps }

// Take takes what was measured since it was last told, and which kinds have
// something to do, and shares out the pool anew.
func (a *Admit) Take(now clock.Now, s *Sample, busy Busy) {
	a.busy = busy
	a.forget(now.Mono)
	if a.parts[a.last].began+a.step() <= now.Mono || !a.measured {
		a.next(now.Mono)
	}
	a.parts[a.last].Add(s)
	a.sum.Add(s)
	if !a.measured || now.Mono-a.decided >= a.step() {
		a.measured, a.decided = true, now.Mono
		a.decide(&a.parts[a.last].Sample)
	}
	a.share()
}

// next begins a part in the place of the oldest, which is out of the window: so many
// steps are no less than that.
func (a *Admit) next(now time.Duration) {
	a.last = (a.last + 1) % steps
	a.parts[a.last] = part{began: now}
}

// forget forgets what is out of the window.
func (a *Admit) forget(now time.Duration) {
	for i := range a.parts {
		if p := &a.parts[i]; p.began+a.cfg.Window <= now && !p.Empty() {
			a.sum.Reads.drop(&p.Reads)
			a.sum.Waits.drop(&p.Waits)
			p.Sample = Sample{}
		}
	}
}

// decide makes the pool smaller, leaves it, or makes it larger. It gets smaller only
// while it goes on: a bad second stays in the window for as long as that is, and
// would empty the pool all by itself.
func (a *Admit) decide(latest *Sample) {
	switch {
	case a.cfg.Off:
	case !a.sum.over(a.cfg.Threshold):
		a.shrinks = false
		a.grow()
	case latest.over(a.cfg.Threshold):
		a.shrink()
	}
}

// shrink halves what is used. What idle kinds could have is not in the way of that.
func (a *Admit) shrink() {
	used := 0
	for k, n := range a.slices {
		if !a.busy[k] {
			n = a.cfg.Floor
		}
		used += n
	}
	if !a.shrinks {
		a.shrinks, a.knee = true, used
	}
	a.pool = max(min(a.pool, used)/2, a.least())
	a.shrunk++
}

// grow adds to the pool: much, but near to where it was too much the last time one
// slice every few steps.
func (a *Admit) grow() {
	by := max(a.most()/16, 1)
	if a.pool >= a.knee*3/4 && a.pool < a.knee*5/4 {
		if a.waited++; a.waited < patience {
			return
		}
		by = 1
	}
	a.waited = 0
	a.pool = min(a.pool+by, a.most())
}

// share shares out the pool: the floors, then evenly among those that have something
// to do, then among the others.
func (a *Admit) share() {
	left := a.pool
	for k := range a.slices {
		a.slices[k] = a.cfg.Floor
		left -= a.cfg.Floor
	}
	for _, busy := range [...]bool{true, false} {
		for given := true; given && left > 0; {
			given = false
			for k := range a.slices {
				if left > 0 && a.busy[k] == busy && a.slices[k] < a.cfg.Slices {
					a.slices[k]++
					left--
					given = true
				}
			}
		}
	}
}

// Rate returns the part of a kind's full rate at which it is to go, at least 1.
func (a *Admit) Rate(k Kind, full int) int {
	return max(int(float64(full)*float64(a.slices[k])/float64(a.cfg.Slices)), 1)
}

// Every returns how far apart what a kind does is to be begun, where that is at its
// full pace every so often.
func (a *Admit) Every(k Kind, full time.Duration) time.Duration {
	return full * time.Duration(a.cfg.Slices) / time.Duration(a.slices[k])
}

// Slices returns how many slices each kind has.
func (a *Admit) Slices() [Kinds]int { return a.slices }

// Status returns how it stands.
func (a *Admit) Status() Status {
	return Status{
		Pool: a.pool, Most: a.most(), Slices: a.slices, Full: a.cfg.Slices,
		Reads: a.sum.Reads.all, Failed: a.sum.Reads.failed, P99: a.sum.Reads.p99(), WaitP99: a.sum.Waits.p99(),
		Over: a.sum.over(a.cfg.Threshold), Shrunk: a.shrunk,
	}
}
