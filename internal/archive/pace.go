package archive

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
)

// patience is for how long what fails for want of nodes or room is tried again. A node
// that holds an archive back is no reason to lose it, as long as anything succeeds.
type patience struct {
	lasts time.Duration
	begun time.Time
	last  atomic.Int64 // after begun: when something succeeded
}

func newPatience(lasts time.Duration) *patience { return &patience{lasts: lasts, begun: time.Now()} }

// over says whether it would be, after a wait, for what has been tried since then.
func (p *patience) over(since, wait time.Duration) bool {
	since = max(since, time.Duration(p.last.Load()))
	return time.Since(p.begun)+wait-since > p.lasts
}

// again tries what fails for want of nodes or room until patience is over.
func (p *patience) again(ctx context.Context, try func() error) error {
	since := time.Since(p.begun)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := try()
		switch ouro.CodeOf(err) {
		case ouro.Overloaded, ouro.QuorumUnavailable, ouro.TimedOut, ouro.DiskFull:
		default:
			if err == nil {
				p.last.Store(int64(time.Since(p.begun)))
			}
			return err
		}
		if p.over(since, wait) {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pacer keeps what passes below a rate.
type pacer struct {
	rate  int64
	begun time.Time
	bytes int64
}

func (p *pacer) passed(ctx context.Context, n int) error {
	if p.bytes += int64(n); p.rate <= 0 {
		return nil
	}
	due := p.begun.Add(time.Duration(float64(p.bytes) / float64(p.rate) * float64(time.Second)))
	if wait := time.Until(due); wait > 0 {
		return pause(ctx, wait)
	}
	return nil
}
