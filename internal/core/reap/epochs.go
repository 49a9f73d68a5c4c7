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
		lacks, news := e.learn(now, from, &e.members[i], show, out)
		behind, changed = behind || lacks, changed || news
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

// learn takes what a member tells of one of the members. It reports whether it lacks
// anything of that which is known here, and whether anything is news.
func (e *Epochs) learn(now clock.Now, from ring.NodeID, m *known, show *Show, out *EpochEffects) (lacks, news bool) {
	told, clean := uint64(0), uint64(0)
	if at := listed(show.Shown, m.Node); at >= 0 {
		told, clean, m.heard = show.Shown[at].Epoch, show.Shown[at].Clean, true
	}
	lacks = told < m.Epoch || clean < m.Clean
	if m.Node == e.self {
		e.seen(now, from, told, out)
		return lacks, false
	}
	news = told > m.Epoch || clean > m.Clean
	m.Epoch, m.Clean = max(m.Epoch, told), max(m.Clean, clean)
	return lacks, news
}

// begins says whether a member knows nothing yet and the others are past the first
// epochs: it waits to be told, and what was told before it was a member it did not take.
func (e *Epochs) begins(from ring.NodeID, show *Show) bool {
	at := listed(show.Shown, from)
	return at >= 0 && show.Shown[at].Epoch == 0 && e.highest() >= 2
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

// Durable returns what the disk has of the epochs, or is about to have.
func (e *Epochs) Durable() Durable { return e.durable }

// store has the disk remember where this node stands.
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

// tell tells a peer all that is known of the members.
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
