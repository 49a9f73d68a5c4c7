package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A deleted key goes from every disk, and can be created again; while a node is
// down its tombstone stays, and status says for whom it waits (paper, section 4.4;
// item 9.4).
func TestTombstonesAreReaped(t *testing.T) {
	dir, ports := t.TempDir(), freePorts(t, 9)
	members := fmt.Sprintf("n1=%s,n2=%s,n3=%s", ports[1], ports[4], ports[7])
	var nodes []*serving
	begin := func(i int) *serving {
		id := fmt.Sprint("n", i+1)
		return serveOn(t, ports[3*i:3*i+3], "--id", id, "--data", filepath.Join(dir, id), "--members", members,
			"--epoch-interval", "200ms").ready(t)
	}
	for i := range 3 {
		nodes = append(nodes, begin(i))
	}
	at := func(i int, args ...string) string { return must(t, append(args, "--addr", nodes[i].client)...) }
	status := func(i int, key string) string {
		var info struct{ Status string }
		if err := json.Unmarshal([]byte(must(t, "key", "inspect", key, "-o", "json", "--admin", nodes[i].admin)), &info); err != nil {
			t.Fatal(err)
		}
		return info.Status
	}
	gone := func(key string) func() bool {
		return func() bool {
			return status(0, key) == "absent" && status(1, key) == "absent" && status(2, key) == "absent"
		}
	}
	at(0, "put", "carts/alice", "milk", "--w", "3")
	at(1, "del", "carts/alice")
	eventually(t, "no disk holds the tombstone", gone("carts/alice"))
	at(2, "put", "carts/alice", "bread", "--w", "3")
	if got := at(0, "get", "carts/alice"); got != "bread" {
		t.Errorf("created again it is %q", got)
	}

	nodes[2].stop(t, unix.SIGKILL)
	at(0, "del", "carts/alice")
	eventually(t, "status says that n3 is waited for", func() bool {
		return strings.Contains(must(t, "status", "--admin", nodes[0].admin)+must(t, "status", "--admin", nodes[1].admin), "it waits for n3")
	})
	if got := status(0, "carts/alice"); got != "have" {
		t.Errorf("with n3 down the tombstone is %s", got)
	}
	nodes[2] = begin(2)
	eventually(t, "no disk holds the second tombstone", gone("carts/alice"))
}
