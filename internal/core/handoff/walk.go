package handoff

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Page takes the page that was asked for.
func (h *Handoff) Page(now clock.Now, page *replica.Page, p Peers, e *Effects) {
	if !h.scanning {
		return
	}
	h.scanning = false
	h.page, h.at, h.owed = *page, 0, 0
	size := 0
	for i := range page.Held {
		size += page.Held[i].Size
	}
	h.scanAt = now.Mono + span(size, h.cfg.ScanRate)
	if page.Damaged > 0 {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Damaged, At: now.Mono, N: page.Damaged, Note: "pending records"})
	}
	if page.Err != nil {
		h.walking, h.page, h.next = false, replica.Page{}, now.Mono+h.cfg.Every
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Refused, At: now.Mono, Note: page.Err.Error()})
	}
	h.walk(now, p, e)
}

// span is how long size bytes take at a rate.
func span(size, rate int) time.Duration {
	return time.Duration(float64(size) / float64(rate) * float64(time.Second))
}

// walk goes on as far as it can.
func (h *Handoff) walk(now clock.Now, p Peers, e *Effects) {
	if !h.walking {
		if now.Mono < h.next {
			return
		}
		h.begin(now, e)
		return
	}
	if h.scanning || !h.deliver(now, p, e) || now.Mono < h.scanAt {
		return
	}
	from := h.page.Next
	h.page, h.at = replica.Page{}, 0
	if from != nil {
		h.scan(from, e)
		return
	}
	h.end()
}

func (h *Handoff) begin(now clock.Now, e *Effects) {
	h.walking, h.again, h.kept, h.began = true, false, false, now.Mono
	for i := range h.targets {
		h.targets[i].seen = Backlog{}
	}
	h.scan(nil, e)
}

func (h *Handoff) scan(from []byte, e *Effects) {
	h.scanning = true
	e.Scans = append(e.Scans, Scan{From: from, Limit: h.cfg.Window})
}

// end ends a walk: what it found is the backlog now. Where it found nothing none
// follows until something is kept again.
func (h *Handoff) end() {
	h.walking = false
	h.next = h.began + h.cfg.Every
	if h.again {
		h.next = h.began + soonest
	}
	found := false
	for i := range h.targets {
		t := &h.targets[i]
		found = found || t.seen.Records > 0
		t.Records, t.Bytes, t.Oldest = t.seen.Records, t.seen.Bytes, t.seen.Oldest
		if t.Records == 0 {
			t.Failed, t.FailedAt = "", 0
		}
	}
	if !found && !h.kept {
		h.next = never
	}
}

// deliver sends what the page holds to those who can take it; false if it has
// to wait. A target whose share of the window is full holds up the others, until
// it answers or has had its time.
func (h *Handoff) deliver(now clock.Now, p Peers, e *Effects) bool {
	for ; h.at < len(h.page.Held); h.at, h.owed = h.at+1, 0 {
		held := &h.page.Held[h.at]
		for ; h.owed < len(held.Owed); h.owed++ {
			o := held.Owed[h.owed]
			t := h.target(o.Target)
			if p.Usable(o.Target) && now.Mono >= t.notBefore && !h.flies(held, t) {
				full := len(h.flights) >= h.cfg.Window || t.flying >= h.cfg.PerTarget
				if h.paced = !full && now.Mono+burst < h.sendAt; full || h.paced {
					return false
				}
				h.send(now, held, t, e)
			}
			t.seen.Records++
			t.seen.Bytes += int64(held.Size)
			if t.seen.Oldest == 0 || o.Since < t.seen.Oldest {
				t.seen.Oldest = o.Since
			}
		}
	}
	return true
}

// flies reports whether a record is on its way to a target already.
func (h *Handoff) flies(held *replica.Held, t *target) bool {
	for i := range h.flights {
		if f := &h.flights[i]; f.target == t.Target && f.op.Key == held.Key {
			return true
		}
	}
	return false
}

func (h *Handoff) send(now clock.Now, held *replica.Held, t *target, e *Effects) {
	id := h.seq
	h.seq++
	t.flying++
	h.flights = append(h.flights, flight{
		id: id, target: t.Target, size: held.Size, sent: now.Mono,
		op: replica.Op{
			ID: id, Verb: replica.Paid, Partition: held.Partition, Key: held.Key, Pending: true,
			Targets: []ring.NodeID{t.Target}, Digest: held.Digest,
		},
	})
	e.Asks = append(e.Asks, Ask{To: t.Target, Op: replica.Op{
		ID: id, Verb: replica.Join, Partition: held.Partition, Key: held.Key, State: held.State,
	}})
	h.sendAt = max(h.sendAt, now.Mono) + span(held.Size, h.cfg.Rate)
}
