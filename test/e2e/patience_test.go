package e2e

import (
	"strings"
	"testing"
)

// TestCommandsEnd: no verb waits for ever for a node that hangs, and one that is told
// to wait does so for as long as it takes, longer than any answer may.
func TestCommandsEnd(t *testing.T) {
	t.Parallel()
	n := serveOn(t, freePorts(t, 3), "--id", "n1", "--data", t.TempDir()+"/n1", "--q", "8", "--scrub-rate", "64KiB").ready(t)
	large := strings.Repeat("v", 600<<10)
	for _, key := range []string{"b/k1", "b/k2"} {
		if r := feed(t, strings.NewReader(large), "put", key, "--addr", n.client); r.code != 0 {
			t.Fatal(r.err)
		}
	}
	if out := must(t, "scrub", "run", "--wait", "--admin", n.admin); !strings.Contains(out, "has read it back") {
		t.Error(out)
	}

	c := start(t, "", 3)
	c.dev("pause", "2")
	at := c.Nodes[1].Client
	fails(t, 1, "gave no answer in time: it hangs, or is cut off", "get", "b/k", "--timeout", "100ms", "--addr", at)
	fails(t, 1, "it waits for an answer: quorum_unavailable", "cluster", "wait", "--timeout", "17s", "--addr", at)
	c.dev("resume", "2")
}
