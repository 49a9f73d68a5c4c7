package handoff

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const (
	soonest = 200 * time.Millisecond // the least time between the beginnings of two walks
	never   = time.Duration(1<<63 - 1)
	burst   = 10 * time.Millisecond // by how much sending may be ahead of its rate, and how soon most nodes answer
)

// Handoff is the machine.
type Handoff struct {
	cfg     Config
	seq     uint64
	targets []target // by id
	flights []flight // in order of sending

	// The walk.
	walking  bool
	scanning bool // a page was asked for
	again    bool // another walk is to follow at once
	kept     bool // something was since the walk began
	walks    int
	began    time.Duration
	next     time.Duration // when the next walk begins, if none is under way
	page     replica.Page
	at, owed int           // the next thing of the page to look at
	waits    time.Duration // until when it waits at that thing, if no answer comes; 0: it does not
	sendAt   time.Duration // what was sent so far has had its time
	scanAt   time.Duration // no page is asked for before
	room     room
}

// target is a node to which something is or was owed, or that is asked to take
// what is owed to another.
type target struct {
	Backlog
	seen      Backlog // as the walk under way has found so far
	flying    int
	failures  int
	notBefore time.Duration
	took      time.Duration // the last answer
}

// New returns a machine that begins with a walk.
func New(cfg Config) *Handoff {
	cfg = cfg.withDefaults()
	h := &Handoff{cfg: cfg, seq: cfg.First}
	for _, o := range cfg.Found {
		h.target(o.Target).Owing = o
	}
	return h
}

// Deadline returns when [Handoff.Tick] is due; the greatest time there is: not
// before something else happens.
func (h *Handoff) Deadline() time.Duration {
	at := never
	switch {
	case !h.walking:
		at = h.next
	case h.scanning:
	case h.at < len(h.page.Held):
		at = h.waits
	default:
		at = h.scanAt
	}
	return min(at, h.silentAt())
}

// Backlog appends to dst what is kept for whom, by target.
func (h *Handoff) Backlog(dst []Backlog) []Backlog {
	for i := range h.targets {
		if t := &h.targets[i]; t.Records > 0 || t.Failed != "" {
			dst = append(dst, t.Backlog)
		}
	}
	return dst
}

// Oldest returns since when the oldest record is owed, in wall-clock
// milliseconds; 0: none is.
func (h *Handoff) Oldest() int64 {
	var oldest int64
	for i := range h.targets {
		if o := h.targets[i].Oldest; o != 0 && (oldest == 0 || o < oldest) {
			oldest = o
		}
	}
	return oldest
}

// Empty says whether nothing is kept, as far as this machine can know: a walk has
// found nothing and nothing was kept since.
func (h *Handoff) Empty() bool { return !h.walking && h.next == never && len(h.flights) == 0 }

// Back tells that a target may be worth asking again: a walk begins soon.
func (h *Handoff) Back(id ring.NodeID) {
	if i, ok := h.find(id); ok {
		h.targets[i].failures, h.targets[i].notBefore = 0, 0
	}
	if !h.walking && h.next == never {
		return // nothing is kept
	}
	h.again = true
	h.next = min(h.next, h.began+soonest)
}

// Kept tells that something is kept, or more is: a walk is due in its time.
func (h *Handoff) Kept(now clock.Now) {
	h.kept = true
	h.next = min(h.next, now.Mono+h.cfg.Every)
}

// SetRate says how many bytes a second are sent from now on, and how many are read in
// search of them; 0: as many as by default.
func (h *Handoff) SetRate(rate, scan int) {
	c := Config{Rate: rate, ScanRate: scan}.withDefaults()
	h.cfg.Rate, h.cfg.ScanRate = c.Rate, c.ScanRate
}

// Tick gives up what has waited too long and goes on with the walk.
func (h *Handoff) Tick(now clock.Now, p Peers, e *Effects) {
	for i := 0; i < len(h.flights); {
		if h.flights[i].silent(now) {
			h.fail(now, i, h.flights[i].asked, "no answer", e)
		} else {
			i++
		}
	}
	h.walk(now, p, e)
}

// Down tells that a peer can't be reached: nothing will come from it.
func (h *Handoff) Down(now clock.Now, peer ring.NodeID, p Peers, e *Effects) {
	for i := 0; i < len(h.flights); {
		if slices.Contains(h.flights[i].asked, peer) {
			h.fail(now, i, []ring.NodeID{peer}, "its link fell", e)
		} else {
			i++
		}
	}
	h.walk(now, p, e)
}

// Answer takes a peer's answer; false if nobody waits for it.
func (h *Handoff) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, p Peers, e *Effects) bool {
	i := slices.IndexFunc(h.flights, func(f flight) bool { return f.id == a.ID && slices.Contains(f.asked, from) })
	if i < 0 {
		return false
	}
	switch {
	case a.Status == replica.Have && a.Durable && !a.Pending:
		h.stored(now, i, from, e)
	case a.Status == replica.Failed:
		h.fail(now, i, []ring.NodeID{from}, a.Reason.String(), e)
	default:
		h.fail(now, i, []ring.NodeID{from}, "it does not say that it stored it", e)
	}
	h.walk(now, p, e)
	return true
}

// stored notes that a peer has a record durably as its own.
func (h *Handoff) stored(now clock.Now, i int, peer ring.NodeID, e *Effects) {
	f := &h.flights[i]
	f.asked = slices.DeleteFunc(f.asked, func(id ring.NodeID) bool { return id == peer })
	t := h.target(peer)
	t.flying--
	t.took = now.Mono - f.sent
	t.failures, t.notBefore = 0, 0
	if peer == f.target {
		t.Failed, t.FailedAt = "", 0
	}
	if len(f.asked) == 0 {
		h.pay(f, e)
	}
}

// pay takes a target off the list of those to which a record is owed.
func (h *Handoff) pay(f *flight, e *Effects) {
	f.paying = true
	e.Ops = append(e.Ops, replica.Op{
		ID: f.id, Verb: replica.Paid, Partition: f.held.Partition, Key: f.held.Key, Pending: true,
		Targets: []ring.NodeID{f.target}, Digest: f.held.Digest,
	})
}

// Complete takes the own storage's answer; false if nobody waits for it.
func (h *Handoff) Complete(now clock.Now, a *replica.Answer, p Peers, e *Effects) bool {
	i := slices.IndexFunc(h.flights, func(f flight) bool { return f.id == a.ID && f.own() })
	if i < 0 {
		return false
	}
	f := &h.flights[i]
	switch {
	case f.paying && a.Found:
		h.paid(now, i, e)
	case f.paying:
		h.land(i) // another state is there by now: it is found by the next walk
	case a.Status == replica.Have && a.Durable && a.Pending == (f.way == inherit):
		h.pay(f, e)
	default:
		h.fail(now, i, nil, "here: "+a.Reason.String(), e)
	}
	h.walk(now, p, e)
	return true
}

// paid ends a flight whose record is owed to its target no more.
func (h *Handoff) paid(now clock.Now, i int, e *Effects) {
	f := h.flights[i]
	h.land(i)
	t := h.target(f.target)
	t.Records, t.Bytes = max(t.Records-1, 0), max(t.Bytes-int64(f.held.Size), 0)
	t.OverAge = min(t.OverAge, t.Records)
	if t.Records == 0 {
		t.Bytes, t.Oldest = 0, 0
	}
	kind := fact.HandedOver
	switch f.way {
	case letGo:
		kind = fact.LetGo
	case inherit, move:
		kind, h.again = fact.Reassigned, true
	case deliver:
	}
	e.Facts = append(e.Facts, fact.Fact{Kind: kind, At: now.Mono, Lasted: now.Mono - f.sent, Peer: string(f.target), N: 1})
}

// fail gives up a flight because of some of those that it asked. The record is
// found again by a later walk. Failures that come together count once.
func (h *Handoff) fail(now clock.Now, i int, whose []ring.NodeID, why string, e *Effects) {
	f := h.flights[i]
	whose = slices.Clone(whose)
	h.land(i)
	if f.paying {
		return // the record is still owed
	}
	if len(whose) == 0 {
		whose = append(whose, f.target)
	}
	for _, id := range whose {
		text := why
		if id != f.target {
			text = string(id) + ", offered it in its stead: " + why
		}
		t := h.target(f.target)
		t.Failed, t.FailedAt = text, now.Wall
		if h.backOff(now, h.target(id)) {
			e.Facts = append(e.Facts, fact.Fact{Kind: fact.NotHandedOver, At: now.Mono, Peer: string(f.target), Note: text})
		}
	}
}

// backOff leaves a node alone for a while; false if it is already.
func (h *Handoff) backOff(now clock.Now, t *target) bool {
	if now.Mono < t.notBefore {
		return false
	}
	wait := h.cfg.MaxBackOff
	if t.failures < 16 {
		wait = min(h.cfg.BackOff<<t.failures, wait)
	}
	t.failures++
	t.notBefore = now.Mono + wait
	return true
}

// land takes a flight off the list.
func (h *Handoff) land(i int) {
	for _, id := range h.flights[i].asked {
		h.target(id).flying--
	}
	h.flights = slices.Delete(h.flights, i, i+1)
}

func (h *Handoff) find(id ring.NodeID) (int, bool) {
	return slices.BinarySearchFunc(h.targets, id, func(t target, id ring.NodeID) int { return cmp.Compare(t.Target, id) })
}

// target returns what is known of a node, which is good until the next call.
func (h *Handoff) target(id ring.NodeID) *target {
	i, ok := h.find(id)
	if !ok {
		h.targets = slices.Insert(h.targets, i, target{Backlog: Backlog{Owing: replica.Owing{Target: id}}})
	}
	return &h.targets[i]
}
