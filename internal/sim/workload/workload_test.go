package workload

import (
	"math/rand/v2"
	"testing"

	"github.com/ourodb/ouro"
)

func TestSharedDrawsEverything(t *testing.T) {
	s := &Shared{Bucket: "b", Keys: 4, Hot: 1, Gets: 0.4, Deletes: 0.2, Blind: 0.2, Stale: 0.3, Size: 10, Vary: 0.3, N: 3}
	s.Setup(1)
	r := rand.New(rand.NewPCG(1, 1))
	var verbs [3]int
	blind, varied, stale := 0, 0, 0
	latest := map[string]*Seen{}
	for range 2000 {
		op := s.Next(0, r)
		verbs[op.Verb]++
		if op.Verb != Get && op.Context == nil {
			blind++
		}
		if op.Context != nil && op.Context != latest[op.Key.Name] {
			stale++
		}
		if op.R.Set || op.W.Set {
			varied++
		}
		if op.PR.N > op.R.N || op.PW.N > op.W.N || op.DW.N > op.W.N || op.R.N > 3 || op.W.N > 3 {
			t.Fatalf("impossible numbers: %+v", op)
		}
		latest[op.Key.Name] = &Seen{}
		s.Done(0, &op, latest[op.Key.Name], true)
	}
	for v, n := range verbs {
		if n == 0 {
			t.Errorf("verb %d is never drawn", v)
		}
	}
	if blind == 0 || varied == 0 || stale == 0 {
		t.Errorf("blind %d, varied %d, stale %d: none may be 0", blind, varied, stale)
	}
}

func TestAloneReadsBeforeEachWrite(t *testing.T) {
	a := &Alone{Bucket: "b"}
	a.Setup(2)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 4 {
		read := a.Next(1, r)
		if read.Verb != Get {
			t.Fatalf("round %d begins with verb %d", i, read.Verb)
		}
		seen := &Seen{Context: ouro.Context("c")}
		a.Done(1, &read, seen, true)
		write := a.Next(1, r)
		if write.Verb != Put || write.Context != seen {
			t.Fatalf("round %d writes %+v", i, write)
		}
		a.Done(1, &write, &Seen{}, i%2 == 0)
	}
	if len(a.Lone()) != 2 {
		t.Errorf("%d lone keys for two clients", len(a.Lone()))
	}
}

func TestClashUsesOwnLastWrite(t *testing.T) {
	c := &Clash{Key: ouro.Key{Bucket: "b", Name: "k"}}
	c.Setup(2)
	r := rand.New(rand.NewPCG(1, 1))
	var last [2]*Seen
	for i := range 40 {
		op := c.Next(i%2, r)
		if op.Verb == Put && op.Context != last[i%2] {
			t.Fatalf("write %d goes on from %v", i, op.Context)
		}
		seen := &Seen{Siblings: i}
		if op.Verb == Put {
			last[i%2] = seen
		}
		c.Done(i%2, &op, seen, true)
	}
}
