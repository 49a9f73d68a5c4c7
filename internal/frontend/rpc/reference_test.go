package rpc

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

var update = flag.Bool("update", false, "write docs/reference/grpc.md anew")

// TestReference holds the published description to the protocol and to the statuses
// of this package.
func TestReference(t *testing.T) {
	const file = "../../../docs/reference/grpc.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- protocol -->\n", "<!-- end of protocol -->\n"
	head, rest, ok1 := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the protocol", file)
	}
	want := head + begin + statuses() + protocol(t) + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(b) {
		t.Errorf("%s does not have the protocol as it is: run go test ./internal/frontend/rpc -run Reference -update", file)
	}
}

// statuses is the table of errors.
func statuses() string {
	var b strings.Builder
	b.WriteString("\n## Statuses\n\n| code of the failure | status | where the outcome is not known |\n|---|---|---|\n")
	for _, code := range []ouro.Code{
		ouro.BadRequest, ouro.BadContext, ouro.TooLarge, ouro.NotFound, ouro.TooManySiblings, ouro.WrongType, ouro.Conflict,
		ouro.Overloaded, ouro.HotKey, ouro.QuorumUnavailable, ouro.TimedOut, ouro.DiskFull, ouro.Internal,
	} {
		one, other := codeOf(&ouro.Error{Code: code, Outcome: ouro.NotDone}), codeOf(&ouro.Error{Code: code, Outcome: ouro.Unknown})
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, upper(one.String()), upper(other.String()))
	}
	b.WriteString("\nA call that its client ended is `CANCELLED`. Of gRPC itself, without a `Failure`: `RESOURCE_EXHAUSTED` for a message over its limit, `INTERNAL` for one that is no protobuf, `UNIMPLEMENTED` for a call or a compression that this node does not know. Nothing of these was done.\n")
	return b.String()
}

// upper writes the name of a status as the protocol has it.
func upper(name string) string {
	return "`" + strings.ToUpper(regexp.MustCompile("([a-z])([A-Z])").ReplaceAllString(name, "${1}_$2")) + "`"
}

var (
	block = regexp.MustCompile(`^(?:service|message|enum) (\w+) \{$`)
	call  = regexp.MustCompile(`^  rpc (\w+)\((.+)\) returns \((.+)\);$`)
	field = regexp.MustCompile(`^ +((?:optional |repeated )?[\w.]+) (\w+) = \d+;$`)
	value = regexp.MustCompile(`^  ([A-Z_]+) = \d+;$`)
)

// protocol reads the tables out of ouro.proto, which buf keeps in one form.
func protocol(t *testing.T) string {
	text, err := os.ReadFile("../../../proto/ouro/v1/ouro.proto")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var comment []string
	calls, others := 0, 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if c, ok := strings.CutPrefix(strings.TrimSpace(line), "//"); ok {
			comment = append(comment, strings.TrimSpace(c))
			continue
		}
		says := strings.Join(comment, " ")
		comment = nil
		if m := block.FindStringSubmatch(line); m != nil {
			heads := "field | type | meaning"
			switch {
			case strings.HasPrefix(line, "service"):
				heads = "call | from, to | meaning"
			case strings.HasPrefix(line, "enum"):
				heads = "value | | meaning"
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| %s |\n|---|---|---|\n", m[1], says, heads)
		} else if m := call.FindStringSubmatch(line); m != nil {
			calls++
			fmt.Fprintf(&b, "| `%s` | `%s`, `%s` | %s |\n", m[1], m[2], m[3], says)
		} else if m := value.FindStringSubmatch(line); m != nil {
			fmt.Fprintf(&b, "| `%s` | | %s |\n", m[1], says)
		} else if m := field.FindStringSubmatch(line); m != nil && !strings.HasPrefix(line, "option") {
			others++
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m[2], strings.TrimPrefix(m[1], "google.protobuf."), says)
		}
	}
	checkCounts(t, calls, others)
	return "\n## Protocol\n" + b.String() + "\n"
}

// checkCounts fails where a line of the file was not understood.
func checkCounts(t *testing.T, calls, fields int) {
	file := ourov1.File_ouro_v1_ouro_proto
	if want := file.Services().Get(0).Methods().Len(); calls != want {
		t.Errorf("%d calls were read of %d", calls, want)
	}
	want := 0
	for i := range file.Messages().Len() {
		want += file.Messages().Get(i).Fields().Len()
	}
	if fields != want {
		t.Errorf("%d fields were read of %d", fields, want)
	}
}
