package admit

import "time"

// Kind is a kind of background work.
type Kind uint8

// The kinds, in the order in which they get what can't be shared evenly.
const (
	Handoff  Kind = iota // what is kept for others goes to them
	Transfer             // partitions that move are brought
	Repair               // replicas are compared in turn
	Scrub                // records are read back
	Reap                 // tombstones go
	Archive              // records go into an archive, and come back out of one
	Kinds                // how many there are
)

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{Handoff: "handoff", Transfer: "transfer", Repair: "repair", Scrub: "scrub", Reap: "reap", Archive: "archive", Kinds: "none"}[min(k, Kinds)]
}

// Config bounds an [Admit]. Zero fields take the defaults.
type Config struct {
	// Off: every kind has its full pace, whatever is measured.
	Off bool
	// Threshold is what a read of the engine for a client, or a wait in the queue,
	// may take; one in a hundred may take longer. Default 50 ms.
	Threshold time.Duration
	// Window is over how long that is counted. Default 60 s.
	Window time.Duration
	// Slices is how many each kind has at its full pace, Floor how many it always
	// has. Defaults 16 and 1.
	Slices, Floor int
}

// Defaults returns c with the defaults in place of zero fields.
func (c Config) Defaults() Config { return c.withDefaults() }

func (c Config) withDefaults() Config {
	if c.Threshold <= 0 {
		c.Threshold = 50 * time.Millisecond
	}
	if c.Window <= 0 {
		c.Window = time.Minute
	}
	if c.Slices <= 0 {
		c.Slices = 16
	}
	if c.Floor <= 0 {
		c.Floor = 1
	}
	c.Floor = min(c.Floor, c.Slices)
	return c
}

// Busy says which kinds have something to do.
type Busy [Kinds]bool

// Status is how an [Admit] stands.
type Status struct {
	Pool, Most int // slices there are, and could be
	Slices     [Kinds]int
	Full       int // slices of a kind that goes at its full pace
	// What clients saw over the window: Reads of the engine, of which Failed failed, and
	// P99, the time that 99 of 100 took at most, rounded up by less than a quarter; 0:
	// there was none, or more than one in a hundred failed. Likewise of waits in the queue.
	Reads, Failed uint32
	P99, WaitP99  time.Duration
	// Over says that it is beyond the threshold; Shrunk is how often the pool was
	// halved since the start.
	Over   bool
	Shrunk uint64
}
