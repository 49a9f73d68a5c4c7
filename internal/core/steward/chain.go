package steward

import (
	"errors"
	"slices"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// place takes what the shards and operators have to say of the placement.
func (s *Steward) place(now clock.Now, in Input, out *Out) {
	switch in := in.(type) {
	case *Ready:
		if s.chain != nil {
			s.chain.Ready(now, in.Partition, in.Proofs, &s.links)
		}
	case *Clean:
		if s.chain != nil && in.Shard < len(s.clean) {
			s.clean[in.Shard] = in.Clean
			s.chain.Clean(now, s.nothingLeft(), &s.links)
			s.placed(now)
		}
	case *Fetch:
		if s.chain != nil {
			s.chain.Fetch(now, in.Peer, &s.links)
		}
	case *Restart:
		err := errors.New("the ring of this cluster is laid out by hand and never changes")
		if s.chain != nil {
			err = s.chain.Restart(now, in.Lost, &s.links)
		}
		out.Replies = append(out.Replies, Reply{ID: in.ID, Err: err})
	}
}

// nothingLeft says whether no shard holds anything of partitions in whose lists this
// node is not, by the placement that was adopted last, or keeps anything for others,
// and none will any more.
func (s *Steward) nothingLeft() bool {
	p := s.chain.Placement()
	return p != nil && !slices.ContainsFunc(s.clean, func(c node.Clean) bool {
		return c.Number != p.Number() || c.LeftOver > 0 || c.Hints || !c.Out
	})
}

// placed tells the epochs by which placement this node goes, and whether it has let
// go of all that is not in its lists. What is kept for others has stamps of its own.
func (s *Steward) placed(now clock.Now) {
	if s.chain == nil || s.chain.Placement() == nil {
		return
	}
	number := s.chain.Placement().Number()
	s.epochs.Placed(now, number, !slices.ContainsFunc(s.clean, func(c node.Clean) bool {
		return c.Number != number || c.LeftOver > 0
	}), &s.reaping)
}

// drainChain passes on what the chain of links wants.
func (s *Steward) drainChain(now clock.Now, out *Out) {
	if s.chain == nil {
		return
	}
	e := &s.links
	for e.Adopted != nil {
		e.Adopted = nil
		s.adopted(now, out)
	}
	if e.Storing {
		if e.Store.Placement != nil {
			s.store.place, s.store.origin = e.Store.Placement, s.origin
			s.store.mark(PlaceNote)
		}
		s.store.vote, s.store.chain = e.Store.Vote, e.Store.Seq
		s.store.mark(VoteNote)
	}
	for i := range e.Sends {
		out.Sends = append(out.Sends, node.Send{To: e.Sends[i].To, Message: node.Message{Kind: node.KindChain, Chain: e.Sends[i].Message}})
	}
	out.Facts = append(out.Facts, e.Facts...)
	e.Reset()
}

// adopted goes on with another placement: it is on the disk.
func (s *Steward) adopted(now clock.Now, out *Out) {
	if _, in := s.chain.Placement().Member(s.cfg.Self); in {
		s.removed = false // who said so had not heard of this link: there is something to hand on first
	}
	s.chain.Clean(now, s.nothingLeft(), &s.links) // it is not, before the shards have the view
	s.checkpoint()
	s.agree(now)
	s.placed(now)
	s.show(out)
	s.expel()
	s.dial(out)
	s.count(now)
}

// target is what the history wants of the placement.
func (s *Steward) target() *chain.Target {
	t := &chain.Target{}
	if s.cluster == nil {
		return t
	}
	n := s.cluster.Buckets.MostN()
	t.Lists = make([][]ring.NodeID, s.cluster.Ring.Q())
	for p := range t.Lists {
		t.Lists[p] = s.cluster.Ring.Preference(uint32(p), n)
	}
	for _, m := range s.cluster.Members {
		t.Members = append(t.Members, m.ID)
	}
	t.Removed, t.Forced = s.cluster.Removed, s.cluster.Forced
	t.Promises = s.cluster.Buckets.Promises()
	return t
}

// What the disk keeps of the placement: the origin of the history that it is by, 16
// bytes, and its form. The placement of a ring that was merged into an older one is
// of no use any more (RULES R12).
func appendPlace(dst []byte, origin [16]byte, p *place.Placement) []byte {
	return chain.AppendPlacement(append(dst, origin[:]...), p)
}

// decodePlace reads what [appendPlace] wrote; nil where it is of another history.
func decodePlace(b []byte, origin [16]byte) (*place.Placement, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) < len(origin) {
		return nil, chain.ErrDurable
	}
	p, err := chain.DecodePlacement(b[len(origin):])
	if err != nil || [16]byte(b[:len(origin)]) != origin {
		return nil, err
	}
	return p, nil
}
