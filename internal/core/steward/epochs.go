package steward

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
)

// members are those whose epochs are counted: all that the newest link names
// (RULES E1).
func (s *Steward) members() []ring.NodeID {
	var ids []ring.NodeID
	if p := s.view.Place; p != nil {
		for _, m := range p.Members() {
			ids = append(ids, m.ID)
		}
		return ids
	}
	for _, n := range s.view.Ring.Nodes() {
		ids = append(ids, n.ID)
	}
	return ids
}

// What the disk keeps of the epochs: the origin of the history that they are by, 16
// bytes, and their form. A node that is in no cluster has none.
func appendEpochs(dst []byte, origin [16]byte, d reap.Durable) []byte {
	return reap.AppendDurable(append(dst, origin[:]...), d)
}

// recallEpochs goes on with the epochs that the disk has. Those of a ring that was
// merged into another are of no use any more, and what is held is new there.
func (s *Steward) recallEpochs(disk Disk) (reap.Disk, error) {
	b := disk.Notes[EpochNote]
	d := reap.Disk{Holds: disk.Holds}
	if len(b) == 0 {
		return d, nil
	}
	if len(b) < len(s.origin) {
		return d, reap.ErrDurable
	}
	var err error
	if d.Durable, err = reap.DecodeDurable(b[len(s.origin):]); err != nil {
		return d, err
	}
	if of := [16]byte(b[:len(s.origin)]); of != s.origin && of != [16]byte{} {
		d = reap.Disk{}
		s.keepEpochs(d.Durable)
	}
	return d, nil
}

// keepEpochs has the epochs stored with the origin of the history: whose they are must
// be known before another one comes.
func (s *Steward) keepEpochs(d reap.Durable) {
	s.store.epoch = d
	s.store.mark(EpochNote)
}

// count tells the epochs whose are counted by the view, where that is somebody else
// than before. The view of a newcomer has no members before both its history and a
// placement are on the disk, whichever comes last.
func (s *Steward) count(now clock.Now) {
	ids := s.members()
	if len(ids) == 0 || slices.Equal(ids, s.counted) {
		return
	}
	before := s.counted
	s.counted = ids
	s.epochs.Members(now, ids, &s.reaping)
	for _, id := range ids {
		if s.up[id] && !slices.Contains(before, id) {
			s.epochs.Link(now, id, true, &s.reaping)
		}
	}
}

// stood takes what a shard keeps for others. What is left over of partitions that
// went elsewhere may be older than any stamp on it (RULES E1).
func (s *Steward) stood(now clock.Now, in *Stood) {
	lowest, keeps := in.Lowest, in.Keeps
	if p := s.view.Place; p != nil && in.Shard < len(s.clean) && s.cfg.Fixed == nil {
		if c := &s.clean[in.Shard]; c.LeftOver > 0 || c.Number != p.Number() {
			lowest, keeps = 0, true
		}
	}
	s.epochs.Stood(now, in.Shard, in.Seq, lowest, keeps, &s.reaping)
}

// drainEpochs passes on what the epochs want.
func (s *Steward) drainEpochs(out *Out) {
	e := &s.reaping
	if e.Stand.Seq != 0 {
		out.Stand = e.Stand
	}
	tells := e.Tells
	if s.removed {
		tells = nil // what it has is of long ago: a member that lost its disk would believe it
	}
	for i := range tells {
		show := tells[i].Show // the memory of the effects is used again
		out.Sends = append(out.Sends, node.Send{To: tells[i].To, Message: node.Message{Kind: node.KindEpochs, Show: &show}})
	}
	out.Facts = append(out.Facts, e.Facts...)
	out.RolledBack = out.RolledBack || e.RolledBack
	if e.Storing {
		s.store.epoch = e.Store
		s.store.mark(EpochNote)
	}
	e.Reset()
}
