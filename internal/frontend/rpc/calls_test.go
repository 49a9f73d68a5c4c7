package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/oracle"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// canned answers everything with the same, and remembers what it was asked.
type canned struct {
	res ouro.Result
	err error

	mu   sync.Mutex // of calls at once
	opts ouro.Options
}

func (c *canned) asked(opts []ouro.Option) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opts = ouro.Apply(opts...)
}

func (c *canned) Get(_ context.Context, _ ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	c.asked(opts)
	return c.res, c.err
}

func (c *canned) Put(_ context.Context, _ ouro.Key, _ ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	c.asked(opts)
	return c.res, c.err
}

func (c *canned) Delete(_ context.Context, _ ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	c.asked(opts)
	return c.res, c.err
}

func (c *canned) Update(_ context.Context, _ ouro.Key, _ ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	c.asked(opts)
	return c.res, c.err
}

var key = ouro.Key{Bucket: "b", Name: "k\xff/"}

// Every error comes back whole, as a status that says whether to send it again.
func TestErrorsComeBackWhole(t *testing.T) {
	store := &canned{}
	c := dial(t, start(t, Config{}, store))
	s := &remote{c}
	for _, test := range []struct {
		err  ouro.Error
		want codes.Code
	}{
		{ouro.Error{Code: ouro.BadRequest, Outcome: ouro.NotDone}, codes.InvalidArgument},
		{ouro.Error{Code: ouro.BadContext, Outcome: ouro.NotDone}, codes.InvalidArgument},
		{ouro.Error{Code: ouro.TooLarge, Outcome: ouro.NotDone}, codes.InvalidArgument},
		{ouro.Error{Code: ouro.NotFound, Outcome: ouro.NotDone}, codes.NotFound},
		{ouro.Error{Code: ouro.TooManySiblings, Outcome: ouro.NotDone}, codes.FailedPrecondition},
		{ouro.Error{Code: ouro.WrongType, Outcome: ouro.NotDone}, codes.FailedPrecondition},
		{ouro.Error{Code: ouro.Conflict, Outcome: ouro.NotDone}, codes.Aborted},
		{ouro.Error{Code: ouro.Overloaded, Outcome: ouro.NotDone, Retryable: true, RetryAfter: 3 * time.Second}, codes.Unavailable},
		{ouro.Error{Code: ouro.Overloaded, Outcome: ouro.Unknown, Retryable: true, RetryAfter: time.Millisecond}, codes.Unknown},
		{ouro.Error{Code: ouro.HotKey, Outcome: ouro.NotDone, Retryable: true, RetryAfter: time.Second}, codes.ResourceExhausted},
		{ouro.Error{Code: ouro.QuorumUnavailable, Outcome: ouro.NotDone, Retryable: true}, codes.Unavailable},
		{ouro.Error{Code: ouro.QuorumUnavailable, Outcome: ouro.Unknown, Retryable: true}, codes.Unknown},
		{ouro.Error{Code: ouro.TimedOut, Outcome: ouro.Unknown, Retryable: true}, codes.DeadlineExceeded},
		{ouro.Error{Code: ouro.DiskFull, Outcome: ouro.NotDone, Retryable: true}, codes.ResourceExhausted},
		{ouro.Error{Code: ouro.Internal, Outcome: ouro.Done}, codes.Internal},
		{ouro.Error{Code: "of_a_later_version", Outcome: ouro.Unknown, Message: "not UTF-8"}, codes.Internal},
	} {
		test.err.Message += "why and what to do"
		store.err = &test.err
		store.res = ouro.Result{Coordinator: "n7", RequestID: "mine", Context: ouro.Context("ctx"), Quorum: ouro.Quorum{N: 3, W: 2, Acks: 1}}
		_, err := c.Put(t.Context(), &ourov1.PutRequest{Key: keyPB(key)})
		if got := status.Code(err); got != test.want {
			t.Errorf("%v is status %v, want %v", test.err, got, test.want)
		}
		for verb, do := range verbs(s) {
			res, err := do()
			var e *ouro.Error
			if !errors.As(err, &e) || *e != test.err {
				t.Errorf("%s: %+v, want %+v", verb, err, test.err)
			}
			want := ouro.Context(nil)
			if test.err.Code == ouro.NotFound {
				want = ouro.Context("ctx") // it covers nothing that is shown elsewhere
			}
			if res.Coordinator != "n7" || res.RequestID != "mine" || res.Quorum != store.res.Quorum || string(res.Context) != string(want) {
				t.Errorf("%s with %v: %+v", verb, test.err, res)
			}
		}
	}
}

// verbs are the four, each about the same key.
func verbs(s *remote, opts ...ouro.Option) map[string]func() (ouro.Result, error) {
	ctx := context.Background()
	return map[string]func() (ouro.Result, error){
		"get":    func() (ouro.Result, error) { return s.Get(ctx, key, opts...) },
		"put":    func() (ouro.Result, error) { return s.Put(ctx, key, ouro.Value{Data: []byte("v")}, opts...) },
		"delete": func() (ouro.Result, error) { return s.Delete(ctx, key, opts...) },
		"update": func() (ouro.Result, error) {
			return s.Update(ctx, key, ouro.Update{Kind: ouro.Counter, Act: ouro.Increment}, opts...)
		},
	}
}

// What other front ends took may be no UTF-8, which protobuf wants of texts.
func TestTextsAreMadeValid(t *testing.T) {
	store := &canned{res: ouro.Result{
		Siblings: []ouro.Sibling{{Value: ouro.Value{Data: []byte("\xff"), ContentType: "text/\xff"}}}, Explain: []string{"asked \xff"}, Coordinator: "n\xff",
	}}
	s := &remote{dial(t, start(t, Config{}, store))}
	res, err := s.Get(t.Context(), key)
	if err != nil || string(res.Siblings[0].Data) != "\xff" || res.Siblings[0].ContentType != "text/\uFFFD" || res.Explain[0] != "asked \uFFFD" || res.Coordinator != "n\uFFFD" {
		t.Errorf("%+v, %v", res, err)
	}
	store.err = ouro.Errorf(ouro.NotFound, ouro.NotDone, "no %s", "\xff")
	if _, err := s.Get(t.Context(), key); ouro.CodeOf(err) != ouro.NotFound || !strings.Contains(err.Error(), "no \uFFFD") {
		t.Errorf("%v", err)
	}
}

// Facts that go with an error are bounded: they travel in a header.
func TestFactsOfAnErrorAreCut(t *testing.T) {
	store := &canned{err: ouro.Errorf(ouro.TimedOut, ouro.Unknown, "late"), res: ouro.Result{Explain: slices.Repeat([]string{strings.Repeat("fact", 25)}, 1000)}}
	s := &remote{dial(t, start(t, Config{}, store))}
	res, err := s.Put(t.Context(), key, ouro.Value{})
	if ouro.CodeOf(err) != ouro.TimedOut || len(res.Explain) < 10 || len(res.Explain) > 50 || res.Explain[len(res.Explain)-1] != "and more" {
		t.Errorf("%d facts, %v", len(res.Explain), err)
	}
}

// An error that no store should return is internal, and unknown for a write.
func TestStrangeErrorsAreInternal(t *testing.T) {
	s := &remote{dial(t, start(t, Config{}, &canned{err: errors.New("odd")}))}
	for verb, do := range verbs(s) {
		_, err := do()
		want := ouro.Unknown
		if verb == "get" {
			want = ouro.NotDone
		}
		var e *ouro.Error
		if !errors.As(err, &e) || e.Code != ouro.Internal || e.Outcome != want {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestOptionsReachTheStore(t *testing.T) {
	store := &canned{res: ouro.Result{RequestID: "r"}}
	s := &remote{dial(t, start(t, Config{}, store))}
	set := ouro.Options{
		R: ouro.Count{N: 1, Set: true}, PR: ouro.Count{N: 0, Set: true}, W: ouro.Count{N: 3, Set: true}, PW: ouro.Count{N: 2, Set: true}, DW: ouro.Count{N: 1, Set: true},
		Timeout: 300 * time.Millisecond, TTL: -1, Explain: true, RequestID: "my-id", First: true, Context: ouro.Context("seen"),
	}
	for _, want := range []ouro.Options{{}, set} {
		for verb, do := range verbs(s, func(o *ouro.Options) { *o = want }) {
			if _, err := do(); err != nil {
				t.Fatal(err)
			}
			if verb == "get" {
				store.opts.Context = want.Context // a get has none
			}
			if !reflect.DeepEqual(store.opts, want) {
				t.Errorf("%s came with %+v, want %+v", verb, store.opts, want)
			}
		}
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	rejected := 0
	store := &canned{}
	s := &remote{dial(t, start(t, Config{Rejected: func(ouro.Code) { rejected++ }}, store))}
	for name, set := range map[string]func(*ouro.Options){
		"r=0":         func(o *ouro.Options) { o.R = ouro.Count{N: 0, Set: true} },
		"w=1000":      func(o *ouro.Options) { o.W = ouro.Count{N: 1000, Set: true} },
		"dw=-1":       func(o *ouro.Options) { o.DW = ouro.Count{N: -1, Set: true} },
		"timeout=1µs": func(o *ouro.Options) { o.Timeout = time.Microsecond },
		"timeout<0":   func(o *ouro.Options) { o.Timeout = -time.Second },
		"timeout=61s": func(o *ouro.Options) { o.Timeout = 61 * time.Second },
		"ttl":         func(o *ouro.Options) { o.TTL = 101 * 365 * 24 * time.Hour },
		"spaces":      func(o *ouro.Options) { o.RequestID = "a b" },
		"long id":     func(o *ouro.Options) { o.RequestID = strings.Repeat("x", 129) },
	} {
		for verb, do := range verbs(s, set) {
			if _, err := do(); ouro.CodeOf(err) != ouro.BadRequest {
				t.Errorf("%s with %s: %v", verb, name, err)
			}
		}
	}
	if rejected != 36 {
		t.Errorf("%d were counted, want 36", rejected)
	}
	for verb, do := range verbs(s, func(o *ouro.Options) { o.Context = ouro.Context{} }) {
		if _, err := do(); verb != "get" && ouro.CodeOf(err) != ouro.BadContext {
			t.Errorf("%s with an empty context: %v", verb, err)
		}
	}
	if _, err := s.Put(t.Context(), key, ouro.Value{ContentType: strings.Repeat("x", 257)}); ouro.CodeOf(err) != ouro.BadRequest {
		t.Error(err)
	}
	for _, u := range []*ourov1.UpdateRequest{
		{}, {Kind: 99, Act: 1}, {Kind: 2, Act: 99}, {Kind: 2, Act: 3, Condition: -1}, {Kind: 2},
	} {
		if _, err := s.c.Update(t.Context(), u); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v: %v", u, err)
		}
	}
}

// Data types come through as the vocabulary has them.
func TestDataTypes(t *testing.T) {
	s := &remote{dial(t, start(t, Config{}, oracle.NewTypes()))}
	one := func(kind ouro.Kind, name string) ouro.Key { return ouro.Key{Bucket: "t", Name: string(kind) + name} }
	for _, test := range []struct {
		u       ouro.Update
		changed int
		want    ouro.Typed
	}{
		{ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: []ouro.Element{{By: -3}}}, 1, ouro.Typed{Kind: ouro.Counter, Count: -3}},
		{ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: []ouro.Element{{Name: "b\xff"}, {Name: "a"}}}, 2, ouro.Typed{Kind: ouro.Set, Elements: []ouro.Element{{Name: "a"}, {Name: "b\xff"}}}},
		{ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: []ouro.Element{{Name: "f", Value: []byte("v")}}}, 1, ouro.Typed{Kind: ouro.Map, Elements: []ouro.Element{{Name: "f", Value: []byte("v")}}}},
		{ouro.Update{Kind: ouro.SortedSet, Act: ouro.Assign, Elements: []ouro.Element{{Name: "m", Score: 1.5}}}, 1, ouro.Typed{Kind: ouro.SortedSet, Elements: []ouro.Element{{Name: "m", Score: 1.5}}}},
	} {
		k := one(test.u.Kind, "")
		res, err := s.Update(t.Context(), k, test.u)
		if err != nil || res.Changed != test.changed {
			t.Errorf("%+v: %+v, %v", test.u, res, err)
			continue
		}
		got, err := s.Get(t.Context(), k)
		if err != nil || got.Typed == nil || fmt.Sprint(*got.Typed) != fmt.Sprint(test.want) {
			t.Errorf("%+v shows %+v, %v", test.u, got.Typed, err)
		}
	}
	_, err := s.Update(t.Context(), one(ouro.Counter, ""), ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: []ouro.Element{{Name: "x"}}})
	if ouro.CodeOf(err) != ouro.WrongType {
		t.Errorf("another type: %v", err)
	}
	plain := &remote{dial(t, start(t, Config{}, oracle.New(oracle.Config{})))}
	if _, err := plain.Update(t.Context(), key, ouro.Update{Kind: ouro.Set, Act: ouro.Assign}); ouro.CodeOf(err) != ouro.BadRequest {
		t.Errorf("a store without data types: %v", err)
	}
}

// lists is a store whose keys are listed in pages.
type lists struct {
	ouro.Store
	pages []ouro.KeysPage
	asked []ouro.KeysQuery
}

func (l *lists) Keys(_ context.Context, _ string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	l.asked = append(l.asked, q)
	if int(q.Cursor) >= len(l.pages) {
		return ouro.KeysPage{}, ouro.Errorf(ouro.TimedOut, ouro.NotDone, "too late")
	}
	return l.pages[q.Cursor], nil
}

func TestKeys(t *testing.T) {
	store := &lists{pages: []ouro.KeysPage{
		{Keys: []string{"a", "\xff"}, Next: 1, Covered: 0.25},
		{Next: 2, Covered: 0.25, Missing: []ouro.KeyRange{{From: 3, To: 1 << 63, Why: "n2 is down"}}},
		{Keys: []string{"c"}, Covered: 0.5},
	}}
	c := dial(t, start(t, Config{}, store))
	for _, test := range []struct {
		req  *ourov1.KeysRequest
		want string // keys and cursors
		end  codes.Code
	}{
		{&ourov1.KeysRequest{Bucket: "b"}, `["a" "\xff"] 1 [] | [] 2 [n2 is down] | ["c"] 0 [] | `, codes.OK},
		{&ourov1.KeysRequest{Bucket: "b", Pages: 1}, `["a" "\xff"] 1 [] | `, codes.OK},
		{&ourov1.KeysRequest{Bucket: "b", Pages: 1, Cursor: 2}, `["c"] 0 [] | `, codes.OK},
		{&ourov1.KeysRequest{Bucket: "b", Cursor: 9}, ``, codes.DeadlineExceeded},
		{&ourov1.KeysRequest{Bucket: "b c"}, ``, codes.InvalidArgument},
		{&ourov1.KeysRequest{Bucket: "b", Limit: 10_001}, ``, codes.InvalidArgument},
	} {
		stream, err := c.Keys(t.Context(), test.req)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for {
			page, err := stream.Recv()
			if err != nil {
				if err != io.EOF && status.Code(err) != test.end || err == io.EOF && test.end != codes.OK {
					t.Errorf("%v ended with %v", test.req, err)
				}
				break
			}
			var why []string
			for _, m := range page.GetMissing() {
				why = append(why, m.GetWhy())
			}
			got += fmt.Sprintf("%q %d %v | ", page.GetKeys(), page.GetNext(), why)
		}
		if got != test.want {
			t.Errorf("%v lists %s, want %s", test.req, got, test.want)
		}
	}
	r := uint32(2)
	stream, err := c.Keys(t.Context(), &ourov1.KeysRequest{Bucket: "b", Cursor: 2, Prefix: []byte("\xff"), Limit: 7, R: &r})
	if err == nil {
		_, err = stream.Recv()
	}
	if q := store.asked[len(store.asked)-1]; err != nil || q.Prefix != "\xff" || q.Limit != 7 || q.R != (ouro.Count{N: 2, Set: true}) || q.Cursor != 2 {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestHealthAndReflection(t *testing.T) {
	var ready atomic.Bool
	notReady := func() error {
		if ready.Load() {
			return nil
		}
		return errors.New("not yet")
	}
	addr, srv := startServer(t, Config{Ready: notReady}, &canned{})
	conn := connect(t, addr)
	h := grpc_health_v1.NewHealthClient(conn)
	check := func(service string, want grpc_health_v1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		if got, err := h.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service}); err != nil || got.GetStatus() != want {
			t.Errorf("%q is %v, %v", service, got, err)
		}
	}
	check("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	ready.Store(true)
	check("", grpc_health_v1.HealthCheckResponse_SERVING)
	check("ouro.v1.StoreService", grpc_health_v1.HealthCheckResponse_SERVING)
	if _, err := h.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "x"}); status.Code(err) != codes.NotFound {
		t.Error(err)
	}
	r, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	if list, err := r.Recv(); err != nil || !strings.Contains(list.String(), "ouro.v1.StoreService") {
		t.Errorf("%v, %v", list, err)
	}
	_ = r.CloseSend()
	watch, err := h.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if first, err := watch.Recv(); err != nil || first.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("%v, %v", first, err)
	}
	srv.Shutdown(t.Context()) // it ends although somebody watches
	if last, err := watch.Recv(); err != nil || last.GetStatus() != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("%v, %v", last, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

func TestTokens(t *testing.T) {
	auth := func(token string) error {
		if token != "right" {
			return errors.New("this token is not known")
		}
		return nil
	}
	c := dial(t, start(t, Config{Auth: auth}, oracle.New(oracle.Config{})))
	call := func(ctx context.Context) (error, error) {
		_, unary := c.Get(ctx, &ourov1.GetRequest{Key: keyPB(key)})
		stream, err := c.MultiGet(ctx)
		if err == nil {
			_ = stream.CloseSend()
			_, err = stream.Recv()
		}
		return unary, err
	}
	for _, given := range []string{"", "Bearer wrong", "Bearer ", "Basic right"} {
		if one, two := call(metadata.AppendToOutgoingContext(t.Context(), "authorization", given)); status.Code(one) != codes.Unauthenticated || status.Code(two) != codes.Unauthenticated {
			t.Errorf("%q: %v, %v", given, one, two)
		}
	}
	if one, two := call(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer right")); status.Code(one) != codes.NotFound || two != io.EOF {
		t.Errorf("the right one: %v, %v", one, two)
	}
}
