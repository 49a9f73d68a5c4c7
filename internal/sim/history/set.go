package history

import "math/bits"

// Set is a set of small numbers: the places of writes among those of their key.
// The zero value is empty. A set that was handed on is not changed any more.
type Set []uint64

// Has reports whether i is in the set.
func (s Set) Has(i int) bool { return i>>6 < len(s) && s[i>>6]&(1<<(i&63)) != 0 }

// Add puts i into the set.
func (s *Set) Add(i int) {
	for i>>6 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[i>>6] |= 1 << (i & 63)
}

// AddAll puts all of o into the set.
func (s *Set) AddAll(o Set) {
	if len(o) > len(*s) {
		grown := make(Set, len(o))
		copy(grown, *s)
		*s = grown
	}
	for i, w := range o {
		(*s)[i] |= w
	}
}

// Clone returns a copy.
func (s Set) Clone() Set { return append(Set(nil), s...) }

// Missing returns the least number that is in s and in none of the others, or
// -1 where there is none.
func (s Set) Missing(others ...Set) int {
	for i, w := range s {
		for _, o := range others {
			if i < len(o) {
				w &^= o[i]
			}
		}
		if w != 0 {
			return i<<6 + bits.TrailingZeros64(w)
		}
	}
	return -1
}

// Each calls fn with every number in the set, ascending, until it returns
// false.
func (s Set) Each(fn func(i int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !fn(i<<6 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// Len returns how many numbers are in the set.
func (s Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}
