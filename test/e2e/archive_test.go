package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// TestDemo_21_ArchiveAndRestore: a cluster of three is archived while it is written to;
// a flipped byte in a file is found; and the archive, merged into a cluster of five with
// another number of partitions, has every key there as it was (PAPER 6.2.5).
func TestDemo_21_ArchiveAndRestore(t *testing.T) {
	c := start(t, "", 3)
	store := c.client(1)
	must(t, "bucket", "set", "carts", "--r", "2", "--w", "2", "--ttl", "1000h", "--admin", c.Nodes[0].Admin)
	want := map[ouro.Key]string{}
	for i := range 300 {
		key := ouro.Key{Bucket: []string{"carts", "undefined"}[i%2], Name: fmt.Sprintf("key/%d", i)}
		want[key] = fmt.Sprint("value ", i)
		for range i%3 + 1 { // some have seen several versions
			if _, err := store.Put(t.Context(), key, ouro.Value{Data: []byte(want[key]), ContentType: "text/x"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	twin := ouro.Key{Bucket: "carts", Name: "twin"}
	for _, v := range []string{"a", "b"} {
		if _, err := store.Put(t.Context(), twin, ouro.Value{Data: []byte(v)}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	gone := ouro.Key{Bucket: "carts", Name: "gone"}
	if _, err := store.Put(t.Context(), gone, ouro.Value{Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "monday")
	load := c.load("carts")
	told := must(t, "archive", "create", dir, "--addr", c.Nodes[0].Client, "--admin", c.Nodes[0].Admin)
	if n := load(); n == 0 {
		t.Error("nothing was written meanwhile")
	}
	t.Log(strings.TrimSpace(told))
	t.Log(strings.TrimSpace(must(t, "archive", "verify", dir)))
	var sum struct {
		Partitions int
		Records    int64
	}
	if err := json.Unmarshal([]byte(must(t, "archive", "verify", dir, "-o", "json")), &sum); err != nil || sum.Partitions == 0 || sum.Records == 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	fails(t, 1, "--revive", "archive", "restore", dir, "--addr", c.Nodes[0].Client, "--admin", c.Nodes[0].Admin)

	// Into its own cluster it changes nothing of what is there.
	must(t, "archive", "restore", dir, "--revive", "--addr", c.Nodes[1].Client, "--admin", c.Nodes[1].Admin)
	for key, value := range want {
		if res, err := store.Get(t.Context(), key, ouro.R(3)); err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != value {
			t.Fatalf("restored where it is of, %v: %+v, %v", key, res.Siblings, err)
		}
	}

	name := largest(t, dir)
	flip(t, name)
	fails(t, 1, filepath.Base(name), "archive", "verify", dir)
	to := startFive(t)
	fails(t, 1, "damaged", "archive", "restore", dir, "--addr", to.client, "--admin", to.admin)
	flip(t, name)

	t.Log(strings.TrimSpace(must(t, "archive", "restore", dir, "--addr", to.client, "--admin", to.admin)))
	other, err := client.New(to.client)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for key, value := range want {
		res, err := other.Get(t.Context(), key, ouro.R(3))
		if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != value || res.Siblings[0].ContentType != "text/x" {
			t.Fatalf("%v: %+v, %v", key, res.Siblings, err)
		}
	}
	if res, err := other.Get(t.Context(), twin, ouro.R(3)); err != nil || len(res.Siblings) != 2 {
		t.Errorf("two siblings are %+v, %v", res.Siblings, err)
	}
	if _, err := other.Get(t.Context(), gone, ouro.R(3)); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("what was deleted is there: %v", err)
	}
	if got := must(t, "bucket", "get", "carts", "--admin", to.admin); !strings.Contains(got, "1000h") {
		t.Errorf("the bucket is not what it was:\n%s", got)
	}

	// What is newer than the archive stays: merging undoes nothing.
	newer := ouro.Key{Bucket: "carts", Name: "key/0"}
	if _, err := other.Put(t.Context(), newer, ouro.Value{Data: []byte("newer")}); err != nil {
		t.Fatal(err)
	}
	must(t, "archive", "restore", dir, "--addr", to.client, "--admin", to.admin)
	if res, err := other.Get(t.Context(), newer, ouro.R(3)); err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "newer" {
		t.Errorf("restored again, a newer version is %+v, %v", res.Siblings, err)
	}
}

// startFive starts a cluster of five nodes with 64 partitions and returns its first.
func startFive(t *testing.T) *serving {
	t.Helper()
	const n = 5
	var peers []string
	ports := make([][]string, n)
	for i := range ports {
		ports[i] = freePorts(t, 3)
		peers = append(peers, fmt.Sprintf("n%d=%s", i+1, ports[i][1]))
	}
	var nodes []*serving
	for i := range ports {
		nodes = append(nodes, serveOn(t, ports[i], "--id", fmt.Sprintf("n%d", i+1), "--data", t.TempDir(),
			"--cluster", "other", "--q", "64", "--members", strings.Join(peers, ",")))
	}
	for _, s := range nodes {
		s.ready(t)
	}
	return nodes[0]
}

func (c *cluster) client(node int) *client.Client {
	c.t.Helper()
	store, err := client.New(c.Nodes[node-1].Client)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(store.Close)
	return store
}

// load writes keys of its own until the function that it returns is called, which says
// how many.
func (c *cluster) load(bucket string) func() int64 {
	var n atomic.Int64
	ctx, cancel := context.WithCancel(c.t.Context())
	var group sync.WaitGroup
	for w := range 4 {
		store := c.client(w%3 + 1)
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, err := store.Put(ctx, ouro.Key{Bucket: bucket, Name: fmt.Sprintf("load-%d-%d", w, i%500)}, ouro.Value{Data: []byte("x")}, ouro.Blind())
				if err == nil {
					n.Add(1)
				} else if ctx.Err() == nil && !errors.Is(err, context.Canceled) && ouro.CodeOf(err) != ouro.TooManySiblings {
					c.t.Errorf("while it is archived: %v", err)
				}
			}
		})
	}
	return func() int64 {
		cancel()
		group.Wait()
		return n.Load()
	}
}

// largest names the largest file of a folder.
func largest(t *testing.T, dir string) (name string) {
	t.Helper()
	most := int64(0)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name(), ".ouro") && info.Size() > most {
			most, name = info.Size(), filepath.Join(dir, f.Name())
		}
	}
	return name
}

// flip flips a bit in the middle of a file.
func flip(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		b[len(b)/2] ^= 4
		err = os.WriteFile(name, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
