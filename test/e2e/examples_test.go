package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The examples play in a dev cluster, too.
func TestExamples(t *testing.T) {
	c := start(t, "", 3)
	for name, want := range map[string]string{
		"cart":      "has 2 versions, which merge to: book, lamp, pen.",
		"catalogue": "Node 3 is back, and the price can be changed.",
	} {
		program := filepath.Join(t.TempDir(), name)
		build := exec.Command("go", "build", "-o", program, "../../examples/"+name)
		build.Env = os.Environ()
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		out, err := exec.Command(program, "-dev", c.Dir).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s does not say %q: %v\n%s", name, want, err, out)
		}
	}
}
