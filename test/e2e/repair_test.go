package e2e

import (
	"fmt"
	"regexp"
	"testing"
)

// TestReplicasAgreeWithoutReads: a node is down while things are written, and
// nobody keeps anything for it, since there is no other node to. When it is back
// it gets all of it though nobody reads (section 4.7).
func TestReplicasAgreeWithoutReads(t *testing.T) {
	t.Parallel()
	c := start(t, "", 3)
	const keys = 20
	for k := range keys / 2 {
		c.put(1, fmt.Sprintf("b/k%d", k), "before", "--blind", "--w", "3")
	}
	c.dev("kill", "3")
	for k := range keys {
		c.put(1+k%2, fmt.Sprintf("b/k%d", k), "meanwhile", "--blind")
	}
	c.dev("start", "3")
	c.equalReplicas("b", keys)
	repaired := 0
	for i, n := range c.Nodes {
		_, metrics := fetch(t, n.Admin, "/metrics")
		if reads := regexp.MustCompile(`(?m)^ouro_read_repairs_total (\d+)$`).FindStringSubmatch(metrics); reads == nil || reads[1] != "0" {
			t.Errorf("n%d repaired something for a read: %v", i+1, reads)
		}
		if got := regexp.MustCompile(`(?m)^ouro_compared_repairs_total ([1-9]\d*)$`).FindStringSubmatch(metrics); got != nil {
			repaired++
		}
		for _, line := range []string{`n\d holds partitions with 2 other nodes`, `n\d +1024 +`} {
			if out := must(t, "repair", "--admin", n.Admin); !regexp.MustCompile(line).MatchString(out) {
				t.Errorf("ouro repair does not say %q:\n%s", line, out)
			}
		}
	}
	if repaired == 0 {
		t.Error("no comparison brought anything up to date, and all is equal")
	}
}
