package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
)

// epoch is the wall clock at the beginning of every simulation, in ms: 2026.
const epoch = 1767225600000

// World is a cluster on virtual time. It belongs to one goroutine.
type World struct {
	cfg     Config
	ring    *ring.Ring
	sealer  *causal.Sealer
	now     time.Duration
	queue   queue
	nodes   []*machine
	net     network
	hist    *history.History
	eyes    eyes
	trace   *tracer
	stats   Stats
	typists *typists
	hash    uint64
	broken  *history.Violation // the first broken promise: the world stands still

	begun     map[pair][]snapshot // what a peer held when a comparison with it began
	healed    time.Duration
	founding  member.History          // where the ring changes
	younger   member.History          // of the ring that was formed apart
	origin    place.Hash              // of the chain of links that stays
	issued    []*Issued               // by id, from 1
	attempts  []*attempt              // by ticket, from 1
	pages     []*pageCall             // likewise
	placed    map[numbered]place.Hash // that any node has adopted
	counted   uint64                  // the highest link in the stats
	requested map[uint64]bool         // tokens of a test's own requests
	runs      map[uint64]ring.NodeID  // whose every run id was
	diskRand  *rand.Rand
	looked    int64 // bytes of questions and answers of comparisons
}

// The streams of choices drawn from a seed: one for each purpose, so that a
// change in one does not shift the others.
const (
	streamNet = 1 + iota
	streamDisk
	streamShape
	streamLoad
	streamFaults
	streamNode             // and above: one for each node
	streamImages = 1 << 32 // far above those
	streamRing   = 1<<32 + 1
	streamTrees  = 1<<32 + 3
	streamTypes  = 1<<32 + 4 // and the one after it
	streamScrub  = 1<<32 + 6 // and the one after it
	streamRelax  = 1<<32 + 8
	streamAdmit  = 1<<32 + 9 // and the one after it
	streamHot    = 1<<32 + 11
	streamOwn    = 1<<32 + 12

	streamCanary    = 1 << 33 // and above: one for each node
	streamPredicted = 1<<33 + 1<<16
)

func stream(seed uint64, number uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, number*0x9e3779b97f4a7c15))
}

// New returns a world in which every node has started and every link is up.
func New(cfg Config) (*World, error) {
	cfg.setDefaults()
	w := &World{cfg: cfg, sealer: causal.NewSealer(contextKey), hist: history.New(), begun: map[pair][]snapshot{}, requested: map[uint64]bool{}, runs: map[uint64]ring.NodeID{}, diskRand: stream(cfg.Seed, streamDisk)}
	w.cfg.Node.Sealer = w.sealer
	tokens := cfg.Tokens
	if len(tokens) == 0 {
		var err error
		if tokens, err = ring.Assign(cfg.Q, cfg.Nodes); err != nil {
			return nil, fmt.Errorf("sim: %w", err)
		}
	}
	r, err := ring.New(cfg.Nodes, tokens)
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	w.ring = r
	w.cfg.Runner.PartitionBits = r.Bits()
	w.eyes = newEyes()
	w.trace = newTracer(&w.cfg)
	w.net = network{cfg: cfg.Net, rand: stream(cfg.Seed, streamNet), nodes: len(cfg.Nodes) + len(cfg.Spares) + len(cfg.Apart)}
	if cfg.Changes {
		if err := w.foundAll(); err != nil {
			return nil, fmt.Errorf("sim: %w", err)
		}
	}
	w.build()
	return w, nil
}

func (w *World) build() {
	for i, n := range slices.Concat(w.cfg.Nodes, w.cfg.Spares, w.cfg.Apart) {
		m := &machine{index: i, id: n.ID, disk: newPlatter(func() time.Duration { return w.now }), rand: stream(w.cfg.Seed, uint64(streamNode+i))}
		m.disk.stored = func(key, value []byte) { w.stored(m, key, value) }
		w.nodes = append(w.nodes, m)
	}
	for _, from := range w.nodes {
		for _, to := range w.nodes {
			w.net.links = append(w.net.links, &link{from: from, to: to})
		}
	}
	w.separate()
	for _, m := range w.nodes {
		w.start(m)
	}
	for _, l := range w.net.links {
		if l.from != l.to {
			w.join(l)
		}
	}
	for w.queue.len() > 0 && w.now == 0 && w.queue.heap[0].at <= w.cfg.Turn {
		w.Step()
	}
}

// Now returns the virtual time since the world began.
func (w *World) Now() time.Duration { return w.now }

// Stats returns what has happened so far.
func (w *World) Stats() Stats { return w.stats }

// Hash returns a hash of everything that has happened so far.
func (w *World) Hash() uint64 { return w.hash }

// Broken returns the first broken promise, or nil.
func (w *World) Broken() *history.Violation { return w.broken }

// wall is the true time in milliseconds since 1970.
func (w *World) wall() int64 { return epoch + w.now.Milliseconds() }

// mix adds to the hash of what happened.
func (w *World) mix(x uint64) {
	w.hash = (w.hash ^ x) * 0x9fb21c651e98df25
	w.hash ^= w.hash >> 29
}

// after calls fn when d has passed.
func (w *World) after(d time.Duration, fn func()) {
	w.queue.push(event{at: w.now + d, what: evCall, fn: fn})
}

// Step lets the next event happen. It returns false where nothing is left to
// happen or a promise is broken.
func (w *World) Step() bool {
	if w.queue.len() == 0 || w.broken != nil {
		return false
	}
	e := w.queue.pop()
	w.now = e.at
	w.stats.Events++
	w.mix(uint64(e.at)<<8 ^ uint64(e.what)<<4 ^ uint64(e.node))
	switch e.what {
	case evTurn:
		if m := w.nodes[e.node]; m.life == e.life && m.alive {
			if m.paused > 0 {
				m.turning = false
				return true
			}
			w.turn(m)
		}
	case evTick:
		if m := w.nodes[e.node]; m.life == e.life && m.alive {
			w.tick(m, e.at)
		}
	case evDeliver:
		w.deliver(&e)
	case evSynced:
		w.synced(&e)
	case evCall:
		e.fn()
	}
	return true
}

// RunUntil lets events happen until done returns true, and reports whether it
// did before nothing was left to happen.
func (w *World) RunUntil(done func() bool) bool {
	for !done() {
		if !w.Step() {
			return done()
		}
	}
	return true
}

// RunFor lets d pass.
func (w *World) RunFor(d time.Duration) {
	end := false
	w.after(d, func() { end = true })
	w.RunUntil(func() bool { return end })
}

// RunUntilIdle lets events happen until nothing is left to happen: no message
// is under way, nobody waits for anything. A disk that is stalled or a node
// that stands still is left as it is.
func (w *World) RunUntilIdle() {
	for w.Step() {
	}
}

// byID returns the machine of a node, or nil.
func (w *World) byID(id ring.NodeID) *machine {
	for _, m := range w.nodes {
		if m.id == id {
			return m
		}
	}
	return nil
}

// violate notes a broken promise; the first one counts.
func (w *World) violate(v *history.Violation) {
	if v != nil && w.broken == nil {
		w.broken = v
		w.tracef("BROKEN: %v", v)
	}
}

func (w *World) violatef(p history.Promise, key, format string, args ...any) {
	w.violate(history.Broken(p, key, format, args...))
}

// bug notes that a node did what makes no sense to its surroundings.
func (w *World) bug(format string, args ...any) {
	w.violatef(history.Invented, "", format, args...)
}
