package scrub

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

// Config bounds a [Scrub]. Zero fields take the defaults.
type Config struct {
	// Within is in what time everything is read back. A round is spread over half of
	// it; the next begins a fourteenth of it after the one before began, or when
	// that has ended. Default 14 days.
	Within time.Duration
	// Rate is how many bytes a second are read at most. Default 8 MiB. Where that is
	// not enough a round takes longer than Within, and says so.
	Rate int
	// Slice is how many bytes are read in one go. Default 256 KiB.
	Slice int
	// Shards is how many share what the disk holds. Default 1.
	Shards int
	// Note is what an earlier run noted; nil: nothing.
	Note []byte
	// Off: nothing is read, but where that is asked for.
	Off bool
}

func (c Config) withDefaults() Config {
	if c.Within <= 0 {
		c.Within = 14 * 24 * time.Hour
	}
	ints := [...]struct {
		v    *int
		none int
	}{{&c.Rate, 8 << 20}, {&c.Slice, 256 << 10}, {&c.Shards, 1}}
	for _, d := range ints {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}

// Paces returns the rate at which it goes at most where nothing is in the way of that.
func (c Config) Paces() int { return c.withDefaults().Rate }

// Effects is what a [Scrub] wants done.
type Effects struct {
	Slices []Slice
	Rotten []replica.Rotten // to be had from others
	Facts  []fact.Fact
}

// Slice asks the disk to read back what is there from a place on, and to note how
// far it has come. It is answered with a [replica.Scrubbed]; one is under way at a
// time.
type Slice struct {
	From  []byte // nil: from the first on
	Limit int    // bytes; 0: nothing is read
	Note  []byte // to be kept; nil: what is kept stays
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Slices)
	clear(e.Rotten)
	clear(e.Facts)
	*e = Effects{Slices: e.Slices[:0], Rotten: e.Rotten[:0], Facts: e.Facts[:0]}
}

// Round is what one round has read and found so far.
type Round struct {
	Began, Ended int64 // wall-clock milliseconds; 0: not yet
	Bytes        int64
	Records      int64 // of the node's own
	Leaves       int64
	Rotten       int64 // records that could not be read
	Mended       int64 // leaves that were added up anew
	Lost         int64 // records kept for others that could not be read, and went
	Skipped      int64 // stretches that the engine could not read
}

// Status is how far a [Scrub] has come.
type Status struct {
	Off   bool
	Hurry bool // at full speed, as somebody asked for it
	// Round is the one under way, or the last that was; Last the last that ended.
	// None yet: Began is 0.
	Round, Last Round
	// Size is about how many bytes there are to read, Pace how many are read in a
	// second.
	Size int64
	Pace int
	// Late: the round takes longer than it should.
	Late bool
	// Failed is why the last slice could not be read; "": it could.
	Failed string
}

// With returns what two shards' say together: of the earlier beginning, and not
// ended before both are.
func (a Status) With(b Status) Status {
	a.Off, a.Hurry, a.Late = a.Off || b.Off, a.Hurry || b.Hurry, a.Late || b.Late
	a.Round, a.Last = a.Round.with(b.Round), a.Last.with(b.Last)
	a.Size, a.Pace = a.Size+b.Size, a.Pace+b.Pace
	if b.Failed != "" {
		a.Failed = b.Failed
	}
	return a
}

func (r Round) with(o Round) Round {
	if r.Began == 0 || o.Began == 0 {
		return Round{}
	}
	sum := Round{Began: min(r.Began, o.Began), Ended: max(r.Ended, o.Ended)}
	if r.Ended == 0 || o.Ended == 0 {
		sum.Ended = 0
	}
	a, b, c := r.fields(), o.fields(), sum.fields()
	for i := 2; i < len(c); i++ {
		*c[i] = *a[i] + *b[i]
	}
	return sum
}
