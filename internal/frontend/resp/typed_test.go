package resp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/oracle"
)

func ofTypes(t *testing.T) *peer {
	return dial(t, start(t, Config{Mode: func(string) string { return modeTypes }}, oracle.NewTypes()))
}

func TestCounters(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"1", "INCR c"},
		{"11", "INCRBY c 10"},
		{"10", "DECR c"},
		{"-10", "DECRBY c 20"},
		{"-10", "GET c"},
		{"string", "TYPE c"},
		{"OK", "SET n 41"},
		{"42", "INCR n"},
		{"42", "GET n"},
		{"-ERR value is not an integer or out of range", "INCRBY c x"},
		{"1", "DEL c"},
		{"1", "INCR c"},
		{"1.5", "INCRBYFLOAT f 1.5"},
		{"-0.25", "INCRBYFLOAT f -1.75"},
		{"1.5", "INCRBYFLOAT c 0.5"},
		{"-ERR value is not a valid float", "INCRBYFLOAT f x"},
		{"-ERR increment would produce NaN or Infinity", "INCRBYFLOAT f inf"},
	} {
		p.expect(c[0], c[1])
	}
	p.expect("OK", "SET s words")
	p.expect("-ERR value is not a float", "INCRBYFLOAT s 1")
	p.refusal("", "INCR s")
}

func TestHashes(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"2", "HSET h a 1 b 2"},
		{"1", "HSET one b 2"},
		{"1", "HSET h a 3 c 4"},
		{"3", "HGET h a"},
		{"<nil>", "HGET h none"},
		{"<nil>", "HGET none a"},
		{"[3 <nil> 4]", "HMGET h a none c"},
		{"3", "HLEN h"},
		{"[a b c]", "HKEYS h"},
		{"[3 2 4]", "HVALS h"},
		{"[a 3 b 2 c 4]", "HGETALL h"},
		{"1", "HEXISTS h a"},
		{"0", "HEXISTS h z"},
		{"0", "HSETNX h a 9"},
		{"1", "HSETNX h d 9"},
		{"14", "HINCRBY h c 10"},
		{"14", "HGET h c"},
		{"2", "HDEL h a d z"},
		{"hash", "TYPE h"},
		{"1", "HSTRLEN h b"},
		{"0", "HSTRLEN h z"},
		{"[0 [b 2]]", "HSCAN h 0 MATCH b*"},
		{"12.5", "HINCRBYFLOAT h b 10.5"},
		{"2", "HINCRBYFLOAT h b -10.5"},
		{"[b 2]", "HRANDFIELD one 9 WITHVALUES"},
		{"<nil>", "HRANDFIELD none"},
		{"[]", "HRANDFIELD none 3"},
		{"-ERR syntax error", "HRANDFIELD h 1 WITHSCORES"},
		{"OK", "HMSET h x y"},
		{"-WRONGTYPE Operation against a key holding the wrong kind of value", "GET h"},
		{"-WRONGTYPE Operation against a key holding the wrong kind of value", "SMEMBERS h"},
		{"-WRONGTYPE Operation against a key holding the wrong kind of value", "SADD h m"},
		{"-ERR wrong number of arguments for 'hset' command", "HSET h a 1 b"},
		{"1", "EXISTS h"},
		{"1", "DEL h"},
		{"0", "HLEN h"},
	} {
		p.expect(c[0], c[1])
	}
	p.do("HELLO", "3")
	p.expect("1", "HSET h k v")
	p.expect("map[k:v]", "HGETALL h")
}

func TestSets(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"3", "SADD a x y z"},
		{"0", "SADD a x"},
		{"2", "SADD b y w"},
		{"3", "SCARD a"},
		{"1", "SISMEMBER a x"},
		{"0", "SISMEMBER a w"},
		{"[1 0]", "SMISMEMBER a x w"},
		{"[y]", "SINTER a b"},
		{"[x z]", "SDIFF a b"},
		{"[x y z w]", "SUNION a b"},
		{"[]", "SINTER a none"},
		{"1", "SINTERCARD 2 a b"},
		{"2", "SINTERCARD 1 a LIMIT 2"},
		{"-ERR syntax error", "SINTERCARD 1 a b"},
		{"[]", "SRANDMEMBER none 2"},
		{"1", "SREM a x none"},
		{"[y z]", "SMEMBERS a"},
		{"[0 [y z]]", "SSCAN a 0"},
		{"set", "TYPE a"},
		{"<nil>", "SRANDMEMBER none"},
		{"0", "SCARD none"},
	} {
		p.expect(c[0], c[1])
	}
	if m := fmt.Sprint(p.do("SRANDMEMBER", "a")); !slices.Contains([]string{"y", "z"}, m) {
		t.Error(m)
	}
	p.refusal("can't be given to one client only", "SPOP a")
}

func TestSortedSets(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"3", "ZADD z 1 a 2 b 3 c"},
		{"0", "ZADD z 5 c"},
		{"5", "ZSCORE z c"},
		{"<nil>", "ZSCORE z none"},
		{"[1 <nil>]", "ZMSCORE z a none"},
		{"3", "ZCARD z"},
		{"2", "ZCOUNT z (1 inf"},
		{"4.5", "ZINCRBY z 2.5 b"},
		{"4.5", "ZSCORE z b"},
		{"[a b c]", "ZRANGE z 0 -1"},
		{"[c b]", "ZRANGE z 0 1 REV"},
		{"[c 5 b 4.5]", "ZREVRANGE z 0 1 WITHSCORES"},
		{"[b c]", "ZRANGEBYSCORE z (1 5"},
		{"[c]", "ZRANGE z 5 1 BYSCORE REV LIMIT 0 1"},
		{"[]", "ZRANGE z 5 9"},
		{"0", "ZRANK z a"},
		{"2", "ZREVRANK z a"},
		{"<nil>", "ZRANK z none"},
		{"0", "ZADD z NX 9 a"},
		{"1", "ZSCORE z a"},
		{"1", "ZREM z a none"},
		{"zset", "TYPE z"},
		{"[0 [b 4.5 c 5]]", "ZSCAN z 0"},
		{"2", "ZADD z CH 4.5 b 6 c 1 new"},
		{"0", "ZADD z CH XX 9 none"},
		{"1", "ZADD z CH GT 7 c 1 b"},
		{"<nil>", "ZADD z XX INCR 1 none"},
		{"1", "ZREMRANGEBYSCORE z 1 1"},
		{"1", "ZREMRANGEBYRANK z -1 -1"},
		{"0", "ZREMRANGEBYSCORE none 1 1"},
		{"[b 4.5]", "ZRANDMEMBER z 2 WITHSCORES"},
		{"-ERR of NX, XX, GT and LT only one can be kept at a time here", "ZADD z NX GT 1 a"},
		{"-ERR value is not a valid float", "ZADD z x a"},
		{"-ERR min or max is not a float", "ZCOUNT z a b"},
		{"-ERR syntax error", "ZADD z NX 1"},
		{"-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX", "ZRANGE z 0 1 LIMIT 0 1"},
	} {
		p.expect(c[0], c[1])
	}
}

func TestTypesNeedTheirBucket(t *testing.T) {
	p := inSiblings(t, Config{})
	p.refusal("data types merge in buckets of mode types", "INCR c")
	p.refusal("data types merge in buckets of mode types", "HSET h a 1")
}

func TestScanByType(t *testing.T) {
	p := ofTypes(t)
	for _, line := range []string{"SET s v", "INCR c", "HSET h a 1", "SADD m x", "ZADD z 1 a"} {
		p.do(strings.Fields(line)...)
	}
	for kind, want := range map[string]string{"string": "[c s]", "hash": "[h]", "SET": "[m]", "zset": "[z]", "list": "[]"} {
		page, _ := p.do("SCAN", "0", "COUNT", "1000", "TYPE", kind).([]any)
		names, _ := page[1].([]any)
		found := []string{}
		for _, n := range names {
			found = append(found, fmt.Sprint(n))
		}
		if slices.Sort(found); fmt.Sprint(found) != want {
			t.Errorf("of type %s there are %v, not %s", kind, found, want)
		}
	}
}

func TestRangesOfNames(t *testing.T) {
	p := ofTypes(t)
	p.expect("5", "ZADD z 0 a 0 b 0 c 0 d 0 aa")
	for _, c := range [][2]string{
		{"[a aa b c d]", "ZRANGEBYLEX z - +"},
		{"[a aa b]", "ZRANGEBYLEX z - [b"},
		{"[a aa]", "ZRANGEBYLEX z [a (b"},
		{"[b c d]", "ZRANGEBYLEX z (aa +"},
		{"[]", "ZRANGEBYLEX z + -"},
		{"[]", "ZRANGEBYLEX none - +"},
		{"[aa b]", "ZRANGEBYLEX z - + LIMIT 1 2"},
		{"[d c b]", "ZREVRANGEBYLEX z + (aa"},
		{"[d c]", "ZREVRANGEBYLEX z + - LIMIT 0 2"},
		{"[aa b]", "ZRANGE z [aa [b BYLEX"},
		{"[b aa]", "ZRANGE z [b [aa BYLEX REV"},
		{"[d]", "ZRANGE z + - BYLEX REV LIMIT 0 1"},
		{"3", "ZLEXCOUNT z [aa (d"},
		{"-ERR min or max not valid string range item", "ZLEXCOUNT z a b"},
		{"-ERR min or max not valid string range item", "ZRANGEBYLEX z - x"},
		{"-ERR syntax error, WITHSCORES not supported in combination with BYLEX", "ZRANGE z - + BYLEX WITHSCORES"},
		{"-ERR syntax error", "ZRANGE z - + BYLEX BYSCORE"},
		{"-ERR syntax error", "ZRANGEBYLEX z - + BYLEX"},
		{"-ERR syntax error", "ZREVRANGE z 0 -1 REV"},
		{"-ERR syntax error", "ZRANGEBYSCORE z 0 1 BYSCORE"},
		{"2", "ZREMRANGEBYLEX z [aa [b"},
		{"[a c d]", "ZRANGE z 0 -1"},
	} {
		p.expect(c[0], c[1])
	}
}

func TestSumsOfSortedSets(t *testing.T) {
	p := ofTypes(t)
	p.expect("3", "ZADD a 1 x 2 y inf z")
	p.expect("3", "ZADD b 10 y 5 w -inf z")
	p.expect("2", "SADD s x w")
	p.expect("1", "HSET h f v")
	for _, c := range [][2]string{
		{"[z x w y]", "ZUNION 2 a b"},
		{"[z 0 x 1 w 5 y 12]", "ZUNION 2 a b WITHSCORES"},
		{"[x 2 w 10 y 20 z inf]", "ZUNION 2 a b WEIGHTS 2 2 AGGREGATE MAX WITHSCORES"},
		{"[x 1 y 2 z inf]", "ZUNION 2 none a AGGREGATE min WITHSCORES"},
		{"[z y]", "ZINTER 2 a b"},
		{"[z -inf y 2]", "ZINTER 2 a b AGGREGATE MIN WITHSCORES"},
		{"[x 2]", "ZINTER 2 a s WITHSCORES"},
		{"[z 0 y 10]", "ZINTER 2 a b WEIGHTS 0 1 AGGREGATE MAX WITHSCORES"},
		{"[]", "ZINTER 2 a none"},
		{"[x]", "ZDIFF 2 a b"},
		{"[y 2 z inf]", "ZDIFF 2 a s WITHSCORES"},
		{"2", "ZINTERCARD 2 a b"},
		{"1", "ZINTERCARD 2 a b LIMIT 1"},
		{"0", "ZINTERCARD 2 a none"},
		{"-" + errWrongType, "ZUNION 2 a h"},
		{"-ERR at least 1 input key is needed for 'zunion' command", "ZUNION 0 a"},
		{"-ERR syntax error", "ZUNION 3 a b"},
		{"-ERR syntax error", "ZDIFF 1 a WEIGHTS 2"},
		{"-ERR syntax error", "ZUNION 2 a b WEIGHTS 1"},
		{"-ERR syntax error", "ZUNION 1 a AGGREGATE AVG"},
		{"-ERR weight value is not a float", "ZUNION 1 a WEIGHTS x"},
	} {
		p.expect(c[0], c[1])
	}
}
