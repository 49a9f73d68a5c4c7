package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/oracle"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// eventually waits for what has to happen; the time only bounds a test that fails.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestMessagesTooLargeAreRefused(t *testing.T) {
	c := dial(t, start(t, Config{MaxValue: 1000}, oracle.New(oracle.Config{MaxValue: 1000})))
	_, err := c.Put(t.Context(), &ourov1.PutRequest{Key: keyPB(key), Value: &ourov1.Value{Data: make([]byte, 1001)}})
	if _, whole := failureOf(t.Context(), err); ouro.CodeOf(whole) != ouro.TooLarge {
		t.Errorf("a value over its limit: %v", err)
	}
	_, err = c.Put(t.Context(), &ourov1.PutRequest{Key: keyPB(key), Value: &ourov1.Value{Data: make([]byte, 2<<20)}})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message over its limit: %v", err)
	}
	if _, err = c.Put(t.Context(), &ourov1.PutRequest{Key: keyPB(key), Value: &ourov1.Value{Data: make([]byte, 1000)}}); err != nil {
		t.Errorf("the connection goes on: %v", err)
	}
}

// held is a store that takes puts and keeps them until told.
type held struct {
	ouro.Store
	begun, gate chan struct{}
}

func (h *held) Put(context.Context, ouro.Key, ouro.Value, ...ouro.Option) (ouro.Result, error) {
	h.begun <- struct{}{}
	<-h.gate
	return ouro.Result{}, nil
}

func TestValuesOnTheirWayAreBounded(t *testing.T) {
	h := &held{Store: oracle.New(oracle.Config{}), begun: make(chan struct{}, 1), gate: make(chan struct{})}
	c := dial(t, start(t, Config{MaxBodies: 1500}, h))
	put := func() error {
		_, err := c.Put(t.Context(), &ourov1.PutRequest{Key: keyPB(key), Value: &ourov1.Value{Data: make([]byte, 1000)}})
		return err
	}
	first := make(chan error, 1)
	go func() { first <- put() }()
	<-h.begun
	err := put()
	if _, whole := failureOf(t.Context(), err); status.Code(err) != codes.Unavailable || ouro.CodeOf(whole) != ouro.Overloaded {
		t.Errorf("%v", err)
	}
	close(h.gate)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := put(); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := &remote{dial(t, start(t, Config{MaxReply: 2000}, oracle.New(oracle.Config{})))}
	for range 2 {
		if _, err := s.Put(t.Context(), key, ouro.Value{Data: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Get(t.Context(), key); ouro.CodeOf(err) != ouro.TooLarge {
		t.Errorf("%v", err)
	}
	if res, err := s.Delete(t.Context(), key); err != nil || len(res.Siblings) != 0 {
		t.Errorf("a delete is done whatever it removed: %+v, %v", res, err)
	}
}

// counter collects why connections were closed, and how many are open.
type counter struct {
	dropped chan string
	open    atomic.Int64
}

func (c *counter) config(cfg Config) Config {
	c.dropped = make(chan string, 100)
	cfg.Dropped = func(why string) { c.dropped <- why }
	cfg.Opened = func(n int) { c.open.Store(int64(n)) }
	return cfg
}

func (c *counter) want(t *testing.T, why string) {
	t.Helper()
	select {
	case got := <-c.dropped:
		if got != why {
			t.Errorf("dropped for %q, want %q", got, why)
		}
	case <-time.After(time.Minute):
		t.Errorf("not dropped, want %q", why)
	}
}

// A client that asks and never reads: its answers stop at a bound, and then its
// connection ends.
func TestClientsThatNeverReadAreDropped(t *testing.T) {
	var n counter
	big := &canned{res: ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: make([]byte, 1<<20)}}}}}
	addr := start(t, n.config(Config{ReplyTimeout: 100 * time.Millisecond, MaxOutput: 2 << 20}), big)
	// The window of a stream that nobody reads from fills up; that of the
	// connection does not count, since the client reads frames.
	stream, err := dial(t, addr, grpc.WithStaticStreamWindowSize(64<<10)).MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := stream.Send(&ourov1.MultiGetRequest{Get: &ourov1.GetRequest{Key: keyPB(key)}}); err != nil {
			break
		}
	}
	n.want(t, "slow_reader")
	eventually(t, "no connection is open", func() bool { return n.open.Load() == 0 })
}

// An answer waits while more than MaxOutput is unread, and goes on once it is read.
func TestAnswersWaitForTheirClient(t *testing.T) {
	s := New(Config{MaxOutput: 1000}, &canned{})
	c := &conn{server: s, drained: make(chan struct{}, 1)}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for i, want := range []error{nil, nil, context.Canceled} { // 900 leave room for one more
		if err := c.hand(over, 900); !errors.Is(err, want) {
			t.Errorf("answer %d: %v, want %v", i, err, want)
		}
	}
	handed := make(chan error, 2)
	for range 2 {
		go func() { handed <- c.hand(t.Context(), 100) }()
	}
	c.took(900)
	for range 2 {
		if err := <-handed; err != nil {
			t.Error(err)
		}
	}
	if got := c.waiting.Load(); got != 1100 {
		t.Errorf("%d wait, want 1100", got)
	}
}

// A client that goes with answers unread is not counted as one that was dropped.
func TestClientsThatGoAreNotDropped(t *testing.T) {
	var n counter
	big := &canned{res: ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: make([]byte, 1<<20)}}}}}
	addr := start(t, n.config(Config{ReplyTimeout: 200 * time.Millisecond}), big)
	conn := connect(t, addr, grpc.WithStaticStreamWindowSize(64<<10))
	stream, err := ourov1.NewStoreServiceClient(conn).MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := stream.Send(&ourov1.MultiGetRequest{Get: &ourov1.GetRequest{Key: keyPB(key)}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	eventually(t, "no connection is open", func() bool { return n.open.Load() == 0 })
	time.Sleep(400 * time.Millisecond) // for the look that is due
	if len(n.dropped) > 0 {
		t.Errorf("dropped: %s", <-n.dropped)
	}
}

// One that does not even take bytes off the socket is dropped for that.
func TestClientsThatTakeNoBytesAreDropped(t *testing.T) {
	var n counter
	big := &canned{res: ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: make([]byte, 1<<20)}}}}}
	addr := start(t, n.config(Config{ReplyTimeout: 100 * time.Millisecond}), big)
	stuck := make(chan struct{})
	dialer := func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		return &deaf{Conn: c, stuck: stuck, gone: make(chan struct{})}, err
	}
	c := dial(t, addr, grpc.WithContextDialer(dialer), grpc.WithInitialConnWindowSize(64<<20), grpc.WithInitialWindowSize(64<<20), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if _, err := c.Get(t.Context(), &ourov1.GetRequest{Key: keyPB(key)}); err != nil {
		t.Fatal(err)
	}
	close(stuck)
	for range 30 {
		go func() { _, _ = c.Get(t.Context(), &ourov1.GetRequest{Key: keyPB(key)}) }()
	}
	n.want(t, "slow_reader")
}

// deaf reads nothing once it is stuck.
type deaf struct {
	net.Conn
	stuck, gone chan struct{}
	once        sync.Once
}

func (d *deaf) Close() error {
	d.once.Do(func() { close(d.gone) })
	return d.Conn.Close()
}

func (d *deaf) Read(b []byte) (int, error) {
	select {
	case <-d.stuck:
		<-d.gone
		return 0, io.EOF
	default:
		return d.Conn.Read(b)
	}
}

// A client that reads slowly, but reads, is served to the end.
func TestClientsThatReadAreServed(t *testing.T) {
	var n counter
	big := &canned{res: ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: make([]byte, 1<<20)}}}}}
	addr := start(t, n.config(Config{MaxOutput: 1 << 20}), big)
	stream, err := dial(t, addr).MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const items = 64
	go func() {
		for i := range items {
			_ = stream.Send(&ourov1.MultiGetRequest{Tag: uint64(i), Get: &ourov1.GetRequest{Key: keyPB(key)}})
		}
		_ = stream.CloseSend()
	}()
	for i := range items {
		if _, err := stream.Recv(); err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
	}
	if len(n.dropped) > 0 {
		t.Errorf("dropped: %s", <-n.dropped)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	var n counter
	addr := start(t, n.config(Config{MaxConns: 2}), oracle.New(oracle.Config{}))
	var open []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	eventually(t, "both are open", func() bool { return n.open.Load() == 2 })
	third, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(third); err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	n.want(t, "connections")
	for _, c := range open {
		_ = c.Close()
	}
	eventually(t, "none is open", func() bool { return n.open.Load() == 0 })
	if _, err := (&remote{dial(t, addr)}).Get(t.Context(), key); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("there is room again: %v", err)
	}
}

// Connections that say nothing, or what is no HTTP/2, are closed.
func TestHalfOpenAndMalformedConnectionsAreClosed(t *testing.T) {
	addr := start(t, Config{ConnectTimeout: 100 * time.Millisecond, KeepAlive: time.Second, KeepAliveTimeout: time.Second}, oracle.New(oracle.Config{}))
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for name, says := range map[string]string{
		"nothing":             "",
		"half a preface":      preface[:10],
		"HTTP/1":              "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"Redis":               "*1\r\n$4\r\nPING\r\n",
		"no settings":         preface,
		"a huge frame":        preface + settings + "\xff\xff\xff\x00\x00\x00\x00\x00\x01",
		"data of no stream":   preface + settings + "\x00\x00\x01\x00\x00\x00\x00\x00\x00x",
		"silence after hello": preface + settings, // until a ping is not answered
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(says)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: still open", name)
		}
		_ = c.Close()
	}
	if _, err := (&remote{dial(t, addr)}).Get(t.Context(), key); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("others are served: %v", err)
	}
}

// An update of far more elements than may be named takes no more memory than
// those that may.
func TestUpdatesOfTooManyElementsAreNotRead(t *testing.T) {
	raw, err := proto.Marshal(&ourov1.UpdateRequest{Key: keyPB(key), Kind: ourov1.Kind_KIND_SET, Act: ourov1.Act_ACT_ASSIGN})
	if err != nil {
		t.Fatal(err)
	}
	for _, elements := range []int{0, ouro.MaxElements, ouro.MaxElements + 1, 1 << 19} {
		var req ourov1.UpdateRequest
		data := append(bytes.Clone(raw), bytes.Repeat([]byte{elementsField<<3 | 2, 0}, elements)...)
		if err := newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &req); err != nil {
			t.Fatal(err)
		}
		if want := min(elements, ouro.MaxElements+1); len(req.GetElements()) != want || req.GetKind() != ourov1.Kind_KIND_SET {
			t.Errorf("%d were read of %d", len(req.GetElements()), elements)
		}
		s := &service{Server: &Server{cfg: Config{Rejected: func(ouro.Code) {}}}, store: &canned{}}
		if _, failed := s.update(t.Context(), &req); (failed != nil) != (elements > ouro.MaxElements) {
			t.Errorf("%d elements: %v", elements, failed)
		}
	}
}

// FuzzRequests: whatever bytes come as a request, it is answered or refused with
// what protobuf takes.
func FuzzRequests(f *testing.F) {
	seed := func(kind byte, m proto.Message) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, b)
	}
	r := uint32(2)
	seed(0, &ourov1.GetRequest{Key: keyPB(key), Options: &ourov1.Options{R: &r, Explain: true}})
	seed(1, &ourov1.PutRequest{Key: keyPB(key), Value: &ourov1.Value{Data: []byte("v"), ContentType: "text/plain"}, Context: []byte("c"), Options: optionsPB(ouro.Options{TTL: -1, Timeout: time.Second})})
	seed(2, &ourov1.DeleteRequest{Key: keyPB(key), Options: &ourov1.Options{RequestId: "x", First: true}})
	seed(3, &ourov1.UpdateRequest{Key: keyPB(key), Kind: 2, Act: 3, Elements: []*ourov1.Element{{By: 1}}})
	seed(4, &ourov1.KeysRequest{Bucket: "b", Prefix: []byte("x")})
	seed(5, &ourov1.MultiPutRequest{Tag: 1})
	seed(6, &ourov1.MultiGetRequest{Tag: 1})
	cfg := Config{}
	cfg.setDefaults()
	s := &service{Server: &Server{cfg: cfg}, store: oracle.NewTypes()}
	plain := &service{Server: s.Server, store: oracle.New(oracle.Config{})}
	f.Fuzz(func(t *testing.T, kind byte, raw []byte) {
		switch kind % 7 {
		case 0:
			fuzzed(t, raw, plain.get)
		case 1:
			fuzzed(t, raw, plain.put)
		case 2:
			fuzzed(t, raw, plain.delete)
		case 3:
			fuzzed(t, raw, s.update)
		case 4:
			req := new(ourov1.KeysRequest)
			if proto.Unmarshal(raw, req) == nil {
				_, _ = s.keysQuery(req)
			}
		case 5:
			fuzzed(t, raw, func(ctx context.Context, req *ourov1.MultiPutRequest) (*ourov1.PutResponse, *failure) {
				return plain.put(ctx, req.GetPut())
			})
		case 6:
			fuzzed(t, raw, func(ctx context.Context, req *ourov1.MultiGetRequest) (*ourov1.GetResponse, *failure) {
				return plain.get(ctx, req.GetGet())
			})
		}
	})
}

func fuzzed[In any, M interface {
	*In
	proto.Message
}, Out any](t *testing.T, raw []byte, do func(context.Context, *In) (*Out, *failure)) {
	req := M(new(In))
	if newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(raw)}, req) != nil {
		return
	}
	out, failed := do(t.Context(), req)
	if failed != nil {
		if _, err := proto.Marshal(failed.message()); err != nil {
			t.Error(err)
		}
		if status.Code(failed.status()) == codes.Internal {
			t.Errorf("%v", failed.status())
		}
		return
	}
	if _, err := proto.Marshal(any(out).(proto.Message)); err != nil {
		t.Error(err)
	}
}
