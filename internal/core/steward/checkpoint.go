package steward

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
)

// agree has a link make a checkpoint of the history once it is long, and all have
// shown that they have just this one (decision 0027).
func (s *Steward) agree(now clock.Now) {
	var at place.Checkpoint
	if h := s.gossip.History(); h.Len() > s.cfg.CheckpointAfter && s.agreed() {
		at = place.Checkpoint{Count: uint64(h.Count()), Digest: h.Digest()}
	}
	s.chain.Checkpoint(now, at, &s.links)
}

// agreed says whether all who are members by the history or by the placement have
// shown the history that this node goes by.
func (s *Steward) agreed() bool {
	p := s.chain.Placement()
	return s.cluster != nil && p != nil &&
		!slices.ContainsFunc(s.cluster.Members, func(m member.Member) bool { return !s.gossip.Has(m.ID) }) &&
		!slices.ContainsFunc(p.Members(), func(m place.Member) bool { return !s.gossip.Has(m.ID) })
}

// checkpoint goes on from the checkpoint that the placement names, or will when the
// history has come to it.
func (s *Steward) checkpoint() {
	if p := s.chain.Placement(); p != nil && p.Checkpoint().Count > 0 && p.Origin() == s.origin {
		s.gossip.Checkpoint(p.Checkpoint().Digest, &s.gossips)
	}
}
