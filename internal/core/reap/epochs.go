package reap

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// EpochConfig is how an [Epochs] behaves. Zero fields take the defaults.
type EpochConfig struct {
	// Every is the least time that a node stays in an epoch while no other is
	// ahead of it. A delete is reaped some four epochs after it. Default 20 s.
	Every time.Duration
	// Tell is how long between two tellings of the epochs to a random peer, while
	// somebody waits for one. Default 1 s.
	Tell time.Duration
	// Seed is for the choice of peers.
	Seed uint64
	// Shards is how many shards of this node stand in its epoch. Default 1.
	Shards int
}

// Durable is what a node keeps of its epochs on disk.
type Durable struct {
	Epoch uint64
	Born  uint64 // the epoch in which this disk was filled anew; 0: with the cluster
}

// Disk is what a node finds on its disk when it starts.
type Disk struct {
	Durable
	// Holds: there is any record, its own or kept for another.
	Holds bool
}

// Shown is the highest epoch that a member is known to have shown.
type Shown struct {
	Node  ring.NodeID
	Epoch uint64
	// Clean is the number of the newest placement by which the node held nothing of
	// partitions in whose lists it was not; 0: it has told of none.
	Clean uint64
}

// Show is what one node tells another.
type Show struct {
	Wanted uint64 // the epoch that somebody waits for
	Shown  []Shown
}

// Tell is a [Show] on its way.
type Tell struct {
	To ring.NodeID
	Show
}

// Stand tells every shard where it stands. Each answers with the lowest stamp of
// what it keeps for others, by [Epochs.Stood] and the same Seq.
type Stand struct {
	replica.Standing
	Seq uint64
}

// EpochEffects is what an [Epochs] wants done.
type EpochEffects struct {
	Tells []Tell
	// Stand, if its Seq is not 0, is for every shard; the last one counts.
	Stand Stand
	// Store, if Storing, is to be synced, and then told by [Epochs.Stored].
	Storing bool
	Store   Durable
	Facts   []fact.Fact
	// RolledBack says that this disk is an old copy of what the node once had
	// (RULES R22): what it holds must not be offered any more.
	RolledBack bool
}

// Reset empties e and keeps its memory.
func (e *EpochEffects) Reset() {
	clear(e.Tells)
	clear(e.Facts)
	*e = EpochEffects{Tells: e.Tells[:0], Facts: e.Facts[:0]}
}

// known is what is known of a member. Who is in epoch 0 has shown something, and
// who was never heard of has not.
type known struct {
	Shown
	heard bool
}

// What an [Epochs] is doing about the next epoch.
type phase uint8

const (
	resting  phase = iota
	looking        // asks the shards whether they keep anything old
	entering       // the shards are to take nothing old any more
	storing        // the disk is to remember it
)

// Epochs is the machine.
type Epochs struct {
	cfg     EpochConfig
	rand    *rand.Rand
	self    ring.NodeID
	members []known // by id; this node's own is what it may show
	up      map[ring.NodeID]bool
	told    map[ring.NodeID]time.Duration // when each peer was told last
	durable Durable
	holds   bool // there were records on the disk when this process started
	wanted  uint64
	placed  uint64 // the number of the placement that this node has adopted; 0: there is none
	known   bool   // another member has told what it has shown
	rolled  bool   // this disk is an old copy: it shows nothing more (RULES R22)

	phase  phase
	seq    uint64
	stood  []bool // shards that answered the last Stand
	oldest uint64 // the lowest stamp that they told, if any
	kept   bool   // they keep anything
	next   time.Duration
	tellAt time.Duration
	since  time.Duration // when the present epoch began
}

const (
	never = time.Duration(1<<63 - 1)
	// farthest is how far beyond all epochs one may be waited for: who asks for
	// more is mistaken.
	farthest = 4
)

// NewEpochs returns a machine that goes on from what is on the disk.
func NewEpochs(cfg EpochConfig, self ring.NodeID, members []ring.NodeID, disk Disk) *Epochs {
	if cfg.Every <= 0 {
		cfg.Every = 20 * time.Second
	}
	if cfg.Tell <= 0 {
		cfg.Tell = time.Second
	}
	if cfg.Shards <= 0 {
		cfg.Shards = 1
	}
	e := &Epochs{
		cfg: cfg, rand: rand.New(rand.NewPCG(cfg.Seed, 0x6f75726f)), self: self,
		up: map[ring.NodeID]bool{}, told: map[ring.NodeID]time.Duration{}, durable: disk.Durable, holds: disk.Holds, stood: make([]bool, cfg.Shards),
	}
	e.count(members)
	return e
}

// Begin tells the shards where they stand, once, at the start.
func (e *Epochs) Begin(out *EpochEffects) { e.stand(e.durable.Epoch, out) }

// Want says that somebody here waits for an epoch.
func (e *Epochs) Want(now clock.Now, epoch uint64, out *EpochEffects) {
	if epoch > e.wanted {
		e.wanted = epoch
		e.tellAt = min(e.tellAt, now.Mono)
	}
	e.Tick(now, out)
}

// Link says that a peer can be reached or no longer can.
func (e *Epochs) Link(now clock.Now, peer ring.NodeID, up bool, out *EpochEffects) {
	if !up {
		delete(e.up, peer)
		delete(e.told, peer)
		return
	}
	if index(e.members, peer) < 0 {
		return
	}
	e.up[peer] = true
	e.tell(now, peer, out)
	e.Tick(now, out)
}

// Hear takes what a member tells.
func (e *Epochs) Hear(now clock.Now, from ring.NodeID, show *Show, out *EpochEffects) {
	if index(e.members, from) < 0 {
		return
	}
	high, behind := e.highest(), show.Wanted < e.wanted
	changed := show.Wanted > e.wanted
	e.wanted = max(e.wanted, show.Wanted)
	for i := range e.members {
		m := &e.members[i]
		told, clean := uint64(0), uint64(0)
		if at := listed(show.Shown, m.Node); at >= 0 {
			told, clean, m.heard = show.Shown[at].Epoch, show.Shown[at].Clean, true
		}
		behind = behind || told < m.Epoch || clean < m.Clean
		if m.Node != e.self && clean > m.Clean {
			m.Clean, changed = clean, true
		}
		if m.Node == e.self {
			e.seen(now, from, told, out)
		} else if told > m.Epoch {
			m.Epoch, changed = told, true
		}
	}
	e.wanted = min(e.wanted, e.highest()+farthest)
	fresh := !e.known || e.highest() > high
	e.known = true
	switch {
	case e.adopt(now, from, out):
	case fresh && e.phase == resting:
		e.stand(e.durable.Epoch, out)
	}
	if last, ok := e.told[from]; behind && e.up[from] && (changed || !ok || now.Mono-last >= e.cfg.Tell || e.begins(from, show)) {
		e.tell(now, from, out)
	}
	e.Tick(now, out)
}

// begins says whether a member knows nothing yet and the others are past the first
// epochs: it waits to be told, and what was told before it was a member it did not take.
func (e *Epochs) begins(from ring.NodeID, show *Show) bool {
	at := listed(show.Shown, from)
	return at >= 0 && show.Shown[at].Epoch == 0 && e.highest() >= 2
}

// seen takes what another has seen of this node: it never shows what it has not
// synced, so one that was seen beyond its own epoch has lost its disk or was put
// on an old copy of it (RULES R22). Where it knows no epoch adopt tells which.
func (e *Epochs) seen(now clock.Now, from ring.NodeID, told uint64, out *EpochEffects) {
	if told <= e.durable.Epoch {
		return
	}
	if e.durable.Epoch == 0 {
		i := index(e.members, e.self)
		e.members[i].Epoch = max(e.members[i].Epoch, told)
		return
	}
	e.rollBack(now, from, told, out)
}

func (e *Epochs) rollBack(now clock.Now, from ring.NodeID, told uint64, out *EpochEffects) {
	if !e.rolled {
		e.rolled, out.RolledBack = true, true
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.RolledBack, At: now.Mono, Peer: string(from), N: int(told)})
	}
}

// adopt takes the epoch of the others for a disk that knows none of its own,
// where they are past the first: it is a newcomer's or was lost. What it keeps it
// has minted itself, in that epoch, if it was empty when this process started;
// what was there before is of an old copy, made before the first epoch, as far as
// anybody can tell.
func (e *Epochs) adopt(now clock.Now, from ring.NodeID, out *EpochEffects) bool {
	i := index(e.members, e.self)
	switch {
	case i < 0 || e.phase == storing:
		return false
	case e.durable.Epoch != 0:
		return e.catchUp(out)
	case e.members[i].Epoch == 0 && e.highest() < 2:
		return false
	}
	if e.holds {
		e.rollBack(now, from, max(e.members[i].Epoch, e.highest()-1), out)
		return false
	}
	e.fill(e.highest(), out)
	return true
}

// catchUp takes the epoch of the others for a newcomer that took one from them some time
// ago: they go on without it until a link names it, and would refuse what it has to
// give. Nobody goes two epochs beyond a member, and what a newcomer holds is as young as
// the others' epoch.
func (e *Epochs) catchUp(out *EpochEffects) bool {
	if e.holds || e.highest() < e.durable.Epoch+2 {
		return false
	}
	e.fill(e.highest(), out)
	return true
}

func (e *Epochs) fill(epoch uint64, out *EpochEffects) {
	e.durable = Durable{Epoch: epoch, Born: epoch}
	e.stand(epoch, out)
	e.store(e.durable, out)
}

// Refused takes the highest epoch that a member knows of which has refused a link,
// since it knows another disk of this node: the process is about to begin again.
// One that began on an empty disk takes that epoch first, or what it took since
// would then look like that of an old copy.
func (e *Epochs) Refused(epoch uint64, out *EpochEffects) {
	if e.durable.Epoch == 0 && !e.holds && e.phase != storing && epoch > 0 {
		e.fill(epoch, out)
	}
}

// Stood takes a shard's answer to a Stand: the lowest stamp of what it keeps for
// others, if it keeps anything.
func (e *Epochs) Stood(now clock.Now, shard int, seq, lowest uint64, keeps bool, out *EpochEffects) {
	if seq != e.seq || shard >= len(e.stood) || e.stood[shard] {
		return
	}
	e.stood[shard] = true
	if keeps && (!e.kept || lowest < e.oldest) {
		e.oldest, e.kept = lowest, true
	}
	for _, s := range e.stood {
		if !s {
			return
		}
	}
	next := e.durable.Epoch + 1
	clear := (!e.kept || e.oldest >= next) && e.swept() // also now: votes went by what was adopted meanwhile
	switch {
	case e.phase == looking && clear:
		e.phase = entering
		e.stand(next, out)
	case e.phase == entering && clear:
		e.store(Durable{next, e.durable.Born}, out)
	case e.phase == entering: // something old came in between
		e.phase = resting
		e.stand(e.durable.Epoch, out)
	case e.phase == looking:
		e.phase = resting
	}
}

// floor follows from what is durable: an epoch that is may be shown only if all
// have shown the one before.
func (e *Epochs) floor() uint64 { return max(e.durable.Epoch, 1) - 1 }

// stand tells the shards where they stand.
func (e *Epochs) stand(epoch uint64, out *EpochEffects) {
	e.seq++
	clear(e.stood)
	e.kept, e.oldest = false, 0
	out.Stand = Stand{Seq: e.seq, Standing: replica.Standing{
		Epoch: epoch, Floor: e.floor(), Heard: e.highest(), Born: e.durable.Born, Known: e.known,
	}}
}

func (e *Epochs) store(d Durable, out *EpochEffects) {
	e.phase = storing
	out.Storing, out.Store = true, d
}

// Stored says that what was to be stored is synced: only now is it shown.
func (e *Epochs) Stored(now clock.Now, d Durable, out *EpochEffects) {
	if e.phase != storing {
		return
	}
	e.phase, e.durable = resting, d
	if i := index(e.members, e.self); i >= 0 {
		e.members[i].Epoch = d.Epoch
	}
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.EpochBegun, At: now.Mono, N: int(d.Epoch), Lasted: now.Mono - e.since})
	e.since, e.next = now.Mono, 0
	e.stand(d.Epoch, out)
	e.tellAt = now.Mono
	e.Tick(now, out)
}

// Deadline returns when [Epochs.Tick] is due; the greatest time there is: not
// before something else happens.
func (e *Epochs) Deadline() time.Duration {
	at := never
	if e.waited() && len(e.up) > 0 {
		at = e.tellAt
	}
	if e.phase == resting && e.may() {
		at = min(at, e.due())
	}
	return at
}

// waited says that somebody waits for an epoch that not all have shown.
func (e *Epochs) waited() bool { return e.wanted > e.lowest() }

// may says whether the next epoch may be entered, as far as others matter.
func (e *Epochs) may() bool {
	return !e.rolled && e.wanted > e.durable.Epoch && e.lowest() >= e.durable.Epoch && e.heardAll() && e.swept() && index(e.members, e.self) >= 0
}

// heardAll says whether every member has shown anything. Who goes on from epoch 0
// before it has heard that it was seen in a later one never learns it.
func (e *Epochs) heardAll() bool {
	return !slices.ContainsFunc(e.members, func(k known) bool { return !k.heard })
}

// due is when the next epoch is to be entered: at once after another has.
func (e *Epochs) due() time.Duration {
	if e.highest() > e.durable.Epoch {
		return e.next
	}
	return max(e.next, e.since+e.cfg.Every)
}

// Tick tells a peer and tries to go on to the next epoch.
func (e *Epochs) Tick(now clock.Now, out *EpochEffects) {
	if e.waited() && e.tellAt <= now.Mono {
		e.tellAt = now.Mono + e.cfg.Tell
		if to, ok := e.anyone(); ok {
			e.tell(now, to, out)
		}
	}
	if e.phase == resting && e.may() && e.due() <= now.Mono {
		e.phase, e.next = looking, now.Mono+e.cfg.Tell
		e.stand(e.durable.Epoch, out)
	}
}

// anyone draws a peer that can be reached.
func (e *Epochs) anyone() (ring.NodeID, bool) {
	if len(e.up) == 0 {
		return "", false
	}
	at := e.rand.IntN(len(e.up))
	for _, m := range e.members {
		if e.up[m.Node] {
			if at--; at < 0 {
				return m.Node, true
			}
		}
	}
	return "", false
}

func (e *Epochs) tell(now clock.Now, to ring.NodeID, out *EpochEffects) {
	show := Show{Wanted: e.wanted}
	for _, m := range e.members {
		if m.heard {
			show.Shown = append(show.Shown, m.Shown)
		}
	}
	e.told[to] = now.Mono
	out.Tells = append(out.Tells, Tell{To: to, Show: show})
}
