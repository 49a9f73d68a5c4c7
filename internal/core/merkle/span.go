package merkle

import "math/bits"

// Span is a range of the upper halves of positions, both ends included. One that
// a leaf has is all that begins with the same bits; how many is its depth.
type Span struct{ First, Last uint64 }

// MaxDepth is that of a span of one upper half.
const MaxDepth = 64

// Around returns the span of a depth, at most [MaxDepth], that holds a position.
func Around(hi uint64, depth uint8) Span {
	rest := ^uint64(0) >> depth
	return Span{hi &^ rest, hi | rest}
}

// Whole returns the span of the tree of a partition, in a ring whose partitions
// take up the first partitionBits bits of a position (ring.Ring.Bits). Where that
// is 0, the partitions being unequal, it is all there is.
func Whole(partition uint32, partitionBits uint) Span {
	if partitionBits == 0 {
		return Around(0, 0)
	}
	return Around(uint64(partition)<<(64-partitionBits), uint8(partitionBits))
}

// Depth returns the depth of a span; false where it is not one that a leaf has.
func (s Span) Depth() (uint8, bool) {
	depth := uint8(bits.LeadingZeros64(s.First ^ s.Last))
	return depth, Around(s.First, depth) == s
}

// Holds reports whether a position is in the span.
func (s Span) Holds(hi uint64) bool { return s.First <= hi && hi <= s.Last }

// Halves cuts a span that a leaf has, and that is of more than one position.
func (s Span) Halves() (lower, upper Span) {
	middle := s.First + (s.Last-s.First)/2
	return Span{s.First, middle}, Span{middle + 1, s.Last}
}

// Sibling returns the other half of what a span of that depth, more than 0, is a
// half of.
func (s Span) Sibling(depth uint8) Span {
	return Around(s.First^1<<(MaxDepth-depth), depth)
}
