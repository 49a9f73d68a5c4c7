package resp

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/oracle"
)

func TestKeysConformance(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		t.Run("RESP"+proto, func(t *testing.T) {
			addr := start(t, Config{}, oracle.New(oracle.Config{}))
			conformance.RunKeys(t, &remote{addr: addr, proto: proto}, conformance.Limits{})
		})
	}
}

func TestTypesConformance(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		t.Run("RESP"+proto, func(t *testing.T) {
			addr := start(t, Config{Mode: func(string) string { return modeTypes }}, oracle.NewTypes())
			conformance.RunTypes(t, &redisTypes{remote{addr: addr, proto: proto}})
		})
	}
}

// Keys is OURO.KEYS, whose answer says what is missing.
func (s *remote) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (page ouro.KeysPage, err error) {
	if q.Limit == 0 {
		q.Limit = ouro.DefaultKeysLimit
	}
	answer, err := s.say(ctx, bucket, "OURO.KEYS", "CURSOR", q.Cursor.String(), "PREFIX", q.Prefix, "COUNT", strconv.Itoa(q.Limit))
	if err != nil {
		return page, err
	}
	m := pairs(answer)
	if page.Next, err = ouro.ParseCursor(fmt.Sprint(m["next"])); err != nil {
		return page, err
	}
	keys, _ := m["keys"].([]any)
	for _, k := range keys {
		page.Keys = append(page.Keys, k.(string))
	}
	missing, _ := m["missing"].([]any)
	page.Missing = make([]ouro.KeyRange, len(missing))
	return page, nil
}

// say sends one command in a bucket.
func (s *remote) say(ctx context.Context, bucket string, args ...string) (any, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		if err := s.connect(); err != nil {
			return nil, err
		}
	}
	if _, err := s.conn.Write([]byte(encode("OURO.BUCKET", bucket) + encode(args...))); err != nil {
		return nil, err
	}
	chosen, err := readAnswer(s.r)
	if err != nil {
		return nil, err
	}
	answer, err := readAnswer(s.r)
	if f, bad := chosen.(failed); bad {
		return nil, f.asError()
	}
	if f, bad := answer.(failed); bad {
		return nil, f.asError()
	}
	return answer, err
}

// redisTypes is the store behind the commands of Redis, as a client that knows no
// other sees it.
type redisTypes struct{ remote }

func (s *redisTypes) Put(ctx context.Context, key ouro.Key, v ouro.Value, _ ...ouro.Option) (ouro.Result, error) {
	_, err := s.say(ctx, key.Bucket, "SET", key.Name, string(v.Data))
	return ouro.Result{}, err
}

func (s *redisTypes) Delete(ctx context.Context, key ouro.Key, _ ...ouro.Option) (ouro.Result, error) {
	_, err := s.say(ctx, key.Bucket, "DEL", key.Name)
	return ouro.Result{}, err
}

// Get asks for the type, and then as is usual for it.
func (s *redisTypes) Get(ctx context.Context, key ouro.Key, _ ...ouro.Option) (res ouro.Result, err error) {
	kind, err := s.say(ctx, key.Bucket, "TYPE", key.Name)
	if err != nil {
		return res, err
	}
	ask := map[any][]string{
		"string": {"GET", key.Name}, "set": {"SMEMBERS", key.Name}, "hash": {"HGETALL", key.Name}, "zset": {"ZRANGE", key.Name, "0", "-1"},
	}[kind]
	if ask == nil {
		return res, ouro.Errorf(ouro.NotFound, ouro.NotDone, "nothing")
	}
	answer, err := s.say(ctx, key.Bucket, ask...)
	if err != nil {
		return res, err
	}
	switch kind {
	case "string":
		res.Siblings = []ouro.Sibling{{Value: ouro.Value{Data: []byte(answer.(string))}}}
		return res, nil
	case "hash":
		res.Typed = &ouro.Typed{Kind: ouro.Map}
		for name, value := range pairs(answer) {
			res.Typed.Elements = append(res.Typed.Elements, ouro.Element{Name: name, Value: []byte(value.(string))})
		}
		return res, nil
	case "set":
		res.Typed = &ouro.Typed{Kind: ouro.Set}
	default:
		res.Typed = &ouro.Typed{Kind: ouro.SortedSet}
	}
	for _, name := range answer.([]any) {
		e := ouro.Element{Name: name.(string)}
		if kind == "zset" {
			score, err := s.say(ctx, key.Bucket, "ZSCORE", key.Name, e.Name)
			if err != nil {
				return res, err
			}
			if e.Score, err = strconv.ParseFloat(fmt.Sprint(score), 64); err != nil {
				return res, err
			}
		}
		res.Typed.Elements = append(res.Typed.Elements, e)
	}
	return res, nil
}

// Update says an update in the words of Redis.
func (s *redisTypes) Update(ctx context.Context, key ouro.Key, u ouro.Update, _ ...ouro.Option) (res ouro.Result, err error) {
	if u.Kind == ouro.Map && u.If == ouro.IfPresent { // Redis has no such command
		there, err := s.say(ctx, key.Bucket, "HEXISTS", key.Name, u.Elements[0].Name)
		if err != nil || there == int64(0) {
			return res, err
		}
	}
	answer, err := s.say(ctx, key.Bucket, words(key.Name, &u)...)
	if err != nil {
		return res, err
	}
	if n, ok := answer.(int64); ok && u.Act != ouro.Increment {
		res.Changed = int(n)
	}
	if u.Kind == ouro.Counter && answer == int64(u.Elements[0].By) {
		res.Changed = 1
	}
	return res, nil
}

// words is an update as a command.
func words(name string, u *ouro.Update) []string {
	e := &u.Elements[0]
	switch {
	case u.Kind == ouro.Counter:
		return []string{"INCRBY", name, strconv.FormatInt(e.By, 10)}
	case u.Kind == ouro.Map && u.Act == ouro.Increment:
		return []string{"HINCRBY", name, e.Name, strconv.FormatInt(e.By, 10)}
	case u.Kind == ouro.Map && u.If == ouro.IfAbsent:
		return []string{"HSETNX", name, e.Name, string(e.Value)}
	case u.Kind == ouro.SortedSet && u.Act == ouro.Increment:
		return []string{"ZINCRBY", name, fmt.Sprint(e.Score), e.Name}
	}
	command := map[ouro.Kind]map[ouro.Act]string{
		ouro.Set:       {ouro.Assign: "SADD", ouro.Remove: "SREM"},
		ouro.Map:       {ouro.Assign: "HSET", ouro.Remove: "HDEL"},
		ouro.SortedSet: {ouro.Assign: "ZADD", ouro.Remove: "ZREM"},
	}[u.Kind][u.Act]
	all := []string{command, name}
	if word := map[ouro.Condition]string{ouro.IfGreater: "GT", ouro.IfLess: "LT"}[u.If]; word != "" {
		all = append(all, word)
	}
	for i := range u.Elements {
		e := &u.Elements[i]
		switch {
		case u.Act == ouro.Remove || u.Kind == ouro.Set:
			all = append(all, e.Name)
		case u.Kind == ouro.Map:
			all = append(all, e.Name, string(e.Value))
		default:
			all = append(all, fmt.Sprint(e.Score), e.Name)
		}
	}
	return all
}
