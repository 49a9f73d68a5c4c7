package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/dataset"
)

// Debian's package index, some 60,000 records, goes into three nodes and comes
// back byte for byte from every node: at once, after kill -9 of every node in
// turn, and after kill -9 of all at once. It takes some minutes and needs
// apt-cache, so it runs only with OURO_E2E_FULL=1; -v shows the figures.
func TestDebianPackages(t *testing.T) {
	if os.Getenv("OURO_E2E_FULL") == "" {
		t.Skip("set OURO_E2E_FULL=1 to import Debian's package index")
	}
	file := filepath.Join(t.TempDir(), "available")
	out, err := exec.Command("apt-cache", "dumpavail").Output()
	if err != nil {
		t.Fatalf("apt-cache dumpavail: %v", err)
	}
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	want := packages(t, out)
	t.Logf("%d packages in %d bytes", len(want), len(out))

	c := start(t, "", 3)
	for range 2 {
		r := long(t, "import", file, "--bucket", "debian", "--format", "deb822", "--addr", c.Nodes[0].Client)
		t.Logf("import: %s", r)
	}
	for i := range c.Nodes {
		c.readBack(i+1, want)
	}
	for _, node := range []string{"1", "2", "3"} {
		i := int(node[0] - '0')
		c.dev("kill", node)
		c.readBack(i%3+1, want)
		c.dev("start", node)
		c.readBack(i, want)
	}
	c.dev("kill", "1", "2", "3")
	c.dev("start", "1", "2", "3")
	for i := range c.Nodes {
		c.readBack(i+1, want)
	}
}

// packages reads the index; of several stanzas of one package the last counts,
// as the import stores them in order.
func packages(t *testing.T, index []byte) map[string][]byte {
	t.Helper()
	r, err := dataset.Open(bytes.NewReader(index), dataset.Source{Format: "deb822"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return want
		}
		if err != nil || rec.Err != nil {
			t.Fatal(err, rec.Err)
		}
		want[rec.Key] = rec.Values[0].Data
	}
}

// long runs a command that may take minutes.
func long(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = clean(os.Environ())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(bytes.TrimSpace(out))
}

// readBack reads every package from one node and compares.
func (c *cluster) readBack(i int, want map[string][]byte) {
	c.t.Helper()
	store, err := client.New(c.Nodes[i-1].Client)
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	keys := make(chan string)
	var wrong atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range 32 {
		wg.Go(func() {
			for name := range keys {
				res, err := store.Get(c.t.Context(), ouro.Key{Bucket: "debian", Name: name})
				if err != nil || len(res.Siblings) != 1 || !bytes.Equal(res.Siblings[0].Data, want[name]) {
					if wrong.Add(1) < 5 {
						c.t.Errorf("%s at n%d: %v, %d siblings", name, i, err, len(res.Siblings))
					}
				}
			}
		})
	}
	for name := range want {
		keys <- name
	}
	close(keys)
	wg.Wait()
	took := time.Since(begun)
	c.t.Logf("n%d: %d packages read in %.1f s, %.0f a second, %d wrong", i, len(want), took.Seconds(), float64(len(want))/took.Seconds(), wrong.Load())
}
