package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// RunKeys holds a store that lists keys to all cases of it. Of limits only Simulated
// counts.
func RunKeys(t *testing.T, store ouro.Store, limits Limits) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *suite)
	}{
		{"every key is listed once", listedOnce},
		{"a page has what begins with a prefix", listedByPrefix},
		{"what was deleted is not listed", deletedNotListed},
		{"a cursor is good for as long as one likes", cursorsLast},
		{"bad questions are refused", badQueries},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &suite{t: t, store: store, limits: limits})
		})
	}
}

// page lists some keys, all of them.
func (s *suite) page(q ouro.KeysQuery) ouro.KeysPage {
	s.t.Helper()
	page, err := s.store.(ouro.Lister).Keys(s.ctx(), "conformance", q)
	if err != nil || !page.Complete() {
		s.t.Fatalf("keys from %v: %+v, %v", q.Cursor, page.Missing, err)
	}
	return page
}

// listed returns the names that begin with a prefix, sorted, and checks that none
// comes twice.
func (s *suite) listed(prefix string, limit int) []string {
	s.t.Helper()
	var all []string
	for q := (ouro.KeysQuery{Prefix: prefix, Limit: limit}); ; {
		page := s.page(q)
		all = append(all, page.Keys...)
		if q.Cursor = page.Next; q.Cursor == 0 {
			break
		}
	}
	slices.Sort(all)
	if n := len(all); len(slices.Compact(all)) != n {
		s.t.Fatalf("some of %d keys are listed twice", n)
	}
	return all
}

// fill writes n keys whose names begin with what it returns.
func (s *suite) fill(n int) (prefix string, names []string) {
	s.t.Helper()
	prefix = rand.Text() + "/"
	for i := range n {
		names = append(names, fmt.Sprintf("%s%02d", prefix, i))
		s.put(ouro.Key{Bucket: "conformance", Name: names[i]}, "v", ouro.Blind(), ouro.W(3))
	}
	return prefix, names
}

func listedOnce(t *testing.T, s *suite) {
	prefix, names := s.fill(40)
	for _, limit := range []int{1, 7, 0} {
		if got := s.listed(prefix, limit); !slices.Equal(got, names) {
			t.Errorf("in pages of %d: %q, want %q", limit, got, names)
		}
	}
	everything := s.listed("", 0)
	for _, n := range names {
		if !slices.Contains(everything, n) {
			t.Errorf("%q is not among all keys", n)
		}
	}
}

func listedByPrefix(t *testing.T, s *suite) {
	prefix, names := s.fill(20)
	if got := s.listed(prefix+"1", 3); !slices.Equal(got, names[10:]) {
		t.Errorf("%q, want %q", got, names[10:])
	}
	if got := s.listed(prefix+"none", 0); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func deletedNotListed(t *testing.T, s *suite) {
	prefix, names := s.fill(4)
	key := ouro.Key{Bucket: "conformance", Name: names[1]}
	if _, err := s.store.Delete(s.ctx(), key, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	if got, want := s.listed(prefix, 0), []string{names[0], names[2], names[3]}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func cursorsLast(t *testing.T, s *suite) {
	prefix, names := s.fill(10)
	var got []string
	q := ouro.KeysQuery{Prefix: prefix, Limit: 1}
	for len(got) == 0 {
		page := s.page(q)
		got, q.Cursor = append(got, page.Keys...), page.Next
	}
	s.fill(10) // others write meanwhile
	for q.Cursor != 0 {
		page := s.page(q)
		got, q.Cursor = append(got, page.Keys...), page.Next
	}
	if slices.Sort(got); !slices.Equal(got, names) {
		t.Errorf("%q, want %q", got, names)
	}
}

func badQueries(t *testing.T, s *suite) {
	lister := s.store.(ouro.Lister)
	for name, q := range map[string]ouro.KeysQuery{
		"a limit beyond the bound": {Limit: ouro.MaxKeysLimit + 1},
		"a prefix that is no key":  {Prefix: strings.Repeat("p", ouro.MaxKeyLen+1)},
	} {
		_, err := lister.Keys(s.ctx(), "conformance", q)
		t.Run(name, func(t *testing.T) { (&suite{t: t}).refused(err, ouro.BadRequest) })
	}
	_, err := lister.Keys(s.ctx(), "no/bucket", ouro.KeysQuery{})
	s.refused(err, ouro.BadRequest)
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	if _, err := lister.Keys(ctx, "conformance", ouro.KeysQuery{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}
