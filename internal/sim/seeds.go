package sim

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro/internal/sim/history"
)

// Many says which runs [Seeds] makes.
type Many struct {
	From, To uint64        // seeds, both included
	Budget   time.Duration // stop beginning runs after it; 0: never
	Workers  int           // runs at a time; default GOMAXPROCS
	Options  Options       // of each run; its Seed is set
	// Progress is called after each run, from one goroutine at a time.
	Progress func(*Summary)
	// Stop ends it early when it is closed; nil: nothing does.
	Stop <-chan struct{}
}

// Summary is what many runs found.
type Summary struct {
	Runs    int
	Left    uint64 // seeds that were not run
	Elapsed time.Duration
	Stats   Stats
	Failed  []Report // those that broke a promise, by seed, at most [maxFailed]
	Broken  int      // how many did
}

// maxFailed bounds how many failed runs are kept.
const maxFailed = 100

// Code returns the exit code: 0, or that of the promise broken by the lowest
// seed.
func (s *Summary) Code() int {
	code, lowest := 0, uint64(0)
	for i := range s.Failed {
		if r := &s.Failed[i]; code == 0 || r.Seed < lowest {
			code, lowest = r.Violation.Promise.Code, r.Seed
		}
	}
	return code
}

// Rate returns runs per second.
func (s *Summary) Rate() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Runs) / s.Elapsed.Seconds()
}

// Seeds runs many seeds, each in a world of its own.
func Seeds(m Many) *Summary {
	if m.Workers == 0 {
		m.Workers = runtime.GOMAXPROCS(0)
	}
	began := time.Now()
	sum := &Summary{}
	var next atomic.Uint64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range m.Workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for !m.over(began) {
				seed := m.From + next.Add(1) - 1
				if seed > m.To || seed < m.From {
					return
				}
				o := m.Options
				o.Seed = seed
				rep := Run(o)
				mu.Lock()
				sum.add(&rep, time.Since(began))
				if m.Progress != nil {
					m.Progress(sum)
				}
				mu.Unlock()
			}
		}()
	}
	all.Wait()
	slices.SortFunc(sum.Failed, func(a, b Report) int { return cmp.Compare(a.Seed, b.Seed) })
	sum.Elapsed = time.Since(began)
	sum.Left = m.To - m.From + 1 - uint64(sum.Runs)
	return sum
}

// over says that no further run is to begin.
func (m *Many) over(began time.Time) bool {
	select {
	case <-m.Stop:
		return true
	default:
		return m.Budget > 0 && time.Since(began) >= m.Budget
	}
}

func (s *Summary) add(r *Report, elapsed time.Duration) {
	s.Runs++
	s.Elapsed = elapsed
	s.Stats.Add(&r.Stats)
	if r.Violation != nil {
		s.Broken++
		if len(s.Failed) < maxFailed {
			s.Failed = append(s.Failed, *r)
		}
	}
}

// Again runs a seed once more and returns [history.Replayed] broken unless the
// history is the same to the byte.
func Again(o Options, first *Report) *history.Violation {
	second := Run(o)
	if second.Hash != first.Hash || second.Stats != first.Stats {
		return &history.Violation{Promise: history.Replayed, Detail: "two runs of the same seed had different histories"}
	}
	return nil
}
