package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of seeds is read anew at each try: a node whose file is not there yet waits,
// and finds the cluster once somebody has written where it is (paper, section 4.8.2).
func TestSeedsFromAFile(t *testing.T) {
	t.Parallel()
	c := newRinged(t, "--q", "16")
	seeds := filepath.Join(t.TempDir(), "seeds")
	c.begin("n2", "--seeds", "file:"+seeds)
	c.within(func() string {
		if st := runs(t, "status", "--admin", c.ports["n2"][2]); !strings.Contains(st.out, "seed file:"+seeds+" does not help") {
			return "the status says nothing of the file that is not there:\n" + st.out
		}
		return ""
	})
	c.begin("n1", "--seeds", "none")
	c.op("n1", "cluster", "init")
	if r := runs(t, "put", "a/b", "c", "--addr", c.ports["n2"][0]); r.code == 0 {
		t.Error("a node that knows of no cluster passes a put on")
	}
	if err := os.WriteFile(seeds, []byte("# where the first node is\n\n  "+c.ports["n1"][1]+"  # n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.within(func() string {
		if r := runs(t, "put", "a/b", "c", "--addr", c.ports["n2"][0]); r.code != 0 {
			return "n2 has not found the cluster: " + r.err
		}
		return ""
	})
}
