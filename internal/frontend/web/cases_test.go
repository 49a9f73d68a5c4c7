package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// stub is a store that answers everything alike and keeps what it was asked.
type stub struct {
	res    ouro.Result
	err    error
	key    ouro.Key
	value  ouro.Value
	update ouro.Update
	opts   ouro.Options
	calls  int
	by     string // what it says of its own copy
}

// GetLocal implements [ouro.LocalReader].
func (s *stub) GetLocal(_ context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, string, error) {
	res, err := s.answer(key, opts)
	return res, s.by, err
}

func (s *stub) answer(key ouro.Key, opts []ouro.Option) (ouro.Result, error) {
	s.calls++
	s.key, s.opts = key, ouro.Apply(opts...)
	res := s.res
	res.RequestID = s.opts.RequestID
	if s.opts.Explain {
		res.Explain = []string{"asked n1", "decided"}
	}
	return res, s.err
}

func (s *stub) Get(_ context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.answer(key, opts)
}

func (s *stub) Update(_ context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	s.update = u
	return s.answer(key, opts)
}

func (s *stub) Put(_ context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	s.value = value
	res, err := s.answer(key, opts)
	res.Siblings = nil
	return res, err
}

func (s *stub) Delete(_ context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.answer(key, opts)
}

var modified = time.Date(2026, 11, 23, 12, 34, 56, 789e6, time.UTC)

// one returns a store that shows these versions.
func one(values ...string) *stub {
	s := &stub{res: ouro.Result{
		Context:     ouro.Context("seen"),
		Coordinator: "n1",
		Quorum:      ouro.Quorum{N: 3, R: 2, W: 2, Acks: 2, Primaries: 2, Durable: 2},
	}}
	for _, v := range values {
		s.res.Siblings = append(s.res.Siblings, ouro.Sibling{Value: ouro.Value{Data: []byte(v)}, Modified: modified})
	}
	return s
}

func failing(code ouro.Code, outcome ouro.Outcome) *stub {
	s := one()
	s.err = ouro.Errorf(code, outcome, "because")
	return s
}

// ask sends one request to a front end of store; headers are name, value, …
func ask(store ouro.Store, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	return askWith(Config{}, store, method, target, body, headers...)
}

func askWith(cfg Config, store ouro.Store, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	req := newRequest(method, target, body, headers...)
	rec := httptest.NewRecorder()
	New(cfg, store).ServeHTTP(rec, req)
	return rec
}

func newRequest(method, target, body string, headers ...string) *http.Request {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

// exchangeCase is one request and the answer it must get.
type exchangeCase struct {
	name    string
	store   *stub
	method  string
	target  string // after /kv
	body    string
	headers []string
	cfg     Config

	status int
	code   ouro.Code
	check  func(t *testing.T, rec *httptest.ResponseRecorder)
}

func (c *exchangeCase) send() (*http.Request, *httptest.ResponseRecorder) {
	req := newRequest(c.method, "/kv"+c.target, c.body, c.headers...)
	rec := httptest.NewRecorder()
	var store ouro.Store = c.store
	if c.store == nil {
		store = nil // a refused request that reached the store would panic
	}
	New(c.cfg, store).ServeHTTP(rec, req)
	return req, rec
}

// headersAre returns a check of headers: name, value, …; an empty value means
// that the header is missing.
func headersAre(want ...string) func(t *testing.T, rec *httptest.ResponseRecorder) {
	return func(t *testing.T, rec *httptest.ResponseRecorder) {
		t.Helper()
		for i := 0; i < len(want); i += 2 {
			if got := rec.Header().Get(want[i]); got != want[i+1] {
				t.Errorf("%s: %q, want %q", want[i], got, want[i+1])
			}
		}
	}
}

func bodyIs(want string) func(t *testing.T, rec *httptest.ResponseRecorder) {
	return func(t *testing.T, rec *httptest.ResponseRecorder) {
		t.Helper()
		if got := strings.TrimSuffix(rec.Body.String(), "\n"); got != want {
			t.Errorf("body\n%s, want\n%s", got, want)
		}
	}
}

func all(checks ...func(t *testing.T, rec *httptest.ResponseRecorder)) func(t *testing.T, rec *httptest.ResponseRecorder) {
	return func(t *testing.T, rec *httptest.ResponseRecorder) {
		t.Helper()
		for _, check := range checks {
			check(t, rec)
		}
	}
}

const (
	writeQuorum = "n=3 w=2 pw=0 dw=0 acks=2 primaries=2 durable=2"
	readQuorum  = "n=3 r=2 pr=0 acks=2 primaries=2"
	ownWord     = "list=00000000000000000000000000000001.12 n=3 need=2 mode=siblings state=absent"
	sealedSeen  = "c2Vlbg" // "seen" as carried in headers

	siblingA = `{"value":"YQ==","content_type":"application/octet-stream","modified":"2026-11-23T12:34:56.789Z"}`
	siblingB = `{"value":"Yg==","content_type":"application/octet-stream","modified":"2026-11-23T12:34:56.789Z"}`
)

func cases() []exchangeCase {
	var all []exchangeCase
	all = append(all, readCases()...)
	all = append(all, headCases()...)
	all = append(all, writeCases()...)
	all = append(all, refusalCases()...)
	all = append(all, failureCases()...)
	return all
}

func readCases() []exchangeCase {
	typed := one("<p>")
	typed.res.Siblings[0].ContentType = "text/html; charset=utf-8"
	typed.res.Siblings[0].Expires = modified.Add(time.Hour)
	unsettled := one("a")
	unsettled.res.Quorum.PR, unsettled.res.Quorum.Unsettled = 2, true
	never := failing(ouro.NotFound, ouro.NotDone)
	never.res.Context = nil
	return []exchangeCase{
		{
			name: "one version", store: typed, method: "GET", target: "/b/k", status: 200,
			check: all(bodyIs("<p>"), headersAre(
				"Content-Type", "text/html; charset=utf-8", "Content-Length", "3", "Last-Modified", "Mon, 23 Nov 2026 12:34:56 GMT",
				"Ouro-Modified", "2026-11-23T12:34:56.789Z", "Ouro-Expires", "2026-11-23T13:34:56.789Z", "Ouro-Context", sealedSeen,
				"Ouro-Coordinator", "n1", "Ouro-Quorum", readQuorum, "X-Content-Type-Options", "nosniff", "Cache-Control", "no-store")),
		},
		{name: "one version without type", store: one("v"), method: "GET", target: "/b/k", status: 200, check: headersAre("Content-Type", "application/octet-stream")},
		{name: "one version, empty", store: one(""), method: "GET", target: "/b/k", status: 200, check: all(bodyIs(""), headersAre("Content-Length", "0"))},
		{name: "one version whatever is accepted", store: one("v"), method: "GET", target: "/b/k", headers: []string{"Accept", "image/png"}, status: 200, check: bodyIs("v")},
		{name: "unsettled", store: unsettled, method: "GET", target: "/b/k?pr=2", status: 200, check: headersAre("Ouro-Quorum", "n=3 r=2 pr=2 acks=2 primaries=2 unsettled=true")},
		{
			name: "two versions", store: one("a", "b"), method: "GET", target: "/b/k", status: 300,
			check: all(bodyIs(`{"context":"c2Vlbg","siblings":[`+siblingA+`,`+siblingB+`]}`), headersAre("Ouro-Context", sealedSeen, "Content-Type", "application/json")),
		},
		{name: "two versions, anything accepted", store: one("a", "b"), method: "GET", target: "/b/k", headers: []string{"Accept", "*/*"}, status: 300, check: headersAre("Content-Type", "application/json")},
		{name: "two versions in parts", store: one("a", "b"), method: "GET", target: "/b/k", headers: []string{"Accept", "multipart/mixed"}, status: 300, check: partsAre("a", "b")},
		{name: "two versions, browser", store: one("a", "b"), method: "GET", target: "/b/k", headers: []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, status: 300, check: headersAre("Content-Type", "application/json")},
		{name: "two versions, no form accepted", store: one("a", "b"), method: "GET", target: "/b/k", headers: []string{"Accept", "text/plain"}, status: 409, code: ouro.SiblingsFound, check: headersAre("Ouro-Context", "")},
		{name: "a tombstone", store: failing(ouro.NotFound, ouro.NotDone), method: "GET", target: "/b/k", status: 404, code: ouro.NotFound, check: headersAre("Ouro-Context", sealedSeen)},
		{name: "nothing", store: never, method: "GET", target: "/b/k", status: 404, code: ouro.NotFound, check: headersAre("Ouro-Context", "")},
		{name: "an own copy", store: &stub{res: one("a").res, by: ownWord}, method: "GET", target: "/b/k?local=true", status: 200, check: headersAre("Ouro-Local", ownWord, "Ouro-Context", sealedSeen)},
		{name: "what is said of an own copy", store: &stub{res: one("a", "b").res, by: ownWord}, method: "GET", target: "/b/k?local=digest", status: 200, check: all(bodyIs(""), headersAre("Ouro-Local", ownWord, "Ouro-Context", ""))},
		{name: "neither of both", method: "GET", target: "/b/k?local=yes", status: 400, code: ouro.BadRequest},
		{name: "an own copy that shows nothing", store: &stub{err: failing(ouro.NotFound, ouro.NotDone).err, by: ownWord}, method: "GET", target: "/b/k?local=true", status: 404, check: headersAre("Ouro-Local", ownWord)},
		{name: "an own copy that does not count", store: failing(ouro.QuorumUnavailable, ouro.NotDone), method: "GET", target: "/b/k?local=true", status: 503, check: headersAre("Ouro-Local", "")},
		{name: "not its own copy", store: &stub{res: one("a").res, by: ownWord}, method: "GET", target: "/b/k?local=false", status: 200, check: headersAre("Ouro-Local", "")},
		{name: "one version explained", store: one("a"), method: "GET", target: "/b/k?explain=true", headers: []string{"Accept", "text/plain"}, status: 200, check: bodyIs(`{"context":"c2Vlbg","siblings":[` + siblingA + `],"explain":["asked n1","decided"]}`)},
		{name: "two versions explained", store: one("a", "b"), method: "GET", target: "/b/k?explain=true", headers: []string{"Accept", "text/plain"}, status: 300, check: bodyIs(`{"context":"c2Vlbg","siblings":[` + siblingA + `,` + siblingB + `],"explain":["asked n1","decided"]}`)},
		{
			name: "a tombstone explained", store: failing(ouro.NotFound, ouro.NotDone), method: "GET", target: "/b/k?explain=true", status: 404,
			check: bodyIs(`{"code":"not_found","message":"because","outcome":"not_done","retryable":false,"context":"c2Vlbg","siblings":[],"explain":["asked n1","decided"]}`),
		},
	}
}

func headCases() []exchangeCase {
	typed := one("abc")
	typed.res.Siblings[0].ContentType = "text/plain"
	return []exchangeCase{
		{
			name: "head of one version", store: typed, method: "HEAD", target: "/b/k", status: 200,
			check: all(bodyIs(""), headersAre("Content-Type", "text/plain", "Content-Length", "3", "Last-Modified", "Mon, 23 Nov 2026 12:34:56 GMT", "Ouro-Context", "", "Ouro-Quorum", readQuorum)),
		},
		{name: "head of two versions", store: one("a", "b"), method: "HEAD", target: "/b/k", status: 300, check: all(bodyIs(""), headersAre("Ouro-Context", ""))},
		{name: "head of two versions in parts", store: one("a", "b"), method: "HEAD", target: "/b/k", headers: []string{"Accept", "multipart/*"}, status: 300, check: all(bodyIs(""), headersAre("Ouro-Context", ""))},
		{name: "head of two versions, no form accepted", store: one("a", "b"), method: "HEAD", target: "/b/k", headers: []string{"Accept", "text/plain"}, status: 409, check: all(bodyIs(""), headersAre("Ouro-Context", ""))},
		{name: "head explained", store: one("a"), method: "HEAD", target: "/b/k?explain=true", status: 200, check: all(bodyIs(""), headersAre("Ouro-Context", ""))},
		{name: "head of a tombstone", store: failing(ouro.NotFound, ouro.NotDone), method: "HEAD", target: "/b/k", status: 404, check: all(bodyIs(""), headersAre("Ouro-Context", sealedSeen))},
		{name: "head refused", store: one("a"), method: "HEAD", target: "/b/k?what=1", status: 400, check: bodyIs("")},
	}
}

// typedResult is what a store answers of a map with two fields, one of them no text.
var typedResult = ouro.Result{
	Context: ouro.Context("seen"), Coordinator: "n1", Changed: 1,
	Typed: &ouro.Typed{Kind: ouro.Map, Elements: []ouro.Element{{Name: "a", Value: []byte("1")}, {Name: "\xff", Value: []byte("\xfe")}}},
}

const (
	typedUpdate = `{"type":"map","act":"assign","elements":[{"name":"a","value":"1"},{"name_base64":"/w==","value_base64":"/g=="}]}`
	typedBody   = `{"context":"c2Vlbg","siblings":[],"changed":1,"typed":{"type":"map","elements":[{"name":"a","value":"1"},{"name_base64":"/w==","value_base64":"/g=="}]}}`
)

func writeCases() []exchangeCase {
	return []exchangeCase{
		{
			name: "put", store: one(), method: "PUT", target: "/b/k", body: "v", headers: []string{"Ouro-Request-Id", "mine"}, status: 200,
			check: all(bodyIs(""), headersAre("Ouro-Context", sealedSeen, "Ouro-Quorum", writeQuorum, "Ouro-Request-Id", "mine", "Ouro-Coordinator", "n1")),
		},
		{
			name: "an update", store: &stub{res: typedResult}, method: "POST", target: "/b/k", body: typedUpdate, status: 200,
			check: all(bodyIs(typedBody), headersAre("Ouro-Context", sealedSeen, "Ouro-Coordinator", "n1")),
		},
		{name: "a set", store: &stub{res: typedResult}, method: "GET", target: "/b/k", status: 200, check: bodyIs(strings.Replace(typedBody, `"changed":1,`, "", 1))},
		{name: "an update that is none", store: one(), method: "POST", target: "/b/k", body: `{"act":"assign","what":1}`, status: 400, code: ouro.BadRequest},
		{name: "an update and more", store: one(), method: "POST", target: "/b/k", body: typedUpdate + "{}", status: 400, code: ouro.BadRequest},
		{name: "put explained", store: one(), method: "PUT", target: "/b/k?explain=true", body: "v", status: 200, check: bodyIs(`{"context":"c2Vlbg","siblings":[],"explain":["asked n1","decided"]}`)},
		{name: "delete", store: one("a", "b"), method: "DELETE", target: "/b/k", status: 200, check: all(bodyIs(""), headersAre("Ouro-Context", sealedSeen, "Ouro-Quorum", writeQuorum))},
		{name: "delete explained", store: one("a", "b"), method: "DELETE", target: "/b/k?explain=true", status: 200, check: bodyIs(`{"context":"c2Vlbg","siblings":[` + siblingA + `,` + siblingB + `],"explain":["asked n1","decided"]}`)},
	}
}

// refusalCases are requests that the store never hears of.
func refusalCases() []exchangeCase {
	tight := Config{MaxValue: 4, MaxBodies: 3}
	list := []exchangeCase{
		{name: "another method", method: "PATCH", target: "/b/k", status: 405, code: ouro.BadRequest, check: headersAre("Allow", "GET, HEAD, PUT, POST, DELETE")},
		{name: "too large", method: "PUT", target: "/b/k", body: "12345", cfg: Config{MaxValue: 4}, status: 413, code: ouro.TooLarge},
		{name: "too many bodies", method: "PUT", target: "/b/k", body: "1234", cfg: tight, status: 503, code: ouro.Overloaded, check: headersAre("Retry-After", "1")},
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE"} {
		list = append(list, exchangeCase{
			name: method + " for another cluster", method: method, target: "/b/k", headers: []string{"Ouro-Cluster", "2"}, cfg: Config{Cluster: "1"}, status: 421,
		})
	}
	bad := func(name, method, target string, code ouro.Code, mentions string, headers ...string) {
		list = append(list, exchangeCase{
			name: name, method: method, target: target, headers: headers, status: 400, code: code,
			check: func(t *testing.T, rec *httptest.ResponseRecorder) {
				t.Helper()
				if !strings.Contains(rec.Body.String(), mentions) {
					t.Errorf("the refusal does not mention %q: %s", mentions, rec.Body)
				}
				if id := rec.Header().Get(headerRequestID); len(id) != 32 && id != "a" {
					t.Errorf("the refusal has the request id %q", id)
				}
			},
		})
	}
	bad("no key", "GET", "/b/", ouro.BadRequest, "key is empty")
	bad("empty key", "PUT", "/b/", ouro.BadRequest, "key is empty")
	bad("empty bucket", "GET", "//k", ouro.BadRequest, "bucket name")
	bad("bad bucket", "DELETE", "/b%2Fc/k", ouro.BadRequest, "bucket name")
	bad("long key", "GET", "/b/"+strings.Repeat("k", 1025), ouro.BadRequest, "1025 bytes")
	for _, query := range []string{
		"what=1", "R=1", "r", "r=", "r=x", "r=-1", "r=0", "w=0", "r=1.5", "r=%2B1", "r=99999999999999999999", "r=1000", "pw=-1", "r=1&r=1",
		"timeout=1", "timeout=0s", "timeout=-1s", "timeout=61s", "timeout=soon", "explain=1", "explain", "r=%zz", "r=1;w=1", "ttl=", "ttl=0s", "ttl=-1s", "ttl=1us", "ttl=1000000h", "ttl=soon", "ttl=1s&ttl=1s", "n=3",
	} {
		name, _, _ := strings.Cut(query, "=")
		bad("query "+query, "GET", "/b/k?"+query, ouro.BadRequest, name)
	}
	bad("context not base64", "PUT", "/b/k", ouro.BadContext, "base64", "Ouro-Context", "!!")
	bad("context padded", "GET", "/b/k", ouro.BadContext, "base64", "Ouro-Context", "YQ==")
	bad("context empty", "DELETE", "/b/k", ouro.BadContext, "empty", "Ouro-Context", "")
	bad("two contexts", "PUT", "/b/k", ouro.BadContext, "2 times", "Ouro-Context", "YQ", "Ouro-Context", "YQ")
	bad("empty id", "PUT", "/b/k", ouro.BadRequest, "Ouro-Request-Id", "Ouro-Request-Id", "")
	bad("long id", "PUT", "/b/k", ouro.BadRequest, "Ouro-Request-Id", "Ouro-Request-Id", strings.Repeat("i", 129))
	bad("odd id", "GET", "/b/k", ouro.BadRequest, "Ouro-Request-Id", "Ouro-Request-Id", "a b")
	bad("attempt 0", "PUT", "/b/k", ouro.BadRequest, "Ouro-Attempt", "Ouro-Request-Id", "a", "Ouro-Attempt", "0")
	bad("attempt x", "PUT", "/b/k", ouro.BadRequest, "Ouro-Attempt", "Ouro-Request-Id", "a", "Ouro-Attempt", "x")
	bad("two attempts", "PUT", "/b/k", ouro.BadRequest, "Ouro-Attempt", "Ouro-Request-Id", "a", "Ouro-Attempt", "1", "Ouro-Attempt", "1")
	bad("two ids", "GET", "/b/k", ouro.BadRequest, "Ouro-Request-Id", "Ouro-Request-Id", "a", "Ouro-Request-Id", "b")
	bad("long type", "PUT", "/b/k", ouro.BadRequest, "Content-Type", "Content-Type", strings.Repeat("t", 257))
	for _, condition := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"} {
		bad("put "+condition, "PUT", "/b/k", ouro.BadRequest, condition, condition, "*")
		bad("delete "+condition, "DELETE", "/b/k", ouro.BadRequest, condition, condition, "*")
	}
	bad("packed value", "PUT", "/b/k", ouro.BadRequest, "Content-Encoding", "Content-Encoding", "gzip")
	bad("part of a value", "PUT", "/b/k", ouro.BadRequest, "Content-Range", "Content-Range", "bytes 0-1/2")
	return list
}

// failureCases are the store's own errors, with each verb that can meet them.
func failureCases() []exchangeCase {
	var list []exchangeCase
	add := func(code ouro.Code, status int, methods string) {
		for method := range strings.FieldsSeq(methods) {
			c := exchangeCase{name: method + " " + string(code), store: failing(code, ouro.Unknown), method: method, target: "/b/k", status: status}
			if method == "POST" {
				c.body = typedUpdate
			}
			if method != "HEAD" {
				c.code = code
				c.check = func(t *testing.T, rec *httptest.ResponseRecorder) {
					t.Helper()
					if !strings.Contains(rec.Body.String(), `"outcome":"unknown"`) || rec.Header().Get("Ouro-Quorum") == "" {
						t.Errorf("%v %s", rec.Header(), rec.Body)
					}
				}
			}
			list = append(list, c)
		}
	}
	add(ouro.BadRequest, 400, "GET HEAD PUT DELETE")
	add(ouro.BadContext, 400, "GET HEAD PUT POST DELETE")
	add(ouro.WrongType, 409, "POST")
	add(ouro.TooManySiblings, 409, "PUT")
	add(ouro.TooLarge, 413, "PUT POST")
	add(ouro.Overloaded, 503, "GET HEAD PUT POST DELETE")
	add(ouro.HotKey, 429, "GET HEAD PUT POST DELETE")
	add(ouro.QuorumUnavailable, 503, "GET HEAD PUT DELETE")
	add(ouro.TimedOut, 504, "GET HEAD PUT POST DELETE")
	add(ouro.DiskFull, 507, "PUT POST DELETE")
	add(ouro.Internal, 500, "GET HEAD PUT POST DELETE")
	for code, status := range map[ouro.Code]int{ouro.Overloaded: 503, ouro.HotKey: 429} {
		later := failing(code, ouro.NotDone)
		var e *ouro.Error
		if errors.As(later.err, &e) {
			e.RetryAfter = 2500 * time.Millisecond
		}
		list = append(list, exchangeCase{name: "come back later, " + string(code), store: later, method: "GET", target: "/b/k", status: status, check: headersAre("Retry-After", "3")})
	}
	unnamed := one()
	unnamed.err = errors.New("something")
	list = append(list, exchangeCase{name: "any other error", store: unnamed, method: "PUT", target: "/b/k", status: 500, code: ouro.Internal})
	return list
}

// partsAre checks a multipart answer.
func partsAre(want ...string) func(t *testing.T, rec *httptest.ResponseRecorder) {
	return func(t *testing.T, rec *httptest.ResponseRecorder) {
		t.Helper()
		typ, params, err := mime.ParseMediaType(rec.Header().Get("Content-Type"))
		if err != nil || typ != "multipart/mixed" {
			t.Fatal(typ, err)
		}
		r := multipart.NewReader(rec.Body, params["boundary"])
		for _, w := range want {
			part, err := r.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(part)
			if err != nil || string(b) != w || part.Header.Get("Content-Type") != "application/octet-stream" || part.Header.Get("Ouro-Modified") != "2026-11-23T12:34:56.789Z" {
				t.Errorf("part %q %v, %v", b, part.Header, err)
			}
		}
		if _, err := r.NextRawPart(); err != io.EOF {
			t.Errorf("after the last part: %v", err)
		}
	}
}
