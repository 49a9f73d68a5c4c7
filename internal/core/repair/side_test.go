package repair_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// side is the storage of one of two nodes, in the plainest form there is: every
// answer is made from all records, and pages are short.
type side struct {
	records map[string][]byte // by bucket/name
	replica *replica.Replica
	rotten  map[string]bool
	refuse  replica.Reason // of every operation
	stamp   uint64         // of what it shows
	joined  []uint64       // under which stamps
	reads   int
	leaf    int // how many keys a leaf of its tree may have
	page    int // how many roots, or keys, are told at a time
}

func newSide(run uint64) *side {
	r := replica.New(replica.Config{Run: run, Seed: 3})
	r.Stand(replica.Standing{Known: true}) // it takes stamped states
	return &side{leaf: 1, page: 2, records: map[string][]byte{}, rotten: map[string]bool{}, replica: r}
}

func id(k ring.Key) string { return k.Bucket + "/" + k.Name }

// put mints a version under what is there.
func (s *side) put(k ring.Key, value string) {
	op := replica.Op{Verb: replica.Write, Key: k, Mint: &replica.Mint{LWW: true, Value: []byte(value)}}
	s.records[id(k)] = s.replica.Do(clock.Now{Wall: 1}, s.records[id(k)], &op, nil).Record
}

// do carries out an operation, at once and durably.
func (s *side) do(op *replica.Op) replica.Answer {
	if s.refuse != replica.None {
		return replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Failed, Reason: s.refuse}
	}
	if op.Verb == replica.Join {
		s.joined = append(s.joined, op.Stamp)
	}
	if op.Verb == replica.Read {
		s.reads++
	}
	stored := s.records[id(op.Key)]
	if s.rotten[id(op.Key)] {
		stored = []byte("rotten")
	}
	res := s.replica.Do(clock.Now{Wall: 1}, stored, op, nil)
	if res.Record != nil {
		s.records[id(op.Key)] = res.Record
	}
	res.Answer.Durable = op.Verb == replica.Join && res.Answer.Status == replica.Have
	res.Answer.Stamp = s.stamp
	return res.Answer
}

// keys lists the keys of a bucket, all where it is "", in order.
func (s *side) keys(bucket string) []ring.Key {
	var keys []ring.Key
	for name := range s.records {
		if b, n, _ := strings.Cut(name, "/"); bucket == "" || b == bucket {
			keys = append(keys, ring.NewKey(b, n))
		}
	}
	slices.SortFunc(keys, func(a, b ring.Key) int {
		if a.Bucket != b.Bucket {
			return replica.BucketOrder(a.Bucket, b.Bucket)
		}
		return replica.KeyOrder(&a, &b)
	})
	return keys
}

func (s *side) sum(k ring.Key) (digest, sum merkle.Sum) {
	digest, sum, err := s.replica.Member(k.Name, s.records[id(k)])
	if err != nil || s.rotten[id(k)] {
		return merkle.Sum{}, merkle.Sum{}
	}
	return digest, sum
}

func (s *side) survey(q *replica.Survey) replica.Found {
	f := replica.Found{ID: q.ID, Look: q.Look, Status: replica.Have, Recovering: s.replica.Recovering(7)}
	switch q.Look {
	case replica.Roots:
		s.roots(q, &f)
	case replica.Parts:
		depth, _ := q.Span.Depth()
		s.parts(q, q.Span, depth, &f)
	case replica.Keys:
		s.list(q, &f)
	}
	return f
}

// parts cuts a span until there are few keys in each part, or it is a sixteenth.
func (s *side) parts(q *replica.Survey, at merkle.Span, depth uint8, f *replica.Found) {
	part, size := merkle.Part{}, 0
	for _, k := range s.keys(q.Bucket) {
		if at.Holds(k.Pos.Hi) {
			_, sum := s.sum(k)
			part.Count, part.Sum, size = part.Count+1, merkle.Add(part.Sum, sum), size+1
		}
	}
	top, _ := q.Span.Depth()
	switch {
	case size == 0:
	case size <= s.leaf || depth == top+4:
		part.Number = merkle.NumberOf(top, at.First, depth)
		f.Parts = append(f.Parts, part)
	default:
		lower, upper := at.Halves()
		s.parts(q, lower, depth+1, f)
		s.parts(q, upper, depth+1, f)
	}
}

func (s *side) roots(q *replica.Survey, f *replica.Found) {
	for _, k := range s.keys("") {
		if q.After != "" && replica.BucketOrder(k.Bucket, q.After) <= 0 {
			continue
		}
		if n := len(f.Roots); n == 0 || f.Roots[n-1].Bucket != k.Bucket {
			if n == s.page {
				f.Next = f.Roots[n-1].Bucket
				return
			}
			f.Roots = append(f.Roots, replica.Root{Bucket: k.Bucket})
		}
		r := &f.Roots[len(f.Roots)-1]
		_, sum := s.sum(k)
		r.Count, r.Sum = r.Count+1, merkle.Add(r.Sum, sum)
	}
}

func (s *side) list(q *replica.Survey, f *replica.Found) {
	seen := 0
	after := ring.NewKey(q.Bucket, q.After)
	for _, k := range s.keys(q.Bucket) {
		if !q.Span.Holds(k.Pos.Hi) || q.After != "" && replica.KeyOrder(&k, &after) <= 0 {
			continue
		}
		if seen++; seen > s.page {
			return
		}
		f.Next = k.Name
		if digest, _ := s.sum(k); digest != (merkle.Sum{}) {
			f.Keys = append(f.Keys, replica.Listed{Name: k.Name, Digest: digest})
		} else {
			f.Unreadable++
		}
	}
	f.Next = ""
}

// contains reports whether this side has merged everything of a copy of the
// other's records.
func (s *side) contains(t testing.TB, records map[string][]byte) bool {
	for name, record := range records {
		theirs, err := replica.DecodeRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		var mine causal.State
		if s.records[name] != nil {
			if mine, err = replica.DecodeRecord(s.records[name]); err != nil {
				t.Fatal(err)
			}
		}
		j, _ := causal.JoinStates(mine, theirs)
		if string(j.Append(nil)) != string(mine.Append(nil)) {
			return false
		}
	}
	return true
}
