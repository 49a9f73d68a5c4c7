package replica

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Replica answers for the records of one shard. It belongs to one goroutine.
type Replica struct {
	cfg        Config
	life       uint64              // of this run, the last one taken
	doubt      bool                // in everything
	recovering partitions          // in these
	unsure     map[uint32][]string // in these buckets of a partition
	standing   Standing
	tokens     tokens
	reaped     reaped

	// Reused from one call to the next.
	stored, incoming, result causal.State
}

// New returns a replica at the start of a run.
func New(cfg Config) *Replica {
	cfg = cfg.withDefaults()
	return &Replica{
		cfg:    cfg,
		tokens: tokens{ttl: cfg.TokenTTL, max: cfg.TokenMax, dots: map[tokenKey]tokenDot{}},
		reaped: reaped{ttl: cfg.ReapedTTL, max: cfg.ReapedMax, sums: map[ring.Position]tombstone{}},
	}
}

// NewRun begins another run, which ends the life of every record: to be called
// with a freshly drawn id after an unexplained gap between the wall clock and
// the monotonic one (RULES R1).
func (r *Replica) NewRun(run uint64) { r.cfg.Run, r.life = run, 0 }

// Result is what [Replica.Do] decided.
type Result struct {
	Answer Answer
	// Record is what to store under the key; nil: what is there stays. It is new
	// memory, and Answer.State may be a part of it, so neither may be written to.
	Record []byte
	// Drop: nothing is to be stored under the key any more. Never with Record.
	Drop bool
	// Leaf is what this adds to the leaf of the key, for an ordinary record that
	// changes: pending ones are in no tree.
	Leaf merkle.Sum
	// Members is by how many records this makes that leaf grow: 1, 0 or -1.
	Members int
	// Unreadable: what is stored of an ordinary record can't be read. What it once
	// added to its leaf is not known, so the leaf must be added up anew (RULES
	// R26, H9).
	Unreadable bool
	// Due, with a Record of this node's own, is what [Due] says of it.
	Due int64
	// Crowded, with such a Record: another actor has a share in it, and some number has
	// more than there should be (RULES R8).
	Crowded bool
}

// Do decides what becomes of a record, which is the pending one of the key where
// op says so. Stored is what is under its engine key, nil where nothing is; it
// is only read, and nothing of it is kept or returned. Facts may be nil.
//
// A record that fails its checksum is never taken for an absent one: every verb
// then answers Failed and Corrupt, leaves the bytes as they are, and names the
// record as rotten, for which [Replica.Beside] then takes the operation.
func (r *Replica) Do(now clock.Now, stored []byte, op *Op, facts *[]fact.Fact) Result {
	if op.Pending {
		return r.pending(now, stored, op, facts)
	}
	c := call{
		Replica: r, now: now, stored: stored, op: op, facts: facts, live: -1,
		recovering: r.recoversIn(op.Partition, op.Key.Bucket), stamp: r.standing.Epoch,
	}
	if res, over := c.late(); over {
		return res
	}
	res := c.do()
	c.weigh(&res)
	return res
}
