package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestPartitionsMove moves every partition to another node: the newcomers merge
// what the gate asks for and prove it, the link that ends the moves follows, and
// the leavers let go. Every state goes over the wire once.
func TestPartitionsMove(t *testing.T) {
	s := newShifting(t, 5, 16, inMemory)
	keys := s.fill(400, 20)
	s.link(s.begins())
	s.adoptAll()
	s.settle("proven", s.allProven)
	s.link(s.ends())
	s.adoptAll()
	s.settle("clean", s.allClean)
	s.wantData(keys)
	for _, n := range s.nodes {
		for what, times := range n.given {
			if times > 1 {
				t.Errorf("%s was sent to %s %d times", what, n.id, times)
			}
		}
		if all := n.core.Transfers(nil); len(all) != 0 {
			t.Errorf("%s: pending %+v", n.id, all)
		}
	}
}

// TestMovesAreAborted: the newcomers let go of all, and the others keep theirs.
func TestMovesAreAborted(t *testing.T) {
	s := newShifting(t, 5, 16, inMemory)
	keys := s.fill(100, 20)
	moves := s.begins()
	s.link(moves)
	s.adoptAll()
	s.settle("proven", s.allProven)
	for i := range moves {
		moves[i].New = nil
	}
	s.link(moves)
	s.adoptAll()
	s.settle("clean", s.allClean)
	s.wantData(keys)
}

// TestNobodyCountsWhoHasNotHeard: members of the old list that have not adopted
// the link are no sources, and newcomers wait for them; also where there is nothing to
// be had from them.
func TestNobodyCountsWhoHasNotHeard(t *testing.T) {
	for _, keys := range []int{40, 0} {
		t.Run(fmt.Sprint(keys, " keys"), func(t *testing.T) { waitsForWhoHasNotHeard(t, keys) })
	}
}

func waitsForWhoHasNotHeard(t *testing.T, keys int) {
	s := newShifting(t, 4, 4, inMemory)
	s.fill(keys, 20)
	s.link(s.begins())
	d := s.nodes[3]
	s.adopt(d)
	for range 20 {
		for s.deliver() {
		}
		s.pass()
	}
	if len(d.proven) > 0 || len(d.given) > 0 {
		t.Errorf("proven %d, %d states came", len(d.proven), len(d.given))
	}
	a := s.nodes[0]
	if want := (node.Fetch{From: "d", Number: s.place.Number()}); !slices.Contains(a.fetches, want) {
		t.Errorf("who was asked at a later number wants %v, not %v", a.fetches, want)
	}
	s.adoptAll()
	s.settle("proven", s.allProven)
}

// TestWhoIsBehindLearns: a newcomer that asks at a number that has passed hears of
// the later one.
func TestWhoIsBehindLearns(t *testing.T) {
	s := newShifting(t, 4, 4, inMemory)
	s.fill(40, 20)
	moves := s.begins()
	s.link(moves)
	d := s.nodes[3]
	d.view = s.viewOf(d)
	for i := range moves {
		moves[i].New = nil
	}
	s.link(moves) // aborted
	for _, n := range s.nodes[:3] {
		s.adopt(n)
	}
	s.step(d, d.view)
	for s.deliver() {
	}
	if len(d.proven) > 0 || !slices.ContainsFunc(d.fetches, func(f node.Fetch) bool { return f.Number == s.place.Number() }) {
		t.Errorf("proven %d, wants %v", len(d.proven), d.fetches)
	}
}

// TestRules_E1_LeftOverHoldsTheEpoch: a node with something left over keeps
// something older than anything.
func TestRules_E1_LeftOverHoldsTheEpoch(t *testing.T) {
	s := newShifting(t, 4, 4, inMemory)
	s.fill(40, 20)
	s.link(s.begins())
	s.adoptAll()
	s.settle("proven", s.allProven)
	s.link(s.ends())
	leaver := s.nodes[0]
	s.adopt(leaver)
	if stamp, any := leaver.core.Lowest(5, false); !any || stamp != 0 || leaver.clean.LeftOver == 0 {
		t.Errorf("the lowest stamp of a leaver is %d, %v; %+v", stamp, any, leaver.clean)
	}
	s.adoptAll()
	s.settle("clean", s.allClean)
	if stamp, any := leaver.core.Lowest(5, true); !any || stamp != 5 {
		t.Errorf("then it is %d, %v", stamp, any)
	}
}

// TestHeldAtOnce: what came since the start is left over like what the disk had.
func TestHeldAtOnce(t *testing.T) {
	s := newShifting(t, 4, 4, inMemory)
	var keys []ring.Key
	for i := range 20 {
		k := ring.NewKey("b", fmt.Sprint(i))
		at := s.node(s.place.Of(s.ring.Partition(k.Pos)).Old[0])
		s.step(at, &node.Request{ID: uint64(i + 1), Verb: node.Put, Key: k, Value: []byte("v")})
		keys = append(keys, k)
	}
	for s.deliver() {
	}
	s.wantData(keys)
	s.link(s.begins())
	s.adoptAll()
	s.settle("proven", s.allProven)
	s.link(s.ends())
	s.adoptAll()
	s.settle("clean", s.allClean)
	s.wantData(keys)
}

// TestNewcomerTakesNoTurn: a newcomer is in no comparison in turn, here or there,
// or the same states would come twice; once the move has ended it is.
func TestNewcomerTakesNoTurn(t *testing.T) {
	s := newShifting(t, 4, 4, inMemory)
	with := func(n *mover) int {
		partitions := 0
		for _, a := range n.core.Agreements(clock.Now{}, nil) {
			partitions += a.Partitions
		}
		return partitions
	}
	before := 0
	for _, n := range s.nodes {
		before += with(n)
	}
	s.link(s.begins())
	s.adoptAll()
	during := 0
	for _, n := range s.nodes {
		during += with(n)
	}
	s.settle("proven", s.allProven)
	s.link(s.ends())
	s.adoptAll()
	after := 0
	for _, n := range s.nodes {
		after += with(n)
	}
	if before != 4*3*2 || during != before || after != before {
		t.Errorf("pairs that compare: %d before, %d during, %d after", before, during, after)
	}
}

// TestMovesThroughCrashes kills nodes in the middle of moves, newcomers, donors
// and leavers, at every stage. Nothing is lost, and what comes twice is what was
// under way (paper, 4.9.3).
func TestMovesThroughCrashes(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 9))
		s := newShifting(t, 5, 8, inMemory)
		s.keys = 2
		keys := s.fill(600, 20)
		crashes := 0
		disturb := func() {
			for range r.IntN(400) {
				s.deliver()
			}
			n := s.nodes[r.IntN(len(s.nodes))]
			s.stop(n)
			crashes++
			for range r.IntN(200) {
				s.deliver()
			}
			s.start(n)
		}
		s.link(s.begins())
		for _, i := range r.Perm(len(s.nodes)) {
			s.adopt(s.nodes[i])
			disturb()
		}
		s.settle("proven", s.allProven)
		s.link(s.ends())
		for _, i := range r.Perm(len(s.nodes)) {
			s.adopt(s.nodes[i])
			disturb()
		}
		s.settle("clean", s.allClean)
		s.wantData(keys)
		twice := 0
		for _, n := range s.nodes {
			for _, times := range n.given {
				twice += times - 1
			}
		}
		if twice > crashes*s.keys { // what one comparison of one peer has under way
			t.Errorf("seed %d: %d states were sent twice, in %d crashes", seed, twice, crashes)
		}
		if t.Failed() {
			return
		}
	}
}
