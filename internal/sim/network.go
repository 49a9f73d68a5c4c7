package sim

import (
	"math/rand/v2"
	"time"

	"github.com/zeebo/xxh3"
)

// NetConfig says how the network behaves while nothing is wrong with it, and
// how unreliable it is all the time. Zero values mean an ideal network with a
// delay of 200 µs.
type NetConfig struct {
	Delay     time.Duration // of every frame; default 200 µs
	Jitter    time.Duration // mean of what is added to it, exponentially spread
	Reorder   bool          // frames may overtake each other
	Loss      float64       // share of frames that vanish
	Duplicate float64       // share of frames that arrive twice
	Detect    time.Duration // how long a link may be cut before it falls; default 500 ms
	Reconnect time.Duration // how long a fallen link takes to be made again; default 20 ms
}

func (c *NetConfig) setDefaults() {
	if c.Delay == 0 {
		c.Delay = 200 * time.Microsecond
	}
	if c.Detect == 0 {
		c.Detect = 500 * time.Millisecond
	}
	if c.Reconnect == 0 {
		c.Reconnect = 20 * time.Millisecond
	}
}

// link carries frames one way, from one node to another, as the node that
// dialled it sees it.
type link struct {
	from, to *machine
	session  uint64 // numbers the link anew each time it is made
	up       bool
	cuts     int // reasons for which nothing gets through
	clogs    int // reasons for which everything waits
	cutGen   uint64
	slow     time.Duration // added to the delay
	held     []event       // waiting for the clogs to end
	last     time.Duration // when the last frame arrives: nothing overtakes it
	filter   func(body []byte) bool
}

// network is all links.
type network struct {
	cfg     NetConfig
	rand    *rand.Rand
	links   []*link // from*nodes + to
	nodes   int
	session uint64
}

func (n *network) link(from, to int) *link { return n.links[from*n.nodes+to] }

// send puts a frame on its way. A fallen link takes none.
func (w *World) send(from, to *machine, body []byte) {
	l := w.net.link(from.index, to.index)
	switch {
	case !l.up, l.cuts > 0:
		w.stats.Faults.Unsent++
		w.trace.frame(w.now, "cut off", from, to, body)
		return
	case l.filter != nil && l.filter(body):
		return
	case w.net.cfg.Loss > 0 && w.net.rand.Float64() < w.net.cfg.Loss:
		w.stats.Faults.Lost++
		w.trace.frame(w.now, "lost", from, to, body)
		return
	}
	w.carry(l, body)
	if w.net.cfg.Duplicate > 0 && w.net.rand.Float64() < w.net.cfg.Duplicate {
		w.stats.Faults.Duplicated++
		w.carry(l, append([]byte(nil), body...))
	}
}

// carry draws when a frame arrives.
func (w *World) carry(l *link, body []byte) {
	c := &w.net.cfg
	at := w.now + c.Delay + l.slow
	if c.Jitter > 0 {
		at += time.Duration(w.net.rand.ExpFloat64() * float64(c.Jitter))
	}
	if !c.Reorder {
		at = max(at, l.last)
		l.last = at
	}
	w.queue.push(event{at: at, what: evDeliver, node: l.to.index, life: l.to.life, link: l, sess: l.session, body: body})
}

// deliver hands an arriving frame to its node, unless the link or the node it
// was sent to is no more.
func (w *World) deliver(e *event) {
	l, m := e.link, w.nodes[e.node]
	switch {
	case !m.alive, m.life != e.life, l.session != e.sess, l.cuts > 0:
		w.stats.Faults.Unsent++
		w.trace.frame(w.now, "cut off", l.from, m, e.body)
		return
	case l.clogs > 0:
		l.held = append(l.held, *e)
		return
	}
	w.mix(xxh3.Hash(e.body))
	w.trace.frame(w.now, "arrives", l.from, m, e.body)
	w.take(m, item{from: l.from, session: e.sess, body: e.body})
}

// cut stops a link; it falls when that lasts.
func (w *World) cut(l *link) {
	l.cuts++
	if l.cuts > 1 {
		return
	}
	l.cutGen++
	gen := l.cutGen
	w.after(w.net.cfg.Detect, func() {
		if l.cuts > 0 && l.cutGen == gen {
			w.fall(l)
		}
	})
}

// heal takes one reason for a cut away.
func (w *World) heal(l *link) {
	if l.cuts--; l.cuts == 0 {
		w.mend(l)
	}
}

// fall ends the session of a link. Frames of it that are under way are lost.
func (w *World) fall(l *link) {
	if !l.up {
		return
	}
	l.up, l.session, l.held = false, 0, nil
	w.stats.Faults.LinksLost++
	w.tell(l, false)
	w.mend(l)
}

// orphan ends a link whose sender died. What it had sent may still arrive.
func (w *World) orphan(l *link) {
	if w.net.rand.IntN(2) == 0 {
		l.session, l.held = 0, nil
	}
	l.up = false
}

// fallLate ends a link whose receiver died, once its sender notices: at once if
// the receiver's machine still answers for it, else when nothing comes back.
func (w *World) fallLate(l *link) {
	notice := w.net.cfg.Delay
	if w.net.rand.IntN(2) == 0 {
		notice = w.net.cfg.Detect
	}
	session := l.session
	w.after(notice, func() {
		if l.session == session {
			w.fall(l)
		}
	})
}

// mend makes a link anew after a while, if by then it can be.
func (w *World) mend(l *link) {
	if l.up || l.cuts > 0 {
		return
	}
	w.after(w.net.cfg.Reconnect, func() {
		if !l.up && l.cuts == 0 && l.from.alive && l.to.alive && w.dials(l.from, l.to.id) {
			w.join(l)
		}
	})
}

// join makes a link: a new session begins.
func (w *World) join(l *link) {
	if !w.dials(l.from, l.to.id) || !w.greet(l) {
		return
	}
	w.net.session++
	l.up, l.session, l.last, l.held = true, w.net.session, w.now, nil
	w.tell(l, true)
}

// clog makes everything on a link wait.
func (w *World) clog(l *link) { l.clogs++ }

// unclog takes one reason to wait away; with the last one all that waited
// arrives at once.
func (w *World) unclog(l *link) {
	if l.clogs--; l.clogs > 0 {
		return
	}
	held := l.held
	l.held = nil
	for _, e := range held {
		e.at = w.now
		w.queue.push(e)
	}
}
