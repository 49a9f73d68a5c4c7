package handoff

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// DefaultMaxAge is for how long a record is kept for a target, unless configured.
const DefaultMaxAge = 3 * time.Hour

// Config bounds a [Handoff]. Zero fields take the defaults.
type Config struct {
	// Every is how long after a walk through the pending records began the next
	// one begins. Default 10 s (PAPER 8.15b).
	Every time.Duration
	// Window is how many records may be on their way, and PerTarget how many to
	// one node. Defaults 64 and 16.
	Window, PerTarget int
	// Wait is how long a target may take to answer, and up to 16 times as long where it
	// has failed before. Default 5 s.
	Wait time.Duration
	// Rate is how many bytes a second are sent, and ScanRate how many are read
	// in search of them. Defaults 32 MiB and 64 MiB.
	Rate, ScanRate int
	// BackOff is how long a node that failed is left alone, doubling with each
	// failure in a row up to MaxBackOff. Defaults 1 s and 1 min.
	BackOff, MaxBackOff time.Duration
	// MaxAge is for how long a record is kept for a target before it is let go,
	// once enough other primaries hold its state. Default 3 h.
	MaxAge time.Duration
	// Found is what an earlier run left, by target: the backlog until the first
	// walk has ended.
	Found []replica.Owing
	// First is what the ids of asks count from.
	First uint64
}

// Paces returns c with the defaults in place of zero fields, for whoever gives its machine
// a share of them.
func (c Config) Paces() Config { return c.withDefaults() }

func (c Config) withDefaults() Config {
	ints := [...]struct {
		v    *int
		none int
	}{{&c.Window, 64}, {&c.PerTarget, 16}, {&c.Rate, 32 << 20}, {&c.ScanRate, 64 << 20}}
	for _, d := range ints {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	times := [...]struct {
		v    *time.Duration
		none time.Duration
	}{
		{&c.Every, 10 * time.Second},
		{&c.Wait, 5 * time.Second},
		{&c.BackOff, time.Second},
		{&c.MaxBackOff, time.Minute},
		{&c.MaxAge, DefaultMaxAge},
	}
	for _, d := range times {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}

// Effects is what a [Handoff] wants done. Ids count per machine; the owner
// tells them from those of others.
type Effects struct {
	Asks  []Ask        // joins at peers
	Ops   []replica.Op // at the own storage: payments, and joins before them
	Scans []Scan
	Facts []fact.Fact
}

// Ask is an operation at a peer's storage.
type Ask struct {
	To ring.NodeID
	Op replica.Op
}

// Scan asks for a page of the pending records.
type Scan struct {
	From  []byte // nil: from the first on
	Limit int
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Asks)
	clear(e.Ops)
	clear(e.Scans)
	clear(e.Facts)
	e.Asks, e.Ops, e.Scans, e.Facts = e.Asks[:0], e.Ops[:0], e.Scans[:0], e.Facts[:0]
}

// Backlog is what is kept for one node: as the last whole walk found it, less
// what was handed over since.
type Backlog struct {
	replica.Owing
	// OverAge is how many of the records are older than they should get. They
	// are kept nevertheless until enough primaries hold their state.
	OverAge int
	// Failed is the last failure, "" if the last delivery succeeded; FailedAt
	// is its time on the wall clock in milliseconds.
	Failed   string
	FailedAt int64
}

// Peers is what the node knows of its cluster.
type Peers interface {
	Self() ring.NodeID
	// Usable says whether a node is worth asking.
	Usable(ring.NodeID) bool
	// Primaries returns those of a key by the node's present view, none where it
	// has none. It is good until the next call.
	Primaries(partition uint32, bucket string) []ring.NodeID
}
