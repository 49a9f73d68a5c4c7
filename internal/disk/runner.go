// Package disk runs the storage operations of one shard against a storage
// engine: each through the replica machine, all changes of one run in one
// batch. It decides when an answer may be given: what was changed is told as
// durable, and what is shown is shown, only after the log has synced it (RULES
// R27, R35).
package disk

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
)

// Defaults of [Config].
const (
	DefaultMaxWaiting      = 65536
	DefaultMaxWaitingBytes = 64 << 20
	DefaultMaxBatches      = 1024
	DefaultMaxPending      = 1 << 30
	DefaultCacheBytes      = 32 << 20
	DefaultLeafKeys        = 32
	DefaultLeaves          = 256 << 10
)

// Config bounds a [Runner]. Zero fields take the defaults.
type Config struct {
	// MaxWaiting is how many answers may wait for a sync, and MaxWaitingBytes
	// how many bytes of state they may hold. MaxBatches is how many batches may
	// be applied and not synced. What would exceed a bound is answered
	// [replica.Overloaded] and changes nothing.
	MaxWaiting      int
	MaxWaitingBytes int
	MaxBatches      int
	// MaxPending is how many bytes of pending records may be held. Beyond it
	// pending writes and joins are answered [replica.DiskFull], so that the walk
	// goes on to another node; what is held stays. Less than 0: none is taken.
	MaxPending int64
	// Mine says which partitions are this runner's, where several share an
	// engine; nil: all.
	Mine func(partition uint32) bool
	// Shard is which of Shards this runner's is, where several share an engine:
	// each notes by itself how far it has read everything back. Default 0 of 1.
	Shard, Shards int
	// CacheBytes is how many bytes of records are kept in memory; less than 0:
	// none. It pays where the records in use fit.
	CacheBytes int
	// PartitionBits is how many bits of a position name its partition
	// (ring.Ring.Bits): its tree is cut by those below. It is the same on all
	// nodes of a cluster, for ever.
	PartitionBits uint
	// LeafKeys is how many records a leaf may have: one with more is split when it
	// is written to next, and two halves that together have a quarter of it become
	// one. Nodes need not agree on it.
	LeafKeys int
	// Leaves is how many leaves, of 32 bytes, are kept in memory at most.
	Leaves int
	// Read is told how long the engine took for each read that a client waits for, by
	// Clock, and how that ended. Nil: nobody is.
	Read  func(took time.Duration, err error)
	Clock func() time.Duration
}

// Runner runs operations. It is deterministic, and all but SetFull, Inspect and
// PendingBytes belong to one goroutine, the shard's.
type Runner struct {
	config  Config
	engine  store.Engine
	replica *replica.Replica
	onSync  func(seq uint64, err error)
	full    atomic.Bool
	dead    error

	pendingBytes atomic.Int64 // of pending records, as applied
	owing        []replica.Owing
	growth       int64          // what the batch of this run adds to it
	stamps       map[uint64]int // how many pending records have each stamp, as applied
	restamped    []restamped    // what the batch of this run changes of them

	seq     uint64 // the last batch applied
	pushed  uint64 // the last that was not lazy
	latest  syncTable
	marks   map[relaxedMark]uint64 // the batch that made each; 0: an earlier run's
	cache   *cache
	trees   trees
	waiting waitlist

	surveyed []surveyed // answers that wait for a sync

	large  largeLeaf // that is being read back
	mended []byte    // the place at which a tree was mended last

	// Of the present run.
	batch   store.Batch
	overlay map[record][]byte // records as the batch leaves them; nil: none
	staged  []staged
	touched []touched // what changes in trees, in the order of the operations
	plots   []plot    // leaves, as the batch leaves them
	plotted map[leafID]int
	mortals []replica.Mortal
	marking []relaxedMark
	earlier int // how many of mortals earlier batches of the run left
	key     []byte
	form    []byte
}

// record names a record within the engine.
type record struct {
	partition    uint32
	bucket, name string
	kind         recordKind
}

// recordKind tells the records of one key apart.
type recordKind uint8

const (
	ownRecord     recordKind = iota
	pendingRecord            // kept for others
	sideRecord               // in the stead of the own one, which can't be read
)

// New returns a runner over e. After each batch has synced, or has failed to,
// onSync is called with its number; whoever is told then calls
// [Runner.Synced] on the shard's goroutine. onSync may be called from any
// goroutine, also from within Run, and must neither block nor call the runner.
func New(cfg Config, e store.Engine, r *replica.Replica, onSync func(seq uint64, err error)) *Runner {
	if cfg.MaxWaiting <= 0 {
		cfg.MaxWaiting = DefaultMaxWaiting
	}
	if cfg.MaxWaitingBytes <= 0 {
		cfg.MaxWaitingBytes = DefaultMaxWaitingBytes
	}
	if cfg.MaxBatches <= 0 {
		cfg.MaxBatches = DefaultMaxBatches
	}
	if cfg.MaxPending == 0 {
		cfg.MaxPending = DefaultMaxPending
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if cfg.LeafKeys <= 0 {
		cfg.LeafKeys = DefaultLeafKeys
	}
	if cfg.Leaves <= 0 {
		cfg.Leaves = DefaultLeaves
	}
	run := &Runner{
		config: cfg, engine: e, replica: r, onSync: onSync,
		overlay: make(map[record][]byte), cache: newCache(cfg.CacheBytes),
		trees: newTrees(cfg.Leaves), plotted: make(map[leafID]int),
		stamps: make(map[uint64]int), marks: make(map[relaxedMark]uint64),
	}
	run.loadMarks()
	run.countPending()
	return run
}

// SetFull makes the runner refuse writes and joins with [replica.DiskFull], or
// stop doing so. Reads go on. It may be called from any goroutine.
func (r *Runner) SetFull(full bool) { r.full.Store(full) }

// Err returns why the runner has stopped for good, or nil. Once it is set
// nothing is acknowledged any more and the process must end: what was in
// flight is unknown.
func (r *Runner) Err() error { return r.dead }

// Run runs ops in order, each seeing the effects of those before it, applies
// all their changes as one batch (a Vacate is one of its own), and appends the answers that may be given at
// once to done; the others come from [Runner.Synced]. A Silent operation gets
// no answer. The slices in an answer belong to its receiver and are never
// changed by the runner, but may be shared: they must not be written to.
//
//   - A Write is answered twice: when it is applied, with the state; and again,
//     Durable and without the state, when it is synced. A failed one once.
//   - A Join is answered when the record is synced as it then stands, whether
//     this Join changed it or an earlier operation did.
//   - A Read, or a Recall that found its request, likewise (RULES R35).
//   - A Relaxed Write or Join is answered once, when it is applied, and so is a
//     Relaxed Read: unless the record is on disk the answer says Relaxed and not
//     Durable. The first of a partition and bucket is answered as any other.
//   - A Vacate is answered when it is synced, an Arrive likewise.
//   - Anything else is answered at once.
//
// Where the engine refuses the batch nothing of it is stored: operations that
// changed something fail, and so do those that relied on such a change, except
// reads, which are run again. The error is not nil once the runner has stopped
// (see [Runner.Err]); every operation has then failed.
func (r *Runner) Run(now clock.Now, ops []replica.Op, done *[]replica.Answer, facts *[]fact.Fact) error {
	r.mortals = r.mortals[:0]
	for {
		n := 0
		for n < len(ops) && ops[n].Verb != replica.Vacate {
			n++
		}
		r.together(now, ops[:n], done, facts)
		if n == len(ops) {
			return r.dead
		}
		r.vacate(now, &ops[n], done, facts)
		ops = ops[n+1:]
	}
}

// together runs operations in one batch.
func (r *Runner) together(now clock.Now, ops []replica.Op, done *[]replica.Answer, facts *[]fact.Fact) {
	r.reset()
	r.earlier = len(r.mortals)
	start := len(*facts)
	for i := range ops {
		r.stage(now, &ops[i], facts)
	}
	if err := r.commit(); err != nil {
		r.abandon(now, err, facts, start)
	}
	r.urgeAnswers()
	for i := range r.staged {
		r.settle(&r.staged[i], done)
	}
}

// Synced tells the runner that batch seq, and so every batch before it, is
// synced, or that the sync failed, and appends the answers that waited for it.
// After a failed sync there are no answers any more; see [Runner.Err].
func (r *Runner) Synced(seq uint64, err error, done *[]replica.Answer) {
	switch {
	case r.dead != nil:
	case err != nil:
		r.stop(fmt.Errorf("sync of batch %d: %w", seq, err))
	default:
		r.waiting.release(seq, done)
	}
}

// Refresh makes the runner read everything anew. It is for whoever changes the
// engine's records beneath the runner; see also [Runner.Doubt].
func (r *Runner) Refresh() {
	r.cache.clear()
	r.trees.clear()
}

// Inspect returns a copy of what the engine stores for a key, nil where that is
// nothing: the node's own record, not a pending one. It may be called from any
// goroutine and may show a change that is not synced.
func (r *Runner) Inspect(partition uint32, key ring.Key) ([]byte, error) {
	var stored []byte
	k := store.AppendRecordKey(nil, partition, key.Bucket, key.Pos.Hi, key.Name)
	_, err := r.engine.Get(k, func(value []byte) { stored = append([]byte{}, value...) })
	return stored, err
}

// commit applies the batch of this run.
func (r *Runner) commit() error {
	switch {
	case r.dead != nil:
		return r.dead
	case r.batch.Len() == 0 && len(r.touched) == 0:
		return nil
	}
	if err := r.putLeaves(); err != nil || r.batch.Len() == 0 {
		return err
	}
	r.batch.Lazy = r.lazy()
	if err := r.apply(); err != nil {
		return err
	}
	r.pendingBytes.Add(r.growth)
	r.countStamps()
	r.keep()
	r.keepLeaves()
	return nil
}

// keep puts the records of the batch just applied into the cache, the node's own:
// a pending one is read again when it is handed over, and then it goes.
func (r *Runner) keep() {
	for i := range r.staged {
		if s := &r.staged[i]; s.changed && !s.op.Pending && !s.aside {
			op := s.op
			r.key = appendKey(r.key[:0], op)
			if record := r.overlay[record{op.Partition, op.Key.Bucket, op.Key.Name, ownRecord}]; record == nil {
				r.cache.drop(op.Key.Pos.Lo, r.key)
			} else {
				r.cache.put(op.Key.Pos.Lo, r.key, record)
			}
		}
	}
}

// stop ends the runner for good.
func (r *Runner) stop(err error) {
	r.dead = err
	r.waiting = waitlist{}
	r.surveyed = nil
}

// fatal says whether an engine that returned err can still be used.
func fatal(err error) bool {
	return errors.Is(err, store.ErrDead) || errors.Is(err, store.ErrClosed)
}

// reset forgets the previous run and keeps its memory.
func (r *Runner) reset() {
	clear(r.staged)
	clear(r.overlay)
	r.staged = r.staged[:0]
	r.batch.Reset()
	r.touched, r.plots = r.touched[:0], r.plots[:0]
	clear(r.plotted)
	r.growth, r.restamped = 0, r.restamped[:0]
	r.marking = r.marking[:0]
}
