package steward

import (
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/ring"
)

// maxStrays is how many nodes that are in no cluster are linked to: they may be
// joined to this one. Beyond it those of the lowest ids are.
const maxStrays = 64

// met takes where a node was found. The node itself knows best: it goes over what
// the history says, until that changes.
func (s *Steward) met(p Peer, out *Out) {
	if s.cfg.Fixed != nil || p.ID == s.cfg.Self || p.Addr == "" || len(p.Addr) > maxAddr || ring.CheckID(p.ID) != nil || s.fenced(p.ID) {
		return
	}
	known := s.addressOf(p.ID) == p.Addr
	if _, there := s.book.find(p.ID); known && (there || s.member(p.ID)) {
		return
	}
	var news bool
	if s.book, news = s.book.with(p); news {
		s.store.mark(PeersNote)
		s.dial(out)
	}
}

// maxAddr is how long an address may be, in bytes.
const maxAddr = 256

// addressOf returns where a node can be reached, "" where that is not known.
func (s *Steward) addressOf(id ring.NodeID) string {
	if addr := s.book.of(id); addr != "" {
		return addr
	}
	if s.cluster == nil {
		return ""
	}
	m, _ := s.cluster.Member(id)
	return m.Addr
}

// member says whether a node is one of the cluster, by the history.
func (s *Steward) member(id ring.NodeID) bool {
	if s.cluster == nil {
		return false
	}
	_, ok := s.cluster.Member(id)
	return ok
}

// fenced says whether a node was removed and may never be heard again.
func (s *Steward) fenced(id ring.NodeID) bool {
	if s.cluster == nil {
		return false
	}
	_, gone := slices.BinarySearch(s.cluster.Removed, id)
	return gone
}

// dial says to whom there are to be links: the members, and those that may become
// some.
func (s *Steward) dial(out *Out) {
	if s.cfg.Fixed != nil {
		return
	}
	var peers []Peer
	add := func(id ring.NodeID) {
		if addr := s.addressOf(id); addr != "" && id != s.cfg.Self {
			peers = append(peers, Peer{id, addr})
		}
	}
	if s.cluster != nil {
		for _, m := range s.cluster.Members {
			add(m.ID)
		}
	}
	strays := 0
	for _, p := range s.book {
		if !s.member(p.ID) && !s.fenced(p.ID) && strays < maxStrays {
			strays++
			add(p.ID)
		}
	}
	slices.SortFunc(peers, func(a, b Peer) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if s.dialled && slices.Equal(peers, s.peers) {
		return
	}
	s.peers, s.dialled = peers, true
	out.Peers, out.Dial = slices.Clone(peers), true
}
