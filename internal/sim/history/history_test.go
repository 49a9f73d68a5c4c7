package history

import (
	"strings"
	"testing"
	"time"
)

// script writes histories by hand: each call is one step of a client, the clock
// goes on by a second between them.
type script struct {
	h   *History
	now time.Duration
	t   *testing.T
}

func newScript(t *testing.T) *script { return &script{h: New(), t: t} }

func (s *script) tick() time.Duration {
	s.now += time.Second
	return s.now
}

// begin invokes an operation with n=3, r=w=2.
func (s *script) begin(v Verb, key string, ctx *Response) *Op {
	op := &Op{Verb: v, Key: key, N: 3, R: 2, W: 2, Context: ctx, Attempts: 1}
	s.h.Invoke(op, s.tick())
	return op
}

// end returns it; sees are the writes whose values it shows.
func (s *script) end(op *Op, o Outcome, sees ...*Op) (*Response, *Violation) {
	res := Result{Outcome: o}
	if o == OK {
		res.Context = []byte("sealed")
	}
	for _, w := range sees {
		res.Values = append(res.Values, Value(w.ID, w.Key, 0))
	}
	return s.h.Return(op, res, s.tick())
}

// must does an operation that breaks nothing.
func (s *script) must(v Verb, key string, ctx *Response, sees ...*Op) (*Op, *Response) {
	s.t.Helper()
	op := s.begin(v, key, ctx)
	r, broken := s.end(op, OK, sees...)
	if broken != nil {
		s.t.Fatal(broken)
	}
	return op, r
}

// settle ends the history: what every node shows, and the judgement.
func (s *script) settle(key string, shows ...*Op) *Violation {
	var values [][]byte
	for _, w := range shows {
		values = append(values, Value(w.ID, w.Key, 0))
	}
	if v := s.h.Settle(key, values, "a node"); v != nil {
		return v
	}
	return s.h.Judge()
}

// expect asserts which promise is broken; the zero promise: none.
func expect(t *testing.T, v *Violation, want Promise) {
	t.Helper()
	switch {
	case v == nil && want.Code == 0:
	case v == nil:
		t.Errorf("nothing was found, want %s", want.Name)
	case v.Promise != want:
		t.Errorf("found %v, want %q", v, want.Name)
	}
}

var kept Promise

func TestLost(t *testing.T) {
	t.Run("acknowledged and gone", func(t *testing.T) {
		s := newScript(t)
		s.must(Put, "k", nil)
		expect(t, s.settle("k"), Lost)
	})
	t.Run("replaced by what is there", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", r)
		expect(t, s.settle("k", b), kept)
	})
	t.Run("replaced through a write of unknown outcome", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		b := s.begin(Put, "k", r)
		s.end(b, Info)
		_, r2 := s.must(Get, "k", nil, b)
		c, _ := s.must(Put, "k", r2)
		expect(t, s.settle("k", c), kept)
	})
	t.Run("replaced by a write that was not done", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		b := s.begin(Put, "k", r)
		s.end(b, Fail)
		expect(t, s.settle("k"), Lost)
	})
	t.Run("a sibling of what is there", func(t *testing.T) {
		s := newScript(t)
		s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", nil)
		expect(t, s.settle("k", b), Lost)
	})
	t.Run("deleted", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		s.must(Delete, "k", r)
		expect(t, s.settle("k"), kept)
	})
	t.Run("a delete that had not seen it", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", nil)
		s.must(Delete, "k", r)
		_, _ = a, b
		expect(t, s.settle("k"), Lost)
	})
	t.Run("a delete that was not done", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		d := s.begin(Delete, "k", r)
		s.end(d, Fail)
		expect(t, s.settle("k"), Lost)
	})
	t.Run("unknown outcome may be gone", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		s.end(a, Info)
		expect(t, s.settle("k"), kept)
	})
	t.Run("shown and gone", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		s.end(a, Info)
		s.must(Get, "k", nil, a)
		expect(t, s.settle("k"), Lost)
	})
	t.Run("its only disk was lost", func(t *testing.T) {
		s := newScript(t)
		s.h.Wiped = 1
		a := s.begin(Put, "k", nil)
		a.W = 1
		s.end(a, OK)
		expect(t, s.settle("k"), kept)
	})
}

func TestStale(t *testing.T) {
	read := func(s *script, r int, sees ...*Op) *Violation {
		g := &Op{Verb: Get, Key: "k", N: 3, R: r, W: 2, Attempts: 1}
		s.h.Invoke(g, s.tick())
		_, v := s.end(g, OK, sees...)
		return v
	}
	t.Run("an acknowledged write is missing", func(t *testing.T) {
		s := newScript(t)
		s.must(Put, "k", nil)
		expect(t, read(s, 2), Stale)
	})
	t.Run("r + w = n promises nothing", func(t *testing.T) {
		s := newScript(t)
		s.must(Put, "k", nil)
		expect(t, read(s, 1), kept)
	})
	t.Run("an old version is shown", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		s.must(Put, "k", r)
		expect(t, read(s, 2, a), Stale)
	})
	t.Run("what replaced it is shown, though unknown", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		b := s.begin(Put, "k", r)
		s.end(b, Info)
		expect(t, read(s, 2, b), kept)
	})
	t.Run("a delete may be under way", func(t *testing.T) {
		s := newScript(t)
		_, r := s.must(Put, "k", nil)
		s.begin(Delete, "k", r)
		expect(t, read(s, 2), kept)
	})
	t.Run("what an acknowledged delete removed is shown", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		s.must(Delete, "k", r)
		expect(t, read(s, 2, a), Stale)
	})
	t.Run("the read began before the acknowledgement", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		g := s.begin(Get, "k", nil)
		s.end(a, OK)
		_, v := s.end(g, OK)
		expect(t, v, kept)
	})
	t.Run("a settled strict read counts like an acknowledgement", func(t *testing.T) {
		for _, settled := range []bool{true, false} {
			s := newScript(t)
			a := s.begin(Put, "k", nil)
			s.end(a, Info)
			g := &Op{Verb: Get, Key: "k", N: 3, R: 2, PR: 2, Attempts: 1}
			s.h.Invoke(g, s.tick())
			if _, v := s.h.Return(g, Result{Outcome: OK, Values: [][]byte{Value(a.ID, "k", 0)}, Settled: settled}, s.tick()); v != nil {
				t.Fatal(v)
			}
			want := kept
			if settled {
				want = Stale
			}
			expect(t, read(s, 2), want)
		}
	})
	t.Run("a replica forgot", func(t *testing.T) {
		for _, c := range []struct {
			wiped, promised int
			want            Promise
		}{{1, 2, Stale}, {1, 3, kept}, {2, 2, kept}} {
			s := newScript(t)
			s.h.Wiped = c.wiped
			s.must(Put, "k", nil) // w=2
			g := &Op{Verb: Get, Key: "k", N: 3, R: 2, Promised: c.promised, Attempts: 1}
			s.h.Invoke(g, s.tick())
			_, v := s.h.Return(g, Result{Outcome: OK}, s.tick())
			expect(t, v, c.want)
		}
	})
}

func TestReturned(t *testing.T) {
	t.Run("replaced and there", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		b := s.begin(Put, "k", r)
		s.end(b, OK)
		s.must(Delete, "k", r)
		expect(t, s.settle("k", a), Lost) // b is gone, which comes first
	})
	t.Run("deleted and there", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		s.must(Delete, "k", r)
		expect(t, s.settle("k", a), Returned)
	})
	t.Run("the delete is unknown", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		d := s.begin(Delete, "k", r)
		s.end(d, Info)
		expect(t, s.settle("k", a), kept)
	})
	t.Run("it was stored twice", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		a.Attempts = 2
		s.h.Stored(a.ID)
		s.h.Stored(a.ID)
		r, _ := s.end(a, OK)
		s.must(Delete, "k", r)
		expect(t, s.settle("k", a), kept)
	})
	t.Run("a delete without context", func(t *testing.T) {
		s := newScript(t)
		a, _ := s.must(Put, "k", nil)
		s.must(Delete, "k", nil, a)
		expect(t, s.settle("k", a), Returned)
	})
	t.Run("clocks were pruned", func(t *testing.T) {
		s := newScript(t)
		s.h.Loose = true
		a, r := s.must(Put, "k", nil)
		s.must(Delete, "k", r)
		expect(t, s.settle("k", a), kept)
	})
}

func TestSiblings(t *testing.T) {
	t.Run("one has seen the other", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", r)
		g := s.begin(Get, "k", nil)
		_, v := s.end(g, OK, a, b)
		expect(t, v, Siblings)
	})
	t.Run("through a third", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		_, r = s.must(Put, "k", r)
		c, _ := s.must(Put, "k", r)
		g := s.begin(Get, "k", nil)
		_, v := s.end(g, OK, a, c)
		expect(t, v, Siblings)
	})
	t.Run("concurrent", func(t *testing.T) {
		s := newScript(t)
		a, _ := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", nil)
		s.must(Get, "k", nil, a, b)
		expect(t, s.settle("k", a, b), kept)
	})
	t.Run("the same twice", func(t *testing.T) {
		s := newScript(t)
		a, _ := s.must(Put, "k", nil)
		g := s.begin(Get, "k", nil)
		_, v := s.end(g, OK, a, a)
		expect(t, v, Siblings)
	})
	t.Run("at the end", func(t *testing.T) {
		s := newScript(t)
		a, r := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", r)
		expect(t, s.settle("k", a, b), Siblings)
	})
	t.Run("a lone client sees two", func(t *testing.T) {
		s := newScript(t)
		s.h.Exclusive("k")
		a, _ := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", nil) // not what a lone client does, so that two are there
		g := s.begin(Get, "k", nil)
		_, v := s.end(g, OK, a, b)
		expect(t, v, Siblings)
	})
	t.Run("a lone client sees none", func(t *testing.T) {
		s := newScript(t)
		s.h.Exclusive("k")
		a := s.begin(Put, "k", nil)
		a.W = 1
		s.end(a, OK)
		g := s.begin(Get, "k", nil)
		_, v := s.end(g, OK)
		expect(t, v, Siblings)
	})
	t.Run("a lone client whose write is unknown", func(t *testing.T) {
		s := newScript(t)
		s.h.Exclusive("k")
		a, _ := s.must(Put, "k", nil)
		b := s.begin(Put, "k", nil)
		s.end(b, Info)
		s.must(Get, "k", nil, a, b)
	})
}

func TestDiverged(t *testing.T) {
	s := newScript(t)
	a, _ := s.must(Put, "k", nil)
	b, _ := s.must(Put, "k", nil)
	expect(t, s.settle("k", a, b), kept)
	expect(t, s.settle("k", a, b), kept)
	expect(t, s.settle("k", a), Diverged)
	expect(t, s.settle("k"), Diverged)
}

func TestContext(t *testing.T) {
	covers := func(ids ...uint64) func(uint64) bool {
		return func(id uint64) bool {
			for _, i := range ids {
				if i == id {
					return true
				}
			}
			return false
		}
	}
	stored := func(s *script, ops ...*Op) {
		for _, op := range ops {
			expect(t, s.h.Stored(op.ID), kept)
		}
	}
	t.Run("a put's covers what is stored beside it", func(t *testing.T) {
		s := newScript(t)
		a, _ := s.must(Put, "k", nil)
		b, r := s.must(Put, "k", nil)
		stored(s, a, b)
		expect(t, s.h.Honest(r, covers(b.ID)), kept)
		expect(t, s.h.Honest(r, covers(a.ID, b.ID)), Context)
	})
	t.Run("a get's covers what it did not show", func(t *testing.T) {
		s := newScript(t)
		a, _ := s.must(Put, "k", nil)
		b := s.begin(Put, "k", nil)
		s.end(b, Info)
		_, r := s.must(Get, "k", nil, a)
		stored(s, a, b)
		expect(t, s.h.Honest(r, covers(a.ID)), kept)
		expect(t, s.h.Honest(r, covers(a.ID, b.ID)), Context)
	})
	t.Run("a get's covers what was replaced and deleted", func(t *testing.T) {
		s := newScript(t)
		a, ra := s.must(Put, "k", nil)
		b, _ := s.must(Put, "k", ra)
		c, rc := s.must(Put, "k", nil)
		s.must(Delete, "k", rc)
		_, r := s.must(Get, "k", nil, b)
		stored(s, a, b, c)
		expect(t, s.h.Honest(r, covers(a.ID, b.ID, c.ID)), kept)
	})
	t.Run("nothing can be said while a delete removes what it finds", func(t *testing.T) {
		s := newScript(t)
		a, _ := s.must(Put, "k", nil)
		s.begin(Delete, "k", nil)
		_, r := s.must(Get, "k", nil)
		stored(s, a)
		expect(t, s.h.Honest(r, covers(a.ID)), kept)
	})
}

func TestOutcomeKept(t *testing.T) {
	t.Run("shown after", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		s.end(a, Fail)
		g := s.begin(Get, "k", nil)
		_, v := s.end(g, OK, a)
		expect(t, v, OutcomeKept)
	})
	t.Run("shown before", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		s.must(Get, "k", nil, a)
		_, v := s.end(a, Fail)
		expect(t, v, OutcomeKept)
	})
	t.Run("stored before", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		s.h.Stored(a.ID)
		_, v := s.end(a, Fail)
		expect(t, v, OutcomeKept)
	})
	t.Run("stored after", func(t *testing.T) {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		s.end(a, Fail)
		expect(t, s.h.Stored(a.ID), OutcomeKept)
	})
}

func TestInvented(t *testing.T) {
	s := newScript(t)
	a, _ := s.must(Put, "k", nil)
	g, _ := s.must(Get, "k", nil, a)
	other, _ := s.must(Put, "other", nil)
	good := Value(a.ID, "k", 40)
	bent := append([]byte(nil), good...)
	bent[20] ^= 1
	for name, value := range map[string][]byte{
		"empty": {}, "bent": bent, "cut": good[:len(good)-1], "foreign": Value(other.ID, "other", 0),
		"of another key": Value(other.ID, "k", 0), "of nobody": Value(99, "k", 0), "of a read": Value(g.ID, "k", 0),
		"two mixed": append(append([]byte(nil), good[:20]...), Value(other.ID, "k", 40)[20:]...),
	} {
		op := s.begin(Get, "k", nil)
		_, v := s.h.Return(op, Result{Outcome: OK, Values: [][]byte{value}}, s.tick())
		if v == nil || v.Promise != Invented {
			t.Errorf("%s: %v", name, v)
		}
	}
	expect(t, s.h.Stored(99), Invented)
	expect(t, s.h.Stored(g.ID), Invented)
}

func TestTwice(t *testing.T) {
	for _, c := range []struct {
		attempts int
		resent   bool
		want     Promise
	}{{1, false, Twice}, {2, false, kept}, {1, true, kept}} {
		s := newScript(t)
		a := s.begin(Put, "k", nil)
		a.Attempts, a.Resent = c.attempts, c.resent
		expect(t, s.h.Stored(a.ID), kept)
		expect(t, s.h.Stored(a.ID), c.want)
	}
}

func TestValueRoundTrip(t *testing.T) {
	for _, size := range []int{0, 1, 17, 18, 100, 4096} {
		for _, key := range []string{"b/k", "b/" + strings.Repeat("x", 300)} {
			v := Value(77, key, size)
			op, err := ParseValue(v, key)
			if err != nil || op != 77 || len(v) < size {
				t.Errorf("size %d: op %d, %v, %d bytes", size, op, err, len(v))
			}
			if op, ok := ValueOp(v); !ok || op != 77 {
				t.Errorf("ValueOp: %d %v", op, ok)
			}
		}
	}
}

func TestPromisesHaveCodesOfTheirOwn(t *testing.T) {
	seen := map[int]string{}
	for i, p := range Promises() {
		if p.Code != 10+i || p.Name == "" || p.Text == "" || seen[p.Code] != "" {
			t.Errorf("promise %d is %+v", i, p)
		}
		seen[p.Code] = p.Name
	}
}

func TestSet(t *testing.T) {
	var s, o Set
	for _, i := range []int{3, 64, 200} {
		s.Add(i)
	}
	o.Add(64)
	if s.Len() != 3 || !s.Has(200) || s.Has(199) || s.Has(1000) {
		t.Errorf("set %v", s)
	}
	if got := s.Missing(o); got != 3 {
		t.Errorf("the least missing is %d", got)
	}
	o.AddAll(s)
	if got := s.Missing(o); got != -1 {
		t.Errorf("missing %d", got)
	}
	c := s.Clone()
	c.Add(5)
	var all []int
	s.Each(func(i int) bool { all = append(all, i); return true })
	if len(all) != 3 || s.Has(5) {
		t.Errorf("walked %v", all)
	}
}
