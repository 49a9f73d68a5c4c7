package demo

import (
	"fmt"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

const ringKeys = 40

func ringKey(at ring.NodeID, i int) ouro.Key {
	return ouro.Key{Bucket: "demo", Name: fmt.Sprint(at, " ", i)}
}

// fill writes keys through a node.
func (s *Scene) fill(at ring.NodeID) {
	for i := range ringKeys {
		s.put(at, ringKey(at, i), "v")
	}
}

// missing counts what was written through a node and is not shown by others.
func (s *Scene) missing(written ring.NodeID, at ...ring.NodeID) (n int) {
	for i := range ringKeys {
		for _, id := range at {
			if res, err := s.Get(id, ringKey(written, i)).Wait(); err != nil || len(values(res)) != 1 {
				n++
			}
		}
	}
	return n
}

// settle lets what moves come to rest.
func (s *Scene) settle() {
	s.RunFor(10 * time.Second)
	for end := s.Now() + 10*time.Minute; !s.Settled() && s.Now() < end && s.Broken() == nil; {
		s.RunFor(time.Second)
	}
	s.expect("all is where it is to be", true, s.Settled())
}

func formedApart(s *Scene) {
	s.begin(sim.Config{Changes: true, Reap: true, Compare: true, Apart: nodes("D", "E", "F")})
	s.RunFor(time.Minute)
	s.say("A, B and C founded a ring, and D, E and F another of the same name. %d keys are written in each.", ringKeys)
	s.fill("A")
	s.fill("D")
	s.expect("members of the first ring after a minute", 3, len(s.Place().Members()))
	s.say("They hear of each other, as through a seed that both know.")
	s.Introduce()
	s.settle()
	s.expect("members", 6, len(s.Place().Members()))
	s.expect("keys of either ring that some node of the other does not show", 0, s.missing("A", "D", "E", "F")+s.missing("D", "A", "B", "C"))
}

func joinAndLeave(s *Scene) {
	s.begin(sim.Config{Changes: true, Reap: true, Q: 32, Nodes: nodes("A", "B", "C", "D", "E"), Spares: nodes("F")})
	s.settle()
	s.fill("A")
	s.say("F joins, asked for at B; requests go on.")
	before := s.Stats().Ring
	s.Join("B", "F")
	failed := 0
	for i := range ringKeys {
		if _, err := s.Get("C", ringKey("A", i)).Wait(); err != nil {
			failed++
		}
		s.RunFor(100 * time.Millisecond)
	}
	s.settle()
	s.expect("members", 6, len(s.Place().Members()))
	s.expect("reads that failed meanwhile", 0, failed)
	after := s.Stats().Ring
	s.hold("partitions that moved, each as a whole", after.Ended > before.Ended, after.Ended-before.Ended)
	s.expect("keys that F does not show", 0, s.missing("A", "F"))
	s.say("A leaves, and hands on first.")
	s.Leave("B", "A")
	s.settle()
	s.expect("members", 5, len(s.Place().Members()))
	s.expect("keys that are missing", 0, s.missing("A", "B", "F"))
}

func weights(s *Scene) {
	list := nodes("A", "B", "C", "D", "E", "F")
	list[5].Weight = 2
	s.begin(sim.Config{Nodes: list, Q: 256, Buckets: all(numbers(3, 2, 2))})
	const keys = 700
	load := func() map[ring.NodeID]int {
		held := map[ring.NodeID]int{}
		for i := range keys {
			key := ouro.Key{Bucket: "demo", Name: fmt.Sprint(i)}
			s.put("A", key, "v", ouro.Blind())
			for _, n := range list {
				_, own := s.State(n.ID, key)
				_, kept := s.KeptFor(n.ID, key)
				if own || kept {
					held[n.ID]++
				}
			}
		}
		return held
	}
	before := load()
	share := float64(before["F"]) * 7 / (3 * keys)
	s.hold("records of F, of weight 2, over a seventh of all: about 2", share > 1.6 && share < 2.4, fmt.Sprintf("%.2f", share))
	s.say("B is killed. What it would hold is held by all others.")
	s.Crash("B")
	s.RunFor(time.Second)
	after := load()
	for _, n := range list {
		if n.ID != "B" {
			more := after[n.ID] - before[n.ID]
			s.hold(fmt.Sprintf("more at %s, of %d", n.ID, before["B"]), more > before["B"]/15, more)
		}
	}
}
