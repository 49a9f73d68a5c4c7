package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// What the documents tell a reader to type works, in the order in which it is
// told. Ports and folders are those of the test's cluster.
func TestStartDocument(t *testing.T) {
	c := start(t, "", 3)
	text, err := os.ReadFile("../../docs/start.md")
	if err != nil {
		t.Fatal(err)
	}
	_, steps, _ := strings.Cut(string(text), "## Put, get, delete")
	steps, _, _ = strings.Cut(steps, "## Nodes by hand")
	script := "set -e\n"
	for _, line := range regexp.MustCompile(`(?m)^    \./ouro .*$`).FindAllString(steps, -1) {
		if strings.Contains(line, "cat.jpg") {
			continue // the reader's own file
		}
		script += strings.TrimSpace(line) + "\n"
	}
	for i, n := range c.Nodes {
		script = strings.ReplaceAll(script, "127.0.0.1:70"+string(rune('7'+i))+"0", n.Client)
	}
	script = strings.NewReplacer("./ouro", binary, "./cluster", c.Dir).Replace(script)
	if steps := strings.Count(script, "\n"); steps < 15 {
		t.Fatalf("only %d steps were found in the document", steps)
	}
	cmd := exec.Command("sh", "-xc", script)
	cmd.Env = append(clean(os.Environ()), "OURO_ADDR="+c.Nodes[0].Client, "OURO_ADMIN="+c.Nodes[0].Admin)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "carts/alice has 2 siblings") {
		t.Errorf("%v\n%s", err, out)
	}
}
