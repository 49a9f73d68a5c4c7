package repair

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const never = time.Duration(1<<63 - 1)

// Repair is the machine.
type Repair struct {
	cfg    Config
	seq    uint64
	pairs  []pair // by partition, then peer
	peers  []peer // by id
	talks  []*talk
	asked  []Wish // comparisons that somebody waits for, in order
	paused bool   // an operator wants no others

	at     int           // the pair whose turn is next
	last   time.Duration // when the last comparison that nobody asked for began
	passed int           // marked ones that began since one in turn
	wake   time.Duration // when something may begin
	// What was exchanged so far has had its time: in turn, and of partitions that
	// move.
	sendAt, moveAt time.Duration
}

// New returns a machine that compares nothing yet: see [Repair.Assign].
func New(cfg Config) *Repair {
	cfg = cfg.withDefaults()
	return &Repair{cfg: cfg, seq: cfg.First, wake: never, last: -never / 2}
}

// Assign says which partitions this node holds with whom, each pair once.
// Comparisons of others end.
func (r *Repair) Assign(now clock.Now, held []replica.Mark, p Peers, e *Effects) {
	pairs := make([]pair, len(held))
	for i, m := range held {
		pairs[i] = pair{Mark: m, since: now.Mono}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return order(a.Mark, b.Mark) })
	for i := range pairs {
		if old, ok := r.find(pairs[i].Mark); ok {
			pairs[i] = r.pairs[old]
		}
	}
	next, more := r.next()
	if r.pairs, r.at = pairs, 0; more { // it goes on where it was, however often lists change
		r.at, _ = r.find(next)
	}
	for i := len(r.talks) - 1; i >= 0; i-- {
		if t := r.talks[i]; !r.may(t.out.Wish, p) {
			r.end(now, t, "the ring changed", e)
		}
	}
	r.run(now, p, e)
}

// Compare compares a partition with a node, beginning now or, if both are being
// compared already, right after that. The outcome is told with Asked set, at
// once where the node can't be reached.
func (r *Repair) Compare(now clock.Now, w Wish, p Peers, e *Effects) {
	if !slices.Contains(r.asked, w) {
		r.asked = append(r.asked, w)
	}
	r.run(now, p, e)
}

// may says whether a comparison has a reason still.
func (r *Repair) may(w Wish, p Peers) bool {
	if w.Number != 0 {
		return p.Number(w.Partition) == w.Number
	}
	_, ok := r.find(w.Mark)
	return ok
}

// Back tells that a node can be reached again: what it may have missed is
// compared when it has had time to get what was kept for it.
func (r *Repair) Back(now clock.Now, id ring.NodeID, p Peers, e *Effects) {
	r.peer(id).trust()
	for i := range r.pairs {
		if r.pairs[i].Peer == id {
			r.mark(&r.pairs[i], now.Mono+r.cfg.Settle)
		}
	}
	r.run(now, p, e)
}

// Down tells that a node can't be reached: nothing will come from it.
func (r *Repair) Down(now clock.Now, id ring.NodeID, p Peers, e *Effects) {
	for i := len(r.talks) - 1; i >= 0; i-- {
		if r.talks[i].out.Peer == id {
			r.end(now, r.talks[i], "its link fell", e)
		}
	}
	r.run(now, p, e)
}

// Pause makes the machine begin nothing but what is asked for, whatever is marked, and
// end what is under way, or goes on with that.
func (r *Repair) Pause(now clock.Now, on bool, p Peers, e *Effects) {
	r.paused = on
	for i := len(r.talks) - 1; on && i >= 0; i-- {
		if t := r.talks[i]; !t.out.Asked {
			r.end(now, t, "paused", e)
		}
	}
	r.run(now, p, e)
}

// Round marks every pair, or those of a partition, or with a peer, so that they are
// compared before what is not marked, one right after the other, and returns how many
// these are. A partition below 0 is any, likewise no peer.
func (r *Repair) Round(now clock.Now, partition int, peer ring.NodeID, p Peers, e *Effects) int {
	n := 0
	for i := range r.pairs {
		if pr := &r.pairs[i]; (partition < 0 || pr.Partition == uint32(partition)) && (peer == "" || pr.Peer == peer) {
			r.peer(pr.Peer).trust()
			r.mark(pr, now.Mono)
			n++
		}
	}
	r.run(now, p, e)
	return n
}

// SetOff makes the machine compare nothing but what is asked for, or ends that.
func (r *Repair) SetOff(now clock.Now, off bool, p Peers, e *Effects) {
	r.cfg.Off = off
	r.run(now, p, e)
}

// Turns says whether comparisons are made that nobody asked for.
func (r *Repair) Turns() bool { return !r.cfg.Off && !r.paused && len(r.pairs) > 0 }

// Deadline returns when [Repair.Tick] is due; the greatest time there is: not
// before something else happens.
func (r *Repair) Deadline() time.Duration {
	at := r.wake
	for _, t := range r.talks {
		at = min(at, t.deadline(r))
	}
	return at
}

// Tick gives up what has waited too long and goes on.
func (r *Repair) Tick(now clock.Now, p Peers, e *Effects) {
	for i := len(r.talks) - 1; i >= 0; i-- {
		t := r.talks[i]
		if t.oldest()+r.cfg.Wait <= now.Mono {
			r.end(now, t, t.silent(), e)
		} else {
			r.advance(now, t, p, e)
		}
	}
	r.run(now, p, e)
}

// Found takes what a survey found, at a peer or, where from is "", at the own
// storage; false if nobody waits for it.
func (r *Repair) Found(now clock.Now, from ring.NodeID, f *replica.Found, p Peers, e *Effects) bool {
	for _, t := range r.talks {
		if t.takeFound(from, f) {
			r.compared(now, t, p, e)
			r.run(now, p, e)
			return true
		}
	}
	return false
}

// Answer takes the answer to an operation, of a peer or, where from is "", of
// the own storage; false if nobody waits for it.
func (r *Repair) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, p Peers, e *Effects) bool {
	for _, t := range r.talks {
		if i := t.flight(from, a); i >= 0 {
			r.exchanged(now, t, i, a, e)
			if !t.over {
				r.advance(now, t, p, e)
			}
			r.run(now, p, e)
			return true
		}
	}
	return false
}
