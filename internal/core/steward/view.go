package steward

import (
	"fmt"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// recall reads what the disk has of the cluster, or begins it.
func (s *Steward) recall(disk Disk) (err error) {
	if s.cfg.Fixed != nil {
		s.view, s.shown = s.cfg.Fixed, s.cfg.Fixed
		return nil
	}
	if s.book, err = decodeBook(disk.Notes[PeersNote]); err != nil {
		return err
	}
	s.history = s.cfg.Founding
	if b := disk.Notes[HistoryNote]; len(b) > 0 {
		if s.history, err = member.Decode(b); err != nil {
			return fmt.Errorf("the history of the cluster on this disk: %w", err)
		}
	} else if s.history.Len() > 0 {
		s.store.mark(HistoryNote)
	}
	if err := s.fold(); err != nil {
		return err
	}
	s.shown = s.view
	return nil
}

// fold makes the cluster, and the view of it, out of the history.
func (s *Steward) fold() error {
	s.cluster, s.view = nil, &node.View{Self: s.cfg.Self, Ring: &ring.Ring{}}
	if s.history.Len() == 0 {
		return nil
	}
	c, err := s.history.Fold()
	if err != nil {
		return err
	}
	s.cluster = c
	s.view.Ring, s.view.Buckets = c.Ring, inForce(c)
	return nil
}

// inForce returns the buckets' settings with what so few members can do.
func inForce(c *member.Cluster) node.Buckets {
	b := node.Buckets{Default: member.EffectiveBucket(c.Buckets.Default, len(c.Members)), Named: map[string]member.Bucket{}, Names: c.Defined}
	for _, name := range c.Defined {
		b.Named[name] = member.EffectiveBucket(c.Buckets.Named[name], len(c.Members))
	}
	return b
}

// show gives the shards the view, once the disk has what it says.
func (s *Steward) show(out *Out) {
	if s.view != s.shown && s.store.flight == nil && s.store.seq >= s.viewAt {
		s.shown, out.View = s.view, s.view
	}
}
