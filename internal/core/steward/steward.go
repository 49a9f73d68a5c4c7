package steward

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
)

// Steward is the composite.
type Steward struct {
	cfg     Config
	history member.History  // on disk, or about to be
	cluster *member.Cluster // what it says; nil: the node is in no cluster, or in a fixed one
	view    *node.View      // what follows from all this
	shown   *node.View      // that the shards have: what it says is on disk
	viewAt  uint64          // the batch with which view is on disk
	book    book
	peers   []Peer   // to whom there are links
	dialled bool     // that was told
	idle    []uint64 // who waits until all is stored
	store   store
	epochs  *reap.Epochs
	effects reap.EpochEffects
}

// New returns a steward that goes on from what is on its disk.
func New(cfg Config, disk Disk) (*Steward, error) {
	s := &Steward{cfg: cfg}
	if err := s.recall(disk); err != nil {
		return nil, err
	}
	kept, err := reap.DecodeDurable(disk.Notes[EpochNote])
	if err != nil {
		return nil, err
	}
	s.epochs = reap.NewEpochs(cfg.Epochs, cfg.Self, s.members(), reap.Disk{Durable: kept, Holds: disk.Holds})
	return s, nil
}

// View returns what the shards are to begin with.
func (s *Steward) View() *node.View { return s.shown }

// Cluster returns what the history says; nil: the node is in no cluster, or in one
// that never changes. The result is shared: it must not be modified.
func (s *Steward) Cluster() *member.Cluster { return s.cluster }

// Epochs is where the node stands in the epochs, for operators.
func (s *Steward) Epochs() reap.Status { return s.epochs.Status() }

// Begin tells the shards where they stand and to whom there are to be links, once,
// at the start.
func (s *Steward) Begin(now clock.Now, out *Out) {
	s.epochs.Begin(&s.effects)
	s.drainEpochs(out)
	s.dial(out)
	s.keep(out)
}

// Step takes an input and appends its effects to out.
func (s *Steward) Step(now clock.Now, in Input, out *Out) {
	switch in := in.(type) {
	case *Told:
		s.told(now, in)
	case *Link:
		s.epochs.Link(now, in.Peer, in.Up, &s.effects)
	case *Met:
		s.met(in.Peer, out)
	case *Stored:
		s.stored(now, in.Seq, out)
	case *Stood:
		s.epochs.Stood(now, in.Shard, in.Seq, in.Lowest, in.Keeps, &s.effects)
	case *Want:
		s.epochs.Want(now, in.Epoch, &s.effects)
	case *Refused:
		s.epochs.Refused(in.Epoch, &s.effects)
		s.idle = append(s.idle, in.ID)
	case Tick:
	}
	if s.epochs.Deadline() <= now.Mono {
		s.epochs.Tick(now, &s.effects)
	}
	s.drainEpochs(out)
	s.keep(out)
}

// Deadline returns when a [Tick] is wanted; the greatest time there is: not before
// something else happens.
func (s *Steward) Deadline() time.Duration { return s.epochs.Deadline() }

// told takes a message of a peer.
func (s *Steward) told(now clock.Now, m *Told) {
	switch m.Message.Kind {
	case node.KindEpochs:
		s.epochs.Hear(now, m.From, m.Message.Show, &s.effects)
	}
}

// Takes says whether a kind of message is for the steward, not for a shard.
func Takes(k node.Kind) bool { return k == node.KindEpochs }
