package steward

import (
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// maxStrays is how many nodes that are in no cluster are linked to: they may be
// joined to this one. Beyond it those that were heard of last are.
const maxStrays = 64

// met takes where a node was found, or says that it is. The node itself knows best:
// that goes over what the history says, until that changes.
func (s *Steward) met(p Peer, seed string, out *Out) {
	if s.gossip == nil || p.ID == s.cfg.Self || ring.CheckID(p.ID) != nil || s.fenced(p.ID) {
		return
	}
	if seed != "" {
		s.seeded(seed, p.ID)
	}
	if p.Addr != "" && len(p.Addr) <= member.MaxAddr && s.addressOf(p.ID) != p.Addr {
		var news bool
		if s.book, news = s.book.with(p); news {
			s.store.mark(PeersNote)
		}
	}
	s.dial(out)
}

// addressOf returns where a node can be reached, "" where that is not known.
func (s *Steward) addressOf(id ring.NodeID) string {
	if addr := s.book.of(id); addr != "" {
		return addr
	}
	if s.cluster != nil {
		if m, ok := s.cluster.Member(id); ok {
			return m.Addr
		}
	}
	for _, p := range s.gossip.Peers() {
		if p.ID == id {
			return p.Addr
		}
	}
	return ""
}

// forgetMoved forgets where those were found whom the history now has elsewhere, and
// those who are out.
func (s *Steward) forgetMoved(now *member.Cluster) {
	moved := func(p Peer) bool {
		is, ok := now.Member(p.ID)
		if !ok || s.cluster == nil {
			return now.Fenced(p.ID)
		}
		was, ok := s.cluster.Member(p.ID)
		return ok && was.Addr != is.Addr || is.Addr == p.Addr
	}
	before := len(s.book)
	if s.book = slices.DeleteFunc(slices.Clone(s.book), moved); len(s.book) < before {
		s.store.mark(PeersNote)
	}
}

// fenced says whether a node was removed and may never be heard again. One that
// still has to hand on what it holds is heard until then.
func (s *Steward) fenced(id ring.NodeID) bool {
	if s.gossip == nil || s.cluster == nil || !s.cluster.Fenced(id) {
		return false
	}
	p := s.chain.Placement()
	if p == nil {
		return false // it may still have to hand on what it holds
	}
	_, there := p.Member(id)
	return !there
}

// expel lets all links be told anew where others are fenced than before: those that
// they have to this node must end.
func (s *Steward) expel() {
	if s.cluster == nil {
		return
	}
	n := 0
	for _, id := range s.cluster.Removed {
		if s.fenced(id) {
			n++
		}
	}
	if n != s.gone {
		s.gone, s.dialled = n, false
	}
}

// dial says to whom there are to be links: the members, those who have a say in the
// placement or were linked to before, and those that may become members.
func (s *Steward) dial(out *Out) {
	if s.gossip == nil {
		return
	}
	var peers []Peer
	add := func(id ring.NodeID) bool {
		addr := s.addressOf(id)
		if addr == "" || id == s.cfg.Self || s.fenced(id) || slices.ContainsFunc(peers, func(p Peer) bool { return p.ID == id }) {
			return false
		}
		peers = append(peers, Peer{id, addr})
		return true
	}
	if s.cluster != nil {
		for i := range s.cluster.Members {
			add(s.cluster.Members[i].ID)
		}
	}
	if p := s.chain.Placement(); p != nil {
		for _, m := range p.Members() {
			add(m.ID)
		}
	}
	s.dialStrays(add)
	slices.SortFunc(peers, func(a, b Peer) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if s.dialled && slices.Equal(peers, s.peers) {
		return
	}
	s.peers, s.dialled = peers, true
	out.Peers, out.Dial = slices.Clone(peers), true
}

// dialStrays adds nodes that are no members: who lives at the seeds, who was heard of
// last, and who was met and never heard. These may know this node as one that has lost
// its disk: they refuse to be linked to it, and tell it why when it dials them.
func (s *Steward) dialStrays(add func(ring.NodeID) bool) {
	strays := 0
	try := func(id ring.NodeID) {
		if strays < maxStrays && add(id) {
			strays++
		}
	}
	for _, f := range s.seeds {
		try(f.ID)
	}
	heard := s.gossip.Peers()
	for i := range heard {
		try(heard[len(heard)-1-i].ID)
	}
	for _, p := range s.book {
		try(p.ID)
	}
}
