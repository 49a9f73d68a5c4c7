package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The examples run: in a simulated cluster, and in a dev cluster where they can play in one.
func TestExamples(t *testing.T) {
	c := start(t, "", 3)
	for name, want := range map[string]string{
		"cart":      "has 2 versions, which merge to: book, lamp, pen.",
		"sessions":  `Node 2 takes "receipt": the session is at "receipt"`,
		"catalogue": "Node 3 is back, and the price can be changed.",
	} {
		program := filepath.Join(t.TempDir(), name)
		build := exec.Command("go", "build", "-o", program, "../../examples/"+name)
		build.Env = os.Environ()
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		ways := [][]string{nil, {"-dev", c.Dir}}
		if name == "sessions" { // which sets clocks wrong
			ways = ways[:1]
		}
		for _, args := range ways {
			out, err := exec.Command(program, args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%s %v does not say %q: %v\n%s", name, args, want, err, out)
			}
		}
	}
}
