package merkle

// partBits is how much deeper than a span its parts are at most.
const partBits = 4

// MaxParts is how many parts a span has at most.
const MaxParts = 1 << partBits

// Part is a part of a span, as it is told to whoever compares: a sixteenth of it,
// or a leaf that is larger. Empty parts are left out of lists, which are in order
// of positions.
type Part struct {
	// Number says which: 1 is the whole span, 2 and 3 are its halves, and so on down
	// to 16 to 31, the sixteenths.
	Number uint8
	Count  uint32 // of members, for whoever thinks about how to go on
	Sum    Sum
}

// NumberOf returns the number of the part of a span of a depth that holds the leaf
// about a position: the sixteenth that it is in or, where it is larger, itself.
// The leaf is within the span.
func NumberOf(depth uint8, hi uint64, leaf uint8) uint8 {
	deeper := min(leaf-depth, partBits)
	return 1<<deeper | uint8(hi<<depth>>(MaxDepth-deeper))
}

// spanOf returns which span a part of a span of that depth is; false where there
// is none such.
func (s Span) spanOf(depth, number uint8) (Span, bool) {
	deeper := uint8(0)
	for n := number; n > 1; n >>= 1 {
		deeper++
	}
	if number == 0 || deeper > partBits || depth+deeper > MaxDepth {
		return Span{}, false
	}
	offset := uint64(number) ^ 1<<deeper
	return Around(s.First|offset<<(MaxDepth-depth-deeper), depth+deeper), true
}

// Difference is a part in which two replicas differ.
type Difference struct {
	Span
	A, B uint32 // how many members each has there
	// Leaf: at least one of them does not tell more about it than that.
	Leaf bool
}

// Differ appends to dst where two replicas differ in a span, given the parts of
// it that each has told; false where the parts of one are none of that span, or
// not in order. Where one has told of a larger part the others' are added up.
func Differ(dst []Difference, span Span, a, b []Part) ([]Difference, bool) {
	depth, ok := span.Depth()
	left, right := side{span: span, depth: depth, parts: a}, side{span: span, depth: depth, parts: b}
	ok = ok && left.next() && right.next()
	for ok && (left.more || right.more) {
		at := left.at
		if !left.more || right.more && (right.at.First < at.First || right.at.First == at.First && right.at.Last > at.Last) {
			at = right.at // the first, and of those the largest
		}
		x, y := left.take(at), right.take(at)
		if ok = !left.bad && !right.bad; ok && x.Sum != y.Sum {
			size, _ := at.Depth()
			dst = append(dst, Difference{at, x.Count, y.Count, size < depth+partBits})
		}
	}
	return dst, ok
}

// side is one of two lists that are walked through in step.
type side struct {
	span  Span
	depth uint8
	parts []Part
	at    Span // of the first of parts
	more  bool // there is one
	bad   bool
	seen  bool
	last  uint64 // where what was taken ended, if seen
}

// next looks at the first part that is left; false where it does not follow.
func (s *side) next() bool {
	if s.more = len(s.parts) > 0; !s.more {
		return true
	}
	var ok bool
	s.at, ok = s.span.spanOf(s.depth, s.parts[0].Number)
	s.bad = s.bad || !ok || s.seen && s.at.First <= s.last
	return !s.bad
}

// take adds up and takes away the parts that are within a span.
func (s *side) take(at Span) (sum Part) {
	for s.more && !s.bad && s.at.First <= at.Last {
		s.bad = s.at.Last > at.Last || s.at.First < at.First
		sum.Sum, sum.Count = Add(sum.Sum, s.parts[0].Sum), sum.Count+s.parts[0].Count
		s.parts, s.seen, s.last = s.parts[1:], true, s.at.Last
		s.next()
	}
	return sum
}
