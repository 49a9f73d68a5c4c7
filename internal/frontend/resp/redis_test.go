package resp

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestNamedTwice is about elements that one command names more than once.
func TestNamedTwice(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"2", "SADD s a a b"},
		{"1", "SREM s a a"},
		{"2", "HSET h f 1 g 2 f 3"},
		{"[f 3 g 2]", "HGETALL h"},
		{"1", "HDEL h g g"},
		{"OK", "HMSET h g 1 g 2"},
		{"2", "HGET h g"},
		{"1", "ZADD z 1 a 2 a"},
		{"2", "ZSCORE z a"},
		{"1", "ZADD z NX 3 b 4 b"},
		{"3", "ZSCORE z b"},
		{"0", "ZADD z GT 9 a 5 a"},
		{"9", "ZSCORE z a"},
		{"0", "ZADD z LT 1 a 5 a"},
		{"1", "ZSCORE z a"},
		{"0", "ZADD z XX 7 a 6 a"},
		{"6", "ZSCORE z a"},
		{"2", "ZREM z a a b"},
	} {
		p.expect(c[0], c[1])
	}
}

// TestOtherTypes is about commands of strings where the key holds another type.
func TestOtherTypes(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"1", "HSET h f v"},
		{"1", "INCR c"},
		{"OK", "SET s v"},
		{"[<nil> 1 v <nil>]", "MGET h c s none"},
		{"0", "SETNX h v"},
		{"<nil>", "SET h v NX"},
		{"-" + errWrongType, "SET h v NX GET"},
		{"-" + errWrongType, "SET h v GET"},
		{"hash", "TYPE h"},
		{"OK", "SET h v XX"},
		{"v", "GET h"},
		{"1", "SADD m a"},
		{"OK", "SET m v KEEPTTL"},
		{"v", "GET m"},
	} {
		p.expect(c[0], c[1])
	}
}

// What is written anew keeps the content type that another front end may have given it.
func TestContentTypeStays(t *testing.T) {
	p := inSiblings(t, Config{})
	for _, line := range []string{"EXPIRE k 100", "PERSIST k", "GETEX k EX 100", "APPEND k x", "SETRANGE k 0 y"} {
		p.do("DEL", "k")
		p.do("OURO.PUT", "k", "text", "TYPE", "text/x", "TTL", "100000")
		p.send(line + "\r\n")
		if got := fmt.Sprint(p.answer()); strings.HasPrefix(got, "-") {
			t.Errorf("%s: %s", line, got)
		}
		if got := fmt.Sprint(p.do("OURO.GET", "k")); !strings.Contains(got, "type text/x") {
			t.Errorf("after %s: %s", line, got)
		}
	}
}

func TestEndsOfNumbers(t *testing.T) {
	p := ofTypes(t)
	for _, c := range [][2]string{
		{"-9223372036854775808", "INCRBY c -9223372036854775808"},
		{"-ERR decrement would overflow", "DECRBY c -9223372036854775808"},
		{"0.1", "INCRBYFLOAT f 0.1"},
		{"0.3", "INCRBYFLOAT f 0.2"},
		{"OK", "SET f 5.0e3"},
		{"5200", "INCRBYFLOAT f 2.0e2"},
		{"0", "INCRBYFLOAT f -5200"},
		{"0", "INCRBYFLOAT f 1e-99999999"}, // which would take minutes to write out
		{"1", "INCRBYFLOAT f 1"},
		{"1", "INCRBYFLOAT f -3e-100"},
		{"-ERR increment would produce NaN or Infinity", "INCRBYFLOAT f inf"},
		{"OK", "SET f 1e-99999999"},
		{"0.5", "INCRBYFLOAT f 0.5"},
		{"0.1", "HINCRBYFLOAT h f 0.1"},
		{"0.3", "HINCRBYFLOAT h f 0.2"},
		{"-ERR value is not a valid float", "HINCRBYFLOAT h f 1e400"},
	} {
		p.expect(c[0], c[1])
	}
}

func TestScansOfOneKey(t *testing.T) {
	p := ofTypes(t)
	p.expect("2", "SADD s a b")
	p.expect("[0 [a b]]", "SSCAN s 0 COUNT 1")
	p.expect("-ERR invalid cursor", "SSCAN s x")
	p.expect("-ERR syntax error", "SSCAN s 0 TYPE set")
}

func TestFormatFloat(t *testing.T) {
	for want, f := range map[string]float64{
		"0": 0, "1": 1, "-3": -3, "1.5": 1.5, "0.1": .1, "0.00001": 1e-5, "1e-7": 1e-7, "1.5e-7": 1.5e-7,
		"1234567.5": 1234567.5, "1700000000.25": 1700000000.25, "1700000000.123456": 1700000000.123456,
		"1e+17": 1e17, "1e+20": 1e20, "1.7976931348623157e+308": math.MaxFloat64, "5e-324": math.SmallestNonzeroFloat64,
		"inf": math.Inf(1), "-inf": math.Inf(-1), "9007199254740993000": 9007199254740993e3,
	} {
		if got := formatFloat(f); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
