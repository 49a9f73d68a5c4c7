package node

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Sweep asks the disk for a look at some of this node's own records, for those
// of which nothing is shown. Its answer is a [Swept]; one is under way at a
// time.
type Sweep = reap.Sweep

// Swept is what a [Sweep] found.
type Swept struct{ replica.Sweep }

// Mortals are records that the disk has just stored of which nothing is shown any
// more, or nothing will be some day.
type Mortals struct{ Found []replica.Mortal }

// Standing is where this node stands in the epochs by which tombstones are
// reaped. Whoever passes it on has told the replica before.
type Standing struct{ replica.Standing }

func (*Swept) input()    {}
func (*Mortals) input()  {}
func (*Standing) input() {}

// holders is the node as package reap sees it.
type holders struct{ *Node }

func (h holders) Usable(id ring.NodeID) bool { return h.up[id] }

func (h holders) Primaries(partition uint32, key *ring.Key) []ring.NodeID {
	if int(partition) >= h.view.Ring.Q() {
		return nil
	}
	return h.view.Primaries(partition, h.bucket(key.Bucket).N)
}

// Moving says that a partition moves: nothing of it is reaped meanwhile, since who
// comes may hold what the others have dropped (RULES E2).
func (h holders) Moving(partition uint32) bool { return h.view.Moving(partition) }

// Reaping returns what waits to be reaped here.
func (n *Node) Reaping() reap.Backlog { return n.reaper.Backlog() }

func (n *Node) stand(now clock.Now, s *Standing, out *Out) {
	n.standing = s.Standing
	n.reaper.Stand(now, s.Floor)
	n.reapTick(now, out)
}

// reapAnswer takes a peer's answer, or the own disk's, to what reaping asked.
func (n *Node) reapAnswer(now clock.Now, from ring.NodeID, a *replica.Answer, out *Out) {
	answer := *a
	answer.ID = unmarked(a.ID)
	if !n.reaper.Answer(now, from, &answer, holders{n}, &n.reaping) {
		drop(now, out, from, "answer about a tombstone that nobody waits for")
	}
	n.drainReaping(now, out)
}

func (n *Node) swept(now clock.Now, s *Swept, out *Out) {
	n.reaper.Swept(now, &s.Sweep, holders{n}, &n.reaping)
	n.drainReaping(now, out)
}

func (n *Node) reapTick(now clock.Now, out *Out) {
	if n.reaper.Deadline() <= now.Mono {
		n.reaper.Tick(now, holders{n}, &n.reaping)
		n.drainReaping(now, out)
	}
}

func (n *Node) drainReaping(now clock.Now, out *Out) {
	e := &n.reaping
	for i := range e.Asks {
		a := &e.Asks[i]
		a.Op.ID = markOf(&a.Op)
		m := Message{Kind: KindAsk, Partition: a.Op.Partition, Op: a.Op}
		if !a.Op.Silent { // a vote is one under the lists that it was asked under
			m.Number = n.view.Number(a.Op.Partition)
		}
		n.send(out, a.To, m)
	}
	for i := range e.Ops {
		e.Ops[i].ID = markOf(&e.Ops[i])
	}
	out.Ops = append(out.Ops, e.Ops...)
	out.Sweeps = append(out.Sweeps, e.Sweeps...)
	out.Facts = append(out.Facts, e.Facts...)
	out.Want = max(out.Want, e.Want)
	purges := e.Purges
	e.Purges = nil
	e.Reset()
	for i := range purges {
		n.purge(now, &purges[i], out)
	}
}

// markOf is the id of an ask of reaping; what is silent has none.
func markOf(op *replica.Op) uint64 {
	if op.Silent {
		return 0
	}
	return byReaping.mark(op.ID)
}

// purge deletes for good what nobody is shown any more: a delete like a client's,
// under the context of what is stored, also in an lww bucket. Where the node has
// enough to do it is left, and asked for again.
func (n *Node) purge(now clock.Now, p *reap.Purge, out *Out) {
	r := &Request{Verb: Delete, Key: p.Key, HasContext: true}
	numbers, next, err := n.numbers(r, p.Partition)
	if err != nil || n.inFlight >= n.cfg.MaxInFlight/2 {
		return
	}
	s := n.slots.take()
	s.origin = origin{internal: true}
	s.request, s.began, s.ends = r, now.Mono, now.Mono+numbers.Timeout
	s.seen.Claims = p.Context
	s.common = n.common(s, p.Partition, numbers, next)
	if !n.mayCoordinate(&s.common) {
		n.slots.release(s)
		return
	}
	n.inFlight++
	n.startPut(now, s, out)
}

// tooOld says whether what is to be sent is so old that no member takes it any
// more: where this node is in an epoch all have shown the one before.
func (n *Node) tooOld(op *replica.Op) bool {
	return op.Verb == replica.Join && op.Stamp+1 < n.standing.Epoch
}

// unstamped says that this node has joined others and does not know yet in which epoch
// they are: what it mints could be too old for all of them, and would be lost though it
// had been shown (RULES R22). Who has founded the cluster is as young as it is, and one
// that is alone has nobody to ask.
func (n *Node) unstamped() bool {
	return n.standing.Epoch == 0 && !n.standing.Known && n.view.Place != nil && n.view.Place.Number() > firstNamed && len(n.view.Ring.Nodes()) > 1
}

// firstNamed is the number of the link that names the founders' disks: nobody has joined
// by it.
const firstNamed = 2
