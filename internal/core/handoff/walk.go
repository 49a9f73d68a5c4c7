package handoff

import (
	"slices"
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
	if page.Err == nil {
		h.room.measured(page)
	}
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
	if h.scanning || !h.work(now, p, e) || now.Mono < h.scanAt {
		return
	}
	from := h.page.Next
	h.page, h.at = replica.Page{}, 0
	if from != nil {
		h.scan(from, e)
		return
	}
	h.end(now)
}

func (h *Handoff) begin(now clock.Now, e *Effects) {
	h.walking, h.again, h.kept, h.began = true, false, false, now.Mono
	for i := range h.targets {
		h.targets[i].seen = Backlog{}
	}
	h.walks++
	h.scan(nil, e)
}

func (h *Handoff) scan(from []byte, e *Effects) {
	h.scanning = true
	e.Scans = append(e.Scans, Scan{From: from, Limit: h.cfg.Window})
}

// end ends a walk: what it found is the backlog now. Where it found nothing none
// follows until something is kept again.
func (h *Handoff) end(now clock.Now) {
	h.walking = false
	h.next = h.began + h.cfg.Every
	if h.again {
		h.next = h.began + soonest
	}
	h.room.choose(now)
	found := false
	for i := range h.targets {
		t := &h.targets[i]
		found = found || t.seen.Records > 0
		t.Records, t.Bytes, t.Oldest, t.OverAge = t.seen.Records, t.seen.Bytes, t.seen.Oldest, t.seen.OverAge
		if t.Records == 0 {
			t.Failed, t.FailedAt = "", 0
		}
	}
	if !found && !h.kept {
		h.next = never
	}
}

// work deals with what the page holds as far as may be; false if it has to wait.
func (h *Handoff) work(now clock.Now, p Peers, e *Effects) bool {
	for ; h.at < len(h.page.Held); h.at, h.owed = h.at+1, 0 {
		held := &h.page.Held[h.at]
		for ; h.owed < len(held.Owed); h.owed++ {
			o := held.Owed[h.owed]
			if !h.attempt(now, held, o, p, e) {
				return false
			}
			t := h.target(o.Target)
			t.seen.Add(held.Size, o.Since)
			if h.overAge(now, o.Since) {
				t.seen.OverAge++
			}
		}
		if len(held.Owed) > 0 {
			h.room.count(now, held)
		}
	}
	return true
}

// attempt begins to end one debt, if it can; false if that has to wait.
func (h *Handoff) attempt(now clock.Now, held *replica.Held, o replica.Owed, p Peers, e *Effects) bool {
	h.waits = 0
	if h.flies(held, o.Target) {
		return true
	}
	w, asked := h.plan(now, held, o, p)
	if w == 0 {
		return true
	}
	if len(h.flights) >= h.cfg.Window {
		h.waits = never
		return false
	}
	if id, full := h.full(asked); full && w != inherit {
		h.waits = h.patience(now, id, p)
		h.again = h.again || h.waits <= now.Mono
		return h.waits <= now.Mono
	}
	if now.Mono+burst < h.sendAt {
		h.waits = h.sendAt - burst
		return false
	}
	h.send(now, held, o.Target, w, asked, p, e)
	return true
}

// patience returns until when the walk waits for a node whose share of the window
// is full: twice as long as the fastest of the others takes to answer, so that a
// slow one holds them up little; longer where nothing is known to be kept for
// others, while the walk is young. What it would have got is found by the next
// walk.
func (h *Handoff) patience(now clock.Now, id ring.NodeID, p Peers) time.Duration {
	i := slices.IndexFunc(h.flights, func(f flight) bool { return slices.Contains(f.asked, id) })
	fastest, alone := h.others(now, id, p)
	until := h.flights[i].sent + max(2*fastest, burst)
	if until <= now.Mono && alone {
		return h.began + h.cfg.Every
	}
	return until
}

// others returns how long the fastest takes of the other nodes that something
// could go to, 0 if none has answered yet, and whether there is none.
func (h *Handoff) others(now clock.Now, id ring.NodeID, p Peers) (fastest time.Duration, alone bool) {
	alone = true
	for i := range h.targets {
		t := &h.targets[i]
		if t.Target == id || t.Records+t.seen.Records == 0 || !h.ready(now, t.Target, p) {
			continue
		}
		alone = false
		if t.took != 0 && (fastest == 0 || t.took < fastest) {
			fastest = t.took
		}
	}
	return fastest, alone
}
