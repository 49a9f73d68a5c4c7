package reap

import (
	"container/heap"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

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

// far is how long before a version expires its key is no longer worth keeping in
// mind: a sweep finds it.
const far = time.Hour

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

// over ends what there was to do about a key, unless its record has changed meanwhile:
// that may be another tombstone, which nobody else has in mind.
func (r *Reaper) over(now clock.Now, k *key) {
	if !k.anew {
		r.forget(k)
		return
	}
	r.again(now, k)
}

// again goes on with a key as if it had just been found.
func (r *Reaper) again(now clock.Now, k *key) {
	k.step, k.state = look, nil
	r.schedule(k, now.Mono+r.cfg.Delay)
}

// forget lets go of a key.
func (r *Reaper) forget(k *key) {
	r.cancel(k)
	if k.place >= 0 {
		heap.Remove(&r.due, k.place)
	}
	delete(r.keys, k.key.Pos)
}

// schedule has something to do about a key at a time.
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
