package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The paper's evaluation runs on clusters of its own, leaves none behind, and writes
// a page.
func TestPaperEvaluation(t *testing.T) {
	out := filepath.Join(t.TempDir(), "paper.html")
	for only, says := range map[string][]string{
		"sla,figure6,table2":        {"one node dead, writes", "one in so many requests takes longer", "Nodes out of balance", "client-driven", "<svg"},
		"figure4,figure5":           {"hours in which writes take longer than reads", "p99.9 of reads", "worst over quietest", "buffered, p99.9"},
		"gossip,staleness,siblings": {"table of partitions, bytes", "r=1 w=1, predicted", "On real nodes: stale reads", "Reads by how many versions they showed", "<svg"},
	} {
		if r := runs(t, "paper", "--quick", "--only", only, "--out", out); r.code != 0 || strings.Contains(r.err, "start it with") {
			t.Fatalf("%s: exit code %d, and says of nodes that it kills itself:\n%s", only, r.code, r.err)
		}
		page, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range says {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page of %s has no %q", only, want)
			}
		}
	}
	fails(t, 2, `"figure9": there is no such experiment: choose from sla, figure4,`, "paper", "--only", "figure9", "--out", out)
}

// Demonstrations are listed and run by their number, simulated and on real nodes.
func TestPaperDemos(t *testing.T) {
	list := must(t, "paper", "demo")
	if lines := strings.Count(list, "\n"); lines != 22 {
		t.Errorf("%d demonstrations are listed:\n%s", lines, list)
	}
	if out := must(t, "paper", "demo", "6"); !strings.Contains(out, "what A has: expected and seen [v]") {
		t.Errorf("hinted handoff shows:\n%s", out)
	}
	fails(t, 2, "they are 1 to 22", "paper", "demo", "23")
	if out := must(t, "paper", "demo", "1"); !strings.Contains(out, "expected and seen 25") || !strings.Contains(out, "expected and seen hello") || strings.Contains(out, "SEEN") {
		t.Errorf("any key through any node shows:\n%s", out)
	}
}

// A terminal shows how far an experiment is, from the first step to the last.
func TestProgressOnATerminal(t *testing.T) {
	ours, theirs := terminal(t)
	cmd := exec.CommandContext(t.Context(), binary, "paper", "--quick", "--only", "figure6", "--out", filepath.Join(t.TempDir(), "paper.html"))
	cmd.Env, cmd.Stderr = clean(os.Environ()), theirs
	shown := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(ours) // it ends with an error once nobody has the other end
		shown <- string(text)
	}()
	err := cmd.Run()
	theirs.Close()
	if text := <-shown; err != nil || !regexp.MustCompile(`(?s)figure6 +[1-9]% .*figure6 +5\d% .*figure6 +9\d% `).MatchString(text) {
		t.Errorf("%v: it shows %q", err, text)
	}
}

// terminal returns both ends of one.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}
