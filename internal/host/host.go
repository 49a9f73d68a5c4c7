package host

import (
	"errors"
	"log/slog"
	"math/bits"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

// Config is what a host is made with. Every bound has a default, used where the
// field is zero.
type Config struct {
	Cluster   string
	ClusterID uint64
	Version   string
	Engine    string // name of the engine, for status
	Clients   string // where clients reach the node, for [ouro.Routes]
	Starts    uint64 // how often this data folder was started, for status

	Shards   int // goroutines that own partitions; default 1
	Inbox    int // messages and requests waiting per shard; beyond it: overloaded; default 4096
	MaxValue int // bytes of a value; beyond it: too_large; default 1 MiB
	MaxFrame int // bytes of a message to a peer; beyond it: dropped, and stated; default 128 MiB

	Reserve int64         // bytes of the file system that are kept free; below it: disk_full; default 256 MiB
	Sample  time.Duration // how often free space is measured; default 1 s

	// Secrets of the cluster, equal on all nodes; Replica.Seed is the third.
	ContextKey []byte // seals contexts
	TokenKey   uint64 // hashes request ids to tokens (RULES R29)

	Core    node.Config    // its Sealer and Run are made here, for each shard its own
	Replica replica.Config // likewise its Run (RULES R1)
	Steward core.Config    // likewise its Epochs' Seed and Shards
	Disk    disk.Config

	Q       int      // partitions, where the node is in no cluster yet
	Members []Member // for status, where the cluster never changes
	Notes   []string // for status: what an operator should know
	// Troubles tells of links that are refused, for status too. Nil: there are none.
	Troubles func() []string
	Doubt    bool // as with [Host.Doubt], from the start

	Links Links
	// Canary is how often the node writes a canary and has another node read it, 0: never.
	// Reader returns a node as clients reach it at that address; nil: there is no canary.
	Canary time.Duration
	Reader func(addr string) (Reader, error)
	// Dial is told to whom there are to be links, whenever that changes. Nil: to whom
	// there are is no matter of the host's.
	Dial func(peers []core.Peer)
	// Seek is asked who lives at a seed; [Host.Met] tells. It must not block. Nil:
	// there are none.
	Seek func(seed string)
	// Recheck is called where other nodes are of the cluster than before: whoever is
	// linked to is to be judged again, as the disks of members are remembered. It must
	// not block. Nil: nobody is.
	Recheck func()
	// Lost: the node may have forgotten all that it held, and does not know what that
	// was. Learned, if not nil, is called instead of going on where it learns that, or
	// that it holds what it does not know of: it is to begin again, so that all it holds
	// is recovering.
	Lost    bool
	Learned func()
	// OtherQ is called where the node was joined to a cluster of another number of
	// partitions than Q: it is to begin again with that.
	OtherQ func(q int)
	// Founding is what 'ouro cluster init' founds at a node that is in no cluster; its ID
	// is made here.
	Founding core.Found
	Observer Observer
	Log      *slog.Logger
	// Fatal is called once, from any goroutine, when the engine can no longer be
	// trusted with an acknowledgement; the process must end (RULES R27).
	Fatal func(error)
	// RolledBack is called once where another member has seen this node in a later
	// epoch than its disk is in: the disk is an old copy, and what it holds must not
	// be offered any more (RULES R22). Nil: Fatal is.
	RolledBack func()
	// Linked, if not nil, is called once, before the shards go by a placement that names
	// the disks of its members.
	Linked func()
	// Forgot is called once where the links know this node by another disk than the one
	// it has, and that does not say that it recovers: it is to come back as another one
	// that does (RULES R9). Nil: it goes on, and counts for nothing before a link names it.
	Forgot func()
}

// Member is one member of the cluster as configured.
type Member struct {
	Node ring.Node
	Peer string // address of its node-to-node port
}

// Links carries frames to peers. Send copies whole frames to what is pending
// for a peer, or fails at once where the peer is unreachable or too far behind.
type Links interface {
	Send(peer string, frames []byte) error
}

// Observer is told what happens: once for every turn of a shard's loop that had
// anything to tell, and once for every client request.
type Observer interface {
	Observe(facts []fact.Fact)
	Request(verb, outcome string, took time.Duration)
	Turn(stage string, inputs int, waited time.Duration)
	Refused(stage string)
}

// Host runs one node: its shards, their disks, and the way in for clients and
// peers. It is a body of [ouro.Store] and of [ouro.Inspector].
type Host struct {
	cfg     Config
	engine  store.Engine
	view    atomic.Pointer[node.View]
	shards  []*shard
	steward *steward
	started time.Time
	links   linkTable
	flight  atomic.Int64 // client requests under way
	sent    atomic.Uint64
	rate    atomic.Int64 // bytes a second that this node may receive in moves; 0: not known
	closing atomic.Bool
	listing chan struct{} // one for each list of keys under way
	peeking chan struct{} // one for each replica that is looked at
	room    room
	load    load
	pauses  pauses
	canary  *bird

	predicted predictions
	counts    atomic.Pointer[counts]
	routes    atomic.Pointer[routes]
	served    atomic.Uint64 // how often where clients reach a peer has changed
	stop      chan struct{} // closed when the host stops
	stopped   sync.Once
	doubt     atomic.Bool // no peer has been heard yet
	fatal     sync.Once
	done      sync.WaitGroup
}

// New makes a host over an engine it does not own. Nothing runs before
// [Host.Start].
func New(cfg Config, engine store.Engine) (*Host, error) {
	if cfg.Links == nil || cfg.Observer == nil || cfg.Log == nil || cfg.Fatal == nil || len(cfg.ContextKey) == 0 {
		return nil, errors.New("host: Links, Observer, Log, Fatal and ContextKey must be set")
	}
	cfg.setDefaults()
	h := &Host{cfg: cfg, engine: engine, started: time.Now(), stop: make(chan struct{}), listing: make(chan struct{}, keysCalls), peeking: make(chan struct{}, peekCalls)}
	var err error
	if h.steward, err = newSteward(h); err != nil {
		return nil, err
	}
	view := h.steward.core.View()
	h.view.Store(view)
	h.doubt.Store(cfg.Doubt)
	for i := range cfg.Shards {
		s := newShard(h, i, view)
		if err := s.recover(); err != nil {
			return nil, err
		}
		h.shards = append(h.shards, s)
	}
	h.rate.Store(h.usualRate())
	h.steward.begin()
	h.canary = newBird(h)
	return h, nil
}

func (c *Config) setDefaults() {
	if c.Shards == 0 {
		c.Shards = 1
	}
	if c.Inbox == 0 {
		c.Inbox = 4096
	}
	if c.MaxValue == 0 {
		c.MaxValue = 1 << 20
	}
	if c.MaxFrame == 0 {
		c.MaxFrame = 128 << 20
	}
	if c.Reserve == 0 {
		c.Reserve = defaultReserve
	}
	if c.Sample == 0 {
		c.Sample = defaultSample
	}
}

// Start begins to serve. How much room there is on the disk is known by then.
func (h *Host) Start() {
	h.measure()
	h.done.Add(1)
	go func() {
		defer h.done.Done()
		h.watchSpace()
	}()
	h.done.Add(1)
	go func() {
		defer h.done.Done()
		h.measureLoad()
	}()
	for _, s := range h.shards {
		h.done.Add(1)
		go func() {
			defer h.done.Done()
			s.run()
		}()
	}
	h.done.Add(1)
	go func() {
		defer h.done.Done()
		h.steward.run()
	}()
	if h.canary != nil {
		h.done.Go(h.canary.run)
	}
}

// Close refuses new requests, waits until those under way are answered or
// patience has passed, and stops the shards. The engine and the links stay open:
// they are the caller's.
func (h *Host) Close(patience time.Duration) {
	h.closing.Store(true)
	for end := time.Now().Add(patience); h.flight.Load() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	h.stopped.Do(func() { close(h.stop) })
	h.endPause()
	for _, s := range h.shards {
		s.in.close()
		s.in.force(item{do: func(s *shard) { s.stopped = true }, queued: time.Since(h.started)})
	}
	h.done.Wait()
}

// diskOf returns how the runner of a shard is bounded: all share the bound on
// what is kept for others.
func (h *Host) diskOf(index int) disk.Config {
	cfg, shards := h.cfg.Disk, h.cfg.Shards
	cfg.PartitionBits = h.view.Load().Ring.Bits()
	if h.view.Load().Ring.Q() == 0 {
		cfg.PartitionBits = uint(bits.Len(uint(h.cfg.Q))) - 1
	}
	if cfg.MaxPending == 0 {
		cfg.MaxPending = disk.DefaultMaxPending
	}
	cfg.MaxPending = max(cfg.MaxPending/int64(shards), 1)
	cfg.Shard, cfg.Shards = index, shards
	if shards > 1 {
		cfg.Mine = func(partition uint32) bool { return int(partition)%shards == index }
	}
	return cfg
}

// fail reports that the engine is dead, once.
func (h *Host) fail(err error) {
	h.fatal.Do(func() { h.cfg.Fatal(err) })
}

// shardOf returns the shard that owns a partition.
func (h *Host) shardOf(partition uint32) *shard {
	return h.shards[int(partition)%len(h.shards)]
}

// now reads both clocks.
func (h *Host) now() clock.Now {
	t := time.Now()
	return clock.Now{Mono: t.Sub(h.started), Wall: t.UnixMilli()}
}

// newRun draws a run id (RULES R1). Zero means none and is never drawn.
func newRun() uint64 {
	for {
		if run := rand.Uint64(); run != 0 {
			return run
		}
	}
}
