package fact

import (
	"strings"
	"testing"
	"time"
)

// Every kind has a name of its own, so that a new one is not told as a number.
func TestEveryKindIsNamed(t *testing.T) {
	seen := map[string]Kind{}
	for k := Started; int(k) < len(names); k++ {
		name := k.String()
		if name == "" || strings.HasPrefix(name, "fact ") {
			t.Errorf("kind %d has no name", k)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("kinds %d and %d are both %q", other, k, name)
		}
		seen[name] = k
	}
	if got := Kind(0).String(); got != "fact 0" {
		t.Errorf("no kind is told as %q", got)
	}
	if got := Kind(250).String(); got != "fact 250" {
		t.Errorf("an unknown kind is told as %q", got)
	}
}

func TestFactTellsItself(t *testing.T) {
	for want, f := range map[string]Fact{
		"decided":                              {Kind: Decided},
		"answered n2 after 1.235ms: the state": {Kind: Answered, Peer: "n2", Lasted: 1234567 * time.Nanosecond, Note: "the state"},
		"pruned entries (3)":                   {Kind: Pruned, N: 3},
		"no answer from n3":                    {Kind: Silent, Peer: "n3", At: time.Second, Ticket: 7},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
