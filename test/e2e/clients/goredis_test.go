// Package clients runs Redis clients against a cluster. It is a module of its own,
// so that the product depends on none of them; see the script run.
package clients

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// dial returns go-redis at one of the nodes, counted from 0.
func dial(t *testing.T, node, protocol int) *redis.Client {
	t.Helper()
	nodes := strings.Split(os.Getenv("OURO_RESP"), ",")
	if nodes[0] == "" {
		t.Skip("OURO_RESP names no node: use the script run")
	}
	c := redis.NewClient(&redis.Options{Addr: nodes[node%len(nodes)], Protocol: protocol})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// each runs a case in both protocols, with keys of its own.
func each(t *testing.T, run func(t *testing.T, ctx context.Context, c *redis.Client, key string)) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			run(t, t.Context(), dial(t, 0, protocol), fmt.Sprintf("%s:%d:", t.Name(), time.Now().UnixNano()))
		})
	}
}

// is checks what a command returned.
func is[T comparable](t *testing.T, what string, got T, err error, want T) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: %v, %v; want %v", what, got, err, want)
	}
}

func TestConnection(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, _ string) {
		pong, err := c.Ping(ctx).Result()
		is(t, "PING", pong, err, "PONG")
		echo, err := c.Echo(ctx, "hi\r\nthere").Result()
		is(t, "ECHO", echo, err, "hi\r\nthere")
		conn := c.Conn()
		defer conn.Close()
		ok, err := conn.ClientSetName(ctx, "me").Result()
		is(t, "CLIENT SETNAME", ok, err, true)
		name, err := conn.ClientGetName(ctx).Result()
		is(t, "CLIENT GETNAME", name, err, "me")
		if id, err := c.ClientID(ctx).Result(); err != nil || id < 1 {
			t.Errorf("CLIENT ID: %d, %v", id, err)
		}
		if info, err := c.Info(ctx).Result(); err != nil || !strings.Contains(info, "redis_version:") {
			t.Errorf("INFO: %q, %v", info, err)
		}
		if m, err := c.ConfigGet(ctx, "databases").Result(); err != nil || m["databases"] != "16" {
			t.Errorf("CONFIG GET: %v, %v", m, err)
		}
		if cmds, err := c.Command(ctx).Result(); err != nil || cmds["get"] == nil || !cmds["get"].ReadOnly || cmds["mset"].StepCount != 2 {
			t.Errorf("COMMAND: %v, %v", cmds["get"], err)
		}
		if now, err := c.Time(ctx).Result(); err != nil || time.Since(now).Abs() > time.Minute {
			t.Errorf("TIME: %v, %v", now, err)
		}
	})
}

func TestStrings(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, key string) {
		if _, err := c.Get(ctx, key).Result(); !errors.Is(err, redis.Nil) {
			t.Errorf("GET of nothing: %v", err)
		}
		ok, err := c.Set(ctx, key, "hello", 0).Result()
		is(t, "SET", ok, err, "OK")
		v, err := dial(t, 2, 3).Get(ctx, key).Result()
		is(t, "GET at another node", v, err, "hello")
		nx, err := c.SetNX(ctx, key, "no", 0).Result()
		is(t, "SET NX", nx, err, false)
		xx, err := c.SetXX(ctx, key, "world", time.Hour).Result()
		is(t, "SET XX", xx, err, true)
		old, err := c.GetSet(ctx, key, "again").Result()
		is(t, "GETSET", old, err, "world")
		n, err := c.Append(ctx, key, "!").Result()
		is(t, "APPEND", n, err, 6)
		n, err = c.StrLen(ctx, key).Result()
		is(t, "STRLEN", n, err, 6)
		v, err = c.GetRange(ctx, key, 1, -2).Result()
		is(t, "GETRANGE", v, err, "gain")
		n, err = c.SetRange(ctx, key, 5, "??").Result()
		is(t, "SETRANGE", n, err, 7)
		v, err = c.GetDel(ctx, key).Result()
		is(t, "GETDEL", v, err, "again??")
		ok, err = c.MSet(ctx, key+"a", "1", key+"b", "2").Result()
		is(t, "MSET", ok, err, "OK")
		if all, err := c.MGet(ctx, key+"a", key+"none", key+"b").Result(); err != nil || fmt.Sprint(all) != "[1 <nil> 2]" {
			t.Errorf("MGET: %v, %v", all, err)
		}
		bytes := make([]byte, 256)
		for i := range bytes {
			bytes[i] = byte(i)
		}
		if err := c.Set(ctx, key, bytes, 0).Err(); err != nil {
			t.Error(err)
		}
		v, err = c.Get(ctx, key).Result()
		is(t, "any bytes", v, err, string(bytes))
	})
}

func TestKeysAndExpiry(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, key string) {
		c.Set(ctx, key, "v", 100*time.Second)
		ttl, err := c.TTL(ctx, key).Result()
		is(t, "TTL", ttl, err, 100*time.Second)
		yes, err := c.Expire(ctx, key, time.Hour).Result()
		is(t, "EXPIRE", yes, err, true)
		yes, err = c.ExpireNX(ctx, key, time.Hour).Result()
		is(t, "EXPIRE NX", yes, err, false)
		yes, err = c.Persist(ctx, key).Result()
		is(t, "PERSIST", yes, err, true)
		ttl, err = c.TTL(ctx, key).Result()
		is(t, "TTL of what stays", ttl, err, -1)
		ttl, err = c.TTL(ctx, key+"none").Result()
		is(t, "TTL of nothing", ttl, err, -2)
		yes, err = c.PExpireAt(ctx, key, time.Now().Add(-time.Second)).Result()
		is(t, "PEXPIREAT in the past", yes, err, true)
		n, err := c.Exists(ctx, key).Result()
		is(t, "EXISTS", n, err, 0)
		c.Set(ctx, key, "v", 0)
		typ, err := c.Type(ctx, key).Result()
		is(t, "TYPE", typ, err, "string")
		n, err = c.Touch(ctx, key, key+"none").Result()
		is(t, "TOUCH", n, err, 1)
		v, err := c.GetEx(ctx, key, time.Hour).Result()
		is(t, "GETEX", v, err, "v")
		n, err = c.Del(ctx, key, key+"none").Result()
		is(t, "DEL", n, err, 1)
		n, err = c.Unlink(ctx, key).Result()
		is(t, "UNLINK", n, err, 0)
	})
}

// TestTypes writes at one node and at another: the nodes merge it.
func TestTypes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, key string) {
		other := dial(t, 2, 3)
		n, err := c.Incr(ctx, key+"c").Result()
		is(t, "INCR", n, err, 1)
		n, err = other.IncrBy(ctx, key+"c", 41).Result()
		is(t, "INCRBY at another node", n, err, 42)
		n, err = c.HSet(ctx, key+"h", "a", 1, "b", 2).Result()
		is(t, "HSET", n, err, 2)
		n, err = other.HIncrBy(ctx, key+"h", "a", 5).Result()
		is(t, "HINCRBY", n, err, 6)
		if m, err := c.HGetAll(ctx, key+"h").Result(); err != nil || fmt.Sprint(m) != "map[a:6 b:2]" {
			t.Errorf("HGETALL: %v, %v", m, err)
		}
		c.SAdd(ctx, key+"s", "x", "y")
		other.SAdd(ctx, key+"s", "z")
		n, err = c.SRem(ctx, key+"s", "y").Result()
		is(t, "SREM", n, err, 1)
		if m, err := other.SMembers(ctx, key+"s").Result(); err != nil || fmt.Sprint(m) != "[x z]" {
			t.Errorf("SMEMBERS: %v, %v", m, err)
		}
		n, err = c.ZAdd(ctx, key+"z", redis.Z{Score: 2, Member: "b"}, redis.Z{Score: 1, Member: "a"}).Result()
		is(t, "ZADD", n, err, 2)
		f, err := other.ZIncrBy(ctx, key+"z", 2.5, "a").Result()
		is(t, "ZINCRBY", f, err, 3.5)
		if m, err := c.ZRangeWithScores(ctx, key+"z", 0, -1).Result(); err != nil || fmt.Sprint(m) != "[{2 b} {3.5 a}]" {
			t.Errorf("ZRANGE: %v, %v", m, err)
		}
		typ, err := c.Type(ctx, key+"z").Result()
		is(t, "TYPE", typ, err, "zset")
		if err := c.Get(ctx, key+"h").Err(); err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
			t.Errorf("GET of a hash: %v", err)
		}
	})
}

func TestScan(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, key string) {
		var want []string
		pipe := c.Pipeline()
		for i := range 200 {
			k := fmt.Sprintf("%s%03d", key, i)
			want = append(want, k)
			pipe.Set(ctx, k, i, 0)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			t.Fatal(err)
		}
		var got []string
		it := c.Scan(ctx, 0, key+"*", 50).Iterator()
		for it.Next(ctx) {
			got = append(got, it.Val())
		}
		if err := it.Err(); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("SCAN: %d keys, want %d, each once", len(got), len(want))
		}
		if few, err := c.Keys(ctx, key+"00?").Result(); err != nil || len(few) != 10 {
			t.Errorf("KEYS: %v, %v", few, err)
		}
		if n, err := c.DBSize(ctx).Result(); err != nil || n < 200 {
			t.Errorf("DBSIZE: %d, %v", n, err)
		}
		if k, err := c.RandomKey(ctx).Result(); err != nil || k == "" {
			t.Errorf("RANDOMKEY: %q, %v", k, err)
		}
	})
}

func TestPipelines(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, key string) {
		cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := range 100 {
				p.Set(ctx, key, i, 0)
				p.Get(ctx, key)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			v, err := cmds[2*i+1].(*redis.StringCmd).Result()
			is(t, "a get after its set", v, err, fmt.Sprint(i))
		}
	})
}

// TestSiblings is PAPER Figure 3 through a client that knows nothing of it.
func TestSiblings(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, c *redis.Client, key string) {
		conn := c.Conn()
		defer conn.Close()
		do := func(args ...any) map[string]any {
			t.Helper()
			v, err := conn.Do(ctx, args...).Result()
			if err != nil {
				t.Fatalf("%v: %v", args[0], err)
			}
			return pairs(v)
		}
		do("OURO.BUCKET", "carts")
		d2 := do("OURO.PUT", key, "D2", "CONTEXT", do("OURO.PUT", key, "D1")["context"])["context"]
		do("OURO.PUT", key, "D3", "CONTEXT", d2)
		do("OURO.PUT", key, "D4", "CONTEXT", d2, "W", 3)
		both := do("OURO.GET", key, "R", 3)
		if n := len(both["siblings"].([]any)); n != 2 {
			t.Fatalf("%d siblings", n)
		}
		do("OURO.PUT", key, "D5", "CONTEXT", both["context"])
		if v, err := conn.Get(ctx, key).Result(); err != nil || v != "D5" {
			t.Errorf("%q, %v", v, err)
		}
	})
}

// pairs makes a map of what RESP2 has as a list.
func pairs(v any) map[string]any {
	m := map[string]any{}
	switch v := v.(type) {
	case map[any]any:
		for k, e := range v {
			m[fmt.Sprint(k)] = e
		}
	case []any:
		for i := 0; i+1 < len(v); i += 2 {
			m[fmt.Sprint(v[i])] = v[i+1]
		}
	}
	return m
}

// TestSkipped lists what a store without a leader does not do, with the reason that
// it gives. A command that is done after all fails here, and belongs above.
func TestSkipped(t *testing.T) {
	for _, args := range [][]any{
		{"MULTI"},
		{"EXEC"},
		{"WATCH", "k"},
		{"EVAL", "return 1", 0},
		{"LPUSH", "k", "v"},
		{"BLPOP", "k", 0},
		{"SUBSCRIBE", "c"},
		{"PUBLISH", "c", "m"},
		{"XADD", "k", "*", "f", "v"},
		{"MSETNX", "a", "1"},
		{"RENAME", "a", "b"},
		{"COPY", "a", "b"},
		{"WAIT", 1, 0},
		{"SETBIT", "k", 1, 1},
		{"PFADD", "k", "v"},
		{"GEOADD", "k", 1, 1, "v"},
		{"CLUSTER", "INFO"},
		{"DUMP", "k"},
		{"OBJECT", "ENCODING", "k"},
		{"FLUSHDB"},
		{"SPOP", "k"},
		{"ZPOPMIN", "k"},
	} {
		t.Run(fmt.Sprint(args[0]), func(t *testing.T) {
			_, err := dial(t, 0, 3).Do(t.Context(), args...).Result()
			if err == nil || !strings.Contains(err.Error(), "is not supported: ") {
				t.Fatalf("%v: a clear error is wanted", err)
			}
			t.Skip(err)
		})
	}
}
