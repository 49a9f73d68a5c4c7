package handoff

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config bounds a [Handoff]. Zero fields take the defaults.
type Config struct {
	// Every is how long after a walk through the pending records began the next
	// one begins. Default 10 s (PAPER 8.15b).
	Every time.Duration
	// Window is how many records may be on their way, and PerTarget how many to
	// one node. Defaults 64 and 16.
	Window, PerTarget int
	// Wait is how long a target may take to answer. Default 5 s.
	Wait time.Duration
	// Rate is how many bytes a second are sent, and ScanRate how many are read
	// in search of them. Defaults 32 MiB and 64 MiB.
	Rate, ScanRate int
	// BackOff is how long a target that failed is left alone, doubling with each
	// failure in a row up to MaxBackOff. Defaults 1 s and 1 min.
	BackOff, MaxBackOff time.Duration
	// First is what the ids of asks count from.
	First uint64
}

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
	}{{&c.Every, 10 * time.Second}, {&c.Wait, 5 * time.Second}, {&c.BackOff, time.Second}, {&c.MaxBackOff, time.Minute}}
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
	Ops   []replica.Op // payments at the own storage
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
	Target  ring.NodeID
	Records int
	Bytes   int64 // each record counts for every node it is owed to
	Oldest  int64 // wall-clock milliseconds since when the oldest is owed; 0: none
	// Failed is the last failure, "" if the last delivery succeeded; FailedAt
	// is its time on the wall clock in milliseconds.
	Failed   string
	FailedAt int64
}

// Peers says which nodes are worth asking.
type Peers interface {
	Usable(ring.NodeID) bool
}
