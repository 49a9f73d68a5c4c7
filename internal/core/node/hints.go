package node

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Scan asks the disk for a page of the pending records, those that this node
// keeps for others. Its answer is a [Page]; one scan is under way at a time.
type Scan = handoff.Scan

// Page is what a [Scan] found.
type Page struct{ replica.Page }

func (*Page) input() {}

// reachable is the node as package handoff sees it.
type reachable struct {
	*Node
	now clock.Now
}

func (r reachable) Self() ring.NodeID { return r.view.Self }

func (r reachable) Usable(id ring.NodeID) bool { return r.usable(r.now, id, reading) }

func (r reachable) Primaries(partition uint32, bucket string) []ring.NodeID {
	if r.view.Ring == nil || int(partition) >= r.view.Ring.Q() {
		return nil
	}
	return r.view.Primaries(partition, r.bucket(bucket).N)
}

// creditors is the node as package handoff sees it: what is kept is owed to those in
// the list in force. A newcomer pays nobody (RULES R34): where its move is aborted what
// came by it goes, and with it what may have been the only copy.
type creditors struct{ reachable }

func (c creditors) Primaries(partition uint32, bucket string) []ring.NodeID {
	if c.view.Ring == nil || int(partition) >= c.view.Ring.Q() {
		return nil
	}
	return c.view.Lists(partition, c.bucket(bucket).N).Old
}

// Backlog appends to dst what is kept here for other nodes, by node.
func (n *Node) Backlog(dst []handoff.Backlog) []handoff.Backlog { return n.handoff.Backlog(dst) }

// OldestHint returns since when the oldest of what is kept for others is, in
// wall-clock milliseconds; 0: nothing is.
func (n *Node) OldestHint() int64 { return n.handoff.Oldest() }

// own makes a peer's operation one on this node's own record where this node is
// a primary of the key by its own view, whatever the peer took it for: only so
// is what it stores seen by those who ask the primaries. It returns false where
// the peer hands over what would be owed to this node, which is no primary, or not
// yet: then nothing may be stored (RULES R34). The peer may not know that.
func (n *Node) own(op *replica.Op) bool {
	if !op.Pending {
		return true
	}
	paid := len(op.Targets) == 1 && op.Targets[0] == n.view.Self
	holders := reachable{Node: n}
	primaries := holders.Primaries
	if paid {
		primaries = creditors{holders}.Primaries
	}
	if !slices.Contains(primaries(op.Partition, op.Key.Bucket), n.view.Self) {
		return !paid
	}
	op.Pending, op.Targets = false, nil
	return true
}

// hintsAnswer takes a target's answer to the handing over.
func (n *Node) hintsAnswer(now clock.Now, from ring.NodeID, a *replica.Answer, out *Out) {
	n.health.answered(now, from, a, 0)
	answer := *a
	answer.ID = unmarked(a.ID)
	if !n.handoff.Answer(now, from, &answer, creditors{reachable{n, now}}, &n.hints) {
		drop(now, out, from, "answer to a handover that nobody waits for")
	}
	n.drainHints(now, out)
}

// hintsPaid takes the own storage's answer to a payment.
func (n *Node) hintsPaid(now clock.Now, a *replica.Answer, out *Out) {
	answer := *a
	answer.ID = unmarked(a.ID)
	n.handoff.Complete(now, &answer, creditors{reachable{n, now}}, &n.hints)
	n.drainHints(now, out)
}

func (n *Node) hintsPage(now clock.Now, p *Page, out *Out) {
	n.handoff.Page(now, &p.Page, creditors{reachable{n, now}}, &n.hints)
	n.drainHints(now, out)
}

// hintKept looks for answers by which something is kept for others.
func (n *Node) hintKept(now clock.Now, a *replica.Answer) {
	if a.Pending && a.Status == replica.Have && (a.Verb == replica.Write || a.Verb == replica.Join) {
		n.handoff.Kept(now)
	}
}

// hintsLink tells that a peer came or went.
func (n *Node) hintsLink(now clock.Now, l *Link, out *Out) {
	if l.Up {
		n.handoff.Back(l.Peer)
		return
	}
	n.handoff.Down(now, l.Peer, creditors{reachable{n, now}}, &n.hints)
	n.drainHints(now, out)
}

func (n *Node) hintsTick(now clock.Now, out *Out) {
	if n.handoff.Deadline() <= now.Mono {
		n.handoff.Tick(now, creditors{reachable{n, now}}, &n.hints)
		n.drainHints(now, out)
	}
}

func (n *Node) drainHints(now clock.Now, out *Out) {
	e := &n.hints
	for i := range e.Asks {
		a := &e.Asks[i]
		a.Op.ID = byHandoff.mark(a.Op.ID)
		n.send(out, a.To, Message{Kind: KindAsk, Partition: a.Op.Partition, Op: a.Op})
	}
	for i := range e.Ops {
		e.Ops[i].ID = byHandoff.mark(e.Ops[i].ID)
		n.repairMissed(now, &e.Ops[i], out)
	}
	out.Ops = append(out.Ops, e.Ops...)
	out.Scans = append(out.Scans, e.Scans...)
	out.Facts = append(out.Facts, e.Facts...)
	e.Reset()
}
