package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// wrapDial dials TCP and changes the connection.
func wrapDial(wrap func(net.Conn) net.Conn) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := dialTCP(ctx, addr)
		if err != nil {
			return nil, err
		}
		return wrap(c), nil
	}
}

// network is a network in memory: addresses and who listens there.
type network struct {
	mu        sync.Mutex
	listeners map[string]*memListener
	dialled   []time.Time
}

func newNetwork() *network { return &network{listeners: map[string]*memListener{}} }

func (n *network) listen(addr string) *memListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &memListener{net: n, addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[addr] = l
	return l
}

var errNobody = errors.New("connection refused")

func (n *network) dial(ctx context.Context, addr string) (net.Conn, error) {
	n.mu.Lock()
	n.dialled = append(n.dialled, time.Now())
	l := n.listeners[addr]
	n.mu.Unlock()
	if l == nil {
		return nil, errNobody
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, errNobody
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type memListener struct {
	net    *network
	addr   string
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.net.mu.Lock()
		defer l.net.mu.Unlock()
		if l.net.listeners[l.addr] == l {
			delete(l.net.listeners, l.addr)
		}
	})
	return nil
}

func (l *memListener) Addr() net.Addr { return &net.UnixAddr{Name: l.addr, Net: "memory"} }

// event is one call of a Handler.
type event struct {
	what    string // up, down, frame
	peer    string
	session uint64
	body    string
	err     error
}

// recorder is a Handler that writes down what it is told.
type recorder struct {
	mu     sync.Mutex
	events []event
	check  func(h Hello, live uint64) (knows []uint64, err error)
	frames func(peer string, session uint64, bodies [][]byte, reply func([]byte) error)
	change chan struct{}

	up       func(Hello)
	denied   []string        // who, and why
	refusals []*RefusedError // by peers that were dialled
}

func newRecorder() *recorder { return &recorder{change: make(chan struct{}, 1)} }

func (r *recorder) add(e ...event) {
	r.mu.Lock()
	r.events = append(r.events, e...)
	r.mu.Unlock()
	select {
	case r.change <- struct{}{}:
	default:
	}
}

// judge sets what Check answers from now on; nil: that all is well.
func (r *recorder) judge(check func(h Hello, live uint64) (knows []uint64, err error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check = check
}

func (r *recorder) Check(h Hello, live uint64) ([]uint64, error) {
	r.mu.Lock()
	check := r.check
	r.mu.Unlock()
	if check == nil {
		return nil, nil
	}
	return check(h, live)
}

func (r *recorder) Refused(_ string, err *RefusedError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals = append(r.refusals, err)
}

func (r *recorder) Denied(peer, _ string, err *RefusedError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.denied = append(r.denied, peer+": "+err.Code.String())
}

func (r *recorder) told() []*RefusedError {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.refusals)
}

func (r *recorder) Up(peer string, session uint64, h Hello) {
	if r.up != nil {
		r.up(h)
	}
	r.add(event{what: "up", peer: peer, session: session})
}

func (r *recorder) Down(peer string, session uint64, err error) {
	r.add(event{what: "down", peer: peer, session: session, err: err})
}

func (r *recorder) Frames(peer string, session uint64, bodies [][]byte, reply func([]byte) error) {
	if r.frames != nil {
		r.frames(peer, session, bodies, reply)
		return
	}
	for _, b := range bodies {
		r.add(event{what: "frame", peer: peer, session: session, body: string(b)})
	}
}

func (r *recorder) all() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// bodies returns the frames that came, in order.
func (r *recorder) bodies() string {
	var b []string
	for _, e := range r.all() {
		if e.what == "frame" {
			b = append(b, e.body)
		}
	}
	return strings.Join(b, " ")
}

// turns returns the ups and downs of a peer, in order.
func (r *recorder) turns(peer string) string {
	var b []string
	for _, e := range r.all() {
		if e.what != "frame" && e.peer == peer {
			b = append(b, e.what)
		}
	}
	return strings.Join(b, " ")
}

// last returns the last event of a kind.
func (r *recorder) last(what string) event {
	events := r.all()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].what == what {
			return events[i]
		}
	}
	return event{}
}

// await waits until ok holds. On real sockets there is nothing else to wait for.
func (r *recorder) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-r.change:
		case <-limit:
			t.Fatalf("no %s; there is %v", what, r.all())
		}
	}
}

// member is a node of a test: a transport, what it told, and its log.
type member struct {
	*Transport
	*recorder
	log *logBuffer
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start makes a member that listens in the network under its own id.
func start(t *testing.T, n *network, id string, change ...func(*Config)) *member {
	t.Helper()
	m := &member{recorder: newRecorder(), log: &logBuffer{}}
	cfg := Config{
		Self:   Hello{Cluster: "test", ClusterID: 7, Node: id, Starts: 1, Runs: []uint64{uint64(len(id)) + uint64(id[0])}, Addr: id},
		Log:    slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Dial:   n.dial,
		Faults: true,
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	m.Transport, err = New(cfg, m.recorder)
	if err != nil {
		t.Fatal(err)
	}
	ln := n.listen(id)
	served := make(chan error, 1)
	go func() { served <- m.Serve(ln) }()
	t.Cleanup(func() {
		_ = m.Close()
		if err := <-served; err != nil {
			t.Errorf("%s: Serve: %v", id, err)
		}
	})
	return m
}

// bubble runs a test in which time passes only when nothing else can.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// settle lets d pass and waits until nothing moves.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func frame(format string, args ...any) []byte {
	return AppendFrame(nil, fmt.Appendf(nil, format, args...))
}

func mustSend(t *testing.T, m *member, to string, frames []byte) {
	t.Helper()
	if err := m.Send(to, frames); err != nil {
		t.Fatalf("send to %s: %v", to, err)
	}
}
