package detector

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/stale"
)

// What a [Detector] goes by (PAPER 8.15b).
const (
	suspectAfter = 3 // asks in a row without an answer
	minPatience  = 50 * time.Millisecond
	maxPatience  = 500 * time.Millisecond
	firstProbe   = time.Second
	lastProbe    = 10 * time.Second
	staleAfter   = 10 * time.Second // after which a mean says nothing any more
)

// Detector watches one kind of ask. Times are those of clock.Now.Mono. Memory is bounded by
// the peers that had a link.
type Detector struct {
	peers    map[ring.NodeID]*peer
	order    []*peer // by id, so that what is seen of them has an order
	suspects int
	extra    time.Duration // of patience, whoever it is
	news     []News
}

// News is that a peer became suspected, or answered when it was.
type News struct {
	ID        ring.NodeID
	Suspected bool
	Lasted    time.Duration // silence so far; of one that answers, how long it was suspected
}

// peer is what is known of one of them.
type peer struct {
	id        ring.NodeID
	up        bool
	suspected bool
	open      int                         // asks since its last answer
	asked     [suspectAfter]time.Duration // when the first of these were sent
	since     time.Duration               // when it was suspected
	probe     time.Duration               // when it is due
	wait      time.Duration               // before the next
	heard     time.Duration               // when its last answer came of which the time is known
	lag       lag
}

// Health is how a peer looks at one moment. The zero value is a peer that
// nothing is known of: it has no link.
type Health struct {
	Up        bool          // has a link
	Suspected bool          // but did not answer of late
	Late      bool          // answers, but slowly for long: to be used last
	Patience  time.Duration // how long it may take to answer
	Mean, P95 time.Duration // of its recent answers; 0: too few
}

// Usable says that a peer is expected to answer.
func (h Health) Usable() bool { return h.Up && !h.Suspected }

// Peer is a peer's [Health] with what it rests on.
type Peer struct {
	ID ring.NodeID
	Health
}

// New returns a detector that knows of no peer. Extra is added to every
// peer's patience: for asks that may have to wait for others.
func New(extra time.Duration) *Detector {
	return &Detector{peers: map[ring.NodeID]*peer{}, extra: extra}
}

// Link notes that the link to a peer came up or fell. A new link is a new
// start: what was not answered over the last one is forgotten.
func (d *Detector) Link(id ring.NodeID, up bool) {
	p := d.peers[id]
	if p == nil {
		if !up {
			return
		}
		p = &peer{id: id}
		d.peers[id] = p
		at, _ := slices.BinarySearchFunc(d.order, id, func(p *peer, id ring.NodeID) int { return cmp.Compare(p.id, id) })
		d.order = slices.Insert(d.order, at, p)
	}
	d.trust(p)
	p.up = up
}

// Asked notes that a peer was sent something that it is to answer.
func (d *Detector) Asked(now time.Duration, id ring.NodeID) {
	p := d.peers[id]
	if p == nil {
		return
	}
	if p.open < suspectAfter {
		p.asked[p.open] = now
		p.open++
	}
}

// Answered notes that a peer answered what this node asked, and after how long;
// 0 if that is not known or says nothing.
func (d *Detector) Answered(now time.Duration, id ring.NodeID, took time.Duration) {
	p := d.peers[id]
	if p == nil {
		return
	}
	if took > 0 {
		p.lag.add(took)
		p.heard = now
	}
	if p.suspected {
		d.news = append(d.news, News{ID: id, Lasted: now - p.since})
	}
	d.trust(p)
}

func (d *Detector) trust(p *peer) {
	if p.suspected {
		d.suspects--
	}
	p.suspected, p.open = false, 0
}

// Health returns how a peer looks now.
func (d *Detector) Health(now time.Duration, id ring.NodeID) Health {
	p := d.peers[id]
	if p == nil {
		return Health{}
	}
	return d.health(now, p)
}

func (d *Detector) health(now time.Duration, p *peer) Health {
	patience := d.patience(p)
	if p.open == suspectAfter && !p.suspected && p.up && now >= p.asked[suspectAfter-1]+patience {
		p.suspected, p.since = true, now
		d.suspects++
		p.wait, p.probe = firstProbe, now+firstProbe
		d.news = append(d.news, News{ID: p.id, Suspected: true, Lasted: now - p.asked[0]})
	}
	return Health{
		Up: p.up, Suspected: p.up && p.suspected, Late: d.late(now, p), Patience: patience,
		Mean: p.lag.mean, P95: p.lag.p95,
	}
}

// patience is how long a peer may be silent.
func (d *Detector) patience(p *peer) time.Duration {
	return d.extra + min(max(4*p.lag.p95, minPatience), maxPatience)
}

// News appends to dst who was suspected or answered again since the last call.
func (d *Detector) News(dst []News) []News {
	dst = append(dst, d.news...)
	d.news = d.news[:0]
	return dst
}

// late says that a peer's answers take long, and several times as long as those
// of the quickest peer. That is forgotten when it has not been asked for long, so
// that it is asked again.
func (d *Detector) late(now time.Duration, p *peer) bool {
	if p.lag.mean < minPatience || now-p.heard > staleAfter {
		return false
	}
	for _, o := range d.order {
		if o.up && !o.suspected && o.lag.mean > 0 && o.lag.mean < p.lag.mean/4 {
			return true
		}
	}
	return false
}

// Late tells that this node did nothing for a while in which it should have
// looked: answers may lie unread, so that nobody is to blame for silence.
func (d *Detector) Late() {
	for _, p := range d.order {
		if !p.suspected {
			p.open = 0
		}
	}
}

// Trial says that a peer is suspected and is to be asked something now, and takes
// it that it is.
func (d *Detector) Trial(now time.Duration, id ring.NodeID) bool {
	p := d.peers[id]
	if p == nil || !p.up || !p.suspected || p.probe > now {
		return false
	}
	p.probed(now)
	return true
}

func (p *peer) probed(now time.Duration) {
	p.wait = min(2*p.wait, lastProbe)
	p.probe = now + p.wait
}

// Probes appends to dst the suspects that are to be asked something now, and
// takes it that they are.
func (d *Detector) Probes(now time.Duration, dst []ring.NodeID) []ring.NodeID {
	if d.suspects == 0 {
		return dst
	}
	for _, p := range d.order {
		if p.up && p.suspected && p.probe <= now {
			p.probed(now)
			dst = append(dst, p.id)
		}
	}
	return dst
}

// Deadline returns when the next probe is due, and whether one is.
func (d *Detector) Deadline() (time.Duration, bool) {
	if d.suspects == 0 {
		return 0, false
	}
	var first time.Duration
	any := false
	for _, p := range d.order {
		if p.up && p.suspected && (!any || p.probe < first) {
			first, any = p.probe, true
		}
	}
	return first, any
}

// Peers appends to dst what is known of every peer, by id.
func (d *Detector) Peers(now time.Duration, dst []Peer) []Peer {
	for _, p := range d.order {
		dst = append(dst, Peer{ID: p.id, Health: d.health(now, p)})
	}
	return dst
}

// Linked appends to dst the peers that have a link, by id.
func (d *Detector) Linked(dst []ring.NodeID) []ring.NodeID {
	for _, p := range d.order {
		if p.up {
			dst = append(dst, p.id)
		}
	}
	return dst
}

// Spread adds to s how long the recent answers of a peer took. The older they are the
// less they count: whenever there are 512, each that is kept counts half.
func (d *Detector) Spread(id ring.NodeID, s *stale.Spread) {
	if p := d.peers[id]; p != nil {
		p.lag.spread(s)
	}
}

// Keep forgets the peers without a link that are not among members.
func (d *Detector) Keep(members []ring.Node) {
	d.order = slices.DeleteFunc(d.order, func(p *peer) bool {
		gone := !p.up && !slices.ContainsFunc(members, func(m ring.Node) bool { return m.ID == p.id })
		if gone {
			delete(d.peers, p.id)
		}
		return gone
	})
}
