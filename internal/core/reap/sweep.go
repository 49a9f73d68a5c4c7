package reap

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

// sweep walks through all records, page by page, for tombstones that nobody has
// in mind: after a restart, or where there were too many. With each walk another
// of a key's primaries is the one that reaps what it finds. None follows where
// the last one found nothing and nothing was left over since.
type sweep struct {
	next    time.Duration // when the next page, or the next walk, is due
	walking bool
	looking bool // a page was asked for
	from    []byte
	began   time.Duration
	walk    int
	found   bool
	left    bool // something was left for the next walk since this one began
}

// page is how many bytes are looked at in one go.
const page = 256 << 10

func (s *sweep) deadline() time.Duration {
	if s.looking {
		return never
	}
	return s.next
}

// later leaves something for a sweep.
func (r *Reaper) later(now clock.Now) {
	s := &r.sweep
	s.left = true
	if !s.walking {
		s.next = min(s.next, now.Mono+r.cfg.Every)
	}
}

func (r *Reaper) sweepTick(now clock.Now, e *Effects) {
	s := &r.sweep
	if s.looking || now.Mono < s.next {
		return
	}
	if !s.walking {
		*s = sweep{walking: true, began: now.Mono, walk: s.walk + 1}
	}
	s.looking = true
	e.Sweeps = append(e.Sweeps, Sweep{From: s.from, Limit: page})
}

// Swept takes the page that was asked for.
func (r *Reaper) Swept(now clock.Now, found *replica.Sweep, p Peers, e *Effects) {
	s := &r.sweep
	if !s.looking {
		return
	}
	s.looking = false
	if found.Err != nil {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Refused, At: now.Mono, Note: found.Err.Error()})
		s.left = true
	}
	for i := range found.Found {
		m := &found.Found[i]
		if m.Due == 0 {
			r.foundShares(now, m, p)
			continue
		}
		primaries := p.Primaries(m.Partition, &m.Key)
		if n := len(primaries); n > 0 && primaries[s.walk%n] == r.self && !r.note(now, m, false) {
			s.left = true
		}
		s.found = s.found || m.Due != 0 // what has many shares may keep them
	}
	s.from = found.Next
	if s.from != nil {
		s.next = now.Mono + time.Duration(float64(found.Bytes)/float64(r.cfg.Rate)*float64(time.Second))
	} else {
		s.walking, s.next = false, never
		if s.found || s.left {
			s.next = s.began + r.cfg.Every
		}
	}
	r.Tick(now, p, e)
}
