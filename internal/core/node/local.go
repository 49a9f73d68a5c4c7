package node

import (
	"cmp"
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/local"
)

// alone starts a get that this node's own copy answers, for a client that asks other
// replicas itself (paper, section 6.4). It is refused where the copy would not be
// counted: by who is not in the list in force, while the partition moves, and, once
// the replica has answered, by one that recovers (RULES R9, R14). What changes the
// lists meanwhile begins it again.
func (n *Node) alone(now clock.Now, s *slot, out *Out) {
	c := s.common
	if s.request.Verb != Get || s.request.archived() || c.Next != nil || !slices.Contains(n.primariesOf(&c), n.view.Self) {
		n.giveUp(now, s, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone,
			"node %s can't answer for its own copy of the key now: send the request without local", n.view.Self), out)
		return
	}
	if s.get == nil {
		s.get = new(coord.Get)
	}
	s.machine = s.get
	c.Numbers.R, c.Numbers.PR = 1, 1
	n.get(now, s, c, []coord.Replica{n.replica(now, n.view.Self, reading)})
	n.drain(now, s, out)
}

// said is the reply to such a get, with the numbers that are in force for the read.
func (n *Node) said(s *slot, r *coord.Reply) Reply {
	p := n.public(s, r)
	p.Quorum.R, p.Quorum.PR = s.common.Numbers.R, s.common.Numbers.PR
	sum, absent, ok := s.get.Told()
	if !ok || r.Err != nil && r.Err.Code != ouro.NotFound {
		return p
	}
	w := local.Word{
		Number: s.common.Number, N: s.common.Numbers.N, Need: max(s.common.Numbers.R, s.common.Numbers.PR),
		Mode: n.bucket(s.common.Key.Bucket).Mode(), Absent: absent,
	}
	if n.view.Place != nil {
		w.Chain = cmp.Or(n.view.Place.First(), n.view.Place.Origin())
	}
	if !absent {
		w.State = sum
	}
	p.Local = &w
	return p
}
