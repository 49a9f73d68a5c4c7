package demo

import (
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

func figure3(s *Scene) {
	s.begin(sim.Config{Nodes: nodes("X", "Y", "Z"), Buckets: all(numbers(3, 1, 1))})
	key := ouro.Key{Bucket: "demo", Name: "figure 3"}
	d1 := s.put("X", key, "D1")
	s.clock("D1, written at X", key, d1.Context, "[(X,1)]")
	d2 := s.put("X", key, "D2", ouro.WithContext(d1.Context))
	s.RunUntilIdle()
	s.clock("D2, written at X", key, d2.Context, "[(X,2)]")
	s.say("Two clients have read D2; X, Y and Z lose sight of each other.")
	s.Cut("X", "Y")
	s.Cut("Y", "Z")
	s.Cut("X", "Z")
	s.RunFor(time.Second)
	d3 := s.put("Y", key, "D3", ouro.WithContext(d2.Context))
	s.clock("D3, written at Y", key, d3.Context, "[(X,2) (Y,1)]")
	d4 := s.put("Z", key, "D4", ouro.WithContext(d2.Context))
	s.clock("D4, written at Z", key, d4.Context, "[(X,2) (Z,1)]")
	s.Heal("X", "Y")
	s.Heal("Y", "Z")
	s.Heal("X", "Z")
	s.RunFor(time.Second)
	both := s.shows("X", key, []string{"D3", "D4"}, ouro.R(3))
	s.clock("what was read", key, both.Context, "[(X,2) (Y,1) (Z,1)]")
	s.RunUntilIdle()
	both = s.shows("X", key, []string{"D3", "D4"})
	d5 := s.put("X", key, "D5", ouro.WithContext(both.Context))
	s.RunUntilIdle()
	after := s.shows("Y", key, []string{"D5"}, ouro.R(3))
	s.expect("who coordinated D5", "X", d5.Coordinator)
	s.clock("D5", key, after.Context, "[(X,3) (Y,1) (Z,1)]")
}

func cart(s *Scene) {
	s.begin(sim.Config{Nodes: nodes("A", "B", "C", "D"), Tokens: handRing("A", "B", "C", "D"), Buckets: all(numbers(3, 2, 2))})
	key := s.keyOf("A")
	s.put("A", key, "book lamp")
	s.RunUntilIdle()
	seen := s.shows("B", key, []string{"book lamp"})
	left, right := []ring.NodeID{"A", "D"}, []ring.NodeID{"B", "C"}
	s.say("A and D are parted from B and C. One side adds a pen, the other takes the lamp out.")
	s.part(left, right)
	s.RunFor(time.Second)
	s.put("A", key, "book lamp pen", ouro.WithContext(seen.Context))
	s.put("B", key, "book", ouro.WithContext(seen.Context))
	s.shows("D", key, []string{"book lamp pen"})
	s.shows("C", key, []string{"book"})
	s.unite(left, right)
	s.RunUntilIdle()
	both := s.shows("D", key, []string{"book", "book lamp pen"}, ouro.R(3))
	items := strings.Fields(strings.Join(values(both), " "))
	slices.Sort(items)
	s.put("C", key, strings.Join(slices.Compact(items), " "), ouro.WithContext(both.Context))
	s.say("The client has merged the two. What was added is there, and the lamp is back, as section 4.4 says.")
	s.shows("A", key, []string{"book lamp pen"}, ouro.R(3))
}

func sessions(s *Scene) {
	last := numbers(3, 1, 1)
	last.LWW = true
	s.begin(sim.Config{Compare: true, Buckets: node.Buckets{Default: numbers(3, 2, 2), Named: map[string]member.Bucket{"sessions": last}}})
	key := ouro.Key{Bucket: "sessions", Name: "visitor"}
	s.say("The clock of A is ten seconds ahead, and A is parted from B and C.")
	s.Jump("A", 10*time.Second)
	s.part([]ring.NodeID{"A"}, []ring.NodeID{"B", "C"})
	s.RunFor(time.Second)
	s.put("A", key, "home")
	s.RunFor(5 * time.Second)
	s.put("B", key, "checkout, five seconds later")
	s.unite([]ring.NodeID{"A"}, []ring.NodeID{"B", "C"})
	s.RunFor(5 * time.Second)
	s.say("One version is shown, the one with the greatest stamp: the later write is lost to its client.")
	for _, at := range []ring.NodeID{"A", "B", "C"} {
		s.shows(at, key, []string{"home"}, ouro.R(3))
	}
	s.say("A writer that knows of it wins, though its clock is behind.")
	s.put("B", key, "receipt")
	s.shows("A", key, []string{"receipt"}, ouro.R(3))
}

func catalogue(s *Scene) {
	s.begin(sim.Config{Nodes: nodes("A", "B", "C", "D"), Tokens: handRing("A", "B", "C", "D"), Buckets: all(numbers(3, 1, 3))})
	key := s.keyOf("A")
	put := s.Put("A", key, ouro.Value{Data: []byte("old price")})
	if _, err := put.Wait(); err != nil {
		s.expect("a put", "done", err)
	}
	get := s.Get("B", key)
	res, _ := get.Wait()
	s.expect("a get of one replica right after it", []string{"old price"}, values(res))
	s.hold("the read took less than a tenth of the write", get.Took() < put.Took()/10, []time.Duration{get.Took(), put.Took()})
	s.say("C, one of the three, is down.")
	s.Crash("C")
	s.RunFor(time.Second)
	_, err := s.Put("A", key, ouro.Value{Data: []byte("x")}, ouro.PW(3)).Wait()
	s.expect("a put that wants all primaries", ouro.QuorumUnavailable, ouro.CodeOf(err))
	s.put("A", key, "new price", ouro.WithContext(res.Context))
	s.say("Without pw a stand-in took the write. C is back, and shows the old price until it is handed the new one.")
	s.Restart("C")
	s.shows("C", key, []string{"old price"})
	s.RunUntilIdle()
	s.shows("C", key, []string{"new price"})
}
