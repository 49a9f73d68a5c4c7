package reap

import (
	"slices"
	"time"

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

// Stand takes the floor: nothing stamped below it is taken any more. It is lower than
// before only in another ring.
func (r *Reaper) Stand(now clock.Now, floor uint64) {
	if floor < r.floor {
		r.anew(now)
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
		r.again(now, k)
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

// anew forgets all votes, and for which epochs they waited: they were of another ring.
func (r *Reaper) anew(now clock.Now) {
	r.wanted = 0
	for _, k := range append(slices.Clone(r.flying), r.due...) {
		r.cancel(k)
		r.again(now, k)
	}
}
