package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Any node answers for any key, over the command line and over HTTP (paper,
// section 4.5).
func TestAnyNodeServesAnyKey(t *testing.T) {
	c := start(t, "", 5)
	if n := c.Nodes[4]; n.ID != "n5" || n.RESP == "" || n.PID == 0 || !strings.HasPrefix(n.Data, c.Dir) {
		t.Errorf("the line of dev -o json says of node 5: %+v", n)
	}
	for i := 1; i <= 5; i++ {
		key := fmt.Sprintf("things/number %d/with slash", i)
		c.put(i, key, fmt.Sprint("value ", i))
		for j := 1; j <= 5; j++ {
			c.expect(j, key, fmt.Sprint("value ", i))
		}
	}
	c.http(2, "PUT", "/kv/raw/a//b%2F..%00", "\x00\xffbytes", "Content-Type", "image/x-test").want(t, 200, "")
	got := c.http(4, "GET", "/kv/raw/a//b%2F..%00", "")
	if got.body != "\x00\xffbytes" || got.header.Get("Content-Type") != "image/x-test" || got.header.Get("Ouro-Context") == "" {
		t.Errorf("read back: %+v", got)
	}
	c.put(1, "things/empty", "")
	c.expect(3, "things/empty", "")
	hashes := map[string]bool{}
	for _, n := range c.Nodes {
		var ring struct {
			Hash string
			Q    int
		}
		if err := json.Unmarshal([]byte(must(t, "ring", "-o", "json", "--admin", n.Admin)), &ring); err != nil || ring.Q != 1024 {
			t.Errorf("ring of %s: %+v %v", n.ID, ring, err)
		}
		hashes[ring.Hash] = true
	}
	if len(hashes) != 1 {
		t.Errorf("the nodes do not agree on the ring: %v", hashes)
	}
}

// The life of a key with siblings: 300, 409, merging with the context, deleting.
func TestSiblings(t *testing.T) {
	c := start(t, "", 3)
	c.http(1, "GET", "/kv/carts/alice", "").want(t, 404, `"not_found"`)
	fails(t, 1, "carts/alice: not found", "get", "carts/alice", "--addr", c.Nodes[0].Client)

	c.http(1, "PUT", "/kv/carts/alice", "milk").want(t, 200, "")
	c.http(2, "PUT", "/kv/carts/alice", "bread").want(t, 200, "") // no context: beside, not instead
	two := c.http(3, "GET", "/kv/carts/alice", "")
	for _, value := range []string{"milk", "bread"} {
		two.want(t, 300, base64.StdEncoding.EncodeToString([]byte(value)))
	}
	c.http(3, "GET", "/kv/carts/alice", "", "Accept", "text/plain").want(t, 409, `"siblings"`)
	if table := c.get(2, "carts/alice"); !strings.Contains(table, "2 siblings") || !strings.Contains(table, "--context ") {
		t.Errorf("get does not say what to do about siblings:\n%s", table)
	}
	if one, other := c.get(1, "carts/alice", "--sibling", "1"), c.get(1, "carts/alice", "--sibling", "2"); one+other != "milkbread" && one+other != "breadmilk" {
		t.Errorf("the siblings one by one: %q %q", one, other)
	}
	fails(t, 1, "there is no number 3", "get", "carts/alice", "--sibling", "3", "--addr", c.Nodes[0].Client)

	var seen struct {
		Context  string
		Siblings []struct{ Value []byte }
	}
	if err := json.Unmarshal([]byte(c.get(1, "carts/alice", "-o", "json")), &seen); err != nil || len(seen.Siblings) != 2 {
		t.Fatalf("get -o json: %+v %v", seen, err)
	}
	c.put(2, "carts/alice", "eggs", "--blind")
	c.put(1, "carts/alice", "milk and bread", "--context", seen.Context)
	both := c.get(3, "carts/alice") // what the context has not seen survives
	if !strings.Contains(both, "2 siblings") || !strings.Contains(both, "eggs") || !strings.Contains(both, "milk and bread") {
		t.Errorf("after a merge under an older context:\n%s", both)
	}
	c.put(1, "carts/alice", "everything") // a plain put replaces what it reads
	c.expect(2, "carts/alice", "everything")

	if out := must(t, "del", "carts/alice", "--addr", c.Nodes[2].Client); !strings.Contains(out, "deleted carts/alice, 1 version") {
		t.Errorf("del says: %s", out)
	}
	if out := must(t, "del", "carts/alice", "--addr", c.Nodes[2].Client); !strings.Contains(out, "nothing to delete") {
		t.Errorf("del again says: %s", out)
	}
	gone := c.http(1, "GET", "/kv/carts/alice", "")
	gone.want(t, 404, `"not_found"`)
	if gone.header.Get("Ouro-Context") == "" {
		t.Error("a tombstone gives no context")
	}
	fails(t, 2, "bad_context", "put", "carts/bob", "x", "--context", seen.Context, "--addr", c.Nodes[0].Client)
	fails(t, 2, "", "put", "carts/bob", "x", "--context", seen.Context, "--addr", c.Nodes[0].Client, "-o", "json")
}

// kill -9 of one node of three: the others go on, and it comes back with what it
// had and what it missed.
func TestNodeDiesAndComesBack(t *testing.T) {
	c := start(t, "", 3)
	c.put(1, "greetings/hello", "before")
	c.dev("kill", "3")
	if alive(c.Nodes[2].PID) {
		t.Error("the killed node is alive")
	}
	c.put(1, "greetings/hello", "while it was dead")
	c.expect(2, "greetings/hello", "while it was dead")
	fails(t, 1, "no node can be reached", "get", "greetings/hello", "--addr", c.Nodes[2].Client)
	c.seesUp(1, 2)
	c.dev("start", "3")
	c.expect(3, "greetings/hello", "while it was dead")
	eventually(t, "read repair reaches the node that was dead", func() bool {
		c.get(1, "greetings/hello", "--r", "3")
		return strings.Contains(must(t, "key", "inspect", "greetings/hello", "--admin", c.Nodes[2].Admin), "while it was dead")
	})
	// With one alive of three a majority is not there.
	c.dev("kill", "1", "2")
	r := runs(t, "put", "greetings/hello", "alone", "--blind", "--addr", c.Nodes[2].Client)
	if r.code != 1 || !strings.Contains(r.err, "timeout") && !strings.Contains(r.err, "quorum_unavailable") {
		t.Errorf("a write without a majority: %+v", r)
	}
	c.dev("start", "1", "2")
	c.put(1, "greetings/hello", "together")
	c.expect(3, "greetings/hello", "together")
}

// Everything that was acknowledged is there after all nodes lost power at once.
func TestAllKilledAtOnce(t *testing.T) {
	c := start(t, "", 3)
	for i := range 20 {
		c.http(i%3+1, "PUT", fmt.Sprintf("/kv/power/%d", i), fmt.Sprint("value ", i)).want(t, 200, "")
	}
	c.dev("kill", "1", "2", "3")
	c.dev("start", "1", "2", "3")
	for i := range 20 {
		for node := 1; node <= 3; node++ {
			if got := c.http(node, "GET", fmt.Sprintf("/kv/power/%d", i), ""); got.body != fmt.Sprint("value ", i) {
				t.Errorf("power/%d at n%d: %+v", i, node, got)
			}
		}
	}
}

// A cluster that is stopped and started in the same folder goes on.
func TestStoppedAndStartedAgain(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir, 3)
	c.put(1, "greetings/hello", "kept")
	c.stop()
	again := start(t, dir, 3)
	again.expect(2, "greetings/hello", "kept")
	if st := must(t, "status", "--admin", again.Nodes[0].Admin); !strings.Contains(st, "start 2 of its folder") {
		t.Errorf("the starts are not counted:\n%s", st)
	}
}

// Both sides of a cut go on where they can, and agree after it.
func TestCutAndHeal(t *testing.T) {
	c := start(t, "", 3)
	c.put(1, "carts/alice", "start")
	c.dev("cut", "1")
	c.put(2, "carts/alice", "by the majority")
	r := runs(t, "get", "carts/alice", "--timeout", "500ms", "--addr", c.Nodes[0].Client)
	if r.code != 1 || !strings.Contains(r.err, "of the 3") {
		t.Errorf("a majority read on the small side: %+v", r)
	}
	c.expect(1, "carts/alice", "start", "--r", "1") // clients still reach the small side
	c.put(1, "carts/alice", "by the minority", "--r", "1", "--w", "1")
	c.dev("heal")
	siblings := c.get(3, "carts/alice", "--r", "3")
	if !strings.Contains(siblings, "by the majority") || !strings.Contains(siblings, "by the minority") {
		t.Errorf("after the cut both writes are there as siblings, not:\n%s", siblings)
	}
	c.put(2, "carts/alice", "merged")
	c.expect(1, "carts/alice", "merged")

	c.dev("cut", "2", "--one-way")
	c.put(1, "carts/alice", "one way") // n1 and n3 hear each other
	c.dev("heal", "2")
	c.expect(2, "carts/alice", "one way")
}

// One slow or stalled replica does not slow R=2 of 3 (paper, section 4.5).
func TestPauseAndSlow(t *testing.T) {
	c := start(t, "", 3)
	c.put(1, "greetings/hello", "x")
	c.dev("slow", "2", "--by", "1s")
	if facts := explain(t, c, 1, "greetings/hello", "--r", "3", "--timeout", "20s"); !regexp.MustCompile(`answered n2 after [1-9][0-9.]*s`).MatchString(facts) {
		t.Errorf("n2 is not late by a second:\n%s", facts)
	}
	if facts := explain(t, c, 1, "greetings/hello", "--r", "2"); strings.Contains(facts, "answered n2") {
		t.Errorf("a read of two waited for the slow third:\n%s", facts)
	}
	c.dev("heal", "2")
	c.dev("pause", "3")
	c.put(1, "greetings/hello", "y")
	c.expect(2, "greetings/hello", "y")
	fails(t, 1, "timeout", "get", "greetings/hello", "--r", "3", "--timeout", "300ms", "--addr", c.Nodes[0].Client)
	c.dev("resume", "3")
	c.expect(3, "greetings/hello", "y", "--r", "3")
}

// explain returns the facts of a get.
func explain(t *testing.T, c *cluster, i int, key string, args ...string) string {
	t.Helper()
	r := runs(t, append([]string{"get", key, "--explain", "--addr", c.Nodes[i-1].Client}, args...)...)
	if r.code != 0 {
		t.Fatalf("get --explain: %+v", r)
	}
	return r.err
}
