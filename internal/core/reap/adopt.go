package reap

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

// seen takes what another has seen of this node: it never shows what it has not
// synced, so one that was seen beyond its own epoch has lost its disk or was put
// on an old copy of it (RULES R22). Where it knows no epoch adopt tells which.
func (e *Epochs) seen(now clock.Now, from ring.NodeID, told uint64, out *EpochEffects) {
	if told <= e.durable.Epoch {
		return
	}
	if e.durable.Epoch == 0 {
		i := index(e.members, e.self)
		e.members[i].Epoch = max(e.members[i].Epoch, told)
		return
	}
	e.rollBack(now, from, told, out)
}

func (e *Epochs) rollBack(now clock.Now, from ring.NodeID, told uint64, out *EpochEffects) {
	if !e.rolled {
		e.rolled, out.RolledBack = true, true
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.RolledBack, At: now.Mono, Peer: string(from), N: int(told)})
	}
}

// adopt takes the epoch of the others for a disk that knows none of its own,
// where they are past the first: it is a newcomer's or was lost. What it keeps it
// has minted itself, in that epoch, if it was empty when this process started;
// what was there before is of an old copy, made before the first epoch, as far as
// anybody can tell.
func (e *Epochs) adopt(now clock.Now, from ring.NodeID, out *EpochEffects) bool {
	i := index(e.members, e.self)
	switch {
	case i < 0 || e.phase == storing:
		return false
	case e.durable.Epoch != 0:
		return e.catchUp(out)
	case e.members[i].Epoch == 0 && e.highest() < 2:
		return false
	}
	if e.holds {
		e.rollBack(now, from, max(e.members[i].Epoch, e.highest()-1), out)
		return false
	}
	e.fill(e.highest(), out)
	return true
}

// catchUp takes the epoch of the others for a newcomer that took one from them some time
// ago: they go on without it until a link names it, and would refuse what it has to
// give. Nobody goes two epochs beyond a member, and what a newcomer holds is as young as
// the others' epoch.
func (e *Epochs) catchUp(out *EpochEffects) bool {
	if e.holds || e.highest() < e.durable.Epoch+2 {
		return false
	}
	e.fill(e.highest(), out)
	return true
}

func (e *Epochs) fill(epoch uint64, out *EpochEffects) {
	e.durable = Durable{Epoch: epoch, Born: epoch}
	e.stand(epoch, out)
	e.store(e.durable, out)
}

// Refused takes the highest epoch that a member knows of which has refused a link,
// since it knows another disk of this node: the process is about to begin again.
// One that began on an empty disk takes that epoch first, or what it took since
// would then look like that of an old copy.
func (e *Epochs) Refused(epoch uint64, out *EpochEffects) {
	if e.durable.Epoch == 0 && !e.holds && e.phase != storing && epoch > 0 {
		e.fill(epoch, out)
	}
}

// Anew begins in another ring, into which that of this node was merged (paper, section
// 4.8.2). Epochs of two rings have nothing to do with each other: whatever is here was
// never deleted there, so it is as young as the epoch that this node takes from the
// members there, like that of a newcomer. What they told of the ring before is
// forgotten; by which placements they were clean, too.
func (e *Epochs) Anew(out *EpochEffects) {
	e.members, e.durable, e.holds = nil, Durable{}, false
	e.wanted, e.placed, e.known = 0, 0, false
	e.phase = resting
	clear(e.told)
	out.Storing, out.Tells = false, out.Tells[:0]
	e.stand(0, out)
}
