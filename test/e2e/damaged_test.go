package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDamagedFiles: bytes of a stopped node's files are flipped, at several places of
// each. It does not start, and says what to do; nothing is "not found" or another value
// meanwhile; and once its data is set aside it has all of it from the others.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	nodes, args := trio(t)
	const keys = 60
	value := func(i int) string { return strings.Repeat(fmt.Sprint("value ", i, " "), 20+i*20) }
	for i := range keys {
		must(t, "put", fmt.Sprint("b/k", i), value(i), "--blind", "--w", "3", "--addr", nodes[i%3].client)
	}
	n3 := nodes[2]
	data, ports := args[2][7], []string{n3.client, n3.peer, n3.admin}
	for range 3 { // so that more is in tables than in the log
		n3.stop(t, unix.SIGTERM)
		n3 = serveOn(t, ports, args[2]...).ready(t)
	}
	n3.foundAll(t, 3)
	n3.stop(t, unix.SIGTERM)
	r := rand.New(rand.NewPCG(3, 4))
	files := 0
	for _, pattern := range []string{"*.sst", "*.blob"} {
		found, err := filepath.Glob(filepath.Join(data, "data", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for range 1 + len(text)/500 {
				text[r.IntN(len(text))] ^= 1 << r.IntN(8)
			}
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			files++
		}
	}
	if files == 0 {
		t.Fatal("there is no file to damage")
	}
	fails(t, 1, "ouro recover --start-over --data", append([]string{"serve", "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--resp-listen", "off", "--grpc-listen", "off"}, args[2]...)...)
	for i := range keys { // the others have all of it
		if got := must(t, "get", fmt.Sprint("b/k", i), "--addr", nodes[0].client); got != value(i) {
			t.Fatalf("k%d is %.40q", i, got)
		}
	}
	must(t, "recover", "--start-over", "--data", data)
	n3 = serveOn(t, ports, args[2]...).ready(t)
	eventually(t, "n3 has all of it", func() bool {
		for i := range keys {
			if r := runs(t, "key", "inspect", fmt.Sprint("b/k", i), "--admin", n3.admin); r.code != 0 || !strings.Contains(r.out, fmt.Sprint("value ", i)) {
				return false
			}
		}
		return true
	})
	must(t, "scrub", "run", "--wait", "--admin", n3.admin)
	if v := verified(t, n3.admin); len(v.Wrong) > 0 || v.Unreadable > 0 || v.Records < keys {
		t.Errorf("%+v", v)
	}
	if aside, err := filepath.Glob(filepath.Join(data, "set-aside-*")); err != nil || len(aside) != 1 {
		t.Errorf("set aside: %v %v", aside, err)
	}
}
