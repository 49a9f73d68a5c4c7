package web

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

func TestKeysReachTheStoreAsTheyStand(t *testing.T) {
	for target, name := range map[string]string{
		"/kv/b/k":              "k",
		"/kv/b//":              "/",
		"/kv/b/a//b/":          "a//b/",
		"/kv/b/.":              ".",
		"/kv/b/../x":           "../x",
		"/kv/b/%2e%2e/x":       "../x",
		"/kv/b/a%2Fb":          "a/b",
		"/kv/b/%00%ff":         "\x00\xff",
		"/kv/b/%252F":          "%2F",
		"/kv/b/a+b":            "a+b",
		"/kv/b/a%3Fr=1":        "a?r=1",
		"http://any/kv/b/a%2F": "a/",
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			s := one("v")
			rec := ask(s, method, target, "")
			if rec.Code != 200 || s.key != (ouro.Key{Bucket: "b", Name: name}) {
				t.Errorf("%s %s: %d, key %q", method, target, rec.Code, s.key)
			}
		}
	}
}

func TestNothingOutsideKv(t *testing.T) {
	for _, target := range []string{"/", "/kv", "/KV/b/k", "//kv/b/k", "/metrics"} {
		rec := ask(nil, "GET", target, "")
		if rec.Code != 404 {
			t.Errorf("%s: %d", target, rec.Code)
		}
		if strings.Contains(rec.Body.String(), "not_found") {
			t.Errorf("%s: a wrong address must not look like an absent key: %s", target, rec.Body)
		}
	}
}

func TestOptionsReachTheStore(t *testing.T) {
	s := one("v")
	ask(s, "PUT", "/kv/b/k?r=1&w=2&pr=0&pw=1&dw=2&timeout=1.5s&explain=false&", "body", "Ouro-Context", "YQ", "Ouro-Request-Id", "id", "Content-Type", "text/x; y=z")
	set := func(n int) ouro.Count { return ouro.Count{N: n, Set: true} }
	want := ouro.Options{
		Context: ouro.Context("a"), R: set(1), W: set(2), PR: set(0), PW: set(1), DW: set(2),
		Timeout: 1500 * time.Millisecond, RequestID: "id",
	}
	if fmt.Sprint(s.opts) != fmt.Sprint(want) {
		t.Errorf("options %+v, want %+v", s.opts, want)
	}
	if string(s.value.Data) != "body" || s.value.ContentType != "text/x; y=z" {
		t.Errorf("value %+v", s.value)
	}
	ask(s, "GET", "/kv/b/k", "")
	if s.opts.Context != nil || s.opts.R.Set || len(s.opts.RequestID) != 32 {
		t.Errorf("options of a bare get: %+v", s.opts)
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	a := ask(one("v"), "GET", "/kv/b/k", "").Header().Get(headerRequestID)
	b := ask(one("v"), "GET", "/kv/b/k", "").Header().Get(headerRequestID)
	if a == b {
		t.Errorf("two requests were given the id %s", a)
	}
}

func TestRejectedIsTold(t *testing.T) {
	var codes []ouro.Code
	cfg := Config{MaxValue: 1, Rejected: func(c ouro.Code) { codes = append(codes, c) }}
	askWith(cfg, one("v"), "PUT", "/kv/b/k", "12")
	askWith(cfg, one("v"), "GET", "/kv/b/k?x=1", "")
	askWith(cfg, one("v"), "GET", "/kv/b/k", "")
	askWith(cfg, failing(ouro.Internal, ouro.NotDone), "GET", "/kv/b/k", "")
	if fmt.Sprint(codes) != "[too_large bad_request]" {
		t.Errorf("told of %v", codes)
	}
}

func TestBodyBudgetIsGivenBack(t *testing.T) {
	h := New(Config{MaxValue: 4, MaxBodies: 4}, one("v"))
	for i, body := range []string{"1234", "12345", "1234", "1"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, newRequest("PUT", "/kv/b/k", body))
		if want := 200; len(body) <= 4 && rec.Code != want {
			t.Errorf("put %d: %d %s", i, rec.Code, rec.Body)
		}
	}
	if n := h.(*handler).bodies.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}

func TestAccept(t *testing.T) {
	for header, want := range map[string]string{
		"":                                  "", // an empty list allows nothing
		"*/*":                               "json",
		"application/json":                  "json",
		"application/*":                     "json",
		"APPLICATION/JSON":                  "json",
		"multipart/mixed":                   "multipart",
		"multipart/*":                       "multipart",
		"multipart/mixed, application/json": "json",
		"multipart/mixed, application/json;q=0.5":    "multipart",
		"multipart/mixed;q=0.4, */*;q=0.5":           "json",
		"application/json;q=0, */*":                  "multipart",
		"application/json;q=0":                       "",
		"*/*;q=0":                                    "",
		"text/plain":                                 "",
		"application/json;charset=utf-8;q=0.1":       "json",
		"application/json;q=nan":                     "",
		"application/json;q=2":                       "",
		"nonsense, ;;, application/json":             "json",
		"text/html, application/xml;q=0.9, */*;q=.8": "json",
	} {
		a, got := parseAccept([]string{header}), ""
		switch {
		case a.json == 0 && a.multipart == 0:
		case a.multipart > a.json:
			got = "multipart"
		default:
			got = "json"
		}
		if got != want {
			t.Errorf("Accept %q chooses %q, want %q", header, got, want)
		}
	}
}

func FuzzAccept(f *testing.F) {
	f.Add("application/json;q=0.5, */*")
	f.Fuzz(func(t *testing.T, header string) {
		a := parseAccept([]string{header})
		if !(a.json >= 0 && a.json <= 1 && a.multipart >= 0 && a.multipart <= 1) {
			t.Fatalf("%q: %+v", header, a)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("r=1&w=2&timeout=1s&explain=true")
	f.Fuzz(func(t *testing.T, query string) {
		x := exchange{handler: New(Config{}, nil).(*handler)}
		err := x.readQuery(query)
		if err != nil && ouro.CodeOf(err) != ouro.BadRequest {
			t.Fatalf("%q: %v", query, err)
		}
		if err == nil && (x.opts.R.N < 0 || x.opts.R.N > maxCount || x.opts.Timeout < 0 || x.opts.Timeout > time.Minute) {
			t.Fatalf("%q: %+v", query, x.opts)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	h := New(Config{}, one(strings.Repeat("v", 1024)))
	req := newRequest("GET", "/kv/bucket/some/key", "")
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
	}
}

func BenchmarkPut(b *testing.B) {
	h := New(Config{}, one())
	body := strings.Repeat("v", 1024)
	b.ReportAllocs()
	for b.Loop() {
		req := newRequest("PUT", "/kv/bucket/some/key", body, "Ouro-Context", sealedSeen)
		h.ServeHTTP(httptest.NewRecorder(), req)
	}
}

// TestAttempts: a request whose id the node drew is the first of its name, and so
// is one that says so; any other may be a repetition.
func TestAttempts(t *testing.T) {
	for want, headers := range map[string][]string{
		"drawn": nil, "said": {"Ouro-Request-Id", "a", "Ouro-Attempt", "1"},
		"again": {"Ouro-Request-Id", "a", "Ouro-Attempt", "2"}, "silent": {"Ouro-Request-Id", "a"},
	} {
		s := one()
		if rec := ask(s, "PUT", "/kv/b/k", "v", headers...); rec.Code != 200 {
			t.Fatalf("%s: %d %s", want, rec.Code, rec.Body)
		}
		if first := want == "drawn" || want == "said"; s.opts.First != first || s.opts.RequestID == "" {
			t.Errorf("%s: first attempt %v, id %q", want, s.opts.First, s.opts.RequestID)
		}
	}
}
