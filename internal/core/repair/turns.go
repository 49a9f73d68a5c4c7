package repair

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

const (
	markedBy = 10          // by how much marked partitions follow each other faster
	idle     = time.Second // how often a usable node is looked for
)

// run begins what may begin.
func (r *Repair) run(now clock.Now, p Peers, e *Effects) {
	r.runAsked(now, p, e)
	r.wake = never
	if r.cfg.Off || r.paused || r.inTurn() || len(r.pairs) == 0 {
		return
	}
	i := r.due(now, p)
	if next := r.last + r.cfg.Every; i < 0 && now.Mono < next {
		r.wake = min(r.wake, next)
		return
	}
	if r.passed++; i < 0 || r.passed > markedBy { // those that fail may be due for ever
		r.passed = 0
		if at := r.turn(now, p); at >= 0 {
			i = at
		}
	}
	if i < 0 {
		r.wake = min(r.wake, now.Mono+max(r.cfg.Every, idle)) // somebody may be of use by then
		return
	}
	r.last, r.wake = now.Mono, never
	r.begin(now, Wish{Mark: r.pairs[i].Mark}, false, e)
}

// runAsked begins what somebody waits for.
func (r *Repair) runAsked(now clock.Now, p Peers, e *Effects) {
	talks := 0
	for _, t := range r.talks {
		if t.out.Asked {
			talks++
		}
	}
	left := r.asked[:0]
	for _, w := range r.asked {
		switch {
		case !r.may(w, p) && w.Number != 0:
			r.refuse(now, w, "the ring changed", e)
		case !r.may(w, p):
			r.refuse(now, w, "both do not hold the partition", e)
		case !p.Usable(w.Peer):
			r.refuse(now, w, "it can't be reached", e)
		case talks < r.cfg.Talks && r.talkAbout(w.Mark) == nil:
			r.begin(now, w, true, e)
			talks++
		default:
			left = append(left, w)
		}
	}
	r.asked = left
}

// refuse answers who asked for a comparison that can't begin.
func (r *Repair) refuse(now clock.Now, w Wish, why string, e *Effects) {
	e.Done = append(e.Done, Outcome{Wish: w, Began: now.Mono, Asked: true, Why: why})
}

// inTurn reports whether a comparison that nobody asked for is under way.
func (r *Repair) inTurn() bool {
	return slices.ContainsFunc(r.talks, func(t *talk) bool { return !t.out.Asked })
}

// next returns the pair whose turn is next; false where there is none.
func (r *Repair) next() (replica.Mark, bool) {
	if len(r.pairs) == 0 {
		return replica.Mark{}, false
	}
	return r.pairs[r.at%len(r.pairs)].Mark, true
}

// turn returns the pair whose turn it is, or -1.
func (r *Repair) turn(now clock.Now, p Peers) int {
	for range r.pairs {
		at := r.at % len(r.pairs)
		r.at = at + 1
		if pr := &r.pairs[at]; !pr.marked && p.Usable(pr.Peer) && r.peer(pr.Peer).after <= now.Mono && r.talkAbout(pr.Mark) == nil {
			return at
		}
	}
	return -1
}

// due returns the marked pair that is due the longest, or -1, and sets when the
// next one will be.
func (r *Repair) due(now clock.Now, p Peers) int {
	first := -1
	for i := range r.pairs {
		pr := &r.pairs[i]
		if !pr.marked || !p.Usable(pr.Peer) || r.talkAbout(pr.Mark) != nil {
			continue
		}
		if at := max(pr.due, r.peer(pr.Peer).after, r.last+r.cfg.Every/markedBy); at > now.Mono {
			r.wake = min(r.wake, at)
		} else if first < 0 || pr.due < r.pairs[first].due {
			first = i
		}
	}
	return first
}
