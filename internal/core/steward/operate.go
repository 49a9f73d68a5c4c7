package steward

import (
	"errors"
	"fmt"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/plan"
	"github.com/ourodb/ouro/internal/core/ring"
)

// What an operator does. Each is answered by a [Reply].
type (
	// Stage adds changes to those staged at this node, all of them or none; without
	// any it asks what is staged.
	Stage struct {
		ID      uint64
		Changes []ouro.Change
	}
	// Unstage forgets what is staged.
	Unstage struct{ ID uint64 }
	// Commit makes what is staged part of the history, if that is still at a version.
	Commit struct {
		ID      uint64
		Version string
	}
	// Found founds a cluster of this one node, which is in none.
	Found struct {
		ID      uint64
		Name    string
		Q       int
		Self    member.Member
		Buckets []member.NamedBucket
	}
	// SetBucket defines a bucket, or changes what of it may be.
	SetBucket struct {
		ID   uint64
		Name string
		Set  ouro.BucketSettings
	}
)

func (*Stage) input()     {}
func (*Unstage) input()   {}
func (*Commit) input()    {}
func (*Found) input()     {}
func (*SetBucket) input() {}

var errFixed = errors.New("the ring of this cluster is laid out by hand and never changes")

// operate does what an operator wants, or says why not.
func (s *Steward) operate(now clock.Now, in Input, out *Out) {
	var id uint64
	var changes []member.Change
	var err error
	switch in := in.(type) {
	case *Stage:
		id, err = in.ID, s.stage(in.Changes)
	case *Unstage:
		id, s.draft = in.ID, plan.Draft{}
	case *Commit:
		id = in.ID
		if err = s.changing(); err == nil {
			changes, err = s.draft.Commit(s.gossip.Latest(), s.cfg.Self, in.Version)
		}
	case *Found:
		id = in.ID
		if err = s.changing(); err == nil {
			var c member.Change
			c, err = plan.Init(s.gossip.Latest(), in.Name, in.Q, in.Self, in.Buckets...)
			changes = []member.Change{c}
		}
		s.cfg.Linked = s.cfg.Linked && err != nil // there are no links of the new one yet
	case *SetBucket:
		id = in.ID
		if err = s.inCluster(); err == nil {
			var c member.Change
			c, err = plan.Bucket(s.cluster, in.Name, in.Set)
			changes = []member.Change{c}
		}
	case *Issue:
		id, changes, err = in.ID, in.Changes, s.inCluster()
	}
	if err == nil && len(changes) > 0 {
		err = s.issue(now, id, changes)
		if _, commit := in.(*Commit); commit && err == nil {
			s.draft = plan.Draft{}
		}
		if err == nil {
			return // it is answered when it is on disk
		}
	}
	r := Reply{ID: id, Err: err, Draft: s.draft}
	if s.gossip != nil {
		r.History, r.Unmet = s.gossip.Latest(), s.unmet()
	}
	out.Replies = append(out.Replies, r)
}

// Version names the history that this node goes by; "" where there is none.
func (s *Steward) Version() string {
	if s.gossip == nil || s.cluster == nil {
		return ""
	}
	return plan.Version(s.gossip.History())
}

// History returns what operators did, as far as it is on the disk.
func (s *Steward) History() member.History {
	if s.gossip == nil {
		return member.History{}
	}
	return s.gossip.History()
}

// Staged tells what is staged here, in order.
func (s *Steward) Staged() []string { return s.draft.Changes() }

// changing says why the cluster can't change.
func (s *Steward) changing() error {
	switch {
	case s.gossip == nil:
		return errFixed
	case s.expelled():
		return fmt.Errorf("node %s was removed from its cluster, which hears nothing of what is done here: ask a member, and stop this node", s.cfg.Self)
	}
	return nil
}

// inCluster says why there is no cluster that could change.
func (s *Steward) inCluster() error {
	if err := s.changing(); err != nil || s.cluster != nil {
		return err
	}
	return fmt.Errorf("node %s is in no cluster: join it at a node that is, or found one", s.cfg.Self)
}

// stage adds changes to the draft. Where a node can be reached is filled in if it
// was heard of.
func (s *Steward) stage(changes []ouro.Change) error {
	if err := s.changing(); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	named := make([]ouro.Change, len(changes))
	for i, c := range changes {
		who := c.Node
		if c.Verb == ouro.Replace {
			who = c.By
		}
		if c.Addr == "" && (c.Verb == ouro.Join || c.Verb == ouro.Replace) {
			c.Addr = s.addressOf(ring.NodeID(who))
		}
		if c.Verb == ouro.Join || c.Verb == ouro.Replace {
			if err := s.refusal(ring.NodeID(who)); err != nil {
				return err
			}
		}
		named[i] = c
	}
	d, err := s.draft.Stage(s.gossip.Latest(), s.cfg.Self, named)
	if err != nil {
		return err
	}
	s.draft = d
	return nil
}

// refusal says why a node that is to join never could: it is of a cluster that can't
// be merged with this one.
func (s *Steward) refusal(id ring.NodeID) error {
	if why := s.gossip.Refusal(id); why != "" && s.up[id] {
		return fmt.Errorf("node %s can't join: %s", id, why)
	}
	return nil
}

// unmet says which of those that are to join can't be reached.
func (s *Steward) unmet() (all []string) {
	for _, m := range s.draft.Newcomers() {
		if !s.up[m.ID] && m.ID != s.cfg.Self {
			all = append(all, fmt.Sprintf("node %s has not been met from here: nothing moves to it until it runs, with the cluster's name and key and a member as a seed, and can be reached at %s", m.ID, m.Addr))
		}
	}
	return all
}

// Apart says of each node that can be reached and whose history was refused why.
func (s *Steward) Apart() (all []Apart) {
	if s.gossip == nil {
		return nil
	}
	for _, p := range s.peers {
		if why := s.gossip.Refusal(p.ID); why != "" && s.up[p.ID] {
			all = append(all, Apart{p.ID, why})
		}
	}
	return all
}

// Apart is a node whose history does not merge with this one.
type Apart struct {
	Peer ring.NodeID
	Why  string
}

// issue is what an operator has changed, and waits until that is on disk.
type issue struct {
	id      uint64
	seq     uint64
	changes []string
}

func (s *Steward) issue(now clock.Now, id uint64, changes []member.Change) error {
	seq, err := s.gossip.Issue(now, changes, &s.gossips)
	if err != nil {
		return err
	}
	i := issue{id: id, seq: seq}
	for _, c := range changes {
		i.changes = append(i.changes, c.String())
	}
	s.issues = append(s.issues, i)
	return nil
}

// acknowledge answers those whose changes are on disk.
func (s *Steward) acknowledge(out *Out) {
	left := s.issues[:0]
	for _, i := range s.issues {
		if i.seq > s.written {
			left = append(left, i)
			continue
		}
		out.Replies = append(out.Replies, Reply{ID: i.id, History: s.gossip.History(), Changes: i.changes, Draft: s.draft})
	}
	s.issues = left
}
