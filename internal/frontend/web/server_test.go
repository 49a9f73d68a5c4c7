package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// start serves store on a port of its own, with the limits of cfg, and returns
// the address.
func start(t *testing.T, cfg Config, store ouro.Store) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := Server(cfg, New(cfg, store))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(Listen(cfg, l))
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return l.Addr().String()
}

// conn is a connection on which a test writes what no HTTP library would.
type conn struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &conn{c, t, bufio.NewReader(c)}
}

func (c *conn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one answer and checks it.
func (c *conn) answer(status int, mentions string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != status || !strings.Contains(string(body), mentions) {
		c.t.Fatalf("%s %s, want %d and %q", resp.Status, body, status, mentions)
	}
	return resp
}

// closed waits until the server closes the connection.
func (c *conn) closed() {
	c.t.Helper()
	if n, err := c.r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("the connection is still open: %d, %v", n, err)
	}
}

func TestBodyOverTheLimitIsDroppedAndAnswered(t *testing.T) {
	const most = 1000
	addr := start(t, Config{MaxValue: most, MaxDropped: 1 << 20}, one("v"))
	big := strings.Repeat("x", 500_000)
	t.Run("announced", func(t *testing.T) {
		c := dial(t, addr)
		c.send(fmt.Sprintf("PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(big), big))
		c.answer(413, "too_large")
		c.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\n\r\n")
		c.answer(200, "v")
	})
	t.Run("chunked", func(t *testing.T) {
		c := dial(t, addr)
		c.send(fmt.Sprintf("PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(big), big))
		c.answer(413, "too_large")
		c.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\n\r\n")
		c.answer(200, "v")
	})
	t.Run("waiting to be told", func(t *testing.T) {
		c := dial(t, addr)
		c.send("PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n")
		c.answer(413, "too_large")
	})
	t.Run("beyond what is dropped", func(t *testing.T) {
		c := dial(t, addr)
		c.send("PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000000\r\n\r\n" + strings.Repeat("x", 1<<20))
		if resp := c.answer(413, "too_large"); !resp.Close {
			t.Error("the connection is kept")
		}
	})
}

func TestBodyAtTheLimit(t *testing.T) {
	s := one()
	addr := start(t, Config{MaxValue: 1000}, s)
	c := dial(t, addr)
	body := strings.Repeat("x", 1000)
	c.send("PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + body)
	c.answer(200, "")
	c.send("PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + body + "\r\n0\r\n\r\n")
	c.answer(200, "")
	if s.calls != 2 || string(s.value.Data) != body {
		t.Errorf("%d puts, the last of %d bytes", s.calls, len(s.value.Data))
	}
}

func TestBrokenBodiesAreNotStored(t *testing.T) {
	s := one()
	addr := start(t, Config{BodyTimeout: 200 * time.Millisecond}, s)
	for name, c := range map[string]struct {
		request  string
		end      bool // the client sends no more
		mentions string
	}{
		"cut short":      {"PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345", true, "ended before"},
		"slow":           {"PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345", false, "within 200ms"},
		"broken chunks":  {"PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, "could not be read"},
		"chunks cut off": {"PUT /kv/b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", true, "ended before"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, addr)
			conn.send(c.request)
			if c.end {
				if err := conn.Conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			conn.answer(400, c.mentions)
			conn.closed()
		})
	}
	if s.calls != 0 {
		t.Errorf("%d broken bodies reached the store", s.calls)
	}
}

// A connection ends whose announced body does not come, also where nobody reads it.
func TestAnnouncedBodiesThatDoNotCome(t *testing.T) {
	addr := start(t, Config{BodyTimeout: 100 * time.Millisecond}, one("v"))
	for _, request := range []string{"GET /kv/b/k", "DELETE /kv/b/k", "GET /nothing", "BREW /kv/b/k", "PUT /kv/b", "GET /ring", "POST /many"} {
		t.Run(request, func(t *testing.T) {
			c := dial(t, addr)
			c.send(request + " HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345")
			if _, err := io.Copy(io.Discard, c.r); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestHeadersAreBounded(t *testing.T) {
	addr := start(t, Config{MaxHeader: 8 << 10, HeaderTimeout: 200 * time.Millisecond}, one("v"))
	c := dial(t, addr)
	c.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\nOuro-Context: " + strings.Repeat("A", 20<<10) + "\r\n\r\n")
	c.answer(431, "")
	c = dial(t, addr)
	c.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\n") // and nothing more
	c.closed()
}

func TestConnectionsAreBounded(t *testing.T) {
	addr := start(t, Config{MaxConns: 1}, one("v"))
	first := dial(t, addr)
	first.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\n\r\n")
	first.answer(200, "v")
	second := dial(t, addr) // in the backlog
	second.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\n\r\n")
	if err := second.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := second.r.Peek(1); err == nil {
		t.Fatal("a second connection was served beside the first")
	}
	if err := second.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	second.answer(200, "v")
}

// TestClientThatLeavesIsNoticed: its request ends, and with it what waits for it.
func TestClientThatLeavesIsNoticed(t *testing.T) {
	left := make(chan struct{})
	addr := start(t, Config{}, waiting{left})
	c := dial(t, addr)
	c.send("GET /kv/b/k HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = c.Close()
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Fatal("the store was not told")
	}
}

// waiting is a store that answers only to a client that leaves.
type waiting struct{ left chan struct{} }

func (w waiting) Get(ctx context.Context, _ ouro.Key, _ ...ouro.Option) (ouro.Result, error) {
	<-ctx.Done()
	close(w.left)
	return ouro.Result{}, ctx.Err()
}

func (w waiting) Put(ctx context.Context, _ ouro.Key, _ ouro.Value, _ ...ouro.Option) (ouro.Result, error) {
	return ouro.Result{}, ctx.Err()
}

func (w waiting) Delete(ctx context.Context, _ ouro.Key, _ ...ouro.Option) (ouro.Result, error) {
	return ouro.Result{}, ctx.Err()
}
