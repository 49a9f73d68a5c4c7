package steward

import (
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
)

// recall reads what the disk has of the cluster, or begins it.
func (s *Steward) recall(now clock.Now, disk Disk) (err error) {
	if s.cfg.Fixed != nil {
		s.view = s.cfg.Fixed
		return nil
	}
	if s.book, err = decodeBook(disk.Notes[PeersNote]); err != nil {
		return err
	}
	kept, err := gossip.DecodeDurable(disk.Notes[HistoryNote])
	if err != nil {
		return fmt.Errorf("what is known of the cluster on this disk: %w", err)
	}
	if kept.History.Len() == 0 && s.cfg.Founding.Len() > 0 {
		kept.History = s.cfg.Founding
		s.store.history = kept
		s.store.mark(HistoryNote)
		s.keepEpochs(reap.Durable{})
	}
	if s.cluster, err = fold(kept.History); err != nil {
		return err
	}
	s.listed()
	s.origin = kept.History.Origin()
	s.cfg.Gossip.Seed, s.cfg.Gossip.Addr = s.cfg.Seed, s.cfg.Addr
	s.gossip = gossip.New(s.cfg.Gossip, s.cfg.Self, kept, now)
	if s.cluster != nil {
		s.gossip.Members(s.cluster.Members, &s.gossips)
	}
	if err := s.recallChain(disk); err != nil {
		return err
	}
	s.view = s.see()
	return nil
}

// listed takes where the configuration has the other members, if that is not what the
// history says: all may have moved at once. One that has moved since says so itself.
func (s *Steward) listed() {
	if s.cfg.Founding.Len() == 0 || s.cluster == nil {
		return
	}
	f := s.cfg.Founding.Changes()[0].Founding
	if f == nil {
		return
	}
	for _, m := range f.Members {
		is, ok := s.cluster.Member(m.ID)
		if !ok || m.ID == s.cfg.Self || m.Addr == "" || m.Addr == is.Addr {
			continue
		}
		var news bool
		if s.book, news = s.book.with(Peer{m.ID, m.Addr}); news {
			s.store.mark(PeersNote)
		}
	}
}

// fold is what a history says; nil: nothing yet.
func fold(h member.History) (*member.Cluster, error) {
	if h.Len() == 0 {
		return nil, nil
	}
	return h.Fold()
}

// recallChain goes on with the placement that the disk has, or founds it.
func (s *Steward) recallChain(disk Disk) error {
	p, err := decodePlace(disk.Notes[PlaceNote], s.origin)
	if err != nil {
		return err
	}
	vote, err := chain.DecodeVote(disk.Notes[VoteNote])
	if err != nil {
		return err
	}
	d, h := chain.Durable{Placement: p, Vote: vote}, s.gossip.History()
	if p == nil {
		if !s.heardOf(h) {
			d.Placement = founded(h, s.cfg.Self)
		}
		d.Vote = chain.Vote{}
		s.keepFounded(d.Placement)
	}
	s.chain = s.newChain(d, h)
	return nil
}

func (s *Steward) newChain(d chain.Durable, h member.History) *chain.Chain {
	cfg := s.cfg.Chain
	cfg.Origin = s.origin
	cfg.Linked = s.cfg.Linked || !s.founds(h)
	return chain.New(cfg, s.cfg.Self, s.cfg.Disk, d, s.draws)
}

// founds says whether this node was told to found the cluster that a history is of, by
// its configuration or by an operator. Who has only heard of that cluster, though as one
// of its founders, has no say in its first link: it may be long ago (decision 0034).
func (s *Steward) founds(h member.History) bool {
	return h.Len() > 0 && (h.Origin() == s.cfg.Founding.Origin() || h.Changes()[0].Issuer == s.cfg.Self)
}

// heardOf says whether a history that an operator began here is one that this node has
// lost and learned again from others: it founds nothing then, as there are links.
func (s *Steward) heardOf(h member.History) bool {
	return s.cfg.Linked && h.Len() > 0 && h.Changes()[0].Issuer == s.cfg.Self
}

// founded is the placement that a cluster begins with, for its founders; nil for all
// others. What became of it a founder that lost its disk hears from the others.
func founded(h member.History, self ring.NodeID) *place.Placement {
	if h.Len() == 0 {
		return nil
	}
	first := h.Changes()[0]
	f := first.Founding
	if f == nil || f.Count > 1 || !slices.ContainsFunc(f.Members, func(m member.Member) bool { return m.ID == self }) {
		return nil
	}
	c, err := member.History{}.With(first).Fold()
	if err != nil {
		return nil
	}
	return place.Founded(h.Origin(), c.Ring, c.Buckets.MostN())
}

// keepFounded has the first placement stored.
func (s *Steward) keepFounded(p *place.Placement) {
	if p != nil {
		s.store.place, s.store.origin = p, s.origin
		s.store.mark(PlaceNote)
	}
}

// see makes a view of what is on the disk. A node without a placement does not know
// where anything is.
func (s *Steward) see() *node.View {
	v := &node.View{Self: s.cfg.Self, Ring: &ring.Ring{}}
	p := s.chain.Placement()
	if v.Expelled = s.expelled(); s.cluster == nil || p == nil || v.Expelled {
		return v
	}
	v.Ring, v.Buckets, v.Place, v.Disk = s.cluster.Ring, s.cluster.Buckets, p, s.cfg.Disk
	return v
}

// expelled says whether this node is in the cluster no more, by what it knows itself or
// by what others told it.
func (s *Steward) expelled() bool { return s.removed || s.out() }

// out says whether this node was removed, and has handed on what it held.
func (s *Steward) out() bool {
	if !s.fenced(s.cfg.Self) {
		return false
	}
	_, there := s.chain.Placement().Member(s.cfg.Self)
	return !there
}

// show gives the shards a view of what is on the disk.
func (s *Steward) show(out *Out) {
	if s.gossip == nil {
		return
	}
	s.view = s.see()
	out.View = s.view
	s.remember(out)
}

// remember notices that a disk is not the one that the links know. As a rule a peer
// remembers it and refuses a link; but who lost its own disk remembers nobody.
func (s *Steward) remember(out *Out) {
	out.Forgot = out.Forgot || s.view.Unnamed() && !s.cfg.Recovering
}

// refold goes on with another history: it is on the disk.
func (s *Steward) refold(now clock.Now, out *Out) {
	h := s.gossip.History()
	c, err := fold(h)
	if err != nil {
		state(now, out, s.cfg.Self, err.Error())
		return
	}
	s.forgetMoved(c)
	s.cluster = c
	if origin := h.Origin(); origin != s.origin {
		if s.origin != [16]byte{} { // it was merged into an older ring
			s.epochs.Anew(&s.reaping)
			s.counted = nil
		}
		s.origin = origin
		s.keepEpochs(s.epochs.Durable())
		s.rechain(now, h)
	}
	s.gossip.Members(c.Members, &s.gossips)
	s.chain.Target(now, s.target(), &s.links)
	s.agree(now)
	s.readdress(now, out)
	s.show(out)
	s.expel()
	s.dial(out)
	s.count(now)
}

// rechain begins with the placement of another cluster: the first that this node is
// in, or an older one that its own was merged into.
func (s *Steward) rechain(now clock.Now, h member.History) {
	d := chain.Durable{}
	if h.Changes()[0].Issuer == s.cfg.Self && !s.heardOf(h) { // an operator has just founded it here
		d.Placement = founded(h, s.cfg.Self)
		s.keepFounded(d.Placement)
	}
	s.chain = s.newChain(d, h)
	s.links.Reset()
	s.store.chain = 0
	for _, p := range s.peers {
		if disk := s.disks[p.ID]; disk != 0 {
			s.chain.Disk(now, p.ID, disk, &s.links)
		}
		if s.up[p.ID] {
			s.chain.Link(now, p.ID, true, &s.links)
		}
	}
}
