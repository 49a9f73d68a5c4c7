package workload

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
)

// Shared is clients that do everything to the same keys: reads, writes under
// fresh and stale contexts, blind writes, deletes.
type Shared struct {
	Bucket  string
	Keys    int
	Hot     int     // so many of the keys get half of the load; 0: none does
	Gets    float64 // share of reads; the rest writes
	Deletes float64 // of the writes, share of deletes
	Blind   float64 // of the writes, share without a context
	Stale   float64 // of the contexts, share of old ones
	Size    int     // of values, at most
	Think   time.Duration
	// Vary is the share of operations that ask for numbers of their own, up to
	// N.
	Vary float64
	N    int

	seen [][]*Seen // by key, the latest last
}

var _ Workload = (*Shared)(nil)

// memory is how many contexts are remembered of each key.
const memory = 8

// Setup implements [Workload].
func (s *Shared) Setup(int) { s.seen = make([][]*Seen, s.Keys) }

// Lone implements [Workload].
func (s *Shared) Lone() []ouro.Key { return nil }

func (s *Shared) key(i int) ouro.Key { return ouro.Key{Bucket: s.Bucket, Name: fmt.Sprintf("s%d", i)} }

// Next implements [Workload].
func (s *Shared) Next(_ int, r *rand.Rand) Op {
	i := r.IntN(s.Keys)
	if s.Hot > 0 && r.IntN(2) == 0 {
		i = r.IntN(s.Hot)
	}
	op := Op{Verb: Get, Key: s.key(i), Pause: pause(r, s.Think), Size: r.IntN(s.Size + 1)}
	if r.Float64() >= s.Gets {
		op.Verb = Put
		if r.Float64() < s.Deletes {
			op.Verb = Delete
		}
		if r.Float64() >= s.Blind {
			op.Context = s.context(i, r)
		}
	}
	if r.Float64() < s.Vary {
		s.vary(&op, r)
	}
	return op
}

// context draws what a write goes on from.
func (s *Shared) context(i int, r *rand.Rand) *Seen {
	known := s.seen[i]
	switch {
	case len(known) == 0:
		return nil
	case r.Float64() < s.Stale:
		return known[r.IntN(len(known))]
	default:
		return known[len(known)-1]
	}
}

// vary draws numbers for one operation.
func (s *Shared) vary(op *Op, r *rand.Rand) {
	set := func(n int) ouro.Count { return ouro.Count{N: n, Set: true} }
	n := 1 + r.IntN(s.N)
	if op.Verb != Put { // a delete without context reads at r first
		op.R, op.PR = set(n), set(r.IntN(n+1))
	}
	if op.Verb != Get {
		op.W, op.PW, op.DW = set(n), set(r.IntN(n+1)), set(r.IntN(n+1))
	}
}

// Done implements [Workload].
func (s *Shared) Done(_ int, op *Op, seen *Seen, _ bool) {
	if seen == nil {
		return
	}
	var i int
	if _, err := fmt.Sscanf(op.Key.Name, "s%d", &i); err != nil {
		return
	}
	known := append(s.seen[i], seen)
	if len(known) > memory {
		known = append(known[:0], known[1:]...)
	}
	s.seen[i] = known
}

// pause draws how long a client thinks.
func pause(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean))
}
