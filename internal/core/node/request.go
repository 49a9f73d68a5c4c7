package node

import (
	"errors"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/ring"
)

// accept begins a request of a client or of a node that forwards one, or refuses it.
func (n *Node) accept(now clock.Now, r *Request, from origin, out *Out) {
	if !n.hot.Begin(now, &r.Key) {
		n.refuse(now, r, from, hotKey(n.view.Self, r, n.hot.Most()), out)
		return
	}
	if err := n.begin(now, r, from, out); err != nil {
		n.hot.End(r.Key.Pos)
		n.refuse(now, r, from, err, out)
	}
}

// begin begins a request, or returns why it is refused.
func (n *Node) begin(now clock.Now, r *Request, from origin, out *Out) *ouro.Error {
	if n.inFlight >= n.cfg.MaxInFlight {
		return ouro.Errorf(ouro.Overloaded, ouro.NotDone,
			"node %s coordinates %d requests already: come back later", n.view.Self, n.inFlight)
	}
	if n.view.Ring == nil || n.view.Ring.Q() == 0 {
		return n.outside()
	}
	if err := n.admitArchive(now, r); err != nil {
		return err
	}
	part := n.view.Ring.Partition(r.Key.Pos)
	numbers, next, err := n.numbers(r, part)
	if err == nil {
		err = n.checkTyped(r)
	}
	if err != nil {
		return err
	}
	var seen causal.Context
	if r.HasContext {
		var bad error
		if seen, bad = n.cfg.Sealer.Open(r.Key.Bucket, r.Key.Name, r.Context); bad != nil {
			return refusal(bad)
		}
	}
	from.part = part
	s := n.slots.take()
	s.origin, s.request, s.seen, s.began = from, r, seen, now.Mono
	s.ends = now.Mono + numbers.Timeout
	s.common = n.common(s, part, numbers, next)
	n.inFlight++
	n.route(now, s, out)
	return nil
}

// outside says why a node without a ring serves nobody, and whom to ask.
func (n *Node) outside() *ouro.Error {
	if n.view.Expelled {
		return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone,
			"node %s was removed from its cluster and serves nobody any more: ask a member, and stop this node", n.view.Self)
	}
	return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "node %s is in no cluster: it waits to be joined to one; ask another node", n.view.Self)
}

// common is what the machines of a request are told of it.
func (n *Node) common(s *slot, part uint32, numbers coord.Numbers, next *coord.Next) coord.Common {
	return coord.Common{
		Ticket: s.id, Partition: part, Key: s.request.Key, Self: n.view.Self,
		Numbers: numbers, Number: n.view.Number(part), Next: next, Explain: s.request.Explain,
		Aside: s.request.archived(),
	}
}

// refusal is an opened context's error as the client sees it.
func refusal(err error) *ouro.Error {
	if e, ok := errors.AsType[*ouro.Error](err); ok {
		return e
	}
	return ouro.Errorf(ouro.BadContext, ouro.NotDone, "%v", err)
}

// route coordinates a request here or passes it on. Reads are coordinated where
// they are received if that is a replica; writes by the replica that answered
// the read before them first (paper, section 5; PAPER 5.9, 8.2). What was passed
// on once is coordinated here or nowhere.
func (n *Node) route(now clock.Now, s *slot, out *Out) {
	list := n.primariesOf(&s.common)
	fastest := ring.NodeID(s.seen.Fastest)
	write := s.request.Verb != Get
	switch {
	case s.request.Local:
		n.alone(now, s, out)
	case s.request.archived():
		s.common.Self = "" // here it is a primary like any other, or none
		n.coordinate(now, s, out)
	case s.origin.from != "" && write && n.health.of(now, n.view.Self, storing).Suspected:
		n.giveUp(now, s, ouro.Errorf(ouro.Overloaded, ouro.NotDone,
			"the disk of node %s does not answer: send the request to another node", n.view.Self), out)
	case s.origin.from != "":
		n.coordinate(now, s, out)
	case !slices.Contains(list, n.view.Self), write && (n.sick(now) || n.unstamped()),
		write && fastest != n.view.Self && slices.Contains(list, fastest) && n.usable(now, fastest, coordinating):
		n.passOn(now, s, forwarding{retry: s.request.Retry, left: s.common.Numbers.Timeout}, out)
	default:
		n.coordinate(now, s, out)
	}
}

// forwarding is how a request is passed on.
type forwarding struct {
	retry   bool
	left    time.Duration // of its time
	not     ring.NodeID   // has had it
	because *ouro.Error
}

// passOn starts the machine of a request that another node should coordinate.
func (n *Node) passOn(now clock.Now, s *slot, f forwarding, out *Out) {
	list := n.primariesOf(&s.common)
	hops := n.hops(now, s, list, f.not)
	if s.forward == nil {
		s.forward = new(coord.Forward)
	}
	s.machine = s.forward
	s.common.Numbers.Timeout = f.left
	s.forward.Start(now, &coord.ForwardRequest{
		Common: s.common, Write: s.request.Verb != Get, Retry: f.retry, Because: f.because,
	}, hops, &n.effects)
	n.drain(now, s, out)
}

// elsewhere passes on a request that failed by this node's own disk alone, so that
// it succeeds as long as any node can take it. A peer that passed it here does so
// itself, and what has no request id is not done twice (RULES R30).
func (n *Node) elsewhere(now clock.Now, s *slot, r *coord.Reply, out *Out) bool {
	unknown := r.Err.Outcome != ouro.NotDone
	if unknown && s.request.Token == 0 || !n.others(now, s) {
		return false
	}
	n.passOn(now, s, forwarding{retry: s.request.Retry || unknown, left: r.Elsewhere, not: n.view.Self, because: r.Err}, out)
	return true
}

// others says whether another node is expected to coordinate a request.
func (n *Node) others(now clock.Now, s *slot) bool {
	if s.origin.from != "" {
		return false
	}
	for _, id := range n.walk(s.common.Partition, n.primariesOf(&s.common)) {
		if r := n.coordinator(now, s, id); id != n.view.Self && r.Up && !r.Doubt {
			return true
		}
	}
	return false
}

// coordinate starts the machine of a request that this node coordinates.
func (n *Node) coordinate(now clock.Now, s *slot, out *Out) {
	if !n.mayCoordinate(&s.common) {
		n.giveUp(now, s, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone,
			"node %s holds nothing by its ring, another node took it for one that does: try again", n.view.Self), out)
		return
	}
	if s.request.Verb != Get && n.unstamped() {
		n.giveUp(now, s, ouro.Errorf(ouro.Overloaded, ouro.NotDone,
			"node %s has joined, and no other member has told it yet how far they are: send the request to another node", n.view.Self), out)
		return
	}
	s.reading = s.request.Verb == Delete && !s.request.HasContext
	if s.request.Verb == Get || s.reading {
		n.startGet(now, s, out)
		return
	}
	n.startPut(now, s, out)
}

func (n *Node) startGet(now clock.Now, s *slot, out *Out) {
	if s.get == nil {
		s.get = new(coord.Get)
	}
	s.machine = s.get
	n.hedges.add(n.cfg.HedgeShare)
	replicas := n.staff(now, &s.common, reading)
	n.get(now, s, s.common, replicas)
	n.drain(now, s, out)
}

// get starts a slot's machine of a get.
func (n *Node) get(now clock.Now, s *slot, c coord.Common, replicas []coord.Replica) {
	s.get.Start(now, &coord.GetRequest{
		Common: c, LWW: n.bucket(s.request.Key.Bucket).LWW, Types: n.bucket(s.request.Key.Bucket).Types,
		RepairWait: n.cfg.RepairWait, Whole: s.request.Whole,
	}, replicas, &n.effects)
}

func (n *Node) startPut(now clock.Now, s *slot, out *Out) {
	if s.put == nil {
		s.put = new(coord.Put)
	}
	s.machine = s.put
	replicas := n.staff(now, &s.common, toStore(&s.common))
	r := s.request
	bucket := n.bucket(r.Key.Bucket)
	ttl := r.TTL
	if ttl == 0 {
		ttl = bucket.TTL
	}
	p := coord.PutRequest{
		Common: s.common, Delete: r.Verb == Delete, LWW: bucket.LWW && !s.origin.internal, Context: s.seen.Claims,
		Value: r.Value, ContentType: r.ContentType, Token: r.Token, Retry: r.Retry, MaxSiblings: bucket.MaxSiblings,
		Others: r.Token != 0 && r.Record == nil && n.others(now, s),
		Record: r.Record, Stamp: n.standing.Epoch,
	}
	if ttl > 0 && !p.Delete {
		p.Expiry = now.Wall + max(ttl.Milliseconds(), 1)
	}
	if bucket.Types {
		p.Types, p.Update = true, updateOf(r)
	}
	s.put.Start(now, &p, replicas, &n.effects)
	n.drain(now, s, out)
}

// deleteRead goes on with a delete without context: what its read showed is
// removed, what arrives meanwhile survives (R6). The read stays in its slot to
// repair; the delete takes another, and the request with it.
func (n *Node) deleteRead(now clock.Now, s *slot, read *coord.Reply, out *Out) {
	left := s.common.Numbers.Timeout - (now.Mono - s.began)
	nothing := read.Err != nil && read.Err.Code == ouro.NotFound
	switch {
	case nothing:
		n.finish(s, n.public(s, &coord.Reply{Context: read.Context, HasContext: read.HasContext, Quorum: read.Quorum}), out)
		return
	case read.Err != nil:
		n.finish(s, n.public(s, read), out)
		return
	case left <= 0 || !n.mayCoordinate(&s.common):
		n.finish(s, Reply{Coordinator: n.view.Self, Quorum: read.Quorum, Err: ouro.Errorf(ouro.TimedOut, ouro.NotDone,
			"what is to be deleted was read, but no time was left, or node %s holds nothing any more: try again", n.view.Self)}, out)
		return
	}
	d := n.slots.take()
	d.origin, d.request, d.seen, d.common, d.explain = s.origin, s.request, read.Context, s.common, append(d.explain, s.explain...)
	d.removed, d.began, d.ends = read.Siblings, s.began, s.ends
	d.common.Ticket, d.common.Numbers.Timeout = d.id, left
	s.answered = true
	n.lingering++
	n.startPut(now, d, out)
}
