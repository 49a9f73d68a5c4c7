package resp

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/oracle"
)

// said is a connection that has one thing to read and keeps what is written.
type said struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (s *said) Read(b []byte) (int, error)     { return s.in.Read(b) }
func (s *said) Write(b []byte) (int, error)    { return s.out.Write(b) }
func (*said) SetReadDeadline(time.Time) error  { return nil }
func (*said) SetWriteDeadline(time.Time) error { return nil }
func (*said) Close() error                     { return nil }
func (*said) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*said) LocalAddr() net.Addr              { return &net.TCPAddr{} }

// FuzzCommands: whatever commands come, each has one answer, which is well formed, and
// nothing else ends.
func FuzzCommands(f *testing.F) {
	for name, c := range table {
		f.Add(name+" k 1 b 2", true)
		f.Add(name+" k", false)
		f.Add(c.usage, true)
	}
	f.Fuzz(func(t *testing.T, line string, types bool) {
		words, err := splitWords([]byte(line))
		if err != nil || len(words) == 0 || len(words) > 1000 || len(line) > 1<<16 {
			return
		}
		var store ouro.Store = oracle.New(oracle.Config{})
		cfg := Config{}
		if types {
			store, cfg.Mode = expiring{oracle.NewTypes()}, func(string) string { return modeTypes }
		}
		var in bytes.Buffer
		for _, setUp := range [][]string{{"HELLO", "3"}, {"SET", "k", "7"}, {"HSET", "h", "a", "1"}, {"SADD", "s", "a", "b"}, {"ZADD", "z", "1", "a", "2", "b"}} {
			in.WriteString(encode(setUp...))
		}
		in.WriteString(encodeBytes(words))
		in.WriteString(encode("HELLO", "2") + encodeBytes(words) + encode("PING"))
		nc := &said{in: bytes.NewReader(in.Bytes())}
		newConn(New(cfg, store), nc, 1).serve()
		r := bufio.NewReader(&nc.out)
		for n := 0; ; n++ {
			if _, err := readAnswer(r); err == io.EOF && (n == 9 || n > 5) {
				return
			} else if err != nil {
				t.Fatalf("%q: answer %d: %v", line, n, err)
			}
		}
	})
}

// expiring is a store to which keys may be said to expire, and do not.
type expiring struct{ *oracle.Types }

func (e expiring) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	if u.Act == ouro.Expire {
		return e.Get(ctx, key, opts...)
	}
	return e.Types.Update(ctx, key, u, opts...)
}
