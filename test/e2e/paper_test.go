package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The paper's evaluation runs on clusters of its own, leaves none behind, and writes
// a page.
func TestPaperEvaluation(t *testing.T) {
	out := filepath.Join(t.TempDir(), "paper.html")
	must(t, "paper", "--quick", "--only", "sla,figure6,table2,gossip,staleness", "--out", out)
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one node dead, writes", "one in so many requests takes longer", "Nodes out of balance", "client-driven", "table of partitions, bytes", "r=1 w=1, predicted", "On real nodes: stale reads", "<svg"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q", want)
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
