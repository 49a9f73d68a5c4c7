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
	Members []Member      // sorted by id
	Removed []ring.NodeID // fenced for ever, sorted
	Forced  []ring.NodeID // those of them that were removed by force and hand over nothing, sorted
	Ring    *ring.Ring    // where each partition should be; its epoch is the number of changes
	Buckets Buckets
	// Defaulted says that the default of all buckets was defined: it can be tuned,
	// but not have another n.
	Defaulted bool
	Defined   []string  // names of the buckets in Buckets.Named, sorted
	Skipped   []Skipped // changes that made no sense where they fell
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

// Fenced says whether the id was removed: it is never a member again.
func (c *Cluster) Fenced(id ring.NodeID) bool {
	_, found := slices.BinarySearch(c.Removed, id)
	return found
}

// Fold applies the changes in order. It fails only on a history that has no
// beginning or no member.
func (h History) Fold() (*Cluster, error) {
	f := newFold()
	f.run(h.changes)
	return f.done(h.Count())
}

func newFold() *fold {
	return &fold{cluster: Cluster{Buckets: Buckets{Default: DefaultBucket(), Named: map[string]Bucket{}}}}
}

func (f *fold) run(changes []Change) {
	for i := range changes {
		if reason := f.apply(&changes[i]); reason != "" {
			f.cluster.Skipped = append(f.cluster.Skipped, Skipped{changes[i], reason})
		}
	}
}

func (f *fold) done(count int) (*Cluster, error) {
	switch {
	case f.tokens == nil:
		return nil, errors.New("the history has no beginning: it was not made by founding a cluster")
	case len(f.cluster.Members) == 0:
		return nil, errors.New("the history has no members")
	}
	r, err := ring.New(nodes(f.cluster.Members), f.tokens)
	if err != nil {
		return nil, fmt.Errorf("the history does not make a ring: %w", err)
	}
	f.cluster.Ring = r.WithEpoch(uint64(count))
	f.cluster.Buckets.Names = f.cluster.Defined
	return &f.cluster, nil
}

// fold is a cluster in the making.
type fold struct {
	cluster Cluster
	tokens  []ring.Token
}

// apply applies one change, or returns why it is passed over.
func (f *fold) apply(c *Change) string {
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
	case Remove, ForceRemove:
		return f.remove(c.Member.ID, c.Kind == ForceRemove)
	case Replace:
		return f.replace(c.Old, c.Member)
	case Reweigh, Relabel, Readdress:
		return f.alter(c)
	case Define:
		return f.define(NamedBucket{c.Name, c.Bucket})
	default:
		return f.tune(c)
	}
}

func (f *fold) add(m Member) string {
	if reason := f.newcomer(m.ID); reason != "" {
		return reason
	}
	i, _ := find(f.cluster.Members, m.ID)
	return f.rebalance(slices.Insert(slices.Clone(f.cluster.Members), i, m))
}

// newcomer says why a node with this id cannot join.
func (f *fold) newcomer(id ring.NodeID) string {
	if f.cluster.Fenced(id) {
		return "the id was removed and is fenced: join under a new one"
	}
	if _, there := find(f.cluster.Members, id); there {
		return "the id is in use"
	}
	if len(f.cluster.Members) == MaxMembers {
		return fmt.Sprintf("there are %d members, and no more may be", MaxMembers)
	}
	return ""
}

func (f *fold) remove(id ring.NodeID, force bool) string {
	i, there := find(f.cluster.Members, id)
	switch {
	case !there && force && f.cluster.Fenced(id) && !slices.Contains(f.cluster.Forced, id):
		f.fence(id, true) // it was to hand over what it holds, and will not
		return ""
	case !there && f.cluster.Fenced(id) && !force:
		return "it was removed already, and needs nothing more: if it has not handed on all it holds and is gone for good, force-remove it"
	case !there && f.cluster.Fenced(id):
		return "it was removed by force already"
	case !there:
		return "there is no such member"
	case len(f.cluster.Members) == 1:
		return "it is the last member"
	case len(f.cluster.Removed) == MaxRemoved:
		return fmt.Sprintf("%d members were removed, and no more ids can be fenced", MaxRemoved)
	}
	if reason := f.rebalance(slices.Delete(slices.Clone(f.cluster.Members), i, i+1)); reason != "" {
		return reason
	}
	f.fence(id, force)
	return ""
}

func (f *fold) fence(id ring.NodeID, force bool) {
	f.cluster.Removed = with(f.cluster.Removed, id)
	if force {
		f.cluster.Forced = with(f.cluster.Forced, id)
	}
}

// with returns a sorted list with one more in it.
func with(ids []ring.NodeID, id ring.NodeID) []ring.NodeID {
	i, found := slices.BinarySearch(ids, id)
	if found {
		return ids
	}
	return slices.Insert(ids, i, id)
}

// replace gives a newcomer the tokens and the weight of a member that leaves, so
// that no other token moves.
func (f *fold) replace(old ring.NodeID, m Member) string {
	i, there := find(f.cluster.Members, old)
	if !there {
		return "there is no such member to be replaced"
	}
	if reason := f.newcomer(m.ID); reason != "" {
		return reason
	}
	if len(f.cluster.Removed) == MaxRemoved {
		return fmt.Sprintf("%d members were removed, and no more ids can be fenced", MaxRemoved)
	}
	m.Weight = f.cluster.Members[i].Weight
	members := slices.Delete(slices.Clone(f.cluster.Members), i, i+1)
	at, _ := find(members, m.ID)
	f.cluster.Members = slices.Insert(members, at, m)
	f.tokens = slices.Clone(f.tokens)
	for t := range f.tokens {
		if f.tokens[t].Owner == old {
			f.tokens[t].Owner = m.ID
		}
	}
	f.fence(old, false)
	return ""
}

func (f *fold) alter(c *Change) string {
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
func (f *fold) define(b NamedBucket) string {
	if b.Name == "" {
		if f.cluster.Defaulted {
			return "the default bucket is defined already: tune it"
		}
		f.cluster.Defaulted, f.cluster.Buckets.Default = true, b.Bucket
		return ""
	}
	i, there := slices.BinarySearch(f.cluster.Defined, b.Name)
	switch {
	case there:
		return "a bucket of that name is defined already: tune it, or choose another name"
	case len(f.cluster.Defined) == MaxBuckets:
		return fmt.Sprintf("there are %d buckets, and no more may be", MaxBuckets)
	}
	f.cluster.Defined = slices.Insert(f.cluster.Defined, i, b.Name)
	f.cluster.Buckets.Named[b.Name] = b.Bucket
	return ""
}

// tune changes a bucket's settings. n and whether siblings are shown belong to
// the bucket for ever (RULES R17, R38).
func (f *fold) tune(c *Change) string {
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
	case old.Mode() != c.Bucket.Mode():
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
