package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

func handoff(s *Scene) {
	s.begin(sim.Config{Nodes: nodes("A", "B", "C", "D"), Tokens: handRing("A", "B", "C", "D"), Buckets: all(numbers(3, 2, 3))})
	key := s.keyOf("A")
	s.say("A, the first of the key's three, is killed. A put wants three acknowledgements.")
	s.Crash("A")
	s.RunFor(time.Second)
	res := s.put("B", key, "v")
	s.expect("acknowledgements, and primaries among them", "3 2", fmt.Sprint(res.Quorum.Acks, " ", res.Quorum.Primaries))
	s.expect("what D has of its own", []string(nil), s.has("D", key))
	for _, b := range s.Backlog("D") {
		s.expect("what D keeps is for", "A", b.Target)
	}
	s.hold("bytes that D keeps", s.Kept("D") > 0, s.Kept("D"))
	s.say("A is back.")
	s.Restart("A")
	s.RunUntilIdle()
	s.expect("what A has", []string{"v"}, s.has("A", key))
	s.expect("bytes that D keeps", 0, s.Kept("D"))
}

func lastNode(s *Scene) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	s.begin(sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: all(numbers(3, 1, 1))})
	key := s.keyOf("A")
	seen := ouro.Blind()
	for i, down := range ids[:4] {
		s.Crash(down)
		s.RunFor(time.Second)
		value := fmt.Sprint("with ", i+1, " down")
		s.put("E", key, value, seen)
		seen = ouro.WithContext(s.shows("E", key, []string{value}).Context)
	}
	s.Crash("E")
	_, err := s.Put("E", key, ouro.Value{Data: []byte("x")}).Wait()
	s.expect("a put when all are down", ouro.QuorumUnavailable, ouro.CodeOf(err))
	for _, up := range ids {
		s.Restart(up)
	}
	s.RunUntilIdle()
	s.say("All are back. What was written while the three were down has come to them.")
	s.shows("C", key, []string{"with 4 down"}, ouro.R(3), ouro.PR(3))
}

func zoneLoss(s *Scene) {
	list := nodes("A1", "A2", "B1", "B2", "C1", "C2")
	for i := range list {
		list[i].Zone = string(list[i].ID[:1])
	}
	s.begin(sim.Config{Nodes: list, Q: 16, Buckets: all(numbers(3, 2, 2))})
	const keys = 24
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "demo", Name: fmt.Sprint(i)} }
	for i := range keys {
		s.put("A1", key(i), "before")
	}
	s.say("Zone B dies, both nodes at once. %d keys are read and written at the others.", keys)
	s.Crash("B1")
	s.Crash("B2")
	failed := 0
	for i := range keys {
		at := []ring.NodeID{"A1", "A2", "C1", "C2"}[i%4]
		res, err := s.Get(at, key(i)).Wait()
		if err == nil {
			_, err = s.Put(at, key(i), ouro.Value{Data: []byte("meanwhile")}, ouro.WithContext(res.Context)).Wait()
		}
		if err != nil {
			failed++
		}
	}
	s.expect("requests that failed", 0, failed)
	s.Restart("B1")
	s.Restart("B2")
	s.RunUntilIdle()
	zones, unequal := 3, 0
	for i := range keys {
		if _, err := s.Get("B1", key(i), ouro.R(3)).Wait(); err != nil {
			failed++
		}
		s.RunUntilIdle()
		list := s.Preference(key(i))[:3]
		in := map[byte]bool{}
		first, _ := s.State(list[0], key(i))
		for _, id := range list {
			in[id[0]] = true
			if state, _ := s.State(id, key(i)); string(state.Append(nil)) != string(first.Append(nil)) {
				unequal++
			}
		}
		zones = min(zones, len(in))
	}
	s.expect("zones that the replicas of each key are in", 3, zones)
	s.expect("replicas that differ when the zone is back", 0, unequal)
}

func lostDisk(s *Scene) {
	cfg := sim.Config{Compare: true, Buckets: all(numbers(3, 2, 2))}
	cfg.Runner.MaxPending = -1 // nothing is kept for others
	s.begin(cfg)
	const keys = 100
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "demo", Name: fmt.Sprint(i)} }
	for i := range keys {
		s.put("A", key(i), "v")
	}
	s.RunFor(time.Second)
	s.say("C loses its disk with %d keys, and no hints are kept anywhere.", keys)
	s.Crash("C")
	s.Wipe("C")
	s.Restart("C")
	s.RunFor(100 * time.Millisecond)
	s.expect("C counts for reads", false, !s.Recovering("C"))
	before := s.Stats()
	for s.Recovering("C") && s.Now() < 10*time.Minute {
		s.RunFor(time.Second)
	}
	s.expect("C counts for reads, after it has compared", true, !s.Recovering("C"))
	held := 0
	for i := range keys {
		if slices.Equal(s.has("C", key(i)), []string{"v"}) {
			held++
		}
	}
	after := s.Stats()
	s.expect("keys that C has", keys, held)
	s.expect("read repairs and hints that helped", "0 0", fmt.Sprint(after.Repairs-before.Repairs, " ", after.Handed))
	s.hold("bytes of states sent in comparisons", after.Exchanged > before.Exchanged, after.Exchanged-before.Exchanged)
}

func readRepair(s *Scene) {
	s.begin(sim.Config{Node: node.Config{RepairWait: 100 * time.Millisecond}})
	key := ouro.Key{Bucket: "demo", Name: "k"}
	s.say("C is cut off while a key is written. Nodes compare nothing, and no stand-in is there.")
	s.part([]ring.NodeID{"C"}, []ring.NodeID{"A", "B"})
	s.RunFor(time.Second)
	s.put("A", key, "v")
	s.RunUntilIdle()
	s.unite([]ring.NodeID{"C"}, []ring.NodeID{"A", "B"})
	s.RunFor(time.Second)
	s.expect("what C has", []string(nil), s.has("C", key))
	s.Slow("C", 20*time.Millisecond)
	get := s.Get("A", key)
	res, _ := get.Wait()
	s.expect("a get at A", []string{"v"}, values(res))
	s.hold("it did not wait for C, which answers after 40 ms", get.Took() < 10*time.Millisecond, get.Took())
	s.RunFor(200 * time.Millisecond)
	s.expect("what C has, after that one read", []string{"v"}, s.has("C", key))
}
