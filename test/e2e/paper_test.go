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
	must(t, "paper", "--quick", "--only", "sla,figure6,table2", "--out", out)
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one node dead, writes", "Nodes out of balance", "client-driven", "<svg"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	fails(t, 2, `"figure9": there is no such experiment: choose from sla, figure4,`, "paper", "--only", "figure9", "--out", out)
}
