package handoff

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// way is how a debt is to end.
type way uint8

const (
	deliver way = 1 + iota // the target takes it
	inherit                // the target is no primary any more: all that are get its claim (RULES R34)
	move                   // this node is a primary itself: it goes into its own record
	letGo                  // too old, or no room: other primaries have it and compare with the target
)

// copies is how many primaries besides a target must hold a record durably
// before it is let go: what a client was told is stored twice stays so.
const copies = 2

// flight is one record on its way out of the debt to one target.
type flight struct {
	id     uint64
	way    way
	target ring.NodeID
	asked  []ring.NodeID // have not answered yet
	held   replica.Held
	sent   time.Duration
	wait   time.Duration // how long the answers may take
	paying bool          // all have it; the own storage is told
}

// own says that the flight waits for the own storage. That answers everything, as
// late as its disk syncs: who gave it up sooner would ask for it again and again.
func (f *flight) own() bool { return f.paying || f.way == inherit || f.way == move }

// silent says whether peers have taken too long to answer.
func (f *flight) silent(now clock.Now) bool { return !f.own() && f.sent+f.wait <= now.Mono }

// silentAt is when the first of those that wait for peers has waited too long.
func (h *Handoff) silentAt() time.Duration {
	at := never
	for i := range h.flights {
		if f := &h.flights[i]; !f.own() {
			at = min(at, f.sent+f.wait)
		}
	}
	return at
}

// slowest bounds how often the time is doubled that a target has to answer.
const slowest = 4

// mayTake is how long those that are asked may take. Who has failed gets longer each
// time: one that is always slower than the first wait would be sent the same for ever.
func (h *Handoff) mayTake(asked []ring.NodeID) time.Duration {
	failures := 0
	for _, id := range asked {
		failures = max(failures, h.target(id).failures)
	}
	return h.cfg.Wait << min(failures, slowest)
}

// plan says how the debt of a record to a target could end now, and whom to ask
// for it; way 0: it can't.
func (h *Handoff) plan(now clock.Now, held *replica.Held, o replica.Owed, p Peers) (way, []ring.NodeID) {
	primaries := p.Primaries(held.Partition, held.Key.Bucket)
	serves := slices.Contains(primaries, o.Target)
	here := slices.Contains(primaries, p.Self())
	switch {
	case len(primaries) == 0:
		return 0, nil
	case serves && o.Target != p.Self() && h.ready(now, o.Target, p):
		return deliver, []ring.NodeID{o.Target}
	case here:
		return move, nil
	}
	if h.due(now, o) {
		if can := h.candidates(now, primaries, o.Target, p); len(can) >= copies {
			return letGo, can[:copies]
		}
	}
	if !serves && h.rested(now, o.Target) {
		return inherit, slices.Clone(primaries)
	}
	return 0, nil
}

// candidates returns which primaries besides a target may be asked, other ones first
// in each walk.
func (h *Handoff) candidates(now clock.Now, primaries []ring.NodeID, target ring.NodeID, p Peers) []ring.NodeID {
	var can []ring.NodeID
	for i := range primaries {
		id := primaries[(h.walks+i)%len(primaries)]
		if id != target && h.ready(now, id, p) {
			can = append(can, id)
		}
	}
	return can
}

// ready says whether a node may be asked.
func (h *Handoff) ready(now clock.Now, id ring.NodeID, p Peers) bool {
	return p.Usable(id) && h.rested(now, id)
}

// rested says whether a node that failed was left alone for long enough.
func (h *Handoff) rested(now clock.Now, id ring.NodeID) bool {
	i, ok := h.find(id)
	return !ok || now.Mono >= h.targets[i].notBefore
}

// full returns which of those to be asked has as much under way as it may. A node
// that failed is tried with one record.
func (h *Handoff) full(asked []ring.NodeID) (ring.NodeID, bool) {
	for _, id := range asked {
		t := h.target(id)
		share := h.cfg.PerTarget
		if t.failures > 0 {
			share = 1
		}
		if t.flying >= share {
			return id, true
		}
	}
	return "", false
}

// flies reports whether a record is on its way out of its debt to a target.
func (h *Handoff) flies(held *replica.Held, target ring.NodeID) bool {
	for i := range h.flights {
		if f := &h.flights[i]; f.target == target && f.held.Key == held.Key {
			return true
		}
	}
	return false
}

// send begins a flight.
func (h *Handoff) send(now clock.Now, held *replica.Held, target ring.NodeID, w way, asked []ring.NodeID, p Peers, e *Effects) {
	f := flight{id: h.seq, way: w, target: target, held: *held, sent: now.Mono, wait: h.mayTake(asked)}
	h.seq++
	op := replica.Op{ID: f.id, Verb: replica.Join, Partition: held.Partition, Key: held.Key, State: held.State, Stamp: held.Stamp}
	if w == move || w == letGo {
		op.Missed = missed(held, target, p)
	}
	switch w {
	case inherit:
		op.Pending, op.Targets, op.Kept = true, asked, true
		e.Ops = append(e.Ops, op)
	case move:
		e.Ops = append(e.Ops, op)
	case deliver, letGo:
		f.asked = asked
		for _, id := range asked {
			h.ask(op, id, e)
		}
	}
	h.sendAt = max(h.sendAt, now.Mono) + time.Duration(max(len(f.asked), 1))*span(held.Size, h.cfg.Rate)
	h.flights = append(h.flights, f)
}

// ask asks a peer to take a record as its own. It is owed to nobody but that
// peer, which so knows that it must not keep it if it is no primary.
func (h *Handoff) ask(op replica.Op, id ring.NodeID, e *Effects) {
	op.Pending, op.Targets = true, []ring.NodeID{id}
	e.Asks = append(e.Asks, Ask{To: id, Op: op})
	h.target(id).flying++
}

// missed returns a target that will not get the record, as far as it should have
// it: those who have it are to compare what it holds with theirs.
func missed(held *replica.Held, target ring.NodeID, p Peers) ring.NodeID {
	if target != p.Self() && slices.Contains(p.Primaries(held.Partition, held.Key.Bucket), target) {
		return target
	}
	return ""
}
