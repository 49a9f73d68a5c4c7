package canary

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Bucket is where canaries live. It is defined like any other, or not at all.
const Bucket = ouro.CanaryBucket

const (
	// Keys is how many keys a node uses at a time, the first of its names of which it
	// is a primary.
	Keys = 8
	// names bound how many a node ever uses.
	names = 256
	// maxDelays bound the delays.
	maxDelays = 8
	// maxN bounds r and w.
	maxN = 8
	// patience is how long a node waits that can't measure anything.
	patience = 5 * time.Second
)

// Config says how a [Canary] behaves. Zero fields take the defaults.
type Config struct {
	// Every is the least time from the beginning of one round to that of the next;
	// default 1 s.
	Every time.Duration
	// Delays are how long after the acknowledgement reads begin, ascending, the first 0;
	// at most eight. Default 0, 1, 5, 20 and 100 ms.
	Delays []time.Duration
	// Pairs, if there are any, are the only r and w that are drawn, r first.
	Pairs [][2]int
}

// WithDefaults returns c with its zero fields filled in.
func (c Config) WithDefaults() Config {
	if c.Every <= 0 {
		c.Every = time.Second
	}
	if len(c.Delays) == 0 {
		c.Delays = []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}
	}
	c.Delays = c.Delays[:min(len(c.Delays), maxDelays)]
	return c
}

// Kind is what an [Act] wants done.
type Kind uint8

// The kinds.
const (
	None  Kind = iota
	Look       // get the key at this node, as its bucket has it, for its context
	Write      // put the key at this node, w=Count
	Read       // get the key at another node, r=Count, by another way than the links
)

// Act is a request to be made. Each is to be told by [Canary.Done], once, and no other
// comes before.
type Act struct {
	Kind    Kind
	Key     ring.Key
	At      ring.NodeID // who coordinates it
	Count   int
	Value   []byte
	Context []byte // sealed; nil: none
}

// Result is what came of the last act.
type Result struct {
	Failed  bool
	Context []byte   // of a Look and a Write
	Values  [][]byte // of a Read
	// Primaries are how many primaries took part, as the reply says.
	Primaries int
}

// Count is what was measured for one r and w.
type Count struct {
	R, W int
	// Of reads whose write and answer rest on r and w primaries alone: by delay, as
	// [Config.Delays] has them.
	Reads, Stale [maxDelays]uint64
	// Of those in which others stood in for some.
	StoodIn, StoodInStale uint64
}

// Counts is what was measured since the start, or since keys have another number of
// replicas.
type Counts struct {
	N      int // replicas of a key; 0: nothing was measured
	Delays []time.Duration
	Pairs  []Count // by r, then w
	Failed uint64  // writes and reads that failed: they say nothing
}
