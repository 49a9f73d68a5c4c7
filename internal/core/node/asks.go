package node

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// asks is the table of peers' operations under way at the own storage.
type asks struct {
	all   []ask
	free  []uint32
	turn  uint32
	bound int
}

// ask is one of them: who wants the answer, under which id.
type ask struct {
	from ring.NodeID // "": free
	id   uint64
	part uint32
	turn uint32
	// number is that of the partition's lists that the peer asked under; 0: that is no
	// matter.
	number uint64
	at     time.Duration
}

// take notes an operation and returns its id here; false if the table is full.
func (t *asks) take(a ask) (uint64, bool) {
	if len(t.free) == 0 {
		if len(t.all) >= t.bound {
			return 0, false
		}
		t.free = append(t.free, uint32(len(t.all)))
		t.all = append(t.all, ask{})
	}
	i := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.turn++
	a.turn = t.turn
	t.all[i] = a
	return byPeer.mark(uint64(a.turn)<<slotBits | uint64(i)), true
}

// taken returns how many are under way.
func (t *asks) taken() int { return len(t.all) - len(t.free) }

// give ends an operation; false if there is none of this id.
func (t *asks) give(id uint64) (ask, bool) {
	i := uint32(id & (maxSlots - 1))
	if int(i) >= len(t.all) || t.all[i].from == "" || t.all[i].turn != uint32(id>>slotBits) {
		return ask{}, false
	}
	a := t.all[i]
	t.all[i] = ask{}
	t.free = append(t.free, i)
	return a, true
}

// forPeers are the verbs that a peer may ask for.
func forPeers(v replica.Verb) bool {
	return v == replica.Join || v == replica.Read || v == replica.Recall || v == replica.Drop || v == replica.Fold
}

// serve hands a peer's operation to the own storage, unless it was asked under
// other lists than this node knows. Whether it may be carried out, and what its
// answer counts for, is judged there, by package replica.
func (n *Node) serve(now clock.Now, from ring.NodeID, m *Message, out *Out) {
	op := m.Op
	if !forPeers(op.Verb) {
		drop(now, out, from, "a peer may only join, read, recall, drop and ask for what is to be folded")
		return
	}
	if n.fenced(now, from, m, out) {
		return
	}
	if !n.own(&op) || n.stranger(&op) || op.Pending && n.leaves() {
		n.decline(from, m, replica.NotPrimary, out)
		return
	}
	n.repairMissed(now, &op, out)
	op.Background = op.Background || background(&op)
	if op.Silent {
		op.ID = 0
		out.Ops = append(out.Ops, op)
		return
	}
	id, ok := n.asks.take(ask{from: from, id: op.ID, part: m.Partition, number: m.Number, at: now.Mono})
	if !ok {
		n.decline(from, m, replica.Overloaded, out)
		return
	}
	op.ID = id
	n.health.asked(now, n.view.Self, &op)
	out.Ops = append(out.Ops, op)
}

// decline answers a peer's operation that is not tried.
func (n *Node) decline(to ring.NodeID, m *Message, why replica.Reason, out *Out) {
	if m.Op.Silent {
		return
	}
	n.send(out, to, Message{Kind: KindAnswer, Partition: m.Partition, Number: n.view.Number(m.Partition), Answer: replica.Answer{
		ID: m.Op.ID, Verb: m.Op.Verb, Status: replica.Failed, Reason: why,
	}})
}

// complete takes an answer of the own storage: to a peer's ask, or to an own.
func (n *Node) complete(now clock.Now, a *replica.Answer, out *Out) {
	n.hintKept(now, a)
	if a.Rotten != nil {
		n.rotten(now, a.Rotten, out)
	}
	if a.ID == 0 {
		return
	}
	switch askerOf(a.ID) {
	case byPeer:
		n.completePeer(now, a, out)
	case byHandoff:
		n.hintsPaid(now, a, out)
	case byRecovery:
		n.recoveryDone(now, a, out)
	case byTransfer:
		n.transferDone(now, a, out)
	default:
		if askerOf(a.ID) < byPeer && n.view.Unnamed() { // a client's request
			own := *a
			n.weaken(&own)
			a = &own
		}
		n.answer(now, n.view.Self, a, out)
	}
}

// completePeer takes the own storage's answer to a peer's ask.
func (n *Node) completePeer(now clock.Now, a *replica.Answer, out *Out) {
	who, ok := n.asks.give(a.ID)
	if !ok {
		drop(now, out, n.view.Self, "completion that nobody waits for")
		return
	}
	n.health.answered(now, n.view.Self, a, now.Mono-who.at)
	answer := *a
	answer.ID, answer.Rotten = who.id, nil
	if who.number != 0 {
		n.counts(who.part, who.number, &answer)
	}
	n.send(out, who.from, Message{Kind: KindAnswer, Partition: who.part, Number: n.view.Number(who.part), Answer: answer})
}

// answer takes a replica's answer to the machine that asked.
func (n *Node) answer(now clock.Now, from ring.NodeID, a *replica.Answer, out *Out) {
	switch askerOf(a.ID) {
	case byHandoff:
		n.hintsAnswer(now, from, a, out)
	case byProbe:
		n.probed(now, from)
		shown(from, a, out)
	case byRecovery:
		n.recoveryAnswer(now, from, a, out)
	case byRepair:
		n.repairAnswer(now, from, a, out)
	case byReaping:
		n.reapAnswer(now, from, a, out)
	default:
		n.requestAnswer(now, from, a, out)
	}
}

// requestAnswer takes an answer to the machine of a client's request.
func (n *Node) requestAnswer(now clock.Now, from ring.NodeID, a *replica.Answer, out *Out) {
	s := n.slots.find(a.ID)
	if s == nil {
		n.health.answered(now, from, a, 0)
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.Late, At: now.Mono, Peer: string(from), Note: "request is over"})
		return
	}
	taken := s.machine.Answer(now, from, a, &n.effects)
	n.health.answered(now, from, a, took(s, taken))
	if !taken {
		drop(now, out, from, "answer that nobody waits for")
		return
	}
	n.drain(now, s, out)
}

func (n *Node) send(out *Out, to ring.NodeID, m Message) {
	out.Sends = append(out.Sends, Send{To: to, Message: m})
}
