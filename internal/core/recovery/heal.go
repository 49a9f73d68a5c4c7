package recovery

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// record is one that can't be read. It recovers like a partition: the wait, then
// the states of enough others (RULES R10).
type record struct {
	replica.Rotten
	opens    time.Duration // when the others may be asked first
	due      time.Duration // when to ask them, or to give up on those that were asked
	failures int
	asked    []asked
	sources  []replica.Source
	merged   causal.State
	stamp    uint64 // of merged, the lowest of its parts (RULES E1)
	storing  uint64 // the Heal that is under way; 0: none
	alone    bool   // nobody else has the record
	failed   string // why it was given up last
}

// asked is a read under way.
type asked struct {
	id uint64
	at ring.NodeID
}

// Rotten tells of a record that can't be read.
func (r *Recovery) Rotten(now clock.Now, rot *replica.Rotten, e *Effects) {
	for i := range r.rotten {
		if r.rotten[i].Rotten == *rot {
			return
		}
	}
	if len(r.rotten) >= r.cfg.MaxRotten && !r.makeRoom() {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.NotHealed, At: now.Mono, Note: rot.Key.Bucket + ": too many records can't be read"})
		return
	}
	opens := now.Mono + r.cfg.Wait
	r.rotten = append(r.rotten, record{Rotten: *rot, opens: opens, due: opens})
}

// makeRoom forgets the first record that could not be had when that was tried; false
// where there is none. It is met again, and by then others were tried.
func (r *Recovery) makeRoom() bool {
	i := slices.IndexFunc(r.rotten, func(p record) bool { return p.failed != "" && !p.busy() })
	if i < 0 {
		return false
	}
	r.rotten = slices.Delete(r.rotten, i, i+1)
	return true
}

// RottenLeft returns how many records that can't be read are remembered.
func (r *Recovery) RottenLeft() int { return len(r.rotten) }

// Untried returns how many of them nobody was asked for yet.
func (r *Recovery) Untried() int {
	n := 0
	for i := range r.rotten {
		if r.rotten[i].failed == "" {
			n++
		}
	}
	return n
}

// Unhealed appends to dst the records that could not be had from others when that was
// tried last, room of them at most.
func (r *Recovery) Unhealed(dst []Unhealed, room int) []Unhealed {
	for i := range r.rotten {
		if p := &r.rotten[i]; p.failed != "" && room > 0 {
			dst = append(dst, Unhealed{p.Rotten, p.failed})
			room--
		}
	}
	return dst
}

func (r *Recovery) healing() int {
	n := 0
	for i := range r.rotten {
		if r.rotten[i].busy() {
			n++
		}
	}
	return n
}

func (r *record) busy() bool { return len(r.asked) > 0 || r.storing != 0 }

func (r *Recovery) healDeadline() time.Duration {
	at := never
	room := r.healing() < r.cfg.MaxHeals
	for i := range r.rotten {
		if p := &r.rotten[i]; p.storing == 0 && (room || len(p.asked) > 0) {
			at = min(at, p.due)
		}
	}
	return at
}

func (r *Recovery) healTick(now clock.Now, c Cluster, e *Effects) {
	room := r.cfg.MaxHeals - r.healing()
	for i := 0; i < len(r.rotten); i++ {
		p := &r.rotten[i]
		switch {
		case p.storing != 0 || p.due > now.Mono:
		case len(p.asked) > 0:
			r.giveUp(now, p, "too few of the others answered", e)
			room++
		case room > 0:
			need, ok := c.NeedOf(p.Partition, p.Key.Bucket)
			if !ok { // it is not kept here any more: nobody asks for it
				r.rotten = slices.Delete(r.rotten, i, i+1)
				i--
				continue
			}
			r.fetch(now, p, &need, c, e)
			if p.busy() {
				room--
			}
		}
	}
}

// fetch asks the others for a record.
func (r *Recovery) fetch(now clock.Now, p *record, need *Need, c Cluster, e *Effects) {
	p.sources, p.merged = nil, causal.State{}
	if p.alone = need.met(nil); p.alone {
		r.heal(p, e)
		e.Ops[len(e.Ops)-1].Alone = true
		return
	}
	for _, o := range need.Others {
		if !c.Usable(o) {
			continue
		}
		r.seq++
		p.asked = append(p.asked, asked{r.seq, o})
		e.Asks = append(e.Asks, Ask{o, replica.Op{ID: r.seq, Verb: replica.Read, Partition: p.Partition, Key: p.Key, Full: true}})
	}
	p.due = now.Mono + r.cfg.AskWait
	if len(p.asked) == 0 {
		r.giveUp(now, p, "none of the others can be reached", e)
		p.due = never // until one is back
	}
}

func (r *Recovery) giveUp(now clock.Now, p *record, why string, e *Effects) {
	p.asked, p.storing, p.sources, p.merged = nil, 0, nil, causal.State{}
	p.due = now.Mono + r.backOff(p.failures)
	p.failures++
	p.failed = why
	e.Facts = append(e.Facts, fact.Fact{Kind: fact.NotHealed, At: now.Mono, Note: p.Key.Bucket + ": " + why})
}

// Answer takes a peer's answer to an ask; false where nobody waits for it.
func (r *Recovery) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, c Cluster, e *Effects) bool {
	for i := range r.rotten {
		p := &r.rotten[i]
		at := slices.Index(p.asked, asked{a.ID, from})
		if at < 0 {
			continue
		}
		p.asked = slices.Delete(p.asked, at, at+1)
		r.take(p, from, a)
		need, ok := c.NeedOf(p.Partition, p.Key.Bucket)
		switch {
		case ok && need.met(p.sources):
			p.asked = nil
			r.heal(p, e)
		case len(p.asked) == 0:
			r.giveUp(now, p, "too few of the others know", e)
		}
		r.healTick(now, c, e)
		return true
	}
	return false
}

// take merges what a peer shows. One that recovers itself counts only where all
// others do.
func (r *Recovery) take(p *record, from ring.NodeID, a *replica.Answer) {
	switch {
	case a.Status == replica.Failed:
		return
	case len(a.State) > 0:
		s, err := causal.DecodeState(a.State)
		if err != nil {
			return
		}
		if p.merged.IsEmpty() || a.Stamp < p.stamp {
			p.stamp = a.Stamp
		}
		p.merged, _ = causal.JoinStates(p.merged, s)
	case a.Status == replica.Have:
		return // it was asked for the state
	}
	p.sources = append(p.sources, replica.Source{Node: from, Recovering: a.Status == replica.DontKnow || a.Recovering})
}

// heal puts what the others have in the place of the record.
func (r *Recovery) heal(p *record, e *Effects) {
	r.seq++
	p.storing = r.seq
	e.Ops = append(e.Ops, replica.Op{ID: r.seq, Verb: replica.Heal, Partition: p.Partition, Key: p.Key, State: p.merged.Append(nil), Stamp: p.stamp})
}

// healed takes the own storage's answer to a Heal.
func (r *Recovery) healed(now clock.Now, a *replica.Answer, c Cluster, e *Effects) {
	i := slices.IndexFunc(r.rotten, func(p record) bool { return p.storing == a.ID && a.ID != 0 })
	if i < 0 {
		return
	}
	if p := &r.rotten[i]; a.Status != replica.Have {
		why := "it can't be stored: " + a.Reason.String()
		if p.alone && a.Reason == replica.Corrupt {
			why = "no other node is to hold it: what it held is lost, unless a backup has it; put the key anew without reading it ('ouro put --blind') to go on"
		}
		r.giveUp(now, p, why, e)
		return
	}
	r.rotten = slices.Delete(r.rotten, i, i+1)
	r.healTick(now, c, e)
}
