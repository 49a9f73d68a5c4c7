package causal

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// JoinReport says what a join came across.
type JoinReport struct {
	DotReused  int // dots that named two different versions: an alarm (RULES R3)
	Exceptions int // exceptions that fell to the prune floor
	Fell       int // actors of whom claims fell to it
}

// JoinStates merges two states of one object. Claims that the higher of the two
// floors has reached fall first, on whichever side they are; then a version
// survives if both hold it, or if one holds it and the other has not seen it
// (RULES R4, R7). So what does not outlive the join does not decide it either.
func JoinStates(a, b State) (State, JoinReport) {
	var s State
	report := s.SetJoin(&a, &b)
	return s, report
}

// SetJoin sets s to the join of a and b, using the memory of s, which must share
// none with a or b.
func (s *State) SetJoin(a, b *State) JoinReport {
	var report JoinReport
	if a.Floor != b.Floor {
		floor := max(a.Floor, b.Floor)
		x, fellX := a.fall(floor)
		y, fellY := b.fall(floor)
		a, b = &x, &y
		report.Fell, report.Exceptions = fellX.actors+fellY.actors, fellX.exceptions+fellY.exceptions
	}
	s.Floor = a.Floor
	s.union(a.Claims, b.Claims)
	s.Versions = s.Versions[:0]
	s.survivors(a, b, &report)
	return report
}

// survivors appends the versions that survive of a and b.
func (s *State) survivors(a, b *State, report *JoinReport) {
	x, y := a.Versions, b.Versions
	s.Versions = slices.Grow(s.Versions, max(len(x), len(y)))
	var clashes []Version
	for len(x) > 0 || len(y) > 0 {
		switch c := compareHeads(x, y); {
		case c < 0:
			if !b.Covers(x[0].Dot) {
				s.Versions = append(s.Versions, x[0])
			}
			x = x[1:]
		case c > 0:
			if !a.Covers(y[0].Dot) {
				s.Versions = append(s.Versions, y[0])
			}
			y = y[1:]
		default:
			small, large := &x[0], &y[0]
			if k := small.compare(large); k != 0 {
				if k > 0 {
					small, large = large, small
				}
				clashes = append(clashes, *large)
			}
			s.Versions = append(s.Versions, *small)
			x, y = x[1:], y[1:]
		}
	}
	for i := range clashes {
		report.DotReused++
		s.keepClash(a, b, clashes[i])
	}
}

// compareHeads orders the first versions of two lists by dot; an empty list
// comes last.
func compareHeads(x, y []Version) int {
	switch {
	case len(x) == 0:
		return 1
	case len(y) == 0:
		return -1
	default:
		return x[0].Dot.Compare(y[0].Dot)
	}
}

// keepClash keeps a version whose dot another version has too, under a dot
// derived from its content: the same one wherever the two meet. Where that dot
// was seen before, it is there already or was removed.
func (s *State) keepClash(a, b *State, v Version) {
	v.Dot = derivedDot(&v)
	if a.Covers(v.Dot) || b.Covers(v.Dot) {
		return
	}
	at, found := find(s.Vector, v.Dot.Actor)
	if found {
		return
	}
	s.Vector = slices.Insert(s.Vector, at, Entry{Actor: v.Dot.Actor, N: v.Dot.N, Time: v.Stamp.Millis()})
	s.insert(v)
}

// insert puts a version in its place in the order of dots.
func (s *State) insert(v Version) {
	at, _ := slices.BinarySearchFunc(s.Versions, v.Dot, func(w Version, d Dot) int { return w.Dot.Compare(d) })
	s.Versions = slices.Insert(s.Versions, at, v)
}

// derivedDot returns a dot that follows from all that v is.
func derivedDot(v *Version) Dot {
	b := make([]byte, 0, 128)
	for _, n := range [...]uint64{
		v.Dot.Actor.Run, v.Dot.Actor.Life, v.Dot.N, uint64(v.Stamp), v.Request, uint64(v.Expiry),
		v.Sum.Hi, v.Sum.Lo, uint64(len(v.Value)),
	} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	if v.Deleted {
		b = append(b, 1)
	}
	h := xxh3.Hash128(append(b, v.ContentType...))
	return Dot{Actor{Run: h.Hi, Life: h.Lo>>8 | 1}, 1}
}

// compare orders versions by all they are but their dot. Values are compared by
// their sums.
func (v *Version) compare(w *Version) int {
	if v.Sum != w.Sum {
		if c := cmp.Compare(v.Sum.Hi, w.Sum.Hi); c != 0 {
			return c
		}
		return cmp.Compare(v.Sum.Lo, w.Sum.Lo)
	}
	if v.Stamp == w.Stamp && v.Request == w.Request && v.Expiry == w.Expiry && v.Deleted == w.Deleted &&
		len(v.Value) == len(w.Value) && v.ContentType == w.ContentType {
		return 0
	}
	return cmp.Or(
		cmp.Compare(v.Stamp, w.Stamp), cmp.Compare(v.Request, w.Request), cmp.Compare(v.Expiry, w.Expiry),
		cmp.Compare(flag(v.Deleted), flag(w.Deleted)), cmp.Compare(len(v.Value), len(w.Value)),
		strings.Compare(v.ContentType, w.ContentType),
	)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}
