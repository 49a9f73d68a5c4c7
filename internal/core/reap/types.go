package reap

import (
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config bounds a [Reaper]. Zero fields take the defaults.
type Config struct {
	// Delay is how long after a delete its votes are asked for, so that it has
	// reached all replicas. Default 2 s.
	Delay time.Duration
	// Expired is for how long a version must have expired before it is removed
	// for good, since the clocks of nodes differ. Default 1 h.
	Expired time.Duration
	// Every is how long after a sweep of all records began the next one begins,
	// where anything may be left to find; default 10 min. Rate is how many bytes
	// a second are looked at; default 8 MiB.
	Every time.Duration
	Rate  int
	// Window is how many keys may be asked about at a time. Default 64.
	Window int
	// MaxKeys is how many keys may wait, votes in hand included; others are left
	// for a sweep. Default 65,536.
	MaxKeys int
	// Wait is how long a replica may take to answer. Default 5 s.
	Wait time.Duration
	// BackOff is after what time a key is tried again, doubling with each failure
	// in a row up to MaxBackOff. Defaults 1 s and 1 min.
	BackOff, MaxBackOff time.Duration
	// Shares is beyond how many shares of one number those of ended actors are folded;
	// default 8, as of [replica.Config].
	Shares int
	// First is what the ids of asks count from.
	First uint64
	// Off: nothing is reaped.
	Off bool
}

// Paces returns c with the defaults in place of zero fields, for whoever gives its machine
// a share of them.
func (c Config) Paces() Config { return c.withDefaults() }

func (c Config) withDefaults() Config {
	ints := [...]struct {
		v    *int
		none int
	}{{&c.Rate, 8 << 20}, {&c.Window, 64}, {&c.MaxKeys, 1 << 16}, {&c.Shares, 8}}
	for _, d := range ints {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	times := [...]struct {
		v    *time.Duration
		none time.Duration
	}{
		{&c.Delay, 2 * time.Second},
		{&c.Expired, time.Hour},
		{&c.Every, 10 * time.Minute},
		{&c.Wait, 5 * time.Second},
		{&c.BackOff, time.Second},
		{&c.MaxBackOff, time.Minute},
	}
	for _, d := range times {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}

// Effects is what a [Reaper] wants done. Ids count per machine; the owner tells
// them from those of others.
type Effects struct {
	Asks   []Ask        // at peers
	Ops    []replica.Op // at the own storage
	Sweeps []Sweep
	Purges []Purge
	Facts  []fact.Fact
	// Want is an epoch that must be reached before something can be dropped; 0:
	// none is waited for that was not told before.
	Want uint64
}

// Ask is an operation at a peer's storage.
type Ask struct {
	To ring.NodeID
	Op replica.Op
}

// Sweep asks for a look at some of the own records.
type Sweep struct {
	From  []byte // nil: from the first on
	Limit int    // bytes
}

// Purge asks for a delete, by this node as coordinator, of all that is covered:
// nothing of it is shown any more.
type Purge struct {
	Partition uint32
	Key       ring.Key
	Context   causal.Claims
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Asks)
	clear(e.Ops)
	clear(e.Sweeps)
	clear(e.Purges)
	clear(e.Facts)
	*e = Effects{Asks: e.Asks[:0], Ops: e.Ops[:0], Sweeps: e.Sweeps[:0], Purges: e.Purges[:0], Facts: e.Facts[:0]}
}

// Peers says which nodes hold a key, and which are worth asking.
type Peers interface {
	// Primaries returns the primaries of a key. The result is good until the
	// next call.
	Primaries(partition uint32, key *ring.Key) []ring.NodeID
	Usable(ring.NodeID) bool
	// Moving says that a partition is on its way to other primaries: there is no
	// vote then, since who comes has not got everything yet.
	Moving(partition uint32) bool
}

// Backlog is what waits to be reaped.
type Backlog struct {
	Keys   int
	Shares int   // keys besides that wait for shares of ended actors to be folded
	Voted  int   // of them, with every vote in hand: they wait for an epoch
	Oldest int64 // wall-clock milliseconds since when the oldest waits; 0: none
	// Blocked is a primary that the oldest of those waits for that could not be
	// voted on; "": it is an epoch that is waited for, or nothing.
	Blocked ring.NodeID
	Why     string
}
