package steward

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/plan"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Steward is the composite.
type Steward struct {
	cfg     Config
	cluster *member.Cluster // what the history on disk says; nil: the node is in no cluster, or in a fixed one
	origin  [16]byte        // of that history
	view    *node.View      // that the shards have: what it says is on disk
	removed bool            // another node said so
	store   store
	clean   []node.Clean // of each shard
	idle    []uint64     // who waits until all is stored

	up      map[ring.NodeID]bool
	disks   map[ring.NodeID]uint64 // of those linked to
	book    book
	seeds   []Peer // who was found at which seed
	peers   []Peer // to whom there are links
	gone    int    // how many are fenced
	dialled bool   // both were told

	gossip  *gossip.Gossiper // nil: the cluster is fixed
	gossips gossip.Effects
	draft   plan.Draft
	issues  []issue
	written uint64 // of what the gossiper has given to be stored

	chain *chain.Chain // nil: likewise
	links chain.Effects
	draws *rand.Rand

	epochs  *reap.Epochs
	counted []ring.NodeID // whose epochs are, as was told last
	reaping reap.EpochEffects
}

// New returns a steward that goes on from what is on its disk.
func New(now clock.Now, cfg Config, disk Disk) (*Steward, error) {
	s := &Steward{
		cfg: cfg, up: map[ring.NodeID]bool{}, disks: map[ring.NodeID]uint64{},
		draws: rand.New(rand.NewPCG(cfg.Seed, 0x73746577617264)), clean: make([]node.Clean, max(cfg.Epochs.Shards, 1)),
	}
	if err := s.recall(now, disk); err != nil {
		return nil, err
	}
	kept, err := s.recallEpochs(disk)
	if err != nil {
		return nil, err
	}
	if s.cfg.CheckpointAfter <= 0 {
		s.cfg.CheckpointAfter = 64
	}
	cfg.Epochs.Seed = cfg.Seed
	s.counted = s.members()
	s.epochs = reap.NewEpochs(cfg.Epochs, cfg.Self, s.counted, kept)
	return s, nil
}

// View returns what the shards are to begin with.
func (s *Steward) View() *node.View { return s.view }

// Cluster returns what the history says; nil: the node is in no cluster, or in one
// that never changes. The result is shared: it must not be modified.
func (s *Steward) Cluster() *member.Cluster { return s.cluster }

// Place returns where each partition is, as far as this node knows; nil: it does not.
func (s *Steward) Place() *place.Placement {
	if s.chain == nil {
		return s.view.Place
	}
	return s.chain.Placement()
}

// Differs says whether the cluster did not begin as [Config.Founding] says.
func (s *Steward) Differs() bool {
	if s.gossip == nil || s.cfg.Founding.Len() == 0 {
		return false
	}
	h := s.gossip.History()
	return h.Union(s.cfg.Founding).Digest() != h.Digest()
}

// Peers returns to whom there are to be links, and where. The result must not be
// modified.
func (s *Steward) Peers() []Peer { return s.peers }

// Fenced says whether a node was removed, has handed on what it held, and may never
// be heard again.
func (s *Steward) Fenced(id ring.NodeID) bool { return s.fenced(id) }

// Ended returns the last links that this node saw chosen, the newest last. The result
// must not be modified.
func (s *Steward) Ended() []*place.Link {
	if s.chain == nil {
		return nil
	}
	return slices.Clone(s.chain.Links())
}

// Links is where the node stands in the chain of links, for operators.
func (s *Steward) Links() chain.Status {
	if s.chain == nil {
		return chain.Status{}
	}
	return s.chain.Status()
}

// Epochs is where the node stands in the epochs, for operators.
func (s *Steward) Epochs() reap.Status { return s.epochs.Status() }

// Begin tells the shards where they stand and to whom there are to be links, once,
// at the start.
func (s *Steward) Begin(now clock.Now, out *Out) {
	s.epochs.Begin(&s.reaping)
	s.placed(now)
	if s.gossip != nil {
		s.readdress(now, out)
		s.chain.Target(now, s.target(), &s.links)
		s.checkpoint()
		s.remember(out)
	}
	s.dial(out)
	s.drain(now, out)
}

// Step takes an input and appends its effects to out.
func (s *Steward) Step(now clock.Now, in Input, out *Out) {
	switch in := in.(type) {
	case *Told:
		s.told(now, in, out)
	case *Link:
		s.link(now, in)
	case *Met:
		s.met(in.Peer, in.Seed, out)
	case *Stored:
		s.stored(now, in.Seq)
	case *Stood:
		s.stood(now, in)
	case *Want:
		s.epochs.Want(now, in.Epoch, &s.reaping)
	case *Stage, *Unstage, *Commit, *Found, *SetBucket, *Issue:
		s.operate(now, in, out)
	case *Refused:
		s.epochs.Refused(in.Epoch, &s.reaping)
		s.idle = append(s.idle, in.ID)
	case *Removed:
		s.removed = true
		s.show(out)
	case *Ready, *Clean, *Fetch, *Restart:
		s.place(now, in, out)
	case Tick:
	}
	s.tick(now)
	s.drain(now, out)
}

func (s *Steward) tick(now clock.Now) {
	if s.epochs.Deadline() <= now.Mono {
		s.epochs.Tick(now, &s.reaping)
	}
	if s.gossip == nil {
		return
	}
	if s.gossip.Deadline() <= now.Mono {
		s.gossip.Tick(now, &s.gossips)
	}
	if s.chain.Deadline() <= now.Mono {
		s.chain.Tick(now, &s.links)
	}
}

// drain passes on what the machines want, and has stored what they want kept.
func (s *Steward) drain(now clock.Now, out *Out) {
	s.drainGossip(now, out)
	s.drainChain(now, out)
	if s.gossips.Seq != 0 { // a link has made a checkpoint
		s.drainGossip(now, out)
	}
	s.drainEpochs(out)
	s.keep(out)
}

// Deadline returns when a [Tick] is wanted; the greatest time there is: not before
// something else happens.
func (s *Steward) Deadline() time.Duration {
	at := s.epochs.Deadline()
	if s.gossip != nil {
		at = min(at, s.gossip.Deadline(), s.chain.Deadline())
	}
	return at
}

// Takes says whether a kind of message is for the steward, not for a shard.
func Takes(k node.Kind) bool {
	return k == node.KindEpochs || k == node.KindGossip || k == node.KindChain
}

// Admits says whether a shard with that view takes a kind of message from a node. One
// that is not of the cluster may ask it to coordinate requests, as clients do, and
// not of its storage.
func Admits(v *node.View, from ring.NodeID, k node.Kind) bool {
	if k == node.KindForward || k == node.KindReturn || v.Ring.Index(from) >= 0 {
		return true
	}
	if v.Place == nil {
		return false
	}
	_, ok := v.Place.Member(from)
	return ok
}

// told takes a message of a peer.
func (s *Steward) told(now clock.Now, t *Told, out *Out) {
	m := t.Message
	switch {
	case m.Kind == node.KindEpochs:
		s.epochs.Hear(now, t.From, m.Show, &s.reaping)
	case s.gossip == nil || s.fenced(t.From):
	case m.Kind == node.KindGossip:
		s.met(Peer{t.From, m.Gossip.Addr}, "", out)
		s.gossip.Deliver(now, t.From, m.Gossip, &s.gossips)
		s.agree(now)
	case m.Kind == node.KindChain:
		s.chain.Hear(now, t.From, m.Chain, &s.links)
	}
}

// link takes that a peer can be sent to, or no longer can.
func (s *Steward) link(now clock.Now, l *Link) {
	if l.Up {
		s.up[l.Peer], s.disks[l.Peer] = true, l.Disk
	} else {
		delete(s.up, l.Peer)
		delete(s.disks, l.Peer)
	}
	s.epochs.Link(now, l.Peer, l.Up, &s.reaping)
	if s.gossip == nil {
		return
	}
	if l.Up && l.Disk != 0 {
		s.chain.Disk(now, l.Peer, l.Disk, &s.links)
	}
	s.chain.Link(now, l.Peer, l.Up, &s.links)
}
