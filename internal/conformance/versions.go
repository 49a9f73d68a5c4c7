package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ourodb/ouro"
)

func blindPuts(_ *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "1")
	s.blind(key, "2")
	s.blind(key, "2") // the same bytes are another write
	s.get(key, "1", "2", "2")
}

func replace(_ *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "1")
	for i := range 5 {
		res := s.get(key, fmt.Sprint(1+i))
		s.put(key, fmt.Sprint(2+i), under(res))
	}
	s.get(key, "6")
}

// stale is PAPER 2.3.2: a write under a context that has been overtaken stands
// beside what overtook it.
func stale(_ *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "1")
	seen := s.get(key, "1")
	s.put(key, "2", under(seen))
	s.put(key, "3", under(seen))
	s.get(key, "2", "3")
}

// sawNothing: what a get of an absent key returned covers no put made since, also when
// it has been a text on its way, to a browser and back.
func sawNothing(t *testing.T, s *suite) {
	key := s.key()
	seen := s.gone(key)
	text, err := ouro.ParseContext(seen.Context.String())
	if err != nil {
		t.Fatal(err)
	}
	s.blind(key, "of another")
	s.put(key, "mine", under(seen))
	s.put(key, "mine too", ouro.WithContext(text))
	s.get(key, "of another", "mine", "mine too")
}

func merge(_ *testing.T, s *suite) {
	key := s.key()
	for i := range 4 {
		s.blind(key, fmt.Sprint(i))
	}
	res := s.get(key, "0", "1", "2", "3")
	s.put(key, "merged", under(res))
	s.get(key, "merged")
}

// interleaved is PAPER 9.3: two clients that write on and on, each under its own
// last context, end with one version each; neither loses anything.
func interleaved(_ *testing.T, s *suite) {
	key := s.key()
	a, b := s.blind(key, "a0"), s.blind(key, "b0")
	for i := 1; i <= 20; i++ {
		a = s.put(key, fmt.Sprintf("a%d", i), under(a))
		b = s.put(key, fmt.Sprintf("b%d", i), under(b))
	}
	s.get(key, "a20", "b20")
}

func ownContext(t *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "other")
	mine := s.blind(key, "mine")
	if len(mine.Context) == 0 {
		t.Fatal("a put answered without a context")
	}
	// It covers the put itself and nothing that the client was not shown (R6).
	s.put(key, "next", under(mine))
	s.get(key, "next", "other")
}

func deleteCovered(t *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "1")
	seen := s.get(key, "1")
	s.blind(key, "2")
	if _, err := s.store.Delete(s.ctx(), key, under(seen)); err != nil {
		t.Fatal(err)
	}
	s.get(key, "2")
	if _, err := s.store.Delete(s.ctx(), key, under(seen)); err != nil {
		t.Fatalf("the same delete again: %v", err)
	}
	s.get(key, "2")
}

func deleteBlind(t *testing.T, s *suite) {
	for _, opts := range [][]ouro.Option{
		{ouro.Explain()},               // a client reads first
		{ouro.Explain(), ouro.Blind()}, // the store does
	} {
		key := s.key()
		s.blind(key, "1")
		s.blind(key, "2")
		res, err := s.store.Delete(s.ctx(), key, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if got := values(res); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("the delete says it removed %q", got)
		}
		s.gone(key)
	}
}

func tombstone(t *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "1")
	if _, err := s.store.Delete(s.ctx(), key); err != nil {
		t.Fatal(err)
	}
	res := s.gone(key)
	if len(res.Context) == 0 {
		t.Fatal("a deleted key has no context")
	}
	s.put(key, "2", under(res))
	s.get(key, "2")
}

func deleteAbsent(t *testing.T, s *suite) {
	key := s.key()
	if _, err := s.store.Delete(s.ctx(), key); err != nil {
		t.Fatal(err)
	}
	s.gone(key)
	s.blind(key, "v")
	s.get(key, "v")
}

// repeated is RULES R29: a retry under the request's own id has no second
// effect.
func repeated(t *testing.T, s *suite) {
	key := s.key()
	id := ouro.RequestID("repeated-" + key.Name[len(key.Name)-8:])
	first := s.put(key, "v", ouro.Blind(), id)
	again := s.put(key, "v", ouro.Blind(), id)
	if again.RequestID != first.RequestID {
		t.Errorf("request id %q, then %q", first.RequestID, again.RequestID)
	}
	res := s.get(key, "v")
	s.put(key, "next", under(again))
	s.get(key, "next")
	s.put(key, "v", under(res), id) // even late
	s.get(key, "next")
}

func tooMany(t *testing.T, s *suite) {
	if s.limits.Siblings == 0 {
		t.Skip("no limit given")
	}
	key := s.key()
	for i := range s.limits.Siblings {
		s.blind(key, fmt.Sprint(i))
	}
	_, err := s.store.Put(s.ctx(), key, ouro.Value{Data: []byte("one more")}, ouro.Blind())
	s.refused(err, ouro.TooManySiblings)
	res, err := s.store.Get(s.ctx(), key)
	if err != nil || len(res.Siblings) != s.limits.Siblings {
		t.Fatalf("%d siblings, %v", len(res.Siblings), err)
	}
	s.put(key, "merged", under(res)) // what shrinks the set is always taken
	s.get(key, "merged")
}
