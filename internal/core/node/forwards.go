package node

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/ring"
)

// taken remembers which forwarded requests were taken lately: one that comes
// again over the same session of a link was duplicated on the way (R30).
type taken struct {
	seen  map[passed]struct{}
	order []passed              // in order of arrival, a ring once it is full
	paces map[ring.NodeID]*pace // of members only
	next  int
	bound int
}

type passed struct {
	from    ring.NodeID
	session uint64
	id      uint64
}

// add notes a request; false if it was taken before.
func (t *taken) add(p passed) bool {
	if _, ok := t.seen[p]; ok {
		return false
	}
	if t.seen == nil {
		t.seen = map[passed]struct{}{}
	}
	t.seen[p] = struct{}{}
	if len(t.order) < t.bound {
		t.order = append(t.order, p)
		return true
	}
	delete(t.seen, t.order[t.next])
	t.order[t.next] = p
	t.next = (t.next + 1) % t.bound
	return true
}

// takeForward coordinates a request for a peer, once.
func (n *Node) takeForward(now clock.Now, d *Delivery, out *Out) {
	r := d.Message.Request
	n.learn(now, d.From, &d.Message, out)
	switch {
	case r == nil:
		drop(now, out, d.From, "a forward without a request")
	case r.Timeout < 0:
		drop(now, out, d.From, "a forward whose time is spent")
	case !n.taken.add(passed{d.From, d.Session, r.ID}):
		drop(now, out, d.From, "a forward that was taken before")
	case n.spent(now, d):
		from := origin{from: d.From, id: r.ID, part: d.Message.Partition}
		n.refuse(now, r, from, ouro.Errorf(ouro.Overloaded, ouro.NotDone, "node %s was too late for it", n.view.Self), out)
	default:
		n.accept(now, r, origin{from: d.From, id: r.ID, part: d.Message.Partition}, out)
	}
}

// spent says that a forward comes so late that it has gone to another (RULES R30).
func (n *Node) spent(now clock.Now, d *Delivery) bool {
	r := d.Message.Request
	if r.Sent == 0 || n.view.Ring == nil || n.view.Ring.Count(d.From) == 0 {
		return false
	}
	p := n.taken.paces[d.From]
	if p == nil {
		p = &pace{}
		if n.taken.paces == nil {
			n.taken.paces = map[ring.NodeID]*pace{}
		}
		n.taken.paces[d.From] = p
	}
	within := r.Within
	if within <= 0 {
		within = max(r.Timeout, 1)
	}
	return p.age(now.Mono, d.Session, r.Sent, within) >= within
}

// pass sends a request to its coordinator. If that is this node after all, the
// slot goes on with the request's own machine, and pass returns true.
func (n *Node) pass(now clock.Now, s *slot, p coord.Pass, out *Out) bool {
	r := *s.request
	r.ID, r.Retry, r.Timeout, r.Sent, r.Within = s.id, p.Retry, p.Timeout, max(now.Mono, 1), p.Within
	if p.To != n.view.Self {
		n.health.seen[coordinating].Asked(now.Mono, p.To)
		n.send(out, p.To, Message{Kind: KindForward, Partition: s.common.Partition, Number: s.common.Number, Request: &r})
		return false
	}
	s.request = &r
	s.common.Numbers.Timeout = p.Timeout
	n.coordinate(now, s, out)
	return true
}

// takeReturn takes the reply of a coordinator to the client that waits for it.
func (n *Node) takeReturn(now clock.Now, from ring.NodeID, m *Message, out *Out) {
	r, moved := m.Reply, n.learn(now, from, m, out)
	if r == nil {
		drop(now, out, from, "a return without a reply")
		return
	}
	s := n.slots.find(r.ID)
	if s == nil {
		drop(now, out, from, "reply that nobody waits for")
		return
	}
	f, ok := s.machine.(*coord.Forward)
	if !ok {
		drop(now, out, from, "reply that nobody waits for")
		return
	}
	// Who is not in the lists that it knows of is no coordinator, and one of those
	// that are will be (RULES R15).
	moved = moved && r.Err != nil && r.Err.Code == ouro.QuorumUnavailable && r.Err.Outcome == ouro.NotDone
	err, end, ok := f.Return(now, from, r.Err, moved, &n.effects)
	if !ok {
		n.health.seen[coordinating].Answered(now.Mono, from, 0)
		drop(now, out, from, "reply that nobody waits for")
		return
	}
	n.health.seen[coordinating].Answered(now.Mono, from, f.Took())
	if !end {
		n.drain(now, s, out)
		return
	}
	p := *r
	p.Err = err
	n.finish(s, p, out)
	n.retire(now, s, out)
}
