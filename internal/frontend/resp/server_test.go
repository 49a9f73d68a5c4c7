package resp

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/oracle"
)

// slow is a store whose gets of some keys wait.
type slow struct {
	ouro.Store
	gate  map[string]chan struct{} // a get of the key waits for it
	begun chan string              // where set, is told the key of each get
}

func (s *slow) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	if s.begun != nil {
		s.begun <- key.Name
	}
	if g := s.gate[key.Name]; g != nil {
		select {
		case <-g:
		case <-ctx.Done():
			return ouro.Result{}, ctx.Err()
		}
	}
	return s.Store.Get(ctx, key, opts...)
}

// whys collects why connections were dropped.
func whys() (chan string, func(string)) {
	c := make(chan string, 100)
	return c, func(why string) { c <- why }
}

func wantWhy(t *testing.T, c chan string, want string) {
	t.Helper()
	select {
	case why := <-c:
		if why != want {
			t.Errorf("dropped for %q, want %q", why, want)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("not dropped, want %q", want)
	}
}

func TestPipelinedCommandsRunSideBySideAndAnswerInOrder(t *testing.T) {
	gate := make(chan struct{})
	s := &slow{Store: oracle.New(oracle.Config{}), gate: map[string]chan struct{}{"a": gate}, begun: make(chan string, 10)}
	p := dial(t, start(t, Config{}, s))
	p.send(encode("GET", "a") + encode("GET", "b") + encode("PING") + encode("GET", "c"))
	if first, second := <-s.begun, <-s.begun; first+second != "ab" && first+second != "ba" {
		t.Errorf("begun: %s and %s", first, second)
	}
	close(gate) // only now can a end, and with it what came after
	for _, want := range []string{"<nil>", "<nil>", "PONG", "<nil>"} {
		if got := fmt.Sprint(p.answer()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPipelinedCommandsOfOneKeyKeepTheirOrder(t *testing.T) {
	p := inSiblings(t, Config{})
	var b strings.Builder
	const rounds = 300
	for i := range rounds {
		b.WriteString(encode("SET", "k", fmt.Sprint(i)) + encode("GET", "k") + encode("SET", fmt.Sprint("other", i), "x"))
	}
	go p.send(b.String())
	for i := range rounds {
		if a, v, c := p.answer(), p.answer(), p.answer(); a != "OK" || v != fmt.Sprint(i) || c != "OK" {
			t.Fatalf("round %d: %v %v %v", i, a, v, c)
		}
	}
}

func TestMalformedFramesAreAnsweredAndClosed(t *testing.T) {
	why, dropped := whys()
	addr := start(t, Config{Dropped: dropped}, oracle.New(oracle.Config{}))
	for _, c := range [][2]string{
		{"*1\r\n$9223372036854775807\r\n", "-ERR Protocol error: invalid bulk length"},
		{"*1000000\r\n", "-ERR Protocol error: invalid multibulk length"},
		{"*2\r\n$3\r\nGET\r\n+k\r\n", "-ERR Protocol error: expected '$', got '+'"},
		{strings.Repeat("x", 70_000), "-ERR Protocol error: too big inline request"},
	} {
		p := dial(t, addr)
		p.send(encode("PING") + c[0])
		if got := fmt.Sprint(p.answer()); got != "PONG" {
			t.Errorf("%.30q: what came before it is answered with %s", c[0], got)
		}
		if got := fmt.Sprint(p.answer()); got != c[1] {
			t.Errorf("%.30q: %s, want %s", c[0], got, c[1])
		}
		p.closed()
		wantWhy(t, why, "protocol")
	}
}

func TestClientsThatNeverReadAreDropped(t *testing.T) {
	why, dropped := whys()
	cfg := Config{Dropped: dropped, WriteTimeout: 50 * time.Millisecond, Mode: func(string) string { return modeSiblings }}
	p := dial(t, start(t, cfg, oracle.New(oracle.Config{})))
	if got := p.do("SET", "k", strings.Repeat("x", 1<<20)); got != "OK" {
		t.Fatal(got)
	}
	go func() {
		for {
			if _, err := p.Write([]byte(encode("GET", "k"))); err != nil {
				return
			}
		}
	}()
	wantWhy(t, why, "slow_reader")
}

func TestHalfCommandsAndIdleConnectionsEnd(t *testing.T) {
	why, dropped := whys()
	p := dial(t, start(t, Config{Dropped: dropped, FrameTimeout: 20 * time.Millisecond, IdleTimeout: -1}, oracle.New(oracle.Config{})))
	p.send("*2\r\n$3\r\nGET\r\n$1048576\r\nxx")
	p.closed()
	wantWhy(t, why, "slow_frame")
	p = dial(t, start(t, Config{Dropped: dropped, IdleTimeout: 20 * time.Millisecond}, oracle.New(oracle.Config{})))
	p.closed()
	wantWhy(t, why, "idle")
}

// pieces is a connection of which each read gives the next piece.
type pieces struct {
	net.Conn
	left      []string
	deadlines []time.Time // of each read
}

func (p *pieces) SetReadDeadline(at time.Time) error {
	p.deadlines = append(p.deadlines, at)
	return nil
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[0])
	p.left = p.left[1:]
	return n, nil
}

func (*pieces) SetWriteDeadline(time.Time) error { return nil }
func (*pieces) Write(b []byte) (int, error)      { return len(b), nil }
func (*pieces) Close() error                     { return nil }

// A client that sends a command piece by piece has no more time for all of it than
// another, and each command has a time of its own.
func TestPiecesOfACommandHaveOneTime(t *testing.T) {
	p := &pieces{left: []string{"*1\r\n", "$4\r\n", "PI", "NG\r\n*1\r\n", "$4\r\nPIN", "G\r\n"}}
	newConn(New(Config{}, oracle.New(oracle.Config{})), p, 1).serve()
	d := p.deadlines
	if len(d) != 7 {
		t.Fatalf("%d reads", len(d))
	}
	if !d[2].Equal(d[1]) || !d[3].Equal(d[1]) || !d[1].Before(d[0]) {
		t.Errorf("pieces of the first have until %v, %v and %v", d[1], d[2], d[3])
	}
	if !d[4].After(d[3]) || !d[5].Equal(d[4]) {
		t.Errorf("those of the second until %v and %v", d[4], d[5])
	}
}

func TestMemoryOfAllConnectionsIsBounded(t *testing.T) {
	why, dropped := whys()
	addr, s := startServer(t, Config{Dropped: dropped, MaxBuffered: 1 << 20}, oracle.New(oracle.Config{}))
	p := dial(t, addr)
	p.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1500000\r\n")
	go func() { _, _ = p.Write([]byte(strings.Repeat("x", 1_400_000))) }()
	if got := fmt.Sprint(p.answer()); !strings.Contains(got, "overloaded not_done") {
		t.Errorf("%s", got)
	}
	wantWhy(t, why, "memory")
	q := dial(t, addr)
	q.expect("PONG", "PING")
	for s.buffered.Load() != 0 { // the first gives back what it had
		time.Sleep(time.Millisecond)
	}
}

func TestTooManyClientsAreTold(t *testing.T) {
	why, dropped := whys()
	addr := start(t, Config{Dropped: dropped, MaxClients: 1}, oracle.New(oracle.Config{}))
	p := dial(t, addr)
	p.expect("PONG", "PING")
	q := dial(t, addr)
	if got := fmt.Sprint(q.answer()); got != "-ERR max number of clients reached" {
		t.Error(got)
	}
	q.closed()
	wantWhy(t, why, "clients")
	p.expect("PONG", "PING")
}

func TestKilledClientsEnd(t *testing.T) {
	addr := start(t, Config{}, oracle.New(oracle.Config{}))
	p, q := dial(t, addr), dial(t, addr)
	id := fmt.Sprint(q.do("CLIENT", "ID"))
	p.expect("0", "CLIENT KILL ID 999")
	p.expect("1", "CLIENT KILL ID "+id)
	q.closed()
	p.expect("-ERR No such client", "CLIENT KILL 1.2.3.4:5")
	p.expect("PONG", "PING")
}

func TestShutdownLetsWhatIsUnderWayEnd(t *testing.T) {
	gate := make(chan struct{})
	st := &slow{Store: oracle.New(oracle.Config{}), gate: map[string]chan struct{}{"a": gate}, begun: make(chan string, 1)}
	addr, s := startServer(t, Config{}, st)
	busy, idle := dial(t, addr), dial(t, addr)
	idle.expect("PONG", "PING")
	busy.send(encode("GET", "a"))
	<-st.begun
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Shutdown(t.Context())
	}()
	idle.closed()
	close(gate)
	if got := busy.answer(); got != nil {
		t.Errorf("the get is answered with %v", got)
	}
	busy.closed()
	<-ended
}

// TestPartOfSeveral is about a write of several keys of which one fails.
func TestPartOfSeveral(t *testing.T) {
	p := dial(t, start(t, Config{}, oracle.New(oracle.Config{})))
	p.refusal("bad_request unknown: 1 of 3 keys failed, 0 of them may be done nevertheless, the others are done; the first that failed is \"\"", "MSET a 1 '' 2 b 3")
	p.expect("[1 3]", "MGET a b")
}
