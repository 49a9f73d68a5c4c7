package e2e

import (
	"strings"
	"testing"
)

// A deleted key goes from every disk, and can be created again; while a node is
// down its tombstone stays, and status says for whom it waits (paper, section 4.4;
// item 9.4).
func TestTombstonesAreReaped(t *testing.T) {
	t.Parallel()
	nodes := serveThree(t, "--epoch-interval", "200ms")
	status := nodes.status
	at := func(i int, args ...string) string { return must(t, append(args, "--addr", nodes.at[i].client)...) }
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

	nodes.kill(2)
	at(0, "del", "carts/alice")
	eventually(t, "status says that n3 is waited for", func() bool {
		return strings.Contains(must(t, "status", "--admin", nodes.at[0].admin)+must(t, "status", "--admin", nodes.at[1].admin), "it waits for n3")
	})
	if got := status(0, "carts/alice"); got != "have" {
		t.Errorf("with n3 down the tombstone is %s", got)
	}
	nodes.begin(2)
	eventually(t, "no disk holds the second tombstone", gone("carts/alice"))
}
