package member

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// History is a set of changes, kept in their order. It is an immutable value;
// the zero value is empty.
type History struct {
	changes []Change
	sums    [][16]byte // of the changes up to each one, each a hash of the one before and the change
}

// MaxChanges bounds a history: with so many no more are issued, and a union that
// had more is refused, until a checkpoint has folded the older ones. MaxCount
// bounds how many changes a cluster sees in all its life.
const (
	MaxChanges = 100_000
	MaxCount   = 1 << 40
)

// historyOf makes a history of changes that are in order. It leaves out what a
// checkpoint among them stands for.
func historyOf(changes []Change) History {
	h := History{changes: uncovered(changes)}
	h.sum(0)
	return h
}

// uncovered returns the changes that no checkpoint among them stands for.
func uncovered(changes []Change) []Change {
	var checkpoints []*Founding
	for i := range changes {
		if f := changes[i].Founding; f.count() > 1 {
			checkpoints = append(checkpoints, f)
		}
	}
	covered := func(c *Change) bool {
		return slices.ContainsFunc(checkpoints, func(f *Founding) bool { return f.covers(c) })
	}
	if len(checkpoints) == 0 || !slices.ContainsFunc(changes, func(c Change) bool { return covered(&c) }) {
		return changes
	}
	var kept []Change
	for i := range changes {
		if !covered(&changes[i]) {
			kept = append(kept, changes[i])
		}
	}
	return kept
}

// sum computes the sums, the first known of which are right.
func (h *History) sum(known int) {
	sums := make([][16]byte, len(h.changes))
	copy(sums, h.sums[:known])
	var b []byte
	for i := known; i < len(sums); i++ {
		if i == 0 {
			if f := h.changes[0].Founding; f.count() > 1 {
				sums[0] = f.Digest
				continue
			}
			b = append(b[:0], make([]byte, 16)...)
		} else {
			b = append(b[:0], sums[i-1][:]...)
		}
		sum := sha256.Sum256(h.changes[i].append(b))
		sums[i] = [16]byte(sum[:16])
	}
	h.sums = sums
}

// Changes returns the changes in order. They must not be modified.
func (h History) Changes() []Change { return h.changes }

// Len returns the number of changes at hand.
func (h History) Len() int { return len(h.changes) }

// Count returns the number of changes, those behind the checkpoint included.
func (h History) Count() int { return h.floor() + len(h.changes) }

// floor is how many changes are known by the checkpoint only.
func (h History) floor() int {
	if len(h.changes) == 0 {
		return 0
	}
	return h.changes[0].Founding.count() - 1
}

// Digest returns a hash of the history: equal histories, equal digests. What a
// checkpoint of the history stands for counts as if it were at hand.
func (h History) Digest() [16]byte {
	if len(h.sums) == 0 {
		return [16]byte{}
	}
	return h.sums[len(h.sums)-1]
}

// With returns the history with one more change, or the same if it is there.
func (h History) With(c Change) History { return h.Union(History{changes: []Change{sealed(c)}}) }

// Union returns the history of all changes of both. It is commutative,
// associative and idempotent. Of two checkpoints of one cluster the one that
// stands for more is kept, and what a checkpoint stands for is left out.
func (h History) Union(o History) History {
	out := make([]Change, 0, len(h.changes)+len(o.changes))
	a, b := h.changes, o.changes
	same := 0 // so many of the first are as in h
	for len(a) > 0 && len(b) > 0 {
		c := compare(&a[0], &b[0])
		next := &a[0]
		switch {
		case c > 0:
			next = &b[0]
		case c == 0 && a[0].Kind == Found:
			next = further(&a[0], &b[0])
		}
		if next == &a[0] && same == len(out) {
			same++
		}
		out = append(out, *next)
		if c <= 0 {
			a = a[1:]
		}
		if c >= 0 {
			b = b[1:]
		}
	}
	if same == len(out) {
		same += len(a)
	}
	out = append(append(out, a...), b...)
	if same == len(out) {
		return h // no news
	}
	u := History{changes: uncovered(out), sums: h.sums}
	if len(u.changes) < len(out) {
		same = 0
	}
	u.sum(same)
	return u
}

// Has says whether a change is at hand.
func (h History) Has(c Change) bool {
	c = sealed(c)
	return (&Page{Changes: h.changes}).has(&c)
}

// Last returns the highest stamp that the history has or ever had: what is issued
// next is above it.
func (h History) Last() causal.Stamp {
	if len(h.changes) == 0 {
		return 0
	}
	last := h.changes[len(h.changes)-1].Stamp
	for i := range h.changes {
		if f := h.changes[i].Founding; f != nil {
			last = max(last, f.last())
		}
	}
	return last
}

// Issue stamps changes made at node issuer when its wall clock showed wall, in
// milliseconds since 1970, and adds them all, or none. The stamps are greater
// than any in the history, so whatever the issuer knew of comes before what it
// decided on it.
func (h History) Issue(wall int64, issuer ring.NodeID, changes ...Change) (History, error) {
	if err := ring.CheckID(issuer); err != nil {
		return h, fmt.Errorf("issuer: %w", err)
	}
	if h.Len()+len(changes) > MaxChanges {
		return h, fmt.Errorf("the history has %d changes and may have %d: none is taken before a checkpoint has folded them", h.Len(), MaxChanges)
	}
	if h.Last() > math.MaxUint64-MaxChanges {
		return h, errors.New("a change in the history has a stamp from the end of time: no other can follow it")
	}
	stamp := max(causal.StampAt(wall), h.Last()+1)
	next := h
	for i, c := range changes {
		c.Issuer, c.Stamp = issuer, stamp+causal.Stamp(i)
		if err := c.Check(); err != nil {
			return h, err
		}
		next = next.With(c)
	}
	return next, nil
}

// Joins says why the changes cannot be united with the history: they are of a
// cluster that was formed otherwise, or are too many. It returns nil if they can.
func (h History) Joins(changes []Change) error {
	if h.Len()+len(changes) > MaxChanges {
		return fmt.Errorf("%d changes and %d more are too many: at most %d are kept", h.Len(), len(changes), MaxChanges)
	}
	mine, ok := h.genesis()
	if !ok {
		return nil
	}
	for i := range changes {
		switch c := &changes[i]; {
		case c.Kind != Found:
		case c.Name != mine.Name:
			return fmt.Errorf("the other ring is of cluster %q, this one of %q: they never merge", c.Name, mine.Name)
		case c.Q != mine.Q:
			return fmt.Errorf("the other ring of cluster %q was made with q=%d, this one with q=%d: rings of different q never merge; make one of them anew", c.Name, c.Q, mine.Q)
		}
	}
	return nil
}

// genesis returns the founding that the cluster goes by: the earliest.
func (h History) genesis() (*Change, bool) {
	for i := range h.changes {
		if h.changes[i].Kind == Found {
			return &h.changes[i], true
		}
	}
	return nil, false
}

// Origin returns a hash of when and where the cluster was founded, its name, its
// partitions and its first members' ids, which never changes; of rings that were
// formed apart and merged, of the oldest. It is zero for a history without a
// beginning. Addresses, weights, zones and buckets may change in the life of a
// cluster and are not part of it.
func (h History) Origin() [16]byte {
	if c, ok := h.genesis(); ok {
		return c.Founding.Origin
	}
	return [16]byte{}
}

// Take returns the union with changes that came from a peer, in order.
func (h History) Take(changes []Change) History { return h.Union(History{changes: changes}) }

// ClusterID returns a number that tells clusters apart by their names: rings that
// were formed apart under one name may merge, and whoever is to join need not
// know how many partitions there are.
func ClusterID(name string) uint64 {
	sum := sha256.Sum256([]byte("ouro cluster " + name))
	return max(binary.BigEndian.Uint64(sum[:]), 1)
}
