package coord

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

// In a bucket whose durability is not all, the coordinator has as many replicas
// as dw store the write on disk before they answer, and the others answer as soon
// as it is in their buffers (paper, section 6.1: "the coordinator chooses one out
// of the N replicas to perform a durable write"). Which: the own disk, whose sync
// begins first, and then whoever is asked first. Where one of them fails or is
// silent for too long, another is asked to store durably what it may have in its
// buffer already (PAPER 8.13).

// relaxed says whether replica i, which is about to be asked, may answer before its
// disk has the write.
func (p *Put) relaxed(i int) bool {
	if !p.numbers.Relaxed {
		return false
	}
	if p.wantsFirm(i) {
		p.firm.add(i)
	}
	return !p.firm.has(i)
}

// wantsFirm says whether replica i would be one of the dw of a list of which too few
// are expected to store durably.
func (p *Put) wantsFirm(i int) bool {
	one, good := set(1)<<i, p.synced|p.firm&^(p.lost|p.doubt)
	short := func(list set, dw int) bool { return p.in(one, list) > 0 && p.in(good, list) < dw }
	return !p.firm.has(i) && (short(p.old, p.numbers.DW) || p.next != nil && short(p.new, p.next.Numbers.DW))
}

// confirm asks others for what those that were to store durably are not expected to
// do any more.
func (p *Put) confirm(now clock.Now, e *Effects) {
	if !p.numbers.Relaxed {
		return
	}
	able := p.chosen &^ (p.lost | p.doubt | p.synced | p.waiting[syncRound])
	for i := range p.n {
		if able.has(i) && p.wantsFirm(i) {
			p.sendState(now, e, syncRound, i, p.whole())
		}
	}
}

// counts says whether an answer to a write is an acknowledgement, as what it was
// asked for has it.
func counts(a *replica.Answer) bool {
	return a.Status == replica.Have && (a.Durable || a.Relaxed)
}

// ack counts an acknowledgement.
func (p *Put) ack(i int, a *replica.Answer) {
	p.acked.add(i)
	if a.Durable {
		p.synced.add(i)
	}
	if a.Recovering {
		p.weak.add(i)
	}
}

// strong are those of some that count for pw.
func (p *Put) strong(s set) set { return s & p.primaries() &^ p.weak }

// enough says whether the acknowledgements of some, and what of them is durable,
// meet the numbers.
func (p *Put) enough(s, durable set) bool {
	return p.writes(s, p.strong(s), durable)
}

// possible says whether the numbers can still be met.
func (p *Put) possible() bool {
	rest := p.everyone() &^ p.lost
	return p.enough(p.acked|rest, p.synced|rest)
}
