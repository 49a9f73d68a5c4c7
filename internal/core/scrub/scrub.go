package scrub

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

const never = time.Duration(1<<63 - 1)

const (
	least     = 256 << 10   // bytes a second that are read in any case, where Rate allows it
	noteEvery = time.Minute // how often the place is noted
	holdOff   = time.Second // after what time one that was held up looks again
	tries     = 3           // of what can't be read, before it is skipped
)

// Scrub is the machine.
type Scrub struct {
	cfg     Config
	off     bool
	hurry   bool
	restart bool // a round was asked for while a slice was under way

	walking bool   // a round is under way
	place   []byte // where it goes on
	round   Round
	last    Round
	size    int64

	looking  bool // a slice is under way
	noting   bool // of which nothing is to be read
	next     time.Duration
	noted    time.Duration // when the place was noted last; 0: not since the start
	failures int           // in a row, at one place
	failed   string
}

// New returns a machine that goes on where an earlier one was.
func New(cfg Config) *Scrub {
	cfg = cfg.withDefaults()
	s := &Scrub{cfg: cfg, off: cfg.Off}
	if n, ok := readNote(cfg.Note); ok {
		s.walking, s.place, s.round, s.last = n.walking, n.place, n.round, n.last
	}
	s.cfg.Note = nil
	return s
}

// SetRate says how many bytes a second are read at most from now on; 0: as many
// as by default.
func (s *Scrub) SetRate(bytes int) { s.cfg.Rate = Config{Rate: bytes}.withDefaults().Rate }

// Busy says whether a round is under way.
func (s *Scrub) Busy() bool { return s.walking && !s.off }

// SetOff says whether anything is to be read. A slice that is under way ends.
func (s *Scrub) SetOff(now clock.Now, off bool) {
	s.off, s.hurry = off, s.hurry && !off
	if !off {
		s.next = min(s.next, now.Mono)
	}
}

// Hurry begins a round now, at full speed.
func (s *Scrub) Hurry(now clock.Now) {
	s.off, s.hurry = false, true
	s.next = now.Mono
	if s.restart = s.looking; !s.restart {
		s.begin(now)
	}
}

// Deadline returns when [Scrub.Tick] is due; the greatest time there is: not
// before something else happens.
func (s *Scrub) Deadline() time.Duration {
	if s.off || s.looking {
		return never
	}
	return s.next
}

// Tick does what is due. Busy says that what would be found can't be seen to yet.
func (s *Scrub) Tick(now clock.Now, busy bool, e *Effects) {
	switch {
	case s.off || s.looking || now.Mono < s.next:
		return
	case busy:
		s.next = now.Mono + holdOff
		return
	}
	if !s.walking {
		if wait := s.rest(now); wait > 0 {
			s.next = now.Mono + wait
			return
		}
		s.begin(now)
	}
	s.looking = true
	e.Slices = append(e.Slices, Slice{From: s.place, Limit: s.cfg.Slice, Note: s.note(now)})
}

// rest is how long the next round has to wait still.
func (s *Scrub) rest(now clock.Now) time.Duration {
	every := s.cfg.Within / 14
	if s.last.Began == 0 || s.last.Began > now.Wall {
		return 0
	}
	return every - time.Duration(now.Wall-s.last.Began)*time.Millisecond
}

func (s *Scrub) begin(now clock.Now) {
	s.walking, s.place, s.failures = true, nil, 0
	s.round = Round{Began: now.Wall}
	s.noted = 0
}

// note is what is to be noted with the next slice; nil: nothing yet.
func (s *Scrub) note(now clock.Now) []byte {
	if s.noted != 0 && now.Mono-s.noted < noteEvery {
		return nil
	}
	s.noted = now.Mono
	return appendNote(nil, &note{s.walking, s.place, s.round, s.last})
}

// Scrubbed takes what was found in the slice that was asked for.
func (s *Scrub) Scrubbed(now clock.Now, f *replica.Scrubbed, e *Effects) {
	if !s.looking {
		return
	}
	s.looking = false
	if s.noting {
		s.noting = false
		return
	}
	s.found(now, f, e)
	switch {
	case s.restart:
		s.restart = false
		s.begin(now)
	case f.Err != nil:
		s.couldNot(now, f, e)
	default:
		s.failures, s.failed = 0, ""
		s.goOn(now, f.Next, int64(f.Bytes), e)
	}
}

// found counts and passes on what a slice found.
func (s *Scrub) found(now clock.Now, f *replica.Scrubbed, e *Effects) {
	r := &s.round
	r.Bytes += f.Bytes
	r.Records += int64(f.Records)
	r.Leaves += int64(f.Leaves)
	r.Rotten += int64(len(f.Rotten))
	r.Mended += int64(f.Mended)
	r.Lost += int64(f.Lost)
	if f.Size > 0 {
		s.size = f.Size / int64(s.cfg.Shards)
	}
	if f.Bytes > 0 {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Scrubbed, At: now.Mono, N: int(f.Bytes)})
	}
	for i := range f.Rotten {
		note := fmt.Sprintf("%s: found by the scrubber in partition %d", f.Rotten[i].Key.Bucket, f.Rotten[i].Partition)
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Damaged, At: now.Mono, Note: note})
	}
	for range f.Lost {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Damaged, At: now.Mono, Note: "one that is kept for others; it goes"})
	}
	if f.Mended > 0 {
		note := "they were to be added up anyway"
		if len(f.Wrong) > 0 {
			note = f.Wrong[0]
		}
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Mended, At: now.Mono, N: f.Mended, Note: note})
	}
	e.Rotten = append(e.Rotten, f.Rotten...)
}

// couldNot deals with a slice that could not be read: it is tried again, and then
// what lies behind it is.
func (s *Scrub) couldNot(now clock.Now, f *replica.Scrubbed, e *Effects) {
	s.failures++
	s.failed = f.Err.Error()
	s.next = now.Mono + holdOff<<s.failures
	if s.failures < tries {
		return
	}
	s.round.Skipped++
	s.failures = 0
	e.Facts = append(e.Facts, fact.Fact{Kind: fact.NotScrubbed, At: now.Mono, Note: s.failed})
	s.goOn(now, f.Skip, int64(s.cfg.Slice), e)
}

// goOn goes on behind a slice of so many bytes.
func (s *Scrub) goOn(now clock.Now, next []byte, bytes int64, e *Effects) {
	s.place = slices.Clone(next)
	s.next = now.Mono + time.Duration(float64(max(bytes, 1))/float64(s.pace(now))*float64(time.Second))
	if next == nil {
		s.end(now, e)
	}
}

// end ends a round.
func (s *Scrub) end(now clock.Now, e *Effects) {
	r := &s.round
	r.Ended = now.Wall
	took := time.Duration(max(r.Ended-r.Began, 0)) * time.Millisecond
	e.Facts = append(e.Facts, fact.Fact{
		Kind: fact.ScrubEnded, At: now.Mono, Lasted: took, N: int(r.Records),
		Note: fmt.Sprintf("%d bytes, %d records can't be read, %d leaves mended, %d stretches skipped", r.Bytes, r.Rotten, r.Mended, r.Skipped),
	})
	s.off = s.off || s.hurry && s.cfg.Off
	s.last, s.walking, s.hurry = *r, false, false
	s.noted = 0
	s.looking, s.noting = true, true
	e.Slices = append(e.Slices, Slice{Note: s.note(now)})
	s.next = now.Mono
}

// pace is how many bytes a second are to be read.
func (s *Scrub) pace(now clock.Now) int {
	if s.round.Began > now.Wall { // the clock was put back
		s.round.Began = now.Wall
	}
	left := s.cfg.Within/2 - s.passed(now)
	if s.hurry || left <= 0 {
		return s.cfg.Rate
	}
	todo := max(max(s.size, s.last.Bytes)-s.round.Bytes, 0)
	need := float64(todo) / left.Seconds()
	return int(min(float64(s.cfg.Rate), max(need, least)))
}

func (s *Scrub) passed(now clock.Now) time.Duration {
	return time.Duration(now.Wall-s.round.Began) * time.Millisecond
}

// Status returns how far it has come.
func (s *Scrub) Status(now clock.Now) Status {
	st := Status{Off: s.off, Hurry: s.hurry, Round: s.round, Last: s.last, Size: max(s.size, s.last.Bytes), Failed: s.failed}
	if s.walking {
		st.Pace, st.Late = s.pace(now), s.passed(now) > s.cfg.Within
	}
	return st
}
