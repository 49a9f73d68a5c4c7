package replica

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config is how a [Replica] behaves. Zero values mean the defaults named.
type Config struct {
	// Run is the id of this run: drawn at random at every start of the process,
	// never read from disk (RULES R1). Replicas that run side by side in one
	// process need one each.
	Run uint64
	// Seed keys the sums of values and digests of states. It is derived from a
	// secret of the cluster and the same on all its nodes (RULES R26).
	Seed uint64
	// Limits bound what a record remembers; default causal.DefaultLimits.
	Limits causal.Limits
	// MaxSiblings bounds blind growth where the bucket has no bound of its own:
	// beyond it a put whose context covers no stored version is refused; default
	// 100.
	MaxSiblings int
	// MaxElements and MaxTyped bound what a key of a data type may grow to by updates:
	// elements, and bytes of all their values. Defaults 10,000 and 1 MiB.
	MaxElements, MaxTyped int
	// MaxShares is beyond how many shares of one number those of ended actors are to be
	// folded; default 8.
	MaxShares int
	// TokenTTL is how long a request id is remembered; default two minutes.
	TokenTTL time.Duration
	// TokenMax is how many request ids are remembered; the oldest go; default
	// 65,536.
	TokenMax int
	// ReapedMax is how many reaped tombstones are remembered, so that one which
	// comes back from a primary that has it yet is not stored again; the oldest
	// go, which costs another reaping. Default 16,384. ReapedTTL is how long;
	// default five minutes.
	ReapedMax int
	ReapedTTL time.Duration
}

func (c Config) withDefaults() Config {
	if c.Limits == (causal.Limits{}) {
		c.Limits = causal.DefaultLimits()
	}
	if c.MaxSiblings == 0 {
		c.MaxSiblings = 100
	}
	if c.MaxElements == 0 {
		c.MaxElements = 10_000
	}
	if c.MaxTyped == 0 {
		c.MaxTyped = 1 << 20
	}
	if c.MaxShares == 0 {
		c.MaxShares = 8
	}
	if c.TokenTTL == 0 {
		c.TokenTTL = 2 * time.Minute
	}
	if c.TokenMax == 0 {
		c.TokenMax = 1 << 16
	}
	if c.ReapedMax == 0 {
		c.ReapedMax = 1 << 14
	}
	if c.ReapedTTL == 0 {
		c.ReapedTTL = 5 * time.Minute
	}
	return c
}

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

// SetDoubt says whether this replica may have lost something that it
// acknowledged, anywhere. While it may, it stores everything but answers reads
// with [DontKnow], states attached where they were asked for (RULES R9).
func (r *Replica) SetDoubt(on bool) { r.doubt = on }

// SetRecovering is SetDoubt for one partition, in the buckets that its progress
// names; nil: it is over. An Op with the verb Recover does it too, and durably.
func (r *Replica) SetRecovering(partition uint32, p *Progress) {
	delete(r.unsure, partition)
	some := p != nil && len(p.Buckets) > 0
	r.recovering.set(partition, p != nil && !some)
	if some {
		if r.unsure == nil {
			r.unsure = map[uint32][]string{}
		}
		r.unsure[partition] = p.Buckets
	}
}

// Recovering reports whether this replica is recovering in any bucket of a
// partition.
func (r *Replica) Recovering(partition uint32) bool {
	return r.RecoversAll(partition) || len(r.unsure[partition]) > 0
}

// RecoversAll reports whether it is in all of them.
func (r *Replica) RecoversAll(partition uint32) bool { return r.doubt || r.recovering.has(partition) }

// recoversIn reports whether it is in one of them.
func (r *Replica) recoversIn(partition uint32, bucket string) bool {
	return r.RecoversAll(partition) || slices.Contains(r.unsure[partition], bucket)
}

// RecoversAny says whether this replica may have forgotten anything.
func (r *Replica) RecoversAny() bool { return r.doubt || r.recovering.any() || len(r.unsure) > 0 }

// ForgetTokens forgets every request id. It must be called when a batch with
// results of [Replica.Do] was not stored, since Do remembers what it was told
// to store; a retry may then store a second sibling, as after a restart (R31).
func (r *Replica) ForgetTokens() { r.tokens.clear() }

// TokensEvicted returns how many request ids were forgotten before their time
// for want of room.
func (r *Replica) TokensEvicted() uint64 { return r.tokens.evicted }

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

// weigh fills in what becomes of the leaf.
func (c *call) weigh(res *Result) {
	corrupt := res.Answer.Status == Failed && res.Answer.Reason == Corrupt
	if res.Record == nil && !res.Drop && !corrupt {
		return
	}
	var before merkle.Sum
	if c.stored != nil {
		var err error
		if _, before, err = c.Member(c.op.Key.Name, c.stored); err != nil {
			res.Unreadable = true
			return
		}
	}
	if c.stored != nil {
		res.Members--
	}
	switch {
	case res.Record != nil:
		res.Members++
		res.Leaf = merkle.Sub(merkle.Member(c.cfg.Seed, c.op.Key.Name, res.Answer.Digest), before)
	case res.Drop:
		res.Leaf = merkle.Sub(merkle.Sum{}, before)
	}
}

// Member returns the digest of the state in a stored record and what it adds to
// its leaf. The error is a [DamageError].
func (r *Replica) Member(name string, stored []byte) (digest, sum merkle.Sum, err error) {
	state, err := StateOf(stored)
	if err != nil {
		return merkle.Sum{}, merkle.Sum{}, err
	}
	digest = causal.Digest(state, r.cfg.Seed)
	return digest, merkle.Member(r.cfg.Seed, name, digest), nil
}

// Unreadable returns what a stored record that can't be read adds to its leaf: what no
// record adds that can be. So the leaf is like that of no other replica, and whoever
// compares comes to the record, and hears that it can't be read (RULES R26).
func (r *Replica) Unreadable(name string, stored []byte) merkle.Sum {
	return merkle.Member(r.cfg.Seed, name, causal.Digest(stored, r.cfg.Seed))
}

// Beside is [Replica.Do] for a record that fails its checksum: stored is the side
// record of the key, which takes what comes until the record is had from others
// (RULES R10, H9). Until then the record is recovering alone. The result is to be
// stored under the key of the side record; that of a Heal, which is not to be
// asked for a side record, under the key itself, and the side record goes.
func (r *Replica) Beside(now clock.Now, side []byte, op *Op, facts *[]fact.Fact) Result {
	c := call{Replica: r, now: now, stored: side, op: op, facts: facts, live: -1, recovering: true, stamp: r.standing.Epoch}
	if res, over := c.late(); over {
		return res
	}
	if op.Verb == Heal && side != nil {
		if _, err := DecodeRecord(side); err != nil {
			c.stored = nil // nothing is left to keep of it
		}
	}
	if op.Verb == Heal && op.Alone && c.stored == nil {
		return c.failed(Corrupt)
	}
	res := c.do()
	if res.Answer.Status == Failed && op.Verb != Heal {
		return res
	}
	if op.Verb == Heal && res.Answer.Status == Have {
		c.healed(&res)
		return res
	}
	res.Answer.Rotten = &Rotten{op.Partition, op.Key}
	return res
}

// healed sees to it that there is a record to store, whether or not the state
// added anything to the side record, and without its live actor: the life of the
// record has ended (RULES R2).
func (c *call) healed(res *Result) {
	s := c.Replica.stored // as the side record has it
	if res.Record != nil {
		s, _ = DecodeRecord(res.Record) // made here
	} else if c.load() == nil {
		s = c.Replica.stored
	}
	res.Record, res.Drop = newRecord(&s, -1), false
	if s.IsEmpty() {
		res.Record, res.Drop = nil, true
	}
	c.count(fact.Healed, 1)
}

// do carries out a verb on an ordinary record.
func (c *call) do() Result {
	switch c.op.Verb {
	case Write:
		return c.write()
	case Join, Heal:
		return c.join()
	case Read:
		return c.read()
	case Recall:
		return c.recall()
	case Drop:
		return c.reap()
	case Fold:
		return c.fold()
	default: // Paid is for pending records only
		return c.failed(Corrupt)
	}
}

// call is one call of Do.
type call struct {
	*Replica
	now    clock.Now
	stored []byte
	op     *Op
	facts  *[]fact.Fact

	recovering bool
	canonical  []byte // of the stored state
	live       int    // index of the live actor's entry in it, or -1
	stamp      uint64 // of the state that an answer shows
}

// load decodes the stored record into r.stored and finds its live actor.
func (c *call) load() error {
	s := &c.Replica.stored
	if c.stored == nil {
		*s = causal.State{Claims: causal.Claims{Vector: s.Vector[:0], Exceptions: s.Exceptions[:0]}, Versions: s.Versions[:0]}
		return nil
	}
	canonical, local, err := open(c.stored)
	if err == nil {
		err = s.Decode(canonical)
	}
	if err == nil && local > len(s.Vector) {
		err = errLive
	}
	if err != nil {
		return err
	}
	c.canonical = canonical
	// An actor of another run ended with it (RULES R2).
	if local > 0 && s.Vector[local-1].Actor.Run == c.cfg.Run {
		c.live = local - 1
	}
	return nil
}

func (c *call) answer(s Status) Answer {
	return Answer{ID: c.op.ID, Verb: c.op.Verb, Status: s, Recovering: c.recovering}
}

func (c *call) failed(why Reason) Result {
	a := c.answer(Failed)
	a.Reason = why
	return Result{Answer: a}
}

// damaged is the answer where the state in a message is no such thing.
func (c *call) damaged(err error) Result {
	c.state(fact.Fact{Kind: fact.Damaged, Note: c.op.Key.Bucket + ": " + err.Error()})
	return c.failed(Corrupt)
}

// rotten is the answer where the record can't be read.
func (c *call) rotten(err error) Result {
	res := c.damaged(err)
	if !c.op.Pending {
		res.Answer.Rotten = &Rotten{c.op.Partition, c.op.Key}
	}
	return res
}

// state states a fact.
func (c *call) state(f fact.Fact) {
	if c.facts == nil {
		return
	}
	f.Ticket, f.At = c.op.ID, c.now.Mono
	*c.facts = append(*c.facts, f)
}

// count states a fact about n things, if there are any.
func (c *call) count(k fact.Kind, n int) {
	if n > 0 {
		c.state(fact.Fact{Kind: k, N: n})
	}
}

// store is the answer where s is to be stored; live is its live actor's entry,
// or -1.
func (c *call) store(s *causal.State, live int) Result {
	record := newRecord(s, live)
	a := c.answer(Have)
	a.State = stateIn(record)
	a.Digest = causal.Digest(a.State, c.cfg.Seed)
	a.Stamp = c.stamp
	return Result{Answer: a, Record: record, Due: Due(s)}
}

// unchanged is the answer where the stored state stays as it is.
func (c *call) unchanged(withState bool) Result {
	a := c.answer(Have)
	a.Stamp = c.stamp
	state := c.canonical
	if c.stored == nil {
		state = causal.State{}.Append(nil)
	}
	a.Digest = causal.Digest(state, c.cfg.Seed)
	if withState {
		a.State = append([]byte(nil), state...)
	}
	return Result{Answer: a}
}
