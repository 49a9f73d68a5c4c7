package member

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Cluster is what a history says: an immutable value.
type Cluster struct {
	Name    string
	ID      uint64
	Members []Member      // sorted by id
	Removed []ring.NodeID // fenced for ever, sorted
	Ring    *ring.Ring    // where each partition should be; its epoch is the number of changes
	Buckets Buckets
	Defined []string  // names of the buckets in Buckets.Named, sorted
	Skipped []Skipped // changes that made no sense where they fell
}

// Skipped is a change that the fold passed over, and why.
type Skipped struct {
	Change Change
	Reason string
}

// Member returns the member with this id and whether there is one.
func (c *Cluster) Member(id ring.NodeID) (Member, bool) {
	if i, ok := find(c.Members, id); ok {
		return c.Members[i], true
	}
	return Member{}, false
}

// Fold applies the changes in order. It fails only on a history that has no
// beginning or no member.
func (h History) Fold() (*Cluster, error) {
	f := fold{cluster: Cluster{ID: h.ClusterID(), Buckets: Buckets{Default: DefaultBucket(), Named: map[string]Bucket{}}}}
	for _, c := range h.changes {
		if reason := f.apply(c); reason != "" {
			f.cluster.Skipped = append(f.cluster.Skipped, Skipped{c, reason})
		}
	}
	switch {
	case f.tokens == nil:
		return nil, errors.New("member: the history has no beginning: it was not made by founding a cluster")
	case len(f.cluster.Members) == 0:
		return nil, errors.New("member: the history has no members")
	}
	r, err := ring.New(nodes(f.cluster.Members), f.tokens)
	if err != nil {
		return nil, fmt.Errorf("member: the history does not make a ring: %w", err)
	}
	f.cluster.Ring = r.WithEpoch(uint64(len(h.changes)))
	return &f.cluster, nil
}

// fold is a cluster in the making.
type fold struct {
	cluster   Cluster
	tokens    []ring.Token
	defaulted bool // the default bucket was defined
}

// apply applies one change, or returns why it is passed over.
func (f *fold) apply(c Change) string {
	if err := c.Check(); err != nil {
		return err.Error()
	}
	if f.tokens == nil && c.Kind != Found {
		return "the cluster had not begun"
	}
	switch c.Kind {
	case Found:
		return f.found(c)
	case Add:
		return f.add(c.Member)
	case Remove:
		return f.remove(c.Member.ID)
	case Reweigh, Relabel, Readdress:
		return f.alter(c)
	case Define:
		return f.define(c)
	default:
		return f.tune(c)
	}
}

func (f *fold) found(c Change) string {
	if f.tokens != nil {
		return "the cluster had begun already"
	}
	f.cluster.Name = c.Name
	f.tokens, _ = ring.EqualTokens(c.Q) // Check has tried it
	return ""
}

func (f *fold) add(m Member) string {
	if _, gone := slices.BinarySearch(f.cluster.Removed, m.ID); gone {
		return "the id was removed and is fenced: join under a new one"
	}
	i, there := find(f.cluster.Members, m.ID)
	if there {
		return "the id is in use"
	}
	return f.rebalance(slices.Insert(slices.Clone(f.cluster.Members), i, m))
}

func (f *fold) remove(id ring.NodeID) string {
	i, there := find(f.cluster.Members, id)
	switch {
	case !there:
		return "there is no such member"
	case len(f.cluster.Members) == 1:
		return "it is the last member"
	}
	if reason := f.rebalance(slices.Delete(slices.Clone(f.cluster.Members), i, i+1)); reason != "" {
		return reason
	}
	at, _ := slices.BinarySearch(f.cluster.Removed, id)
	f.cluster.Removed = slices.Insert(f.cluster.Removed, at, id)
	return ""
}

func (f *fold) alter(c Change) string {
	i, there := find(f.cluster.Members, c.Member.ID)
	if !there {
		return "there is no such member"
	}
	members := slices.Clone(f.cluster.Members)
	switch c.Kind {
	case Reweigh:
		members[i].Weight = c.Member.Weight
	case Relabel:
		members[i].Zone, members[i].DC = c.Member.Zone, c.Member.DC
	default:
		members[i].Addr = c.Member.Addr
		f.cluster.Members = members
		return ""
	}
	return f.rebalance(members)
}

// rebalance moves to other members with as few tokens changing hands as can be.
func (f *fold) rebalance(members []Member) string {
	tokens, err := ring.Rebalance(f.tokens, nodes(members))
	if err != nil {
		return err.Error()
	}
	f.cluster.Members, f.tokens = members, tokens
	return ""
}

// define makes a bucket. The first to define a name wins (RULES R38).
func (f *fold) define(c Change) string {
	if c.Name == "" {
		if f.defaulted {
			return "the default bucket is defined already: tune it"
		}
		f.defaulted, f.cluster.Buckets.Default = true, c.Bucket
		return ""
	}
	i, there := slices.BinarySearch(f.cluster.Defined, c.Name)
	if there {
		return "a bucket of that name is defined already: tune it, or choose another name"
	}
	f.cluster.Defined = slices.Insert(f.cluster.Defined, i, c.Name)
	f.cluster.Buckets.Named[c.Name] = c.Bucket
	return ""
}

// tune changes a bucket's settings. n and whether siblings are shown belong to
// the bucket for ever (RULES R17, R38).
func (f *fold) tune(c Change) string {
	old := f.cluster.Buckets.Default
	if c.Name != "" {
		var there bool
		if old, there = f.cluster.Buckets.Named[c.Name]; !there {
			return "there is no such bucket: define it"
		}
	}
	switch {
	case old.N != c.Bucket.N:
		return "n belongs to the bucket: copy the data to a new one"
	case old.LWW != c.Bucket.LWW:
		return "the mode belongs to the bucket: copy the data to a new one"
	case c.Name == "":
		f.cluster.Buckets.Default = c.Bucket
	default:
		f.cluster.Buckets.Named[c.Name] = c.Bucket
	}
	return ""
}

func find(members []Member, id ring.NodeID) (int, bool) {
	return slices.BinarySearchFunc(members, id, func(m Member, id ring.NodeID) int { return strings.Compare(string(m.ID), string(id)) })
}

func nodes(members []Member) []ring.Node {
	out := make([]ring.Node, len(members))
	for i, m := range members {
		out[i] = m.Node
	}
	return out
}
