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
	burst   = 10 * time.Millisecond // by how much sending may be ahead of its rate
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
	began    time.Duration
	next     time.Duration // when the next walk begins, if none is under way
	page     replica.Page
	at, owed int           // the next thing of the page to look at
	paced    bool          // it waits for sendAt, and for no answer
	sendAt   time.Duration // what was sent so far has had its time
	scanAt   time.Duration // no page is asked for before
}

// target is a node to which something is or was owed.
type target struct {
	Backlog
	seen      Backlog // as the walk under way has found so far
	flying    int
	failures  int
	notBefore time.Duration
}

// flight is one record on its way to one target, or its payment.
type flight struct {
	id     uint64
	target ring.NodeID
	op     replica.Op // the payment
	size   int
	sent   time.Duration
	paying bool
}

// New returns a machine that begins with a walk.
func New(cfg Config) *Handoff {
	cfg = cfg.withDefaults()
	return &Handoff{cfg: cfg, seq: cfg.First}
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
		if h.paced {
			at = h.sendAt - burst
		}
	default:
		at = h.scanAt
	}
	if len(h.flights) > 0 {
		at = min(at, h.flights[0].sent+h.cfg.Wait)
	}
	return at
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

// Tick gives up what has waited too long and goes on with the walk.
func (h *Handoff) Tick(now clock.Now, p Peers, e *Effects) {
	for len(h.flights) > 0 && h.flights[0].sent+h.cfg.Wait <= now.Mono {
		h.fail(now, 0, "no answer", e)
	}
	h.walk(now, p, e)
}

// Down tells that a peer can't be reached: nothing will come from it.
func (h *Handoff) Down(now clock.Now, peer ring.NodeID, p Peers, e *Effects) {
	for i := 0; i < len(h.flights); {
		if f := &h.flights[i]; f.target == peer && !f.paying {
			h.fail(now, i, "its link fell", e)
		} else {
			i++
		}
	}
	h.walk(now, p, e)
}

// Answer takes a target's answer; false if nobody waits for it.
func (h *Handoff) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, p Peers, e *Effects) bool {
	i := slices.IndexFunc(h.flights, func(f flight) bool { return f.id == a.ID && f.target == from && !f.paying })
	if i < 0 {
		return false
	}
	f := &h.flights[i]
	switch {
	case a.Status == replica.Have && a.Durable && !a.Pending:
		f.paying = true
		e.Ops = append(e.Ops, f.op)
		t := h.target(f.target)
		t.failures, t.notBefore, t.Failed, t.FailedAt = 0, 0, "", 0
	case a.Status == replica.Failed:
		h.fail(now, i, a.Reason.String(), e)
	default:
		h.fail(now, i, "it does not say that it stored it", e)
	}
	h.walk(now, p, e)
	return true
}

// Complete takes the own storage's answer to a payment; false if nobody waits
// for it.
func (h *Handoff) Complete(now clock.Now, a *replica.Answer, p Peers, e *Effects) bool {
	i := slices.IndexFunc(h.flights, func(f flight) bool { return f.id == a.ID && f.paying })
	if i < 0 {
		return false
	}
	f := h.flights[i]
	h.land(i)
	if a.Found {
		t := h.target(f.target)
		t.Records, t.Bytes = max(t.Records-1, 0), max(t.Bytes-int64(f.size), 0)
		if t.Records == 0 {
			t.Bytes, t.Oldest = 0, 0
		}
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.HandedOver, At: now.Mono, Lasted: now.Mono - f.sent, Peer: string(f.target), N: 1})
	}
	h.walk(now, p, e)
	return true
}

// fail gives up a flight. What was to be delivered is found again by a later
// walk. Failures that come together count once.
func (h *Handoff) fail(now clock.Now, i int, why string, e *Effects) {
	f := h.flights[i]
	h.land(i)
	if f.paying {
		return // the own storage is late; the record is still owed
	}
	t := h.target(f.target)
	t.Failed, t.FailedAt = why, now.Wall
	if now.Mono < t.notBefore {
		return
	}
	wait := h.cfg.MaxBackOff
	if t.failures < 16 {
		wait = min(h.cfg.BackOff<<t.failures, wait)
	}
	t.failures++
	t.notBefore = now.Mono + wait
	e.Facts = append(e.Facts, fact.Fact{Kind: fact.NotHandedOver, At: now.Mono, Peer: string(f.target), Note: why})
}

// land takes a flight off the list.
func (h *Handoff) land(i int) {
	h.target(h.flights[i].target).flying--
	h.flights = slices.Delete(h.flights, i, i+1)
}

func (h *Handoff) find(id ring.NodeID) (int, bool) {
	return slices.BinarySearchFunc(h.targets, id, func(t target, id ring.NodeID) int { return cmp.Compare(t.Target, id) })
}

// target returns what is known of a node, which is good until the next call.
func (h *Handoff) target(id ring.NodeID) *target {
	i, ok := h.find(id)
	if !ok {
		h.targets = slices.Insert(h.targets, i, target{Backlog: Backlog{Target: id}})
	}
	return &h.targets[i]
}
