package host

import (
	"context"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/scrub"
)

// scrubs is how far one shard has read everything back, as it was a moment ago.
type scrubs struct {
	scrub.Status
	at time.Duration
}

// scrub reads back some of what is stored; what it finds comes back through the
// inbox.
func (s *shard) scrub(now clock.Now) {
	for i := range s.out.Scrubs {
		w := &s.out.Scrubs[i]
		found := &node.Scrubbed{Scrubbed: s.disk.Scrub(now, w.From, w.Limit, w.Note, &s.out.Facts)}
		if err := s.disk.Err(); err != nil {
			s.host.fail(err)
		}
		s.in.force(item{input: found, queued: time.Since(s.host.started)})
	}
	clear(s.out.Scrubs)
	s.out.Scrubs = s.out.Scrubs[:0]
}

// showScrub publishes how far everything was read back, for status and metrics.
func (s *shard) showScrub(now clock.Now) {
	if at, before := now.Mono-s.slept, s.scrubs.Load(); before == nil || at-before.at >= showEvery {
		s.scrubs.Store(&scrubs{s.core.Scrubs(now), at})
	}
}

// Scrub implements [ouro.Inspector]. It asks the shards, as what they have published
// may be from before they were told something.
func (h *Host) Scrub(ctx context.Context) (ouro.ScrubInfo, error) {
	info := ouro.ScrubInfo{Node: string(h.view.Load().Self)}
	var all *scrub.Status
	err := askAll(ctx, h, ouro.NotDone, func(s *shard) scrub.Status { return s.core.Scrubs(s.now()) }, func(st scrub.Status) {
		if all != nil {
			st = all.With(st)
		}
		all = &st
	})
	if err != nil {
		return info, err
	}
	info.Paused, info.Hurried, info.Late, info.Error = all.Off, all.Hurry, all.Late, all.Failed
	info.Size, info.Pace = all.Size, int64(all.Pace)
	info.Round, info.Last = scrubRound(&all.Round), scrubRound(&all.Last)
	return info, nil
}

func scrubRound(r *scrub.Round) *ouro.ScrubRound {
	if r.Began == 0 {
		return nil
	}
	round := &ouro.ScrubRound{
		Began: time.UnixMilli(r.Began).UTC(), Bytes: r.Bytes, Records: r.Records, Leaves: r.Leaves,
		Unreadable: r.Rotten, Mended: r.Mended, Lost: r.Lost, Skipped: r.Skipped,
	}
	if r.Ended != 0 {
		round.Ended = time.UnixMilli(r.Ended).UTC()
	}
	return round
}

// ScrubAge returns how long ago everything had been read back: since the beginning
// of the oldest of the shards' last rounds that ended; since the node started where
// one of them never has.
func (h *Host) ScrubAge() time.Duration {
	age := time.Duration(0)
	for _, s := range h.shards {
		since := h.started
		if st := s.scrubs.Load(); st != nil && st.Last.Ended != 0 {
			since = time.UnixMilli(st.Last.Began)
		}
		age = max(age, time.Since(since))
	}
	return age
}

// RunScrub implements [ouro.Operator].
func (h *Host) RunScrub(context.Context) error {
	h.tellAll(func() node.Input { return &node.ScrubNow{} })
	return nil
}

// PauseScrub implements [ouro.Operator].
func (h *Host) PauseScrub(context.Context) error {
	h.tellAll(func() node.Input { return &node.Scrubbing{} })
	return nil
}
