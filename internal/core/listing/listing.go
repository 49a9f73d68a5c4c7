package listing

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Listing is one page on its way.
type Listing struct {
	req     Request
	holders []holder
	ends    time.Duration
	hedge   time.Duration // when everybody is asked
	retry   time.Duration // when those that refused are asked again; 0: nobody is to be
	done    bool
}

// holder is a replica of the partition.
type holder struct {
	id       ring.NodeID
	old, new bool // in which list it is
	state    asked
	why      string // it is not asked, or refused
	found    *replica.Found
}

type asked uint8

const (
	idle    asked = iota // not asked yet
	waiting              // for its answer
	refused              // to be asked again
	down                 // can't be reached
	told                 // it is counted
	weak                 // it told, and is not counted: it may have forgotten something
)

// Start begins the listing. Reach says whether a node is expected to answer: those
// that are not are asked last.
func (l *Listing) Start(now clock.Now, req *Request, reach func(ring.NodeID) bool, e *Effects) {
	*l = Listing{req: *req, holders: l.holders[:0], ends: now.Mono + req.Timeout, hedge: now.Mono + hedgeAfter}
	l.begin(now, reach, e)
}

// ID returns the number that the surveys of the listing carry.
func (l *Listing) ID() uint64 { return l.req.ID }

// Partition returns the partition that is listed, Number that of its lists.
func (l *Listing) Partition() uint32 { return l.req.Partition }

// Number returns that of the lists that the listing goes by.
func (l *Listing) Number() uint64 { return l.req.Lists.Number }

// Restart begins anew under other lists; the time that is left stays.
func (l *Listing) Restart(now clock.Now, req *Request, reach func(ring.NodeID) bool, e *Effects) {
	ends := l.ends
	l.Start(now, req, reach, e)
	l.ends = ends
}

func (l *Listing) begin(now clock.Now, reach func(ring.NodeID) bool, e *Effects) {
	lists := &l.req.Lists
	var far []holder
	for _, id := range lists.All(nil) {
		h := holder{id: id, old: slices.Contains(lists.Old, id), new: slices.Contains(lists.New, id)}
		switch {
		case id == l.req.Self:
			l.holders = slices.Insert(l.holders, 0, h) // the own disk is the nearest
		case reach(id):
			l.holders = append(l.holders, h)
		default:
			far = append(far, h)
		}
	}
	l.holders = append(l.holders, far...)
	l.ask(now, false, e)
}

// short says how many more than those that told or are asked each list needs.
func (l *Listing) short(counted func(*holder) bool) (old, next int) {
	old, next = l.req.R, l.req.NextR
	for i := range l.holders {
		if h := &l.holders[i]; counted(h) {
			if h.old {
				old--
			}
			if h.new {
				next--
			}
		}
	}
	return max(old, 0), max(next, 0)
}

func hopeful(h *holder) bool { return h.state == waiting || h.state == told }

func counted(h *holder) bool { return h.state == told }

// ask asks as many more as are needed, or all there are.
func (l *Listing) ask(now clock.Now, all bool, e *Effects) {
	for i := range l.holders {
		old, next := l.short(hopeful)
		if !all && old == 0 && next == 0 {
			break
		}
		if h := &l.holders[i]; h.state == idle && (all || h.old && old > 0 || h.new && next > 0) {
			l.send(h, e)
		}
	}
	l.settle(now, e)
}

func (l *Listing) send(h *holder, e *Effects) {
	h.state = waiting
	to := h.id
	if to == l.req.Self {
		to = ""
	}
	e.Asks = append(e.Asks, Ask{To: to, Number: l.req.Lists.Number, Survey: replica.Survey{
		ID: l.req.ID, Look: replica.Names, Partition: l.req.Partition, Bucket: l.req.Bucket, Span: merkle.Span{First: l.req.From, Last: l.req.Last}, Prefix: l.req.Prefix,
	}})
}

// Found takes what a replica told; from is "" for this node. It returns false where
// nobody waits for it.
func (l *Listing) Found(now clock.Now, from ring.NodeID, f *replica.Found, e *Effects) bool {
	if from == "" {
		from = l.req.Self
	}
	i := slices.IndexFunc(l.holders, func(h holder) bool { return h.id == from })
	if l.done || i < 0 || l.holders[i].state != waiting || f.Look != replica.Names {
		return false
	}
	h := &l.holders[i]
	switch {
	case f.Status == replica.Failed:
		h.state, h.why = refused, f.Reason.String()
		l.retry = now.Mono + again
	case f.Until < l.req.From || f.Until > l.req.Last:
		h.state, h.why = down, "told of another range"
	case f.Recovering || f.Unreadable > 0:
		h.state, h.why, h.found = weak, "may have forgotten something", f
	default:
		h.state, h.found = told, f
	}
	l.ask(now, false, e)
	return true
}

// Down says that a peer can't be reached.
func (l *Listing) Down(now clock.Now, peer ring.NodeID, e *Effects) {
	for i := range l.holders {
		if h := &l.holders[i]; h.id == peer && (h.state == waiting || h.state == refused) {
			h.state, h.why = down, "can't be reached"
			l.ask(now, false, e)
			return
		}
	}
}

// Deadline returns when a Tick is wanted.
func (l *Listing) Deadline() time.Duration {
	at := l.ends
	if l.hedge != 0 {
		at = min(at, l.hedge)
	}
	if l.retry != 0 {
		at = min(at, l.retry)
	}
	return at
}

// Done says whether the listing is over.
func (l *Listing) Done() bool { return l.done }

// Tick says that time has passed.
func (l *Listing) Tick(now clock.Now, e *Effects) {
	switch {
	case l.done:
		return
	case l.ends <= now.Mono:
		l.finish(now, "too few replicas answered in time", e)
		return
	}
	if l.retry != 0 && l.retry <= now.Mono {
		l.retry = 0
		for i := range l.holders {
			if l.holders[i].state == refused {
				l.holders[i].state = idle
			}
		}
		l.ask(now, false, e)
	}
	if l.hedge != 0 && l.hedge <= now.Mono {
		l.hedge = 0
		l.ask(now, true, e)
	}
}

// settle ends the listing where enough have told, or nobody is left who could.
func (l *Listing) settle(now clock.Now, e *Effects) {
	if l.done {
		return
	}
	if old, next := l.short(counted); old == 0 && next == 0 {
		l.finish(now, "", e)
		return
	}
	for i := range l.holders {
		if s := l.holders[i].state; s == idle || s == waiting || s == refused {
			return
		}
	}
	l.finish(now, "too few replicas can tell", e)
}

// finish makes the page of what was told.
func (l *Listing) finish(now clock.Now, why string, e *Effects) {
	l.done = true
	page := &Page{Complete: why == "", Why: why, Until: l.req.Last}
	var all []*replica.Found
	for i := range l.holders {
		h := &l.holders[i]
		switch {
		case h.state == told:
			page.Told++
		case why != "" && h.why != "":
			page.Why += fmt.Sprintf("; %s: %s", h.id, h.why)
		}
		if h.found == nil || !h.old { // what a newcomer holds proves nothing yet (RULES R14)
			continue
		}
		if all = append(all, h.found); h.state == told || why != "" {
			page.Until = min(page.Until, h.found.Until)
		}
	}
	page.Names = l.merge(now, all, page.Until)
	e.Page = page
}
