package resp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// start serves store on a port of its own, with the limits of cfg, and returns
// the address.
func start(t *testing.T, cfg Config, store ouro.Store) string {
	t.Helper()
	addr, _ := startServer(t, cfg, store)
	return addr
}

func startServer(t *testing.T, cfg Config, store ouro.Store) (string, *Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(cfg, store)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		<-done
	})
	return l.Addr().String(), s
}

// peer is a connection on which a test writes what no client library would.
type peer struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &peer{c, t, bufio.NewReader(c)}
}

// encode writes a command as clients do.
func encode(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		p.t.Error(err) // it may be called from another goroutine
	}
}

// do sends a command and returns its answer.
func (p *peer) do(args ...string) any {
	p.t.Helper()
	p.send(encode(args...))
	return p.answer()
}

func (p *peer) answer() any {
	p.t.Helper()
	v, err := readAnswer(p.r)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// expect sends a line of words and compares the answer, written as fmt does.
func (p *peer) expect(want, line string) {
	p.t.Helper()
	words, err := splitWords([]byte(line))
	if err != nil {
		p.t.Fatal(err)
	}
	args := make([]string, len(words))
	for i, w := range words {
		args[i] = string(w)
	}
	if got := fmt.Sprint(p.do(args...)); got != want {
		p.t.Errorf("%s: %q, want %q", line, got, want)
	}
}

// refusal sends a line of words and looks for something in the error.
func (p *peer) refusal(mentions, line string) {
	p.t.Helper()
	p.send(line + "\r\n")
	if got := fmt.Sprint(p.answer()); !strings.HasPrefix(got, "-") || !strings.Contains(got, mentions) {
		p.t.Errorf("%.100s: %q, want an error with %q", line, got, mentions)
	}
}

// closed waits until the server closes the connection.
func (p *peer) closed() {
	p.t.Helper()
	if n, err := p.r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("the connection is still open: %d, %v", n, err)
	}
}

// failed is an answer that is an error.
type failed string

func (f failed) String() string { return "-" + string(f) }

// readAnswer reads an answer: a string, an int64, nil, a float64, a []any, a
// map[string]any or an error of the command.
func readAnswer(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(line, "\r\n") || len(line) < 3 {
		return nil, fmt.Errorf("line %q", line)
	}
	rest := line[1 : len(line)-2]
	n, bad := strconv.Atoi(rest)
	switch line[0] {
	case '+':
		return rest, nil
	case '-':
		return failed(rest), nil
	case ':':
		return int64(n), bad
	case ',':
		return strconv.ParseFloat(rest, 64)
	case '_':
		return nil, nil
	case '$', '=':
		if bad != nil || n < 0 {
			return nil, bad
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		if line[0] == '=' {
			return string(b[4:n]), nil
		}
		return string(b[:n]), nil
	case '*', '~':
		if bad != nil || n < 0 {
			return nil, bad
		}
		return readSeveral(r, n)
	case '%':
		flat, err := readSeveral(r, 2*n)
		m := map[string]any{}
		for i := 0; err == nil && i < len(flat); i += 2 {
			m[fmt.Sprint(flat[i])] = flat[i+1]
		}
		return m, err
	}
	return nil, fmt.Errorf("line %q", line)
}

func readSeveral(r *bufio.Reader, n int) ([]any, error) {
	all := make([]any, n)
	for i := range all {
		var err error
		if all[i], err = readAnswer(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}
