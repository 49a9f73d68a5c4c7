package resp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/oracle"
)

// inSiblings serves the oracle, whose buckets show siblings: plain commands read
// before they write.
func inSiblings(t *testing.T, cfg Config) *peer {
	cfg.Mode = func(string) string { return modeSiblings }
	return dial(t, start(t, cfg, oracle.New(oracle.Config{})))
}

func TestStrings(t *testing.T) {
	p := inSiblings(t, Config{})
	for _, c := range [][2]string{
		{"<nil>", "GET s"},
		{"OK", "SET s v"},
		{"v", "GET s"},
		{"<nil>", "SET s w NX"},
		{"OK", "SET s w XX"},
		{"w", "SET s x GET"},
		{"<nil>", "SET other x XX"},
		{"1", "STRLEN s"},
		{"4", "APPEND s yza"},
		{"xyza", "GET s"},
		{"yz", "GETRANGE s 1 2"},
		{"za", "GETRANGE s -2 -1"},
		{"", "GETRANGE s 9 10"},
		{"xyza", "SUBSTR s 0 100"},
		{"", "GETRANGE s 0 -9"},
		{"6", "SETRANGE s 4 bc"},
		{"xyzabc", "GET s"},
		{"4", "SETRANGE fresh 2 ab"},
		{"\x00\x00ab", "GET fresh"},
		{"0", "SETRANGE none 5 ''"},
		{"0", "SETNX s q"},
		{"1", "SETNX n q"},
		{"q", "GETSET n r"},
		{"r", "GETDEL n"},
		{"<nil>", "GET n"},
		{"<nil>", "GETDEL n"},
		{"OK", "MSET a 1 b 2 a 3"},
		{"[3 2 <nil>]", "MGET a b c"},
		{"2", "DEL a b c"},
		{"0", "UNLINK a"},
		{"2", "EXISTS s s none"},
		{"1", "TOUCH s"},
		{"string", "TYPE s"},
		{"none", "TYPE none"},
		{"-ERR syntax error", "SET s v NX XX"},
		{"-ERR syntax error", "SET s v EX"},
		{"-ERR syntax error", "SET s v EX 1 PX 1"},
		{"-ERR syntax error", "SET s v BAD"},
		{"-ERR value is not an integer or out of range", "SET s v EX x"},
		{"-ERR invalid expire time in 'set' command", "SET s v EX 0"},
		{"-ERR invalid expire time in 'setex' command", "SETEX s -1 v"},
		{"-ERR invalid expire time in 'set' command", "SET s v EX 9223372036854775807"},
		{"-ERR offset is out of range", "SETRANGE s -1 x"},
		{"-ERR wrong number of arguments for 'mset' command", "MSET a 1 b"},
		{"-ERR string exceeds maximum allowed size (proto-max-bulk-len)", "SETRANGE s 2000000 x"},
		{"-ERR wrong number of arguments for 'get' command", "GET"},
		{"-ERR unknown command 'nope', with args beginning with: 'a' 'b' ", "nope a b"},
	} {
		p.expect(c[0], c[1])
	}
}

func TestExpiry(t *testing.T) {
	p := inSiblings(t, Config{})
	for _, c := range [][2]string{
		{"-2", "TTL k"},
		{"OK", "SET k v"},
		{"-1", "TTL k"},
		{"-1", "EXPIRETIME k"},
		{"1", "EXPIRE k 100"},
		{"100", "TTL k"},
		{"0", "EXPIRE k 100 NX"},
		{"0", "EXPIRE k 50 GT"},
		{"1", "EXPIRE k 50 LT"},
		{"50", "TTL k"},
		{"v", "GET k"},
		{"1", "PERSIST k"},
		{"0", "PERSIST k"},
		{"0", "EXPIRE k 10 GT"},
		{"0", "EXPIRE k 10 XX"},
		{"OK", "SETEX k 200 w"},
		{"200", "TTL k"},
		{"OK", "SET k x KEEPTTL"},
		{"200", "TTL k"},
		{"OK", "SET k x"},
		{"-1", "TTL k"},
		{"1", "PEXPIREAT k 4102444800000"},
		{"4102444800", "EXPIRETIME k"},
		{"x", "GETEX k PERSIST"},
		{"-1", "TTL k"},
		{"x", "GETEX k EX 70"},
		{"70", "TTL k"},
		{"2", "APPEND k y"},
		{"70", "TTL k"},
		{"1", "EXPIRE k -1"},
		{"<nil>", "GET k"},
		{"0", "EXPIRE k 10"},
		{"OK", "SET k v EXAT 1"},
		{"<nil>", "GET k"},
		{"OK", "PSETEX k 100000 v"},
		{"100", "TTL k"},
		{"-ERR NX and XX, GT or LT options at the same time are not compatible", "EXPIRE k 1 NX XX"},
		{"-ERR GT and LT options at the same time are not compatible", "EXPIRE k 1 GT LT"},
		{"-ERR Unsupported option no", "EXPIRE k 1 no"},
		{"-ERR value is not an integer or out of range", "EXPIRE k x"},
		{"-ERR invalid expire time in 'expire' command", "EXPIRE k 9223372036854775807"},
	} {
		p.expect(c[0], c[1])
	}
}

// ends notes when keys are to end.
type ends struct {
	*oracle.Types
	at []int64
}

// Update implements [ouro.Updater].
func (e *ends) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	if u.Act == ouro.Expire {
		e.at = append(e.at, u.Expires.UnixMilli())
		return ouro.Result{}, nil
	}
	return e.Types.Update(ctx, key, u, opts...)
}

// With data types a key ends at the millisecond that is asked for, however long the
// command takes; without them it is written anew, for as long as is left.
func TestExpiryAtAMoment(t *testing.T) {
	e := &ends{Types: oracle.NewTypes()}
	p := dial(t, start(t, Config{Mode: func(string) string { return modeTypes }}, e))
	p.expect("OK", "SET k x")
	p.expect("1", "PEXPIREAT k 4102444800007")
	p.expect("1", "EXPIREAT k 4102444801")
	p.expect("x", "GETEX k PXAT 4102444802003")
	if want := []int64{4102444800007, 4102444801000, 4102444802003}; !slices.Equal(e.at, want) {
		t.Errorf("it ends at %v, not at %v", e.at, want)
	}
}

func TestConnection(t *testing.T) {
	p := inSiblings(t, Config{Buckets: []string{"zero", "one"}, Version: "v"})
	for _, c := range [][2]string{
		{"PONG", "PING"},
		{"hi", "ping hi"},
		{"x", "ECHO x"},
		{"OK", "SELECT 1"},
		{"OK", "SET k 1"},
		{"OK", "SELECT 0"},
		{"<nil>", "GET k"},
		{"-ERR DB index is out of range", "SELECT 2"},
		{"-ERR DB index is out of range", "SELECT -1"},
		{"OK", "OURO.BUCKET one"},
		{"1", "GET k"},
		{"one", "OURO.BUCKET"},
		{"<nil>", "CLIENT GETNAME"},
		{"OK", "CLIENT SETNAME me"},
		{"me", "CLIENT GETNAME"},
		{"1", "CLIENT ID"},
		{"OK", "CLIENT SETINFO LIB-NAME go"},
		{"OK", "CLIENT NO-EVICT on"},
		{"-ERR Client names cannot contain spaces, newlines or special characters.", "CLIENT SETNAME 'a b'"},
		{"OK", "OURO.SET w 3 timeout 500"},
		{"[r <nil> w 3 pr <nil> pw <nil> dw <nil> timeout 500]", "OURO.SET"},
		{"OK", "OURO.SET w DEFAULT"},
		{"-ERR Protocol version is not an integer or out of range", "HELLO x"},
		{"-NOPROTO unsupported protocol version", "HELLO 4"},
		{"RESET", "RESET"},
		{"zero", "OURO.BUCKET"},
		{"<nil>", "CLIENT GETNAME"},
		{"[databases 2]", "CONFIG GET databases"},
		{"[appendonly no save ]", "CONFIG GET save appendonly"},
		{fmt.Sprint(len(table)), "COMMAND COUNT"},
		{"[[get 2 [readonly] 1 1 1] <nil>]", "COMMAND INFO get nope"},
	} {
		p.expect(c[0], c[1])
	}
	p.refusal("without any password configured", "AUTH secret")
	p.refusal("from 1 to the bucket's n", "OURO.SET w 0")
	p.refusal("no step of several commands", "MULTI")
	p.refusal("CONFIG GET", "CONFIG SET a b")
	if got := pairs(p.do("HELLO", "3", "SETNAME", "n")); got["proto"] != int64(3) || got["role"] != "master" {
		t.Errorf("HELLO 3: %v", got)
	}
	p.expect("<nil>", "GET none")
	p.expect("map[databases:2]", "CONFIG GET databases")
	if info := fmt.Sprint(p.do("INFO")); !strings.Contains(info, "redis_version:") || !strings.Contains(info, "ouro_version:v\r\n") || !strings.Contains(info, "db1:bucket=one") {
		t.Errorf("INFO: %s", info)
	}
	if list := fmt.Sprint(p.do("CLIENT", "LIST")); !strings.Contains(list, "name=n ") || !strings.Contains(list, "resp=3") {
		t.Errorf("CLIENT LIST: %s", list)
	}
	p.expect("OK", "QUIT")
	p.closed()
}

func TestAuth(t *testing.T) {
	p := dial(t, start(t, Config{Auth: func(user, password string) error {
		if user == "default" && password == "right" {
			return nil
		}
		return errors.New("no")
	}}, oracle.New(oracle.Config{})))
	p.refusal("NOAUTH", "GET k")
	p.refusal("NOAUTH", "HELLO 3")
	p.refusal("WRONGPASS", "AUTH wrong")
	p.send(encode("AUTH", "right") + encode("SET", "k", strings.Repeat("x", 20_000)) + encode("RESET") + encode("GET", "k"))
	for _, want := range []string{"OK", "OK", "RESET", "-NOAUTH Authentication required."} {
		if got := fmt.Sprint(p.answer()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	p.refusal("unauthenticated bulk length", "*1\r\n$20000")
	p.closed()
}

// TestFigure3 is PAPER Figure 3 at the level of clients: two writes under one
// context stand side by side, a third that has read both takes their place.
func TestFigure3(t *testing.T) {
	p := inSiblings(t, Config{})
	d2 := pairs(p.do("OURO.PUT", "k", "D2", "CONTEXT", pairs(p.do("OURO.PUT", "k", "D1"))["context"].(string)))["context"].(string)
	p.do("OURO.PUT", "k", "D3", "CONTEXT", d2)
	p.do("OURO.PUT", "k", "D4", "CONTEXT", d2)
	both := pairs(p.do("OURO.GET", "k"))
	if n := len(both["siblings"].([]any)); n != 2 {
		t.Fatalf("%d siblings, want D3 and D4", n)
	}
	p.refusal("the key has 2 versions", "GET k")
	p.do("OURO.PUT", "k", "D5", "CONTEXT", both["context"].(string))
	p.expect("D5", "GET k")
}

var update = flag.Bool("update", false, "write docs/reference/resp.md anew")

// TestReference holds the published list of commands to the table.
func TestReference(t *testing.T) {
	const file = "../../../docs/reference/resp.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- commands -->\n", "<!-- end of commands -->\n"
	head, rest, ok1 := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the commands", file)
	}
	want := head + begin + reference() + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(b) {
		t.Errorf("%s does not have the commands of this package: run go test ./internal/frontend/resp -run Reference -update", file)
	}
}

// reference writes the commands as the documentation has them.
func reference() string {
	var b strings.Builder
	for _, g := range groups() {
		fmt.Fprintf(&b, "\n### %s\n\n| command | where several clients write at once |\n|---|---|\n", g.name)
		for _, c := range g.commands {
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(c.usage, "|", "\\|"), c.meaning)
		}
	}
	b.WriteString("\n### refused\n\n")
	byReason := map[string][]string{}
	for name, why := range refused {
		byReason[why] = append(byReason[why], "`"+strings.ToUpper(name)+"`")
	}
	var lines []string
	for why, names := range byReason {
		lines = append(lines, fmt.Sprintf("- %s: %s.\n", strings.Join(sortedList(names), " "), why))
	}
	return b.String() + strings.Join(sortedList(lines), "") + "\n"
}

func sortedList(s []string) []string {
	slices.Sort(s)
	return s
}
