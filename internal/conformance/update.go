package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// joined merges values that are sets of words.
func joined(add string) func([]ouro.Sibling) (ouro.Value, error) {
	return func(siblings []ouro.Sibling) (ouro.Value, error) {
		words := []string{add}
		for _, s := range siblings {
			words = append(words, strings.Fields(string(s.Data))...)
		}
		slices.Sort(words)
		return ouro.Value{Data: []byte(strings.Join(slices.Compact(words), " "))}, nil
	}
}

// updateMerges is PAPER 6.0.1: the program merges what was written concurrently.
func updateMerges(t *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "a")
	s.blind(key, "b")
	if _, err := client.Update(s.ctx(), s.store, key, joined("c")); err != nil {
		t.Fatal(err)
	}
	s.get(key, "a b c")
}

func updateBegins(t *testing.T, s *suite) {
	key := s.key()
	if _, err := client.Update(s.ctx(), s.store, key, joined("a")); err != nil {
		t.Fatal(err)
	}
	s.get(key, "a")
	if _, err := s.store.Delete(s.ctx(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Update(s.ctx(), s.store, key, joined("b")); err != nil {
		t.Fatal(err)
	}
	s.get(key, "b")
}

// updateLosesNothing lets several update at once: in the end there is every word.
func updateLosesNothing(t *testing.T, s *suite) {
	if s.limits.Simulated {
		t.Skip("one request at a time")
	}
	key := s.key()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				if _, err := client.Update(s.ctx(), s.store, key, joined(fmt.Sprintf("%d.%d", w, i))); err != nil {
					t.Errorf("update %d.%d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := client.Update(s.ctx(), s.store, key, joined("end")); err != nil {
		t.Fatal(err)
	}
	res, err := s.store.Get(s.ctx(), key)
	if err != nil || len(res.Siblings) != 1 {
		t.Fatalf("%q, %v", values(res), err)
	}
	if words := strings.Fields(values(res)[0]); len(words) != 41 {
		t.Errorf("of 41 words there are %d: %v", len(words), words)
	}
}

func updateRefused(t *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "a")
	no := errors.New("no")
	if _, err := client.Update(s.ctx(), s.store, key, func([]ouro.Sibling) (ouro.Value, error) { return ouro.Value{}, no }); !errors.Is(err, no) {
		t.Errorf("a merge that fails: %v", err)
	}
	s.get(key, "a")
}
