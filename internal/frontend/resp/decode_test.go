package resp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

var testLimits = limits{args: 16, bulk: 1000, line: 100, command: 4000}

// decodeAll feeds input in pieces of so many bytes and returns what comes out:
// every command, then the error, if there is one.
func decodeAll(l limits, input []byte, piece int) []string {
	d := decoder{limits: l}
	var out []string
	for at := 0; ; {
		for {
			args, ok, err := d.command()
			if err != nil {
				return append(out, "error: "+err.Error())
			}
			if !ok {
				break
			}
			out = append(out, fmt.Sprintf("%q", args))
		}
		d.compact()
		if at == len(input) {
			return out
		}
		room := d.room()
		n := copy(room[:min(piece, len(room))], input[at:])
		d.took(n)
		at += n
	}
}

func TestDecode(t *testing.T) {
	long := strings.Repeat("x", 101)
	for input, want := range map[string]string{
		encode("GET", "k"):                          `["GET" "k"]`,
		encode("GET", "") + encode("a\r\nb"):        `["GET" ""]|["a\r\nb"]`,
		"*0\r\n*-1\r\n\r\n   \r\n" + encode("PING"): `["PING"]`,
		"PING\r\nSET k \"a \\x41\\n\"  'b\\'c'\n":   `["PING"]|["SET" "k" "a A\n" "b'c"]`,
		"*1\r\n$4\r\nPI":                            ``,
		"*17\r\n":                                   `error: Protocol error: invalid multibulk length`,
		"*x\r\n":                                    `error: Protocol error: invalid multibulk length`,
		"*9223372036854775808\r\n":                  `error: Protocol error: invalid multibulk length`,
		"*2147483647\r\n":                           `error: Protocol error: invalid multibulk length`,
		"*1\r\n$9223372036854775807\r\n":            `error: Protocol error: invalid bulk length`,
		"*1\r\n$-1\r\n":                             `error: Protocol error: invalid bulk length`,
		"*1\r\n$1001\r\n":                           `error: Protocol error: invalid bulk length`,
		"*1\r\n:5\r\n":                              `error: Protocol error: expected '$', got ':'`,
		"*1\r\n\r\n":                                `error: Protocol error: expected '$', got '\r'`,
		"*1\r\n$1\r\nxyz":                           `error: Protocol error: a bulk string does not end with CRLF`,
		"*" + long:                                  `error: Protocol error: too big mbulk count string`,
		"*1\r\n$" + long:                            `error: Protocol error: too big bulk count string`,
		long:                                        `error: Protocol error: too big inline request`,
		"SET k \"a\r\n":                             `error: Protocol error: unbalanced quotes in request`,
		"SET k \"a\"b\r\n":                          `error: Protocol error: unbalanced quotes in request`,
		"*5\r\n" + strings.Repeat("$1000\r\n"+strings.Repeat("y", 1000)+"\r\n", 4): `error: Protocol error: too big command`,
	} {
		for _, piece := range []int{1, 3, 1 << 20} {
			if got := strings.Join(decodeAll(testLimits, []byte(input), piece), "|"); got != want {
				t.Errorf("%.60q in pieces of %d: %s, want %s", input, piece, got, want)
			}
		}
	}
}

func TestDecodeOfStrangers(t *testing.T) {
	l := testLimits
	l.stranger, l.bulk = true, 1<<20
	for input, want := range map[string]string{
		encode("AUTH", "p"): `["AUTH" "p"]`,
		"*11\r\n":           `error: Protocol error: unauthenticated multibulk length`,
		"*1\r\n$16385\r\n":  `error: Protocol error: unauthenticated bulk length`,
	} {
		if got := strings.Join(decodeAll(l, []byte(input), 7), "|"); got != want {
			t.Errorf("%q: %s, want %s", input, got, want)
		}
	}
}

// FuzzDecode holds the decoder to its bounds, and to the same answer however its
// input is cut into pieces.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(encode("SET", "k", "v")+"PING\r\n*0\r\n"), 3)
	f.Add([]byte("*1\r\n$9223372036854775807\r\n"), 1)
	f.Add([]byte("SET \"a\\x4\" 'b\r\n"), 2)
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\n"), 5)
	f.Fuzz(func(t *testing.T, input []byte, piece int) {
		piece = max(1, piece%64)
		whole, cut := decodeAll(testLimits, input, len(input)+1), decodeAll(testLimits, input, piece)
		if strings.Join(whole, "|") != strings.Join(cut, "|") {
			t.Fatalf("%q: %q in one, %q in pieces of %d", input, whole, cut, piece)
		}
		d := decoder{limits: testLimits}
		for at := 0; at < len(input); {
			room := d.room()
			n := copy(room, input[at:])
			d.took(n)
			at += n
			for {
				args, ok, err := d.command()
				if err != nil {
					return
				}
				if !ok {
					break
				}
				total := 0
				for _, a := range args {
					total += len(a)
				}
				if len(args) > max(testLimits.args, testLimits.line) || total > testLimits.command {
					t.Fatalf("a command of %d arguments and %d bytes", len(args), total)
				}
				if again := decodeAll(testLimits, []byte(encodeBytes(args)), 1<<20); len(args) <= testLimits.args && total < 1000 && (len(again) != 1 || again[0] != fmt.Sprintf("%q", args)) {
					t.Fatalf("%q comes back as %q", args, again)
				}
			}
			d.compact()
			if cap(d.buf) > 4*testLimits.command+4*leastBuffer+2*len(input) {
				t.Fatalf("a buffer of %d bytes", cap(d.buf))
			}
		}
	})
}

func encodeBytes(args [][]byte) string {
	all := make([]string, len(args))
	for i, a := range args {
		all[i] = string(bytes.Clone(a))
	}
	return encode(all...)
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*c", "abbc", true},
		{"a*c", "abb", false},
		{"h?llo", "hello", true},
		{"h[ae]llo", "hallo", true},
		{"h[^e]llo", "hello", false},
		{"h[a-c]llo", "hbllo", true},
		{"h[c-a]llo", "hbllo", true},
		{"h[a-c", "hb", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{"*a*b*", "xaybz", true},
		{"user:[0-9]*", "user:7", true},
		{`[\]]`, "]", true},
	} {
		if got := match(c.pattern, c.s); got != c.want {
			t.Errorf("match(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
	// What took a recursive matcher for ever (CVE-2024-31228).
	if match(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 5000)) {
		t.Error("matched")
	}
}

func TestLiteral(t *testing.T) {
	for pattern, want := range map[string]string{"user:*": "user: false", "a": "a true", `a\*b?`: "a*b false", "": " true", "[a]": " false"} {
		prefix, whole := literal(pattern)
		if got := fmt.Sprint(prefix, " ", whole); got != want {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
}
