package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRolledBackFolder: a value is deleted, its tombstone is reaped, and one node
// is put on a copy of its data folder from before that. It learns so from the
// others, sets the data aside, offers nothing of it and is filled anew; what was
// deleted stays so. It begins again twice for that and no more. The copy may be of
// an epoch that is over, or of before the first one, when it looks like a disk that
// is new (RULES R11, R22).
func TestRolledBackFolder(t *testing.T) {
	for _, early := range []bool{true, false} {
		name := map[bool]string{true: "of before the first epoch", false: "of a later epoch"}[early]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := serveThree(t, "--epoch-interval", "200ms")
			at := func(i int, args ...string) string { return must(t, append(args, "--addr", nodes.at[i].client)...) }
			reap := func(key string) {
				at(1, "del", key, "--w", "3")
				eventually(t, "no disk holds "+key, func() bool {
					return nodes.status(0, key) == "absent" && nodes.status(1, key) == "absent" && nodes.status(2, key) == "absent"
				})
			}
			if !early {
				at(0, "put", "carts/first", "eggs", "--w", "3")
				reap("carts/first")
			}
			at(0, "put", "carts/alice", "milk", "--w", "3")
			at(0, "put", "carts/bob", "bread", "--w", "3")
			data := filepath.Join(nodes.dir, "n3")
			nodes.at[2].stop(t, unix.SIGTERM)
			old := copyFolder(t, data)
			nodes.begin(2)
			for _, n := range nodes.at {
				n.foundAll(t, 3)
			}
			reap("carts/alice")
			nodes.kill(2)
			if err := os.Rename(data, data+"-newer"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(old, data); err != nil {
				t.Fatal(err)
			}
			nodes.begin(2)
			refilled(t, nodes, data)
		})
	}
}

// holds says whether a node, which may not run just now, has a key itself.
func holds(t *testing.T, n *serving, key string) bool {
	t.Helper()
	r := runs(t, "key", "inspect", key, "-o", "json", "--admin", n.admin)
	return r.code == 0 && strings.Contains(r.out, `"status":"have"`)
}

// refilled checks that n3 was put on old data, did not use it, and has the rest.
func refilled(t *testing.T, nodes *three, data string) {
	t.Helper()
	n3 := nodes.at[2]
	n3.within(t, "n3 sets its data aside", func() bool {
		_, err := os.Stat(filepath.Join(data, "set-aside-1"))
		return err == nil
	})
	eventually(t, "n3 is current", func() bool {
		st := runs(t, "status", "--admin", n3.admin)
		// It begins anew more than once, and between two beginnings recovers nothing yet.
		return st.code == 0 && strings.Contains(st.out, "3 of 3 members") && !strings.Contains(st.out, "Recovering") && holds(t, n3, "carts/bob")
	})
	for i := range nodes.at {
		if got := nodes.status(i, "carts/alice"); got != "absent" {
			t.Errorf("n%d has of what was deleted: %s", i+1, got)
		}
		if got := nodes.status(i, "carts/bob"); got != "have" {
			t.Errorf("n%d has of what was not: %s", i+1, got)
		}
		fails(t, 1, "", "get", "carts/alice", "--r", "3", "--addr", nodes.at[i].client)
	}
	if !strings.Contains(n3.log.String(), "rolled back below what the cluster has reaped") {
		t.Errorf("n3 does not say why:\n%s", n3.log.String())
	}
	if n := strings.Count(n3.log.String(), `msg=serving`) + strings.Count(n3.log.String(), `"msg":"serving"`); n < 2 || n > 3 {
		t.Errorf("n3 has begun %d times:\n%s", n, n3.log.String())
	}
	nodes.kill(2)
	nodes.begin(2)
	nodes.at[2].foundAll(t, 3)
	if _, err := os.Stat(filepath.Join(data, "set-aside-2")); err == nil {
		t.Error("n3 has set its data aside a second time")
	}
	if got := nodes.status(2, "carts/bob"); got != "have" {
		t.Errorf("after another start n3 has of carts/bob: %s", got)
	}
}

// TestNewDiskKeepsWhatItTook: a node that lost its disk takes a write before it
// meets another node. It is told that it has another disk, and begins again as
// recovering with that write: what it holds is not that of an old copy, though
// tombstones were reaped before.
func TestNewDiskKeepsWhatItTook(t *testing.T) {
	t.Parallel()
	nodes := serveThree(t, "--epoch-interval", "200ms")
	must(t, "put", "carts/alice", "milk", "--w", "3", "--addr", nodes.at[0].client)
	must(t, "del", "carts/alice", "--w", "3", "--addr", nodes.at[1].client)
	eventually(t, "no disk holds the tombstone", func() bool { return nodes.status(2, "carts/alice") == "absent" })
	for i := range nodes.at {
		nodes.kill(i)
	}
	data := filepath.Join(nodes.dir, "n3")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	nodes.begin(2)
	must(t, "put", "carts/new", "taken alone", "--w", "1", "--blind", "--addr", nodes.at[2].client)
	nodes.begin(0)
	nodes.begin(1)
	n3 := nodes.at[2]
	n3.within(t, "n3 comes back as recovering", func() bool {
		st := runs(t, "status", "--admin", n3.admin).out
		return strings.Contains(st, "3 of 3 members") && strings.Contains(st, "comparisons begin at")
	})
	if got := must(t, "key", "inspect", "carts/new", "--admin", n3.admin); !strings.Contains(got, "taken alone") {
		t.Errorf("n3 has not kept what it took:\n%s\n%s", got, n3.log.String())
	}
	if _, err := os.Stat(filepath.Join(data, "set-aside-1")); err == nil {
		t.Errorf("n3 has set its new data aside:\n%s", n3.log.String())
	}
}
