package node

import (
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Peek asks a member, this node or another, what it holds of a key, for people who
// look at it. It repairs nothing and counts for nothing. Whoever asks waits no
// longer than it likes: nobody is suspected for leaving a peek unanswered, and
// nothing of it is kept here.
type Peek struct {
	ID  uint64 // ticket of whoever asks, below 1<<59
	At  ring.NodeID
	Key ring.Key
	// Kept: what the member keeps of the key in the stead of others is looked at, and
	// not a record of its own; unless it is a primary, who has no other.
	Kept bool
}

// Peeked is what came of a [Peek]; nothing need come.
type Peeked struct {
	ID     uint64
	From   ring.NodeID
	Answer replica.Answer
}

func (*Peek) input() {}

// peeked tells a peek from a probe: both are reads of which the node itself wants
// to know no more than that they were answered.
const peeked = 1 << (askerShift - 1)

func (n *Node) peek(p *Peek, out *Out) {
	op := replica.Op{
		ID: byProbe.mark(peeked | p.ID), Verb: replica.Read, Full: true, Pending: p.Kept,
		Partition: n.view.Ring.Partition(p.Key.Pos), Key: p.Key,
	}
	if p.At != n.view.Self {
		n.send(out, p.At, Message{Kind: KindAsk, Partition: op.Partition, Op: op})
		return
	}
	n.own(&op)
	out.Ops = append(out.Ops, op)
}

// shown passes on the answer to a peek, if it is one.
func shown(from ring.NodeID, a *replica.Answer, out *Out) {
	if id := unmarked(a.ID); id&peeked != 0 {
		out.Peeked = append(out.Peeked, Peeked{ID: id &^ peeked, From: from, Answer: *a})
	}
}
