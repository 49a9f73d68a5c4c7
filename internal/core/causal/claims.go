package causal

import (
	"cmp"
	"slices"
)

// find returns where the entry of an actor is in a vector, or would be.
func find(vector []Entry, a Actor) (int, bool) {
	lo, hi := 0, len(vector)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if vector[mid].Actor.Compare(a) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(vector) && vector[lo].Actor == a
}

// ClaimsOf returns claims that have seen some events and nothing else. It sorts
// the dots.
func ClaimsOf(dots []Dot) Claims {
	slices.SortFunc(dots, Dot.Compare)
	var c Claims
	c.union(Claims{}, Claims{Exceptions: slices.Compact(dots)})
	return c
}

// N returns up to which event of an actor the vector has seen all; 0: none.
func (c Claims) N(a Actor) uint64 {
	if i, ok := find(c.Vector, a); ok {
		return c.Vector[i].N
	}
	return 0
}

// Index returns which entry of the vector is the actor's, or -1.
func (c Claims) Index(a Actor) int {
	if i, ok := find(c.Vector, a); ok {
		return i
	}
	return -1
}

// Covers reports whether the event d has been seen.
func (c Claims) Covers(d Dot) bool {
	if d.N <= c.N(d.Actor) {
		return true
	}
	_, ok := slices.BinarySearchFunc(c.Exceptions, d, Dot.Compare)
	return ok
}

// Contains reports whether c has seen every event that o has.
func (c Claims) Contains(o Claims) bool {
	for _, e := range o.Vector {
		// An exception next to its entry is always absorbed, so an entry that
		// falls short lacks at least the event after it.
		if c.N(e.Actor) < e.N {
			return false
		}
	}
	for _, d := range o.Exceptions {
		if !c.Covers(d) {
			return false
		}
	}
	return true
}

// IsEmpty reports whether nothing has been seen.
func (c Claims) IsEmpty() bool { return len(c.Vector) == 0 && len(c.Exceptions) == 0 }

// Union returns what c or o has seen; of two times of an entry the later.
func (c Claims) Union(o Claims) Claims {
	switch {
	case o.IsEmpty():
		return c
	case c.IsEmpty() && len(o.Exceptions) == 0:
		return o
	}
	var u Claims
	u.union(c, o)
	return u
}

// With returns c with one more event, and nothing below it: what a put answers
// is the context it was given with the dot it minted (RULES R6).
func (c Claims) With(d Dot) Claims {
	if c.Covers(d) {
		return c
	}
	var u Claims
	u.union(c, Claims{Exceptions: []Dot{d}})
	return u
}

// union sets u to the union of a and b, using u's memory, which must not be
// that of a or b.
func (u *Claims) union(a, b Claims) {
	u.Vector = mergeVectors(slices.Grow(u.Vector[:0], len(a.Vector)+len(b.Vector)), a.Vector, b.Vector)
	u.Exceptions = u.Exceptions[:0]
	if len(a.Exceptions)+len(b.Exceptions) > 0 {
		u.Exceptions = mergeDots(u.Exceptions, a.Exceptions, b.Exceptions)
		u.absorb()
	}
}

func mergeVectors(dst, a, b []Entry) []Entry {
	for len(a) > 0 && len(b) > 0 {
		switch c := a[0].Actor.Compare(b[0].Actor); {
		case c < 0:
			dst, a = append(dst, a[0]), a[1:]
		case c > 0:
			dst, b = append(dst, b[0]), b[1:]
		default:
			dst = append(dst, Entry{a[0].Actor, max(a[0].N, b[0].N), max(a[0].Time, b[0].Time)})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(dst, a...), b...)
}

func mergeDots(dst, a, b []Dot) []Dot {
	for len(a) > 0 && len(b) > 0 {
		switch c := a[0].Compare(b[0]); {
		case c < 0:
			dst, a = append(dst, a[0]), a[1:]
		case c > 0:
			dst, b = append(dst, b[0]), b[1:]
		default:
			dst, a, b = append(dst, a[0]), a[1:], b[1:]
		}
	}
	return append(append(dst, a...), b...)
}

// absorb moves exceptions next to their entry into it, drops those within it, and
// gives an entry to actors that have none.
func (u *Claims) absorb() {
	kept := u.Exceptions[:0]
	for rest := u.Exceptions; len(rest) > 0; {
		actor := rest[0].Actor
		at, known := find(u.Vector, actor)
		n := uint64(0)
		if known {
			n = u.Vector[at].N
		}
		for ; len(rest) > 0 && rest[0].Actor == actor; rest = rest[1:] {
			switch d := rest[0]; {
			case d.N <= n:
			case d.N == n+1:
				n = d.N
			default:
				kept = append(kept, d)
			}
		}
		if !known {
			u.Vector = slices.Insert(u.Vector, at, Entry{Actor: actor})
		}
		u.Vector[at].N = n
	}
	u.Exceptions = kept
}

// newest returns the n exceptions with the highest numbers. A dot carries no
// time, so lower numbers count as older.
func newest(dots []Dot, n int) []Dot {
	if len(dots) <= n {
		return dots
	}
	byAge := slices.Clone(dots)
	slices.SortFunc(byAge, func(d, e Dot) int { return cmp.Or(cmp.Compare(d.N, e.N), d.Compare(e)) })
	kept := byAge[len(byAge)-n:]
	slices.SortFunc(kept, Dot.Compare)
	return kept
}

// only returns c with no exceptions but those of dots, which are some of its own,
// for whose actors it still has entries.
func (c Claims) only(dots []Dot) Claims {
	out := Claims{Vector: make([]Entry, 0, len(c.Vector))}
	for _, e := range c.Vector {
		own := exceptionsOf(dots, e.Actor)
		if e.N > 0 || len(own) > 0 {
			out.Vector, out.Exceptions = append(out.Vector, e), append(out.Exceptions, own...)
		}
	}
	return out
}

// exceptionsOf returns the exceptions of an actor among sorted ones.
func exceptionsOf(dots []Dot, a Actor) []Dot {
	from, _ := slices.BinarySearchFunc(dots, Dot{a, 0}, Dot.Compare)
	to := from
	for to < len(dots) && dots[to].Actor == a {
		to++
	}
	return dots[from:to]
}

// holds reports whether one of some versions, sorted by dot, is that of d.
func holds(versions []Version, d Dot) bool {
	_, found := slices.BinarySearchFunc(versions, d, func(v Version, d Dot) int { return v.Dot.Compare(d) })
	return found
}
