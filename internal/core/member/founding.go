package member

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Bounds of what a founding may hold.
const (
	MaxMembers = 10_000
	MaxRemoved = 100_000
	MaxBuckets = 100_000
	MaxRings   = 10_000 // other rings that were merged in
)

// Founding is what a cluster begins with: the members and buckets of its list;
// or, of a checkpoint, what the changes since have made of it (RULES R38). Its
// lists are sorted and must not be modified.
type Founding struct {
	// Origin tells foundings apart: a hash of when and where the cluster was
	// founded, its name, its partitions and its first members' ids. It is filled
	// in where the change enters a history.
	Origin  [16]byte
	Members []Member
	Buckets []NamedBucket // "" names the default

	// What follows is empty but in a checkpoint.

	Count    int           // how many changes it stands for, itself included; 0 means 1
	Digest   [16]byte      // of the history of these
	Owners   []uint32      // of each partition, as an index into Members
	Removed  []ring.NodeID // fenced for ever
	Forced   []ring.NodeID // those of them that were removed by force
	Marks    []Key         // of each issuer the last of these changes
	Absorbed []Absorbed    // other rings that were merged in, and how far
}

// Absorbed is a founding that another one has in it.
type Absorbed struct {
	Origin [16]byte
	Count  int
}

// count is how many changes a founding stands for.
func (f *Founding) count() int {
	if f == nil {
		return 1
	}
	return max(f.Count, 1)
}

// sealed returns the change with all that a history wants filled in.
func sealed(c Change) Change {
	if c.Kind != Found || c.Founding != nil && c.Founding.Origin != [16]byte{} {
		return c
	}
	f := Founding{}
	if c.Founding != nil {
		f = *c.Founding
	}
	f.Count = max(f.Count, 1)
	b := binary.AppendUvarint([]byte("ouro founding"), uint64(c.Stamp))
	b = codec.AppendText(b, string(c.Issuer))
	b = codec.AppendText(b, c.Name)
	b = binary.AppendUvarint(b, uint64(c.Q))
	for i := range f.Members {
		b = codec.AppendText(b, string(f.Members[i].ID))
	}
	sum := sha256.Sum256(b)
	f.Origin = [16]byte(sum[:16])
	c.Founding = &f
	return c
}

// further returns the one of two foundings of one origin that stands for more.
func further(a, b *Change) *Change {
	switch x, y := a.Founding.count(), b.Founding.count(); {
	case x > y:
		return a
	case x < y:
		return b
	case bytes.Compare(a.append(nil), b.append(nil)) <= 0:
		return a
	default:
		return b
	}
}

// covers says whether a change is part of what the founding stands for.
func (f *Founding) covers(c *Change) bool {
	if f.count() == 1 {
		return false
	}
	if c.Kind == Found {
		i, found := slices.BinarySearchFunc(f.Absorbed, c.Founding.Origin, compareAbsorbed)
		return found && f.Absorbed[i].Count >= c.Founding.count()
	}
	i, found := slices.BinarySearchFunc(f.Marks, c.Issuer, compareMark)
	return found && f.Marks[i].Stamp >= c.Stamp
}

func compareAbsorbed(a Absorbed, origin [16]byte) int { return bytes.Compare(a.Origin[:], origin[:]) }

func compareMark(k Key, issuer ring.NodeID) int {
	return strings.Compare(string(k.Issuer), string(issuer))
}

// mark adds that the founding has a change in it.
func (f *Founding) mark(c *Change) {
	if c.Kind == Found {
		f.absorb(Absorbed{c.Founding.Origin, c.Founding.count()})
		for _, a := range c.Founding.Absorbed {
			f.absorb(a)
		}
		for _, k := range c.Founding.Marks {
			f.raise(k)
		}
		return
	}
	f.raise(c.key())
}

func (f *Founding) absorb(a Absorbed) {
	i, found := slices.BinarySearchFunc(f.Absorbed, a.Origin, compareAbsorbed)
	if !found {
		f.Absorbed = slices.Insert(f.Absorbed, i, a)
	}
	f.Absorbed[i].Count = max(f.Absorbed[i].Count, a.Count)
}

func (f *Founding) raise(k Key) {
	i, found := slices.BinarySearchFunc(f.Marks, k.Issuer, compareMark)
	if !found {
		f.Marks = slices.Insert(f.Marks, i, k)
	}
	f.Marks[i].Stamp = max(f.Marks[i].Stamp, k.Stamp)
}

// last is the highest stamp of what the founding stands for.
func (f *Founding) last() causal.Stamp {
	var last causal.Stamp
	for _, k := range f.Marks {
		last = max(last, k.Stamp)
	}
	return last
}

// check says what is wrong with a founding of q partitions, or returns nil.
func (f *Founding) check(q int) error {
	if f == nil {
		return nil
	}
	for i, m := range f.Members {
		if err := m.check(); err != nil {
			return err
		}
		if i > 0 && f.Members[i-1].ID >= m.ID {
			return fmt.Errorf("the founding members are not in order at %s, or one is listed twice", m.ID)
		}
	}
	for i, b := range f.Buckets {
		if err := b.check(); err != nil {
			return err
		}
		if i > 0 && f.Buckets[i-1].Name >= b.Name {
			return fmt.Errorf("the founding buckets are not in order at %q, or one is listed twice", b.Name)
		}
	}
	switch {
	case len(f.Members) > MaxMembers:
		return fmt.Errorf("%d founding members: at most %d are allowed", len(f.Members), MaxMembers)
	case len(f.Buckets) > MaxBuckets:
		return fmt.Errorf("%d founding buckets: at most %d are allowed", len(f.Buckets), MaxBuckets)
	case f.count() > 1:
		return f.checkCheckpoint(q)
	case len(f.Owners)+len(f.Removed)+len(f.Forced)+len(f.Marks)+len(f.Absorbed) > 0 || f.Digest != [16]byte{}:
		return fmt.Errorf("a founding list has what only a checkpoint has")
	}
	return nil
}

func (f *Founding) checkCheckpoint(q int) error {
	if len(f.Owners) != q {
		return fmt.Errorf("a checkpoint has owners of %d partitions out of %d", len(f.Owners), q)
	}
	for _, i := range f.Owners {
		if int(i) >= len(f.Members) {
			return fmt.Errorf("a checkpoint names an owner that is no member")
		}
	}
	ascending := func(n int, before func(i int) bool) bool {
		for i := 1; i < n; i++ {
			if !before(i) {
				return false
			}
		}
		return true
	}
	if !ascending(len(f.Removed), func(i int) bool { return f.Removed[i-1] < f.Removed[i] }) ||
		!ascending(len(f.Forced), func(i int) bool { return f.Forced[i-1] < f.Forced[i] }) ||
		!ascending(len(f.Marks), func(i int) bool { return f.Marks[i-1].Issuer < f.Marks[i].Issuer }) ||
		!ascending(len(f.Absorbed), func(i int) bool { return compareAbsorbed(f.Absorbed[i-1], f.Absorbed[i].Origin) < 0 }) {
		return fmt.Errorf("a list of a checkpoint is not in order")
	}
	return nil
}
