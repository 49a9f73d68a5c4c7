package member

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Genesis returns the history of a cluster formed from a static list. Equal
// arguments give equal histories on every node, in whatever order members and
// buckets are listed. The stamp is the lowest there is, so everything else comes
// after.
func Genesis(cluster string, members []Member, q int, buckets ...NamedBucket) (History, error) {
	c, err := NewFounding(cluster, members, q, buckets...)
	if err != nil {
		return History{}, err
	}
	c.Stamp = 1
	return History{}.With(c), nil
}

// NewFounding returns the change by which a cluster begins with these members
// and buckets.
func NewFounding(cluster string, members []Member, q int, buckets ...NamedBucket) (Change, error) {
	if len(members) == 0 {
		return Change{}, errors.New("there are no members: name at least one")
	}
	f := &Founding{Count: 1, Members: slices.Clone(members), Buckets: slices.Clone(buckets)}
	slices.SortFunc(f.Buckets, func(a, b NamedBucket) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(f.Members, func(a, b Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for i := range f.Members {
		if i > 0 && f.Members[i-1].ID == f.Members[i].ID {
			return Change{}, fmt.Errorf("id %s is listed twice: give each member its own", f.Members[i].ID)
		}
		f.Members[i].Weight = max(f.Members[i].Weight, 1)
	}
	c := Change{Kind: Found, Name: cluster, Q: q, Founding: f}
	return c, c.Check()
}
