package repair

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

// pair is a partition and another node that holds it.
type pair struct {
	replica.Mark
	agreed   int64         // when the last complete comparison began, wall-clock ms; 0: none
	since    time.Duration // that, or, if there was none, when both came to hold it
	due      time.Duration // marked: not before
	failures uint8         // in a row
	failed   string        // why the last comparison ended early; "": it did not
	failedAt int64         // when that was, wall-clock ms
	marked   bool
	durable  bool // the mark is stored
	again    bool // it was marked since the comparison under way began
}

// Mark says that a partition is to be compared with a node before its turn: that
// node is known to lack something. Durable marks are stored and are taken back
// there, with [replica.Agreed], when both agree.
func (r *Repair) Mark(now clock.Now, m replica.Mark, durable bool, p Peers, e *Effects) {
	if i, ok := r.find(m); ok {
		r.mark(&r.pairs[i], now.Mono)
		r.pairs[i].durable = r.pairs[i].durable || durable
		r.run(now, p, e)
	}
}

func (r *Repair) mark(p *pair, due time.Duration) {
	if !p.marked || due < p.due {
		p.due = due
	}
	p.marked, p.again = true, true
}

// conclude notes for a pair how a comparison of it ended.
func (r *Repair) conclude(now clock.Now, p *pair, t *talk, e *Effects) {
	p.failed, p.failedAt = t.out.Why, now.Wall
	if !t.out.Complete {
		p.marked, p.due = true, now.Mono+r.backOff(&p.failures)
		return
	}
	p.failures, p.agreed, p.since = 0, t.wall, t.out.Began
	if p.again {
		return
	}
	p.marked = false
	if p.durable {
		p.durable = false
		e.Ops = append(e.Ops, replica.Op{Verb: replica.Agreed, Partition: p.Partition, Missed: p.Peer, Silent: true})
	}
}

// waits is for how long a pair has not agreed. A clock that is put back does not make
// that less, nor does one that stands still while the machine sleeps.
func (p *pair) waits(now clock.Now) time.Duration {
	w := now.Mono - p.since
	if p.agreed != 0 {
		w = max(w, time.Duration(now.Wall-p.agreed)*time.Millisecond)
	}
	return w
}

func order(a, b replica.Mark) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Peer, b.Peer))
}

func (r *Repair) find(m replica.Mark) (int, bool) {
	return slices.BinarySearchFunc(r.pairs, m, func(p pair, m replica.Mark) int { return order(p.Mark, m) })
}
