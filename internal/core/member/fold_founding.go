package member

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/ring"
)

// found begins the cluster with the earliest founding: nobody has anything yet, so all
// is given out at once. A later one is that of a ring formed apart: its members join as
// newcomers (PAPER 4.8.2a, RULES R12).
func (f *fold) found(c *Change) string {
	if f.tokens != nil {
		return f.merge(c)
	}
	f.cluster.Name = c.Name
	f.tokens, _ = ring.EqualTokens(c.Q) // Check has tried it
	if c.Founding == nil {
		return ""
	}
	if c.Founding.count() > 1 {
		f.restore(c.Founding)
		return ""
	}
	if len(c.Founding.Members) > 0 {
		if reason := f.rebalance(slices.Clone(c.Founding.Members)); reason != "" {
			return reason
		}
	}
	f.defineAll(c.Founding.Buckets)
	return ""
}

// restore goes on from a checkpoint.
func (f *fold) restore(p *Founding) {
	f.cluster.Members = slices.Clone(p.Members)
	f.cluster.Removed, f.cluster.Forced = slices.Clone(p.Removed), slices.Clone(p.Forced)
	for t, owner := range p.Owners {
		f.tokens[t].Owner = p.Members[owner].ID
	}
	f.defineAll(p.Buckets)
}

// defineAll defines those buckets that are not defined yet, and names the others.
func (f *fold) defineAll(buckets []NamedBucket) (taken []string) {
	for _, b := range buckets {
		if f.define(b) != "" && b.Name != "" {
			taken = append(taken, b.Name)
		}
	}
	return taken
}

// merge lets the members of another ring join at once, so that as few tokens
// move as can be. What was removed there is removed here too, or a node could
// come back by having been in two rings.
func (f *fold) merge(c *Change) string {
	const begun = "the cluster had begun already"
	if c.Name != f.cluster.Name || c.Q != len(f.tokens) {
		return begun + " with another name or another q: the ring is not merged"
	}
	p := c.Founding
	if p == nil {
		return begun
	}
	members := slices.DeleteFunc(slices.Clone(f.cluster.Members), func(m Member) bool { return slices.Contains(p.Removed, m.ID) })
	var joined []string
	for _, m := range p.Members {
		if i, there := find(members, m.ID); !there && !f.cluster.Fenced(m.ID) && len(members) < MaxMembers {
			members = slices.Insert(members, i, m)
			joined = append(joined, string(m.ID))
		}
	}
	if len(members) > 0 && len(f.cluster.Removed)+len(p.Removed) <= MaxRemoved {
		if reason := f.rebalance(members); reason != "" {
			return reason
		}
		for _, id := range p.Removed {
			f.fence(id, slices.Contains(p.Forced, id))
		}
	}
	taken := f.defineAll(p.Buckets)
	return merged(begun, joined, taken)
}

// merged tells what came of another ring.
func merged(why string, joined, taken []string) string {
	if len(joined) > 0 {
		why += ": " + strings.Join(joined, ", ") + " joined from a ring that was formed apart"
	}
	if len(taken) > 0 {
		why += fmt.Sprintf("; its definitions of buckets %s were refused, as they are defined already", strings.Join(taken, ", "))
	}
	return why
}
