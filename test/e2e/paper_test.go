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
	for _, want := range []string{"one node dead, writes", "Nodes out of balance", "client-driven", "table of partitions, bytes", "r=1 w=1, predicted", "On real nodes: stale reads", "<svg"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	fails(t, 2, `"figure9": there is no such experiment: choose from sla, figure4,`, "paper", "--only", "figure9", "--out", out)
}

// Demonstrations are listed, run by their number, and those that can't be say why.
func TestPaperDemos(t *testing.T) {
	list := must(t, "paper", "demo")
	if lines := strings.Count(list, "\n"); lines != 22 {
		t.Errorf("%d demonstrations are listed:\n%s", lines, list)
	}
	if out := must(t, "paper", "demo", "6"); !strings.Contains(out, "what A has: expected and seen [v]") {
		t.Errorf("hinted handoff shows:\n%s", out)
	}
	fails(t, 2, "they are 1 to 22", "paper", "demo", "23")
	fails(t, 1, "is a test of the source tree; run there: OURO_SCALE=1 go test", "paper", "demo", "22")
}
