package node_test

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
)

// TestMessagesOfAJoin counts what it takes to bring half of 1,024 partitions to a
// sixth node, and have those who held them let go: a few thousand messages, four for
// a partition without keys.
func TestMessagesOfAJoin(t *testing.T) {
	for _, keys := range []int{0, 1000} {
		s := newShifting(t, 6, 1024, inMemory)
		s.fill(keys, 20)
		var moves []place.Move
		for p := range uint32(s.place.Q()) {
			if old := s.place.Of(p).Old; !slices.Contains(old, "f") {
				moves = append(moves, place.Move{Partition: p, Old: old, New: append(slices.Clone(old[:len(old)-1]), "f")})
			}
		}
		clear(s.count)
		s.link(moves)
		s.adoptAll()
		s.settle("proven", s.allProven)
		s.link(s.ends())
		s.adoptAll()
		s.settle("clean", s.allClean)
		messages := 0
		for _, n := range s.count {
			messages += n
		}
		t.Logf("%d partitions of %d keys moved in %d messages: %v", len(moves), keys, messages, s.count)
		if most := 5*len(moves) + 12*keys; messages > most {
			t.Errorf("%d messages for %d partitions of %d keys, more than %d", messages, len(moves), keys, most)
		}
	}
}
