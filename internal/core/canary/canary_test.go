package canary

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

const ms = time.Millisecond

// stage is a canary with its surroundings: every act takes a while and is answered
// as the test has it.
type stage struct {
	t       *testing.T
	c       *Canary
	now     clock.Now
	took    time.Duration
	holders Holders
	stored  map[string][]byte
	seen    []Act
}

func everybody(ring.Key) []ring.NodeID { return []ring.NodeID{"a", "b", "c"} }

func newStage(t *testing.T, cfg Config) *stage {
	return &stage{
		t: t, c: New(cfg, "a", rand.New(rand.NewPCG(1, 2))), took: ms / 2, holders: everybody, stored: map[string][]byte{},
	}
}

// act waits for the next act.
func (s *stage) act() Act {
	for range 100 {
		s.now.Mono = max(s.now.Mono, s.c.Deadline())
		if a := s.c.Step(s.now, s.holders); a.Kind != None {
			s.seen = append(s.seen, a)
			return a
		}
	}
	s.t.Fatal("nothing is to be done")
	return Act{}
}

func (s *stage) done(r Result) {
	s.now.Mono += s.took
	s.c.Done(s.now, r)
}

// truly answers an act as a store does that is never stale.
func (s *stage) truly(a Act) Result {
	switch a.Kind {
	case Write:
		s.stored[a.Key.Name] = a.Value
		return Result{Context: append([]byte("c"), a.Value...), Primaries: 3}
	case Read:
		return Result{Values: [][]byte{s.stored[a.Key.Name]}, Primaries: 3}
	}
	return Result{}
}

// upTo answers truly up to an act of some kind, which is returned.
func (s *stage) upTo(k Kind) Act {
	for {
		a := s.act()
		if a.Kind == k {
			return a
		}
		s.done(s.truly(a))
	}
}

func TestRounds(t *testing.T) {
	s := newStage(t, Config{})
	last := map[string][]byte{}
	var began []time.Duration
	for range 400 {
		a := s.upTo(Write)
		if len(began) > 0 && s.now.Mono-began[len(began)-1] < time.Second-ms {
			t.Fatalf("a round %v after the one before", s.now.Mono-began[len(began)-1])
		}
		began = append(began, s.now.Mono)
		if a.At != "a" || a.Key.Bucket != Bucket || string(a.Context) != string(last[a.Key.Name]) {
			t.Fatalf("writes %+v, where %q is known", a, last[a.Key.Name])
		}
		if b := s.c.Step(s.now, s.holders); b.Kind != None || s.c.Deadline() != 1<<63-1 {
			t.Fatalf("two acts at a time: %+v", b)
		}
		last[a.Key.Name] = append([]byte("c"), a.Value...)
		s.done(s.truly(a))
		acked := s.now.Mono
		r := s.act()
		if r.Kind != Read || r.At == "a" || r.Key != a.Key || !slices.Contains(s.c.cfg.Delays, s.now.Mono-acked) {
			t.Fatalf("then %+v, %v after the acknowledgement", r, s.now.Mono-acked)
		}
		s.done(s.truly(r))
	}
	if len(last) != Keys {
		t.Errorf("%d keys", len(last))
	}
	counts := s.c.Counts()
	total := uint64(0)
	for _, p := range counts.Pairs {
		for i := range counts.Delays {
			if p.Reads[i] == 0 || p.Stale[i] != 0 {
				t.Errorf("r=%d w=%d after %v: %d reads, %d stale", p.R, p.W, counts.Delays[i], p.Reads[i], p.Stale[i])
			}
			total += p.Reads[i]
		}
	}
	if len(counts.Pairs) != 9 || total != 400 || counts.Failed != 0 {
		t.Errorf("%d pairs, %d reads: %+v", len(counts.Pairs), total, counts)
	}
}

// What counts as stale, and what says nothing.
func TestCounts(t *testing.T) {
	only := Config{Delays: []time.Duration{0, 10 * ms}, Pairs: [][2]int{{2, 1}}}
	for _, c := range []struct {
		name  string
		write Result
		read  func(a Act, written []byte) Result
		late  time.Duration
		want  Count
	}{
		{"fresh", Result{Primaries: 1}, func(_ Act, v []byte) Result { return Result{Values: [][]byte{v}, Primaries: 2} }, 0, Count{Reads: [maxDelays]uint64{1}}},
		{"among siblings", Result{Primaries: 1}, func(_ Act, v []byte) Result {
			return Result{Values: [][]byte{[]byte("x"), v}, Primaries: 2}
		}, 0, Count{Reads: [maxDelays]uint64{1}}},
		{"the one before", Result{Primaries: 1}, func(Act, []byte) Result { return Result{Values: [][]byte{[]byte("x")}, Primaries: 2} }, 0, Count{Reads: [maxDelays]uint64{1}, Stale: [maxDelays]uint64{1}}},
		{"nothing", Result{Primaries: 1}, func(Act, []byte) Result { return Result{Primaries: 2} }, 0, Count{Reads: [maxDelays]uint64{1}, Stale: [maxDelays]uint64{1}}},
		{"by when it began", Result{Primaries: 1}, func(Act, []byte) Result { return Result{Primaries: 2} }, 12 * ms, Count{Reads: [maxDelays]uint64{0, 1}, Stale: [maxDelays]uint64{0, 1}}},
		{"a stand-in took the write", Result{}, func(Act, []byte) Result { return Result{Primaries: 2} }, 0, Count{StoodIn: 1, StoodInStale: 1}},
		{"a stand-in answered", Result{Primaries: 1}, func(_ Act, v []byte) Result { return Result{Values: [][]byte{v}, Primaries: 1} }, 0, Count{StoodIn: 1}},
	} {
		s := newStage(t, only)
		s.c.cfg.Delays = only.Delays
		a := s.upTo(Write)
		s.done(c.write)
		s.c.round.delay = 0
		s.now.Mono += c.late
		r := s.act()
		if a.Count != 1 || r.Count != 2 {
			t.Fatalf("%s: w=%d r=%d", c.name, a.Count, r.Count)
		}
		s.done(c.read(r, a.Value))
		c.want.R, c.want.W = 2, 1
		if got := s.c.Counts(); len(got.Pairs) != 1 || got.Pairs[0] != c.want || got.Failed != 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// After a failure it is not known what is stored: it is looked at before the next write,
// and the round says nothing.
func TestFailures(t *testing.T) {
	s := newStage(t, Config{Pairs: [][2]int{{1, 1}}})
	for range 200 {
		s.done(s.truly(s.act()))
	}
	before := s.c.Counts()
	a := s.upTo(Write)
	s.done(Result{Failed: true})
	if next := s.act(); next.Kind == Read {
		t.Fatalf("a write that failed is read: %+v", next)
	}
	s.done(s.truly(s.seen[len(s.seen)-1]))
	for s.seen[len(s.seen)-1].Key != a.Key || s.seen[len(s.seen)-1].Kind == Read {
		s.done(s.truly(s.act()))
	}
	if k := s.seen[len(s.seen)-1].Kind; k != Look {
		t.Fatalf("act %d of the key of which a write failed", k)
	}
	r := s.upTo(Read)
	s.done(Result{Failed: true})
	for { // what a failed read says nothing of is the context
		if b := s.upTo(Write); b.Key == r.Key && b.Context == nil {
			t.Fatal("the context is forgotten with a read")
		} else if b.Key == r.Key {
			break
		}
		s.done(s.truly(s.seen[len(s.seen)-1]))
	}
	if after := s.c.Counts(); before.Failed != 0 || after.Failed != 2 {
		t.Errorf("%d failures, then %d", before.Failed, after.Failed)
	}
}

// Keys are those that this node holds with others; their number is bounded, whatever
// becomes of the ring.
func TestKeysAreItsOwn(t *testing.T) {
	s := newStage(t, Config{})
	for shift := range 5 {
		s.holders = func(key ring.Key) []ring.NodeID {
			var i int
			if _, err := fmt.Sscanf(key.Name, "a/%d", &i); err != nil {
				t.Fatal(err)
			}
			switch (i + shift) % 5 {
			case 0:
				return []ring.NodeID{"b", "a"}
			case 1:
				return []ring.NodeID{"b", "c"}
			case 2:
				return []ring.NodeID{"a"}
			default:
				return nil
			}
		}
		used := map[string]bool{}
		for range 200 {
			a := s.upTo(Write)
			used[a.Key.Name] = true
			s.done(s.truly(a))
			if r := s.upTo(Read); r.At != "b" || len(s.c.known) > Keys {
				t.Fatalf("reads at %q; %d contexts", r.At, len(s.c.known))
			}
			s.done(s.truly(s.seen[len(s.seen)-1]))
		}
		if len(used) != Keys {
			t.Errorf("%d keys are used", len(used))
		}
	}
	s.holders = func(ring.Key) []ring.NodeID { return nil }
	for s.c.round.doing != None {
		s.done(s.truly(s.act()))
	}
	s.now.Mono = s.c.Deadline()
	if a := s.c.Step(s.now, s.holders); a.Kind != None || s.c.Deadline() < s.now.Mono+patience {
		t.Errorf("%+v without a key, and again in %v", a, s.c.Deadline()-s.now.Mono)
	}
}

// Where keys get another number of replicas other pairs overlap: it is counted anew.
func TestAnotherN(t *testing.T) {
	s := newStage(t, Config{Pairs: [][2]int{{1, 2}}})
	rounds := func(n int) Counts {
		for range n {
			s.upTo(Read)
			s.done(Result{Primaries: 1})
		}
		return s.c.Counts()
	}
	if got := rounds(20); got.N != 3 || len(got.Pairs) != 1 {
		t.Fatalf("%+v", got)
	}
	s.holders = func(ring.Key) []ring.NodeID { return []ring.NodeID{"a", "b"} }
	got := rounds(1)
	var reads uint64
	for _, n := range got.Pairs[0].Reads {
		reads += n
	}
	if got.N != 2 || reads != 1 {
		t.Errorf("%+v", got)
	}
}

func TestLevels(t *testing.T) {
	for n, want := range map[int][]int{1: {1}, 2: {1, 2}, 3: {1, 2, 3}, 5: {1, 3, 5}, 8: {1, 5, 8}} {
		if got := Levels(n); !slices.Equal(got, want) {
			t.Errorf("n=%d: %v", n, got)
		}
	}
}
