package node

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Found is what the own storage found in a survey.
type Found struct{ replica.Found }

func (*Found) input() {}

// serveSurvey asks the own storage what a peer wants to know. One at a number is
// served at exactly that: what is found then was there when this node had adopted
// it (RULES R16).
func (n *Node) serveSurvey(now clock.Now, from ring.NodeID, m *Message, out *Out) {
	s := *m.Survey
	if s.Look < replica.Roots || s.Look > replica.Names || s.Look != replica.Roots && s.Bucket == "" {
		drop(now, out, from, "a survey of nothing")
		return
	}
	number := n.view.Number(m.Partition)
	switch {
	case m.Number == 0 || m.Number == number:
	case m.Number < number:
		n.refuseSurvey(from, m, replica.Outdated, out)
		return
	default:
		n.learn(now, from, m, out)
		n.refuseSurvey(from, m, replica.Behind, out)
		return
	}
	id, ok := n.surveys.take(ask{from: from, id: s.ID, part: m.Partition, number: number})
	if !ok {
		n.refuseSurvey(from, m, replica.Overloaded, out)
		return
	}
	s.ID, s.Partition = id, m.Partition
	out.Surveys = append(out.Surveys, s)
}

// refuseSurvey answers a survey that is not made.
func (n *Node) refuseSurvey(to ring.NodeID, m *Message, why replica.Reason, out *Out) {
	n.send(out, to, Message{Kind: KindFound, Partition: m.Partition, Number: n.view.Number(m.Partition), Found: &replica.Found{
		ID: m.Survey.ID, Look: m.Survey.Look, Status: replica.Failed, Reason: why,
	}})
}

// surveyed takes what the own storage found: for a peer, or for this node.
func (n *Node) surveyed(now clock.Now, f *Found, out *Out) {
	for i := range f.Rotten { // whoever asked: they are to be had from others
		n.rotten(now, &f.Rotten[i], out)
	}
	f.Rotten = nil
	if n.view.Unnamed() {
		f.Recovering = true // a disk that no link names proves nothing (RULES R9)
	}
	if askerOf(f.ID) == byListing {
		n.listingFound(now, n.view.Self, &f.Found, out)
		return
	}
	if askerOf(f.ID) == byRepair {
		n.repairFound(now, n.view.Self, &f.Found, out)
		return
	}
	who, ok := n.surveys.give(f.ID)
	if ok && who.number != 0 && who.number != n.view.Number(who.part) && f.Look == replica.Names {
		n.send(out, who.from, Message{Kind: KindFound, Partition: who.part, Number: n.view.Number(who.part), Found: &replica.Found{
			ID: who.id, Look: f.Look, Status: replica.Failed, Reason: replica.Outdated,
		}})
		return
	}
	if askerOf(f.ID) != byPeer || !ok {
		drop(now, out, n.view.Self, "found what nobody looks for")
		return
	}
	found := f.Found
	found.ID = who.id
	n.send(out, who.from, Message{Kind: KindFound, Partition: who.part, Number: who.number, Found: &found})
}
