package member

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// History is a set of changes, kept in their order. It is an immutable value;
// the zero value is empty.
type History struct{ changes []Change }

// MaxChanges bounds a history that is read from disk or from a peer.
const MaxChanges = 100_000

// Changes returns the changes in order. They must not be modified.
func (h History) Changes() []Change { return h.changes }

// Len returns the number of changes.
func (h History) Len() int { return len(h.changes) }

// With returns the history with one more change, or the same if it is there.
func (h History) With(c Change) History {
	i, found := slices.BinarySearchFunc(h.changes, c, compare)
	if found {
		return h
	}
	return History{slices.Insert(slices.Clone(h.changes), i, c)}
}

// Union returns the history of all changes of both. It is commutative,
// associative and idempotent.
func (h History) Union(o History) History {
	out := make([]Change, 0, len(h.changes)+len(o.changes))
	a, b := h.changes, o.changes
	for len(a) > 0 && len(b) > 0 {
		switch c := compare(a[0], b[0]); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return History{append(append(out, a...), b...)}
}

// Issue stamps a change made at node issuer when its wall clock showed wall, in
// milliseconds since 1970, and adds it. The stamp is greater than any in the
// history, so whatever the issuer knew of comes before what it decided on it.
func (h History) Issue(wall int64, issuer ring.NodeID, c Change) (History, error) {
	c.Issuer = issuer
	c.Stamp = causal.Stamp(max(wall, 0)) << 16
	if n := len(h.changes); n > 0 {
		c.Stamp = max(c.Stamp, h.changes[n-1].Stamp+1)
	}
	if err := ring.CheckID(issuer); err != nil {
		return h, fmt.Errorf("member: issuer: %w", err)
	}
	if err := c.Check(); err != nil {
		return h, err
	}
	return h.With(c), nil
}

// Digest returns a hash of the history: equal histories, equal digests.
func (h History) Digest() [16]byte {
	sum := sha256.Sum256(h.Append(nil))
	return [16]byte(sum[:16])
}

// NamedBucket is a bucket with its name; "" names the default.
type NamedBucket struct {
	Name string
	Bucket
}

// Genesis returns the history of a cluster formed from a static list: it begins,
// its buckets are defined, its members join. Equal arguments give equal
// histories on every node, in whatever order members and buckets are listed. The
// stamps are the lowest there are, so everything else comes after.
func Genesis(cluster string, members []Member, q int, buckets ...NamedBucket) (History, error) {
	if len(members) == 0 {
		return History{}, errors.New("member: there are no members: name at least one")
	}
	changes := []Change{{Kind: Found, Name: cluster, Q: q}}
	buckets = slices.Clone(buckets)
	slices.SortFunc(buckets, func(a, b NamedBucket) int { return strings.Compare(a.Name, b.Name) })
	for _, b := range buckets {
		changes = append(changes, Change{Kind: Define, Name: b.Name, Bucket: b.Bucket})
	}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for i, m := range members {
		if i > 0 && members[i-1].ID == m.ID {
			return History{}, fmt.Errorf("member: id %s is listed twice: give each member its own", m.ID)
		}
		m.Weight = max(m.Weight, 1)
		changes = append(changes, Change{Kind: Add, Member: m})
	}
	for i := range changes {
		changes[i].Stamp = causal.Stamp(i + 1)
		if err := changes[i].Check(); err != nil {
			return History{}, err
		}
	}
	return History{changes}, nil
}

// ClusterID returns a number that tells clusters apart: a hash of the founding
// list's name, partitions and ids. Addresses, weights, zones and buckets may
// change in the life of a cluster and are not part of it. It is 0 for a history
// without a beginning.
func (h History) ClusterID() uint64 {
	var b []byte
	for _, c := range h.changes {
		switch {
		case c.Issuer != "":
		case c.Kind == Found:
			b = appendText(append(b, 'F'), c.Name)
			b = binary.AppendUvarint(b, uint64(c.Q))
		case c.Kind == Add:
			b = appendText(append(b, 'A'), string(c.Member.ID))
		}
	}
	if b == nil {
		return 0
	}
	sum := sha256.Sum256(b)
	return max(binary.BigEndian.Uint64(sum[:]), 1)
}
