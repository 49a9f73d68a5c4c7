package steward

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// drainGossip passes on what the exchange of histories wants.
func (s *Steward) drainGossip(now clock.Now, out *Out) {
	if s.gossip == nil {
		return
	}
	e := &s.gossips
	if e.Changed {
		s.refold(now, out)
	}
	if e.Seq != 0 {
		s.store.history, s.store.gossip = e.Store, e.Seq
		s.store.mark(HistoryNote)
	}
	for i := range e.Sends {
		s.gossiped(&e.Sends[i], out)
	}
	out.Facts = append(out.Facts, e.Facts...)
	e.Reset()
	s.acknowledge(out)
}

// gossiped sends a message to a node, or looks for the one that lives at a seed.
func (s *Steward) gossiped(send *gossip.Send, out *Out) {
	to := send.To
	if to == "" {
		if to = s.lives(send.Addr); to == "" || !s.up[to] {
			out.Seeks = append(out.Seeks, send.Addr)
			return
		}
	}
	m := send.Message
	out.Sends = append(out.Sends, node.Send{To: to, Message: node.Message{Kind: node.KindGossip, Gossip: &m}})
}

// lives returns who was found at a seed; "": nobody yet.
func (s *Steward) lives(seed string) ring.NodeID {
	for _, f := range s.seeds {
		if f.Addr == seed {
			return f.ID
		}
	}
	return ""
}

// seeded notes who lives at a seed.
func (s *Steward) seeded(seed string, id ring.NodeID) {
	for i := range s.seeds {
		if s.seeds[i].Addr == seed {
			s.seeds[i].ID = id
			return
		}
	}
	if len(s.seeds) < maxStrays {
		s.seeds = append(s.seeds, Peer{id, seed})
	}
}

// state tells what went wrong.
func state(now clock.Now, out *Out, who ring.NodeID, what string) {
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.NotMerged, At: now.Mono, Peer: string(who), Note: what})
}

// readdress lets all know where this node is now, if the history says otherwise.
func (s *Steward) readdress(now clock.Now, out *Out) {
	if s.cluster == nil || s.cfg.Addr == "" {
		return
	}
	m, ok := s.cluster.Member(s.cfg.Self)
	if !ok || m.Addr == s.cfg.Addr {
		return
	}
	m.Addr = s.cfg.Addr
	if _, err := s.gossip.Issue(now, []member.Change{{Kind: member.Readdress, Member: m}}, &s.gossips); err != nil {
		state(now, out, s.cfg.Self, err.Error())
	}
}
