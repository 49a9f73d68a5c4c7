package reap

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Reaper is the machine that reaps for the records of one shard.
type Reaper struct {
	cfg    Config
	self   ring.NodeID
	floor  uint64
	wanted uint64
	seq    uint64
	keys   map[ring.Position]*key
	asked  map[uint64]*key // by the id of an ask that waits for its answer
	due    queue           // keys that wait for no answer, by when there is something to do
	flying []*key          // the others
	sweep  sweep
}

// step is what comes next for a key.
type step uint8

const (
	look    step = iota // read the own record
	vote                // ask the other primaries
	grow                // wait until all that is older is refused
	drop                // tell the primaries to drop it
	purged              // a delete is under way
	folding             // the own record folds what all primaries hold
)

// key is one key that may be reaped. Asks of which the answer is awaited are
// named by their place in the list of primaries.
type key struct {
	partition uint32
	key       ring.Key
	step      step
	since     int64         // when it was found, on the wall clock
	at        time.Duration // when there is something to do
	place     int           // in the queue; -1: it is under way
	failures  int
	blocked   ring.NodeID
	why       string

	primaries []ring.NodeID
	ids       []uint64 // asks under way, by primary; 0: none
	waiting   int
	digest    causal.Sum
	state     []byte
	stamp     uint64
	votes     uint64        // the highest epoch of a vote
	differ    []ring.NodeID // primaries that hold something else
	epoch     uint64        // the floor must be above it
	changed   bool          // some primary holds something else by now
	anew      bool          // the own record has changed since it was asked about

	shares bool           // not its record goes, but shares of ended actors in it; see fold.go
	dots   []causal.Dot   // those that are to be folded, once all primaries hold them
	alive  []causal.Actor // of the primaries
	held   [][]causal.Dot // the shares that each primary holds
	told   []told         // and its record
}

// NewReaper returns a machine that knows of no key.
func NewReaper(cfg Config, self ring.NodeID) *Reaper {
	cfg = cfg.withDefaults()
	r := &Reaper{cfg: cfg, self: self, seq: cfg.First, keys: map[ring.Position]*key{}, asked: map[uint64]*key{}}
	r.sweep.next = cfg.Every
	if cfg.Off {
		r.sweep.next = never
	}
	return r
}

// Found takes records of which nothing is shown any more, or will be some day.
// The first primary of a key that can be reached reaps it; what others find they
// leave for a sweep.
func (r *Reaper) Found(now clock.Now, found []replica.Mortal, p Peers) {
	for i := range found {
		m := &found[i]
		if m.Due == 0 {
			r.foundShares(now, m, p)
			continue
		}
		first := ring.NodeID("")
		for _, id := range p.Primaries(m.Partition, &m.Key) {
			if id == r.self || p.Usable(id) {
				first = id
				break
			}
		}
		switch {
		case r.cfg.Off || first == "":
		case first == r.self && r.note(now, m, true):
		default:
			r.later(now)
		}
	}
}

// note takes a key to be reaped; false if there are too many. Where its record has
// just changed votes that are in hand are void.
func (r *Reaper) note(now clock.Now, m *replica.Mortal, changed bool) bool {
	if k := r.keys[m.Key.Pos]; k != nil {
		switch {
		case m.Due == 0:
		case k.shares: // all of it goes
			r.cancel(k)
			k.shares, k.step = false, look
			r.schedule(k, now.Mono+r.cfg.Delay)
		case changed && k.step == grow: // those votes were for something else
			k.step = look
			r.schedule(k, now.Mono+r.cfg.Delay)
		}
		k.anew = k.anew || changed && m.Due != 0
		return true
	}
	if len(r.keys) >= r.cfg.MaxKeys {
		return false
	}
	k := &key{
		partition: m.Partition, since: now.Wall, place: -1, shares: m.Due == 0,
		key: ring.Key{Pos: m.Key.Pos, Bucket: strings.Clone(m.Key.Bucket), Name: strings.Clone(m.Key.Name)},
	}
	wait := r.cfg.Delay
	if m.Due > now.Wall {
		left := m.Due - now.Wall
		if left > int64(far/time.Millisecond) {
			return false
		}
		wait = max(wait, time.Duration(left)*time.Millisecond+r.cfg.Expired)
	}
	r.keys[k.key.Pos] = k
	r.schedule(k, now.Mono+wait)
	return true
}

// far is how long before a version expires its key is no longer worth keeping in
// mind: a sweep finds it.
const far = time.Hour

// Stand takes the floor: nothing stamped below it is taken any more. It is lower than
// before only in another ring.
func (r *Reaper) Stand(now clock.Now, floor uint64) {
	if floor < r.floor {
		r.anew(func(k *key) { r.schedule(k, now.Mono+r.cfg.Delay) })
	} else if floor == r.floor {
		return
	}
	r.floor = floor
	for _, k := range slices.Clone(r.due) {
		if k.step == grow && k.epoch < floor {
			k.step = drop
			r.schedule(k, now.Mono)
		}
	}
}

// Changed tells that some partitions are at other primaries, or on their way there.
// Votes for what is in them are void: they were not those of all who hold it now
// (RULES E2).
func (r *Reaper) Changed(now clock.Now, changed func(partition uint32) bool) {
	for _, k := range append(slices.Clone(r.flying), r.due...) {
		if !changed(k.partition) || k.step == purged || k.step == look && k.waiting == 0 {
			continue
		}
		r.cancel(k)
		k.step, k.state = look, nil
		r.schedule(k, now.Mono+r.cfg.Delay)
	}
}

// SetPace says how many bytes of records a second are looked at from now on, and how
// many keys may be asked about at a time; 0: as by default.
func (r *Reaper) SetPace(rate, window int) {
	c := Config{Rate: rate, Window: window}.withDefaults()
	r.cfg.Rate, r.cfg.Window = c.Rate, c.Window
}

// Busy says whether any key waits, or a look at all records is under way.
func (r *Reaper) Busy() bool { return r.sweep.walking || len(r.keys) > 0 }

// Deadline returns when [Reaper.Tick] is due; the greatest time there is: not
// before something else happens.
func (r *Reaper) Deadline() time.Duration {
	at := r.sweep.deadline()
	if len(r.due) > 0 && len(r.flying) < r.cfg.Window {
		at = min(at, r.due[0].at)
	}
	for _, k := range r.flying {
		at = min(at, k.at)
	}
	return at
}

// Tick does what is due.
func (r *Reaper) Tick(now clock.Now, p Peers, e *Effects) {
	for i := 0; i < len(r.flying); {
		if k := r.flying[i]; k.at <= now.Mono {
			r.silent(now, k, e) // and takes it off the list
		} else {
			i++
		}
	}
	for len(r.due) > 0 && r.due[0].at <= now.Mono && len(r.flying) < r.cfg.Window {
		r.act(now, r.due[0], p, e)
	}
	r.sweepTick(now, e)
}

// act does the next step of a key that waits for no answer.
func (r *Reaper) act(now clock.Now, k *key, p Peers, e *Effects) {
	if k.step != grow && p.Moving(k.partition) {
		r.block(now, k, "", "its partition moves", e)
		return
	}
	switch k.step {
	case look, purged, folding:
		k.step = look
		if k.shares {
			r.survey(now, k, p, e)
			return
		}
		r.look(now, k, p, e)
	case drop:
		if k.shares {
			r.survey(now, k, p, e)
			return
		}
		r.drop(now, k, p, e)
	default: // grow: Stand says when
		r.schedule(k, never)
	}
}

// look reads the own record, unless a primary can't be reached: then it is no
// use.
func (r *Reaper) look(now clock.Now, k *key, p Peers, e *Effects) {
	k.primaries = append(k.primaries[:0], p.Primaries(k.partition, &k.key)...)
	k.ids = append(k.ids[:0], make([]uint64, len(k.primaries))...)
	own := -1
	for i, id := range k.primaries {
		if id == r.self {
			own = i
		} else if !p.Usable(id) {
			r.block(now, k, id, "it can't be reached", e)
			return
		}
	}
	if own < 0 {
		r.forget(k) // the ring has changed
		return
	}
	k.anew = false
	r.ask(now, k, own, replica.Op{Verb: replica.Read, Full: true}, e)
}

// ask asks primary i of a key.
func (r *Reaper) ask(now clock.Now, k *key, i int, op replica.Op, e *Effects) {
	r.seq++
	op.ID, op.Partition, op.Key = r.seq, k.partition, k.key
	if k.waiting == 0 {
		if k.place >= 0 {
			heap.Remove(&r.due, k.place)
		}
		r.flying = append(r.flying, k)
	}
	k.waiting++
	k.ids[i], k.at = op.ID, now.Mono+r.cfg.Wait
	r.asked[op.ID] = k
	r.send(k.primaries[i], op, e)
}

func (r *Reaper) send(to ring.NodeID, op replica.Op, e *Effects) {
	if to == r.self {
		e.Ops = append(e.Ops, op)
	} else {
		e.Asks = append(e.Asks, Ask{To: to, Op: op})
	}
}

// Answer takes the answer of a primary, this node included; false if nobody waits
// for it.
func (r *Reaper) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, p Peers, e *Effects) bool {
	k := r.asked[a.ID]
	if k == nil {
		return false
	}
	i := -1
	for j, id := range k.ids {
		if id == a.ID && k.primaries[j] == from {
			i = j
		}
	}
	if i < 0 {
		return false
	}
	r.end(k, i)
	switch {
	case !k.shares:
		r.take(now, k, i, a, p, e)
	case k.step == folding:
		r.folded(now, k, a, p, e)
	default:
		r.surveyed(now, k, i, a, e)
	}
	r.Tick(now, p, e)
	return true
}

// take takes the answer of primary i about a tombstone.
func (r *Reaper) take(now clock.Now, k *key, i int, a *replica.Answer, p Peers, e *Effects) {
	switch k.step {
	case look:
		r.looked(now, k, a, p, e)
	case vote:
		r.voted(now, k, i, a, e)
	case grow, purged, folding: // nothing is asked
	case drop:
		r.dropped(now, k, i, a, e)
	}
}

// end notes that an ask is answered, or will not be.
func (r *Reaper) end(k *key, i int) {
	delete(r.asked, k.ids[i])
	k.ids[i] = 0
	if k.waiting--; k.waiting == 0 {
		at := slices.Index(r.flying, k)
		r.flying = slices.Delete(r.flying, at, at+1)
	}
}

// Down says that a peer can't be reached: nothing will come from it.
func (r *Reaper) Down(now clock.Now, peer ring.NodeID, p Peers, e *Effects) {
	for _, k := range slices.Clone(r.flying) {
		for i, id := range k.primaries {
			if id == peer && k.waiting > 0 && k.ids[i] != 0 {
				r.block(now, k, peer, "its link fell", e)
				break
			}
		}
	}
	r.Tick(now, p, e)
}

// silent gives up waiting for those that have not answered.
func (r *Reaper) silent(now clock.Now, k *key, e *Effects) {
	for i, id := range k.ids {
		if id != 0 {
			r.block(now, k, k.primaries[i], "it does not answer", e)
			return
		}
	}
}

// over ends what there was to do about a key, unless its record has changed meanwhile:
// that may be another tombstone, which nobody else has in mind.
func (r *Reaper) over(now clock.Now, k *key) {
	if !k.anew {
		r.forget(k)
		return
	}
	k.step, k.state = look, nil
	r.schedule(k, now.Mono+r.cfg.Delay)
}

func (r *Reaper) forget(k *key) {
	r.cancel(k)
	if k.place >= 0 {
		heap.Remove(&r.due, k.place)
	}
	delete(r.keys, k.key.Pos)
}

// cancel ends every ask of a key that is under way.
func (r *Reaper) cancel(k *key) {
	for i, id := range k.ids {
		if id != 0 {
			r.end(k, i)
		}
	}
}

func (r *Reaper) schedule(k *key, at time.Duration) {
	k.at = at
	if k.place < 0 {
		heap.Push(&r.due, k)
	} else {
		heap.Fix(&r.due, k.place)
	}
}

// queue is keys by when there is something to do.
type queue []*key

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push implements [heap.Interface].
func (q *queue) Push(x any) {
	k := x.(*key)
	k.place = len(*q)
	*q = append(*q, k)
}

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	old := *q
	k := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	k.place = -1
	return k
}
