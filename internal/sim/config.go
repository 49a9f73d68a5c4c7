package sim

import (
	"io"
	"maps"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
)

// Config is what a [World] is made with. Zero fields take their defaults: three
// nodes A, B and C, eight partitions, n=3, r=w=2.
type Config struct {
	Seed  uint64
	Nodes []ring.Node
	// Changes lets the ring change: nodes go by a history and by links, as real ones
	// do, and dial whom these name. Spares are nodes that are in no cluster when the
	// world begins; the founders are their seeds.
	Changes bool
	Spares  []ring.Node
	// Apart are nodes that have founded a ring of their own, of the same name and Q,
	// later than Nodes have (paper, section 4.8.2). Both know each other's addresses;
	// nothing gets through before [World.Introduce].
	Apart           []ring.Node
	Gossip          gossip.Config
	Chain           chain.Config
	CheckpointAfter int          // see [steward.Config]
	Tokens          []ring.Token // the ring laid out by hand; empty: Q equal partitions
	Q               int
	Buckets         node.Buckets
	Node            node.Config // its Sealer and Run are set by the world
	// Compare makes nodes compare what they hold, for ever. Without it they do
	// so where asked, and a world comes to rest.
	Compare bool
	// Admit tells nodes every second how long the reads of their disks took, and lets
	// them hold back what they do in the background; for ever.
	Admit bool
	// Scrub makes nodes read back what they store, for ever; likewise.
	Scrub   bool
	Replica replica.Config // its Run is set by the world
	Runner  disk.Config
	// LeafKeys is that of Runner for each node by its place in Nodes, from the first
	// again behind the last; none: as Runner says.
	LeafKeys []int
	Reap     bool // tombstones are reaped
	Epochs   reap.EpochConfig
	Net      NetConfig
	Disk     DiskConfig
	Turn     time.Duration // how long after an input a node comes to it; default 10 µs
	// Trace is written a line for everything that happens; nil: nothing is.
	Trace io.Writer
	// TraceKey limits the trace to a key, in the form bucket/name, and to what
	// concerns no key.
	TraceKey string
}

// contextKey seals the contexts of every simulated cluster.
var contextKey = []byte("the simulator's own cluster key!")

func (c *Config) setDefaults() {
	if len(c.Nodes) == 0 {
		c.Nodes = []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}}
	}
	if c.Q == 0 {
		c.Q = 8
	}
	c.Buckets.Names = slices.Sorted(maps.Keys(c.Buckets.Named))
	b := &c.Buckets.Default
	if b.N == 0 {
		b.N = min(3, len(c.Nodes))
	}
	if b.R == 0 {
		b.R = b.N/2 + 1
	}
	if b.W == 0 {
		b.W = b.N/2 + 1
	}
	if b.Timeout == 0 {
		b.Timeout = time.Second
	}
	if c.Node.Recovery.Wait == 0 { // nobody's request takes longer
		c.Node.Recovery.Wait = b.Timeout
		for _, name := range c.Buckets.Names {
			c.Node.Recovery.Wait = max(c.Node.Recovery.Wait, c.Buckets.Named[name].Timeout)
		}
	}
	if c.Epochs.Every == 0 {
		c.Epochs.Every = time.Second
	}
	if c.Epochs.Tell == 0 {
		c.Epochs.Tell = 100 * time.Millisecond
	}
	if c.Turn == 0 {
		c.Turn = 10 * time.Microsecond
	}
	if c.Runner.CacheBytes == 0 {
		c.Runner.CacheBytes = 16 << 10 // so small that records are missed, too
	}
	c.Net.setDefaults()
	c.Disk.setDefaults()
}
