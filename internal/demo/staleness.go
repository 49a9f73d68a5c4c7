package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/ourodb/ouro/internal/core/canary"
	"github.com/ourodb/ouro/internal/paper"
	"github.com/ourodb/ouro/internal/sim"
)

// Staleness has all nodes of a cluster write canaries, and sets what they find beside
// what they predict.
func Staleness(ctx context.Context, quick bool) (*paper.Staleness, error) {
	s := &paper.Staleness{Delay: 2 * time.Millisecond, Jitter: 4 * time.Millisecond, Sync: time.Millisecond}
	for _, ms := range []int{0, 1, 2, 4, 7, 11, 16, 24} {
		s.Delays = append(s.Delays, time.Duration(ms)*time.Millisecond)
	}
	pairs := [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}}
	w, err := sim.New(sim.Config{Seed: 7, Net: sim.NetConfig{Delay: s.Delay, Jitter: s.Jitter, Reorder: true}, Disk: sim.DiskConfig{Sync: s.Sync}})
	if err != nil {
		return nil, err
	}
	can := w.Canaries(canary.Config{Every: 100 * time.Millisecond, Delays: s.Delays, Pairs: pairs})
	minutes := 15
	if quick {
		minutes = 1
	}
	for range minutes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w.RunFor(time.Minute)
	}
	if broken := w.Broken(); broken != nil {
		return nil, fmt.Errorf("a promise was broken: %v", broken)
	}
	predicted, known := can.Predicted(3)
	if !known {
		return nil, fmt.Errorf("the nodes have measured too little")
	}
	for _, p := range pairs {
		n := can.Counts(p[0], p[1])
		c := paper.StaleCurve{R: p[0], W: p[1]}
		for i, after := range s.Delays {
			c.Reads, c.Stale = append(c.Reads, int(n.Reads[i])), append(c.Stale, int(n.Stale[i]))
			c.Predicted = append(c.Predicted, predicted(p[0], p[1], after))
		}
		s.Curves = append(s.Curves, c)
	}
	return s, nil
}
