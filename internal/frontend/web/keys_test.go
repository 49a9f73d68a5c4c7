package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// shelf is a store with a page of keys.
type shelf struct {
	ouro.Store
	page   ouro.KeysPage
	err    error
	bucket string
	query  ouro.KeysQuery
}

func (s *shelf) Keys(_ context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	s.bucket, s.query = bucket, q
	return s.page, s.err
}

func TestKeysAreListed(t *testing.T) {
	s := &shelf{Store: one("v"), page: ouro.KeysPage{Keys: []string{"a/b", "\xff\x00 ?"}, Next: 1 << 63, Covered: 0.5}}
	rec := ask(s, "GET", "/kv/b?prefix=a%2F&cursor=17&limit=5&r=2&timeout=1s", "")
	want := ouro.KeysQuery{Prefix: "a/", Cursor: 17, Limit: 5, R: ouro.Count{N: 2, Set: true}, Timeout: 1e9}
	if rec.Code != 200 || s.bucket != "b" || s.query != want {
		t.Fatalf("%d %s: bucket %s, query %+v", rec.Code, rec.Body, s.bucket, s.query)
	}
	var page keysPage
	if err := json.Unmarshal(rec.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(page.Keys, []string{"a/b", "%FF%00%20%3F"}) || page.Next != "9223372036854775808" || !page.Complete || page.Covered != 0.5 {
		t.Errorf("%+v", page)
	}
	s.page.Missing = []ouro.KeyRange{{From: 1, To: 2, Why: "because"}}
	if body := ask(s, "GET", "/kv/b", "").Body.String(); !strings.Contains(body, `"complete":false,"missing":[{"from":1,"to":2,"why":"because"}]`) {
		t.Error(body)
	}
	if rec := ask(s, "HEAD", "/kv/b", ""); rec.Code != 200 || rec.Body.Len() > 0 {
		t.Errorf("HEAD: %d %s", rec.Code, rec.Body)
	}
}

func TestBadListsAreRefused(t *testing.T) {
	for target, mentions := range map[string]string{
		"/kv/b?limit=0": "from 1 to 10000", "/kv/b?limit=x": "from 1", "/kv/b?cursor=-1": "is none", "/kv/b?cursor=x": "is none", "/kv/b?r=0": "bucket's n", "/kv/b?timeout=0s": "from 1ms",
		"/kv/b?x=1": "known are prefix", "/kv/b?prefix=a&prefix=b": "given twice", "/kv/b%20": "character", "/kv/b?prefix=%zz": "percent-encoded",
	} {
		rec := ask(&shelf{Store: one("v")}, "GET", target, "")
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), mentions) {
			t.Errorf("%s: %d %s, want %q", target, rec.Code, rec.Body, mentions)
		}
	}
	if rec := ask(&shelf{Store: one("v")}, "PUT", "/kv/b", "x"); rec.Code != 405 || rec.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("PUT: %d %v", rec.Code, rec.Header())
	}
	busy := &shelf{Store: one("v"), err: ouro.Errorf(ouro.Overloaded, ouro.NotDone, "busy")}
	if rec := ask(busy, "GET", "/kv/b", ""); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("overloaded: %d %v", rec.Code, fmt.Sprint(rec.Header()))
	}
}
