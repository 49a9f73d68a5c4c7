package resp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/oracle"
)

func TestConformance(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		t.Run("RESP"+proto, func(t *testing.T) {
			addr := start(t, Config{}, oracle.New(oracle.Config{}))
			conformance.Run(t, &remote{addr: addr, proto: proto}, conformance.Limits{Value: 1 << 20, Siblings: 100})
			other := start(t, Config{}, oracle.New(oracle.Config{}))
			conformance.RunForeign(t, &remote{addr: addr, proto: proto}, &remote{addr: other, proto: proto})
		})
	}
}

// remote is the store behind the OURO commands.
type remote struct {
	addr, proto string
	mu          sync.Mutex
	conn        net.Conn
	r           *bufio.Reader
}

func (s *remote) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	res, err := s.do(ctx, key, []string{"OURO.GET", key.Name}, ouro.Apply(opts...), "r pr")
	if err == nil && len(res.Siblings) == 0 {
		err = ouro.Errorf(ouro.NotFound, ouro.NotDone, "nothing")
	}
	return res, err
}

func (s *remote) Put(ctx context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	args := []string{"OURO.PUT", key.Name, string(v.Data)}
	if v.ContentType != "" {
		args = append(args, "TYPE", v.ContentType)
	}
	return s.do(ctx, key, args, ouro.Apply(opts...), "w pw dw")
}

func (s *remote) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.do(ctx, key, []string{"OURO.DEL", key.Name}, ouro.Apply(opts...), "w pw dw")
}

// do sends a command with the options of a request.
func (s *remote) do(ctx context.Context, key ouro.Key, args []string, o ouro.Options, numbers string) (ouro.Result, error) {
	if ctx.Err() != nil {
		return ouro.Result{}, ctx.Err()
	}
	if len(o.Context) > 0 || o.Context != nil {
		args = append(args, "CONTEXT", o.Context.String())
	}
	for _, n := range []struct {
		name string
		c    ouro.Count
	}{{"r", o.R}, {"pr", o.PR}, {"w", o.W}, {"pw", o.PW}, {"dw", o.DW}} {
		if n.c.Set && strings.Contains(" "+numbers+" ", " "+n.name+" ") {
			args = append(args, n.name, fmt.Sprint(n.c.N))
		}
	}
	if o.RequestID != "" {
		args = append(args, "ID", o.RequestID)
	}
	if o.TTL > 0 && args[0] == "OURO.PUT" {
		args = append(args, "TTL", fmt.Sprint(o.TTL.Milliseconds()))
	}
	if o.Explain {
		args = append(args, "EXPLAIN")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		if err := s.connect(); err != nil {
			return ouro.Result{}, err
		}
	}
	if _, err := s.conn.Write([]byte(encode("OURO.BUCKET", key.Bucket) + encode(args...))); err != nil {
		return ouro.Result{}, err
	}
	chosen, err := readAnswer(s.r)
	if err != nil {
		return ouro.Result{}, err
	}
	answer, err := readAnswer(s.r)
	if err != nil {
		return ouro.Result{}, err
	}
	if f, bad := chosen.(failed); bad {
		return ouro.Result{}, f.asError()
	}
	if f, bad := answer.(failed); bad {
		return ouro.Result{}, f.asError()
	}
	return asResult(answer)
}

func (s *remote) connect() (err error) {
	if s.conn, err = net.Dial("tcp", s.addr); err != nil {
		return err
	}
	s.r = bufio.NewReader(s.conn)
	if _, err = s.conn.Write([]byte(encode("HELLO", s.proto))); err == nil {
		_, err = readAnswer(s.r)
	}
	return err
}

// asError reads "WORD code outcome: message".
func (f failed) asError() error {
	if string(f) == errWrongType {
		return ouro.Errorf(ouro.WrongType, ouro.NotDone, "%s", errWrongType)
	}
	words := strings.SplitN(string(f), " ", 4)
	if len(words) < 4 {
		return fmt.Errorf("%s", string(f))
	}
	return ouro.Errorf(ouro.Code(words[1]), ouro.ParseOutcome(strings.TrimSuffix(words[2], ":")), "%s", words[3])
}

// pairs makes a map of what RESP2 has as a list.
func pairs(v any) map[string]any {
	if m, ok := v.(map[string]any); ok {
		return m
	}
	m := map[string]any{}
	flat, _ := v.([]any)
	for i := 0; i+1 < len(flat); i += 2 {
		m[fmt.Sprint(flat[i])] = flat[i+1]
	}
	return m
}

func asResult(answer any) (res ouro.Result, err error) {
	m := pairs(answer)
	if c, ok := m["context"].(string); ok {
		if res.Context, err = ouro.ParseContext(c); err != nil {
			return res, err
		}
	}
	siblings, _ := m["siblings"].([]any)
	for _, one := range siblings {
		v := pairs(one)
		s := ouro.Sibling{Value: ouro.Value{Data: []byte(v["value"].(string)), ContentType: v["type"].(string)}}
		if s.Modified, err = time.Parse(time.RFC3339Nano, v["modified"].(string)); err != nil {
			return res, err
		}
		if at, ok := v["expires"].(string); ok {
			if s.Expires, err = time.Parse(time.RFC3339Nano, at); err != nil {
				return res, err
			}
		}
		res.Siblings = append(res.Siblings, s)
	}
	res.RequestID, _ = m["request-id"].(string)
	res.Coordinator, _ = m["coordinator"].(string)
	q := pairs(m["quorum"])
	n := func(name string) int {
		i, _ := q[name].(int64)
		return int(i)
	}
	res.Quorum = ouro.Quorum{N: n("n"), R: n("r"), W: n("w"), PR: n("pr"), PW: n("pw"), DW: n("dw"), Acks: n("acks"), Primaries: n("primaries"), Durable: n("durable")}
	facts, _ := m["explain"].([]any)
	for _, f := range facts {
		res.Explain = append(res.Explain, fmt.Sprint(f))
	}
	return res, nil
}
