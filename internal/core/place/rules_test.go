package place_test

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
)

// labels returns what may happen next, and go on to one of them.
func (s *search) labels(m mstate, take string) (all []string, next mstate) {
	s.successors(m, func(n mstate, label func() string) {
		l := label()
		all = append(all, l)
		if l == take {
			s.settle(&n)
			next = n
		}
	})
	return all, next
}

// does lets things happen, and fails where one of them can't.
func (s *search) does(m mstate, steps ...string) mstate {
	s.t.Helper()
	for _, step := range steps {
		all, next := s.labels(m, step)
		if !slices.Contains(all, step) {
			s.t.Fatalf("%q can't happen, only %q", step, all)
		}
		m = next
	}
	return m
}

// cannot fails where something may happen.
func (s *search) cannot(m mstate, step string) {
	s.t.Helper()
	if all, _ := s.labels(m, ""); slices.Contains(all, step) {
		s.t.Errorf("%q can happen", step)
	}
}

const ended = "link 2: [A B J] -> []"

// The trace of H3: a list becomes another at once, or when the newcomer is equal
// to one that had not heard of it, and two quorums do not meet.
func TestRules_H3_NoFlipBetweenDisjointQuorums(t *testing.T) {
	w := world{nodes: "ABCJ", old: "ABC", links: []string{"ABJ", "end"}, promise: usual}
	s := w.search(t)
	s.cannot(mstate{}, "link 1: [A B J] -> []")

	// J is equal to A; a coordinator that knows nothing of it all gets B and C to
	// acknowledge. The move does not end before J has compared with one of them.
	m := s.does(
		mstate{}, "link 1: [A B C] -> [A B J]", "J adopts 1", "A adopts 1", "J compares with A at 1",
		"the write begins at 0", "B stores w at 0, done false", "C stores w at 0, done true",
	)
	s.cannot(m, ended)
	s.cannot(m, "J compares with B at 1") // B would count at 0 after that
	m = s.does(m, "B adopts 1")
	s.cannot(m, ended)
	s.does(m, "J compares with B at 1", ended, "the read begins at 2", "J answers at 2, has w: true")

	// And who read at the old list while others write at the new one alone: too few
	// of the old list are left that have not heard.
	m = s.does(
		mstate{}, "link 1: [A B C] -> [A B J]", "J adopts 1", "A adopts 1", "B adopts 1", "J compares with A at 1", "J compares with B at 1", ended,
		"the write begins at 2", "A stores w at 2, done false", "J stores w at 2, done true", "the read begins at 0", "C answers at 0, has w: false",
	)
	s.cannot(m, "B answers at 0, has w: false")
}

// The trace of H13: the newcomer is dead, and A and B are a quorum of both lists.
func TestRules_H13_NoParticularNodeIsNeeded(t *testing.T) {
	l := place.Lists{Number: 3, Old: ids{"A", "B", "C"}, New: ids{"A", "B", "J"}}
	for _, test := range []struct {
		by   ids
		want bool
	}{
		{ids{"A", "B"}, true},
		{ids{"A", "C", "J"}, true},
		{ids{"A", "C"}, false}, // one of the new list
		{ids{"B", "J"}, false}, // one of the old list
		{ids{"C", "J"}, false},
	} {
		if got := l.Writes(usual, test.by); got != test.want {
			t.Errorf("%v acknowledge: %v", test.by, got)
		}
		if got := l.Reads(usual, test.by); got != test.want {
			t.Errorf("%v answer: %v", test.by, got)
		}
	}
}
