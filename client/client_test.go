package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/frontend/web"
	"github.com/ourodb/ouro/internal/oracle"
)

// serve serves h on a port of its own and returns a client of it.
func serve(t *testing.T, h http.Handler, opts ...client.Option) *client.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := client.New(srv.URL, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestConformance(t *testing.T) {
	c := serve(t, web.New(web.Config{}, oracle.New(oracle.Config{})))
	conformance.Run(t, c, conformance.Limits{Value: 1 << 20, Siblings: 100})
	conformance.RunKeys(t, c, conformance.Limits{})
	conformance.RunForeign(t, c, serve(t, web.New(web.Config{}, oracle.New(oracle.Config{}))))
	conformance.RunTypes(t, serve(t, web.New(web.Config{}, oracle.NewTypes())))
}

var key = ouro.Key{Bucket: "b", Name: "k"}

func TestPlainWritesReadFirst(t *testing.T) {
	c := serve(t, web.New(web.Config{}, oracle.New(oracle.Config{})))
	ctx := t.Context()
	for _, v := range []string{"1", "2", "3"} {
		if _, err := c.Put(ctx, key, ouro.Value{Data: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
	res, err := c.Get(ctx, key)
	if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "3" {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := c.Put(ctx, key, ouro.Value{Data: []byte("4")}, ouro.Blind()); err != nil {
		t.Fatal(err)
	}
	if res, err = c.Get(ctx, key); err != nil || len(res.Siblings) != 2 {
		t.Fatalf("%+v, %v", res, err)
	}
	if res, err = c.Delete(ctx, key); err != nil || len(res.Siblings) != 2 {
		t.Fatalf("a plain delete says it removed %+v, %v", res.Siblings, err)
	}
	if _, err = c.Get(ctx, key); ouro.CodeOf(err) != ouro.NotFound {
		t.Fatal(err)
	}
}

func TestErrorsComeBackWhole(t *testing.T) {
	want := &ouro.Error{Code: ouro.Overloaded, Message: "the queue is full", Outcome: ouro.Unknown, Retryable: true, RetryAfter: 3 * time.Second}
	c := serve(t, web.New(web.Config{}, failing{want}))
	_, err := c.Put(t.Context(), key, ouro.Value{}, ouro.Blind())
	var got *ouro.Error
	if !errors.As(err, &got) || *got != *want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if _, err = c.Put(t.Context(), key, ouro.Value{}); !errors.As(err, &got) || !strings.Contains(err.Error(), "before writing") {
		t.Fatalf("a put whose read fails: %v", err)
	}
}

// failing is a store that only fails.
type failing struct{ err error }

func (f failing) Get(context.Context, ouro.Key, ...ouro.Option) (ouro.Result, error) {
	return ouro.Result{Coordinator: "n1"}, f.err
}

func (f failing) Put(context.Context, ouro.Key, ouro.Value, ...ouro.Option) (ouro.Result, error) {
	return ouro.Result{Coordinator: "n1"}, f.err
}

func (f failing) Delete(context.Context, ouro.Key, ...ouro.Option) (ouro.Result, error) {
	return ouro.Result{Coordinator: "n1"}, f.err
}

// TestOutcomeOfBrokenConnections: only a request that never left is known not to
// have been carried out.
func TestOutcomeOfBrokenConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing, err := client.New(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	breaking := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	short := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("12345"))
	}))
	for _, c := range []struct {
		name     string
		client   *client.Client
		get, put ouro.Outcome
	}{
		{"refused", refusing, ouro.NotDone, ouro.NotDone},
		{"broken", breaking, ouro.NotDone, ouro.Unknown},
		{"cut short", short, ouro.NotDone, ouro.Unknown},
	} {
		_, err := c.client.Get(t.Context(), key)
		check(t, c.name+" get", err, ouro.QuorumUnavailable, c.get)
		_, err = c.client.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.Blind())
		check(t, c.name+" put", err, ouro.QuorumUnavailable, c.put)
	}
}

// TestOutcomeWithoutConnection: a write that got no connection is known not to have been
// carried out, unless the transport does not tell.
func TestOutcomeWithoutConnection(t *testing.T) {
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	ended := func() context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	}
	hole := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hanging.Close()
	busy, free := context.WithCancel(t.Context())
	defer free()
	silent := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	for _, c := range []struct {
		name    string
		ctx     func() context.Context
		opt     client.Option
		busy    bool // another request has the connection
		outcome ouro.Outcome
	}{
		{"ended before", ended, client.MaxConns(1), false, ouro.NotDone},
		{"no answer to the dial", short, client.WithHTTPClient(&http.Client{Transport: hole}), false, ouro.NotDone},
		{"no connection free", short, client.MaxConns(1), true, ouro.NotDone},
		{"no answer", short, client.MaxConns(1), false, ouro.Unknown},
		{"a transport that does not tell", t.Context, client.WithHTTPClient(&http.Client{Transport: silent}), false, ouro.Unknown},
	} {
		one, err := client.New(hanging.URL, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		if c.busy {
			go func() { _, _ = one.Get(busy, key) }()
			time.Sleep(20 * time.Millisecond)
		}
		ctx := c.ctx()
		_, err = one.Put(ctx, key, ouro.Value{Data: []byte("v")}, ouro.Blind())
		check(t, c.name, err, ouro.QuorumUnavailable, c.outcome)
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			t.Errorf("%s: %v does not say why", c.name, err)
		}
		for _, a := range one.PutMany(c.ctx(), []ouro.Item{{Key: key}}, ouro.Blind()) {
			check(t, c.name+", many", a.Err, ouro.QuorumUnavailable, c.outcome)
		}
	}
	all, err := client.Connect([]string{hanging.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	_, err = all.Put(ended(), key, ouro.Value{}, ouro.Blind())
	check(t, "ended before any node was asked", err, ouro.TimedOut, ouro.NotDone)
}

// roundTripper is a transport that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func check(t *testing.T, name string, err error, code ouro.Code, outcome ouro.Outcome) {
	t.Helper()
	if ouro.CodeOf(err) != code || ouro.OutcomeOf(err) != outcome {
		t.Errorf("%s: %v, outcome %v, want %s %v", name, err, ouro.OutcomeOf(err), code, outcome)
	}
}

// TestAnotherProtocol: who is at the wrong port is told so, without the words of net/http.
func TestAnotherProtocol(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "-ERR unknown command\r\n")
			_ = conn.Close()
		}
	}()
	c, err := client.New(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Get(t.Context(), key)
	check(t, "another protocol", err, ouro.QuorumUnavailable, ouro.NotDone)
	if text := fmt.Sprint(err); strings.Contains(text, "net/http") || strings.Contains(text, "read tcp") {
		t.Error(text)
	}
}

// What no node takes, whatever is sent again, is refused at once.
func TestTooLongHeaders(t *testing.T) {
	c := newFleet(t, 3).connect([]string{"a"})
	long := strings.Repeat("x", 2<<20)
	for name, opt := range map[string]ouro.Option{
		"context": ouro.WithContext(ouro.Context(long)), "request id": ouro.RequestID(long),
	} {
		_, err := c.Put(t.Context(), key, ouro.Value{}, ouro.Blind(), opt)
		check(t, name, err, ouro.TooLarge, ouro.NotDone)
	}
	_, err := c.Put(t.Context(), key, ouro.Value{ContentType: long}, ouro.Blind())
	check(t, "content type", err, ouro.TooLarge, ouro.NotDone)
}

// TestStrangeAnswers: what no node says is an error that shows what was said.
func TestStrangeAnswers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"html error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<h1>bad gateway</h1>", http.StatusBadGateway)
		},
		"plain 404":    func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"another 200":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") },
		"redirect":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"bad context":  node(200, "text/plain", "v", "Ouro-Context", "!!"),
		"bad JSON":     node(300, "application/json", `{"siblings":`),
		"bad base64":   node(300, "application/json", `{"siblings":[{"value":"!"}]}`),
		"coded nought": node(500, "application/json", `{}`),
	} {
		_, err := serve(t, h).Get(t.Context(), key)
		check(t, name, err, ouro.Internal, ouro.NotDone)
		_, err = serve(t, h).Put(t.Context(), key, ouro.Value{}, ouro.Blind())
		if name != "bad JSON" && name != "bad base64" {
			check(t, name+" to a put", err, ouro.Internal, ouro.Unknown)
		}
	}
}

func node(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Ouro-Coordinator", "n1")
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestReplyIsBounded(t *testing.T) {
	for _, announced := range []bool{true, false} {
		c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if announced {
				w.Header().Set("Content-Length", "1001")
			}
			w.Header().Set("Ouro-Coordinator", "n1")
			for range 1001 {
				_, _ = w.Write([]byte("x"))
			}
		}), client.MaxReply(1000))
		_, err := c.Get(t.Context(), key)
		check(t, fmt.Sprintf("announced %t", announced), err, ouro.QuorumUnavailable, ouro.NotDone)
	}
}

func TestContextEndsAsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	_, err := c.Delete(ctx, key, ouro.Blind())
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	check(t, "delete", err, ouro.QuorumUnavailable, ouro.Unknown)
}

func TestAddresses(t *testing.T) {
	for _, good := range []string{"127.0.0.1:7070", "localhost:1", "[::1]:7070", "http://h:1", "https://h", "http://h:1/"} {
		if _, err := client.New(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "h", ":7070", "::1", "h:0", "h:65536", "http://h:70700", "ftp://h", "http://", "http://h/path", "h:1?x", "a b", "%zz"} {
		if _, err := client.New(bad); ouro.CodeOf(err) != ouro.BadRequest {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTTLBounds(t *testing.T) {
	c := serve(t, web.New(web.Config{}, oracle.New(oracle.Config{})))
	for _, ttl := range []time.Duration{time.Microsecond, 101 * 365 * 24 * time.Hour} {
		_, err := c.Put(t.Context(), key, ouro.Value{}, ouro.Blind(), ouro.TTL(ttl))
		check(t, ttl.String(), err, ouro.BadRequest, ouro.NotDone)
	}
}

// TestAttempts: what the client names itself it says to be new; what its caller
// names may have been sent before, and keeps its name.
func TestAttempts(t *testing.T) {
	var seen []string
	inner := web.New(web.Config{}, oracle.New(oracle.Config{}))
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			seen = append(seen, r.Header.Get("Ouro-Request-Id")+" "+r.Header.Get("Ouro-Attempt"))
		}
		inner.ServeHTTP(w, r)
	}))
	for _, opts := range [][]ouro.Option{nil, {ouro.RequestID("r")}, {ouro.RequestID("r"), ouro.First()}} {
		opts = append(opts, ouro.Blind())
		if _, err := c.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, opts...); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Delete(t.Context(), key, opts...); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{" 1", " 1", "r ", "r ", "r 1", "r 1"} {
		if !strings.HasSuffix(seen[i], want) || i < 2 && len(seen[i]) < 10 {
			t.Errorf("request %d says %q, want %q", i, seen[i], want)
		}
	}
}

// TestRetry: an answer that is lost makes the outcome unknown, and the same
// request again, under the id that the error came with, is not stored twice.
func TestRetry(t *testing.T) {
	store := oracle.New(oracle.Config{})
	inner := web.New(web.Config{}, store)
	var lose atomic.Bool
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lose.Load() && r.Method != http.MethodGet {
			inner.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	}))
	for _, write := range []func(opts ...ouro.Option) (ouro.Result, error){
		func(opts ...ouro.Option) (ouro.Result, error) {
			return c.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, append(opts, ouro.Blind())...)
		},
		func(opts ...ouro.Option) (ouro.Result, error) { return c.Delete(t.Context(), key, opts...) },
	} {
		lose.Store(true)
		res, err := write()
		var e *ouro.Error
		if !errors.As(err, &e) || e.Outcome != ouro.Unknown || res.RequestID == "" {
			t.Fatalf("without an answer: %+v, %v", res, err)
		}
		lose.Store(false)
		if _, err = write(ouro.RequestID(res.RequestID)); err != nil {
			t.Fatal(err)
		}
	}
	if res, err := store.Get(t.Context(), key); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("in the end there is %+v, %v", res, err)
	}
}
