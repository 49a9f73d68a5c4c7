package place_test

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/effort"
)

// holds searches a scope in which no write may be lost.
func (w world) holds(t *testing.T) {
	t.Helper()
	s := w.search(t)
	lost, states := s.run()
	if lost != nil {
		t.Fatalf("%s: an acknowledged write is not read, after\n%s", w.name(), strings.Join(lost, "\n"))
	}
	t.Logf("%s: all %d states, %d of them written and moved", w.name(), states, s.moved)
	if s.moved == 0 && w.links[len(w.links)-1] == "end" {
		t.Errorf("%s: no move ended", w.name())
	}
}

// fails searches a scope in which what is played has a planted bug.
func (w world) fails(t *testing.T) {
	t.Helper()
	lost, states := w.search(t).run()
	if lost == nil {
		t.Errorf("%s: nobody notices in %d states", w.name(), states)
	}
}

// A move; one that is aborted, and begun again; two in a row; and the second of
// them aborted. Whoever is not to hold the partition any more drops it.
func TestMoves(t *testing.T) {
	for _, p := range three {
		move := func(links ...string) {
			world{nodes: "ABCJ", old: "ABC", links: links, promise: p}.holds(t)
		}
		move("ABJ", "end")
		if effort.Small() {
			continue
		}
		move("ABJ", "abort")
		move("ABJ", "abort", "ABJ", "end")
		move("ABJ", "end", "ABC", "end")
		move("ABJ", "end", "ABC", "abort")
	}
}

// Two newcomers in one move, and lists of different length.
func TestMovesOfOtherShapes(t *testing.T) {
	promised := func(old, fresh string, p place.Promise) {
		nodes := old + strings.Trim(fresh, old)
		world{nodes: nodes, old: old, links: []string{fresh, "end"}, promise: p}.holds(t)
	}
	for _, p := range three {
		promised("AB", "ABC", p)
		promised("A", "ABC", p)
		promised("ABC", "AB", p)
		promised("ABC", "A", p)
		if !effort.Small() {
			promised("ABC", "AJK", p)
		}
	}
	if !effort.Small() { // a read at A and B could miss a write at C and D
		world{nodes: "ABCDJ", old: "ABCD", links: []string{"ABJ", "end"}, promise: place.Promise{N: 4, W: 2, R: 3}, across: true}.holds(t)
	}
}

// What is played must be as it is, too.
func TestMovesThatFail(t *testing.T) {
	for _, p := range three {
		w := world{nodes: "ABCJ", old: "ABC", links: []string{"ABJ", "end"}, promise: p}
		w.unfenced = true
		w.fails(t)
		if effort.Small() {
			continue
		}
		w.unfenced, w.relabeled, w.links = false, true, []string{"ABJ", "abort", "ABJ", "end"}
		w.fails(t)
	}
}

// A disk that is lost during a move: that of one who stays, of the one who leaves,
// of the newcomer.
func TestMovesWithALostDisk(t *testing.T) {
	for _, p := range three {
		for _, lost := range []string{"A", "C", "J"} {
			if effort.Small() && (p.W != 2 || lost != "A") {
				continue
			}
			world{nodes: "ABCJ", old: "ABC", links: []string{"ABJ", "end"}, promise: p, lost: lost}.holds(t)
		}
	}
}

// A disk that counts before a link has named it, or that is filled by who does not
// know of that link, loses what was promised.
func TestLostDisksThatFail(t *testing.T) {
	w := world{nodes: "ABCJ", old: "ABC", links: []string{"ABJ", "end"}, promise: usual, lost: "A"}
	w.anyDisk = true
	w.fails(t)
	w.anyDisk, w.early = false, true
	w.fails(t)
}
