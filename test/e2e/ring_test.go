package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
)

// ringed are nodes that were started by themselves, by id: they join and leave.
type ringed struct {
	*cluster
	at    map[string]*serving
	ports map[string][]string
	logs  map[string]string // of what ended, by id
	flags []string
}

func newRinged(t *testing.T, flags ...string) *ringed {
	c := &cluster{t: t, Dir: t.TempDir()}
	return &ringed{cluster: c, at: map[string]*serving{}, ports: map[string][]string{}, logs: map[string]string{}, flags: flags}
}

// begin starts a node, again or for the first time.
func (c *ringed) begin(id string, args ...string) *serving {
	c.t.Helper()
	if c.ports[id] == nil {
		c.ports[id] = freePorts(c.t, 3)
	}
	args = slices.Concat([]string{"--id", id, "--cluster", "shop", "--data", filepath.Join(c.Dir, id)}, c.flags, args)
	c.at[id] = serveOn(c.t, c.ports[id], args...)
	c.at[id].within(c.t, "the admin port answers", func() bool {
		return runs(c.t, "status", "--admin", c.ports[id][2]).code == 0
	})
	return c.at[id]
}

func (c *ringed) kill(id string) {
	c.at[id].stop(c.t, unix.SIGKILL)
	c.logs[id] += c.at[id].log.String()
}

// located is how an operator names a node that is to join.
func (c *ringed) located(id string) string { return id + "=" + c.ports[id][1] }

// op runs a command of an operator at a node.
func (c *ringed) op(at string, args ...string) string {
	c.t.Helper()
	return must(c.t, append(args, "--admin", c.ports[at][2])...)
}

// refused fails the test unless a node refuses what an operator wants, and why.
func (c *ringed) refused(says, at string, args ...string) {
	c.t.Helper()
	fails(c.t, 1, says, append(args, "--admin", c.ports[at][2])...)
}

// info is what a node says of the cluster.
func (c *ringed) info(at string) (info ouro.ClusterInfo) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.op(at, "cluster", "status", "-o", "json")), &info); err != nil {
		c.t.Fatal(err)
	}
	return info
}

// agree waits until nothing moves and the members, and they alone, say so of one
// history and one placement.
func (c *ringed) agree(members ...string) ouro.ClusterInfo {
	c.t.Helper()
	var first ouro.ClusterInfo
	c.within(func() string {
		for i, id := range members {
			info := c.info(id)
			if i == 0 {
				first = info
			}
			var ids []string
			for _, m := range info.Members {
				ids = append(ids, m.ID+"/"+m.State)
			}
			want := make([]string, 0, len(members))
			for _, m := range slices.Sorted(slices.Values(members)) {
				want = append(want, m+"/member")
			}
			switch {
			case !slices.Equal(ids, want):
				return fmt.Sprintf("%s lists %v, not %v; %v", id, ids, want, info.Notes)
			case info.Moving+info.Waiting+len(info.Transfers) > 0:
				return fmt.Sprintf("%s: %d move, %d have to begin, %d transfers", id, info.Moving, info.Waiting, len(info.Transfers))
			case info.Version != first.Version || info.Hash != first.Hash || info.Placement != first.Placement:
				return fmt.Sprintf("%s and %s agree: %s %d %s, %s %d %s", members[0], id, first.Version, first.Placement, first.Hash, info.Version, info.Placement, info.Hash)
			}
		}
		return ""
	})
	return first
}

// Nodes join, leave, are replaced and changed as an operator does it (paper,
// sections 4.8.1, 4.9 and 6.2).
func TestOperatorVerbs(t *testing.T) {
	t.Parallel()
	c := newRinged(t, "--q", "64")
	c.begin("n1", "--seeds", "none")
	seed := []string{"--seeds", c.ports["n1"][1]}
	c.op("n1", "cluster", "init")
	c.refused("", "n1", "cluster", "init")
	for _, id := range []string{"n2", "n3", "n4"} {
		c.begin(id, seed...)
	}
	must(t, "put", "a/b", "kept", "--addr", c.at["n1"].client)
	// A node that has heard of the cluster passes requests on, before it is in it.
	if r := runs(t, "get", "a/b", "--addr", c.at["n2"].client); r.out != "kept" && !strings.Contains(r.err, "in no cluster") {
		t.Errorf("a node that is in no cluster shows: %+v", r)
	}

	var plan ouro.Plan
	c.op("n1", "cluster", "join", c.located("n2"))
	if err := json.Unmarshal([]byte(c.op("n1", "cluster", "plan", "-o", "json")), &plan); err != nil || plan.Moved != 32 || plan.Least != 32 {
		t.Errorf("the plan: %+v %v", plan, err)
	}
	c.refused("the plan was made against", "n1", "cluster", "commit", "--version", "0000")
	c.op("n1", "cluster", "commit", "--version", plan.Version)
	c.agree("n1", "n2")
	c.op("n2", "cluster", "join", c.located("n3"), "--commit")
	c.agree("n1", "n2", "n3")
	for _, id := range []string{"n1", "n2", "n3"} {
		if got := must(t, "get", "a/b", "--addr", c.at[id].client); got != "kept" {
			t.Errorf("at %s: %q", id, got)
		}
	}

	c.op("n1", "cluster", "join", c.located("n4"), "--commit") // and taken back
	c.op("n1", "cluster", "leave", "n4", "--commit")
	if info := c.agree("n1", "n2", "n3"); !slices.Equal(info.Removed, []string{"n4"}) {
		t.Errorf("removed are %v", info.Removed)
	}
	c.refused("fenced", "n1", "cluster", "join", c.located("n4"))

	c.begin("n5", seed...)
	c.op("n2", "cluster", "replace", "n3", c.located("n5"), "--commit")
	c.agree("n1", "n2", "n5")
	c.op("n5", "cluster", "reweigh", "n5", "2", "--commit")
	c.op("n5", "cluster", "relabel", "n5", "--zone", "b", "--commit")
	if m := c.agree("n1", "n2", "n5").Members[2]; m.Weight != 2 || m.Zone != "b" {
		t.Errorf("n5 is %+v", m)
	}
	before := c.info("n1")
	if out := c.op("n1", "cluster", "force-remove", "n2"); !strings.Contains(out, "n2 will hand over nothing") {
		t.Errorf("the dry run does not say what is lost:\n%s", out)
	}
	c.op("n1", "cluster", "abort")
	if after := c.info("n1"); after.Version != before.Version || len(after.Staged) > 0 {
		t.Errorf("after an abort: %+v", after)
	}
	c.buckets("n1", "n5")
	c.kill("n2")
	c.op("n1", "cluster", "force-remove", "n2", "--commit")
	c.agree("n1", "n5")
	for _, id := range []string{"n1", "n5"} {
		if got := must(t, "get", "a/b", "--addr", c.at[id].client); got != "kept" {
			t.Errorf("at %s: %q", id, got)
		}
	}
}

// buckets defines one at a node and finds it at another.
func (c *ringed) buckets(one, other string) {
	c.t.Helper()
	c.op(one, "bucket", "set", "carts", "--n", "2", "--r", "1", "--w", "2")
	c.within(func() string {
		if got := c.op(other, "bucket", "get", "carts"); !strings.Contains(got, "2 1 2") {
			return "the other node knows the bucket:\n" + got
		}
		return ""
	})
	if got := c.op(other, "bucket", "list"); !strings.Contains(got, "carts") || !strings.Contains(got, "default") {
		c.t.Errorf("the list of buckets:\n%s", got)
	}
	c.refused("belongs to it for ever", other, "bucket", "set", "carts", "--n", "3")
	c.refused("no read could ever be answered", other, "bucket", "set", "carts", "--r", "5")
	c.refused("pr counts among the r answers", other, "bucket", "set", "x", "--pr", "4")
}

// A node of a cluster of another name, of another key, or of another number of
// partitions is no member, and both sides say so, in the log and in the status.
func TestForeignNodesAreRefused(t *testing.T) {
	c := newRinged(t, "--q", "64")
	c.begin("n1", "--seeds", "none")
	c.op("n1", "cluster", "init")
	seed := []string{"--seeds", c.ports["n1"][1]}
	key := filepath.Join(c.Dir, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := map[string][]string{
		"books": append([]string{"--cluster", "books"}, seed...),
		"keyed": append([]string{"--cluster-key-file", key}, seed...),
	}
	for id, args := range foreign {
		n := c.begin(id, args...)
		n.within(t, "it is refused", func() bool { return strings.Contains(n.log.String(), "foreign cluster") })
		c.says(id, "does not help: refused by the peer (foreign cluster)", "status")
		c.says(id, "check the address, the cluster's name and its key", "cluster", "status")
		fails(t, 1, "in no cluster", "put", "a/b", "c", "--blind", "--addr", n.client)
	}
	c.says("n1", "is refused here (foreign cluster)", "status")
	c.at["n1"].within(t, "n1 logs it", func() bool { return strings.Contains(c.at["n1"].log.String(), "foreign cluster") })
	if out := c.op("n1", "cluster", "join", c.located("keyed")); !strings.Contains(out, "Warning: node keyed has not been met") {
		t.Errorf("the plan does not say that nobody has met it:\n%s", out)
	}
	c.op("n1", "cluster", "abort")

	c.ports["wide"] = freePorts(t, 3)
	wide := c.begin("wide", append([]string{"--members", c.located("wide"), "--q", "128"}, seed...)...)
	const apart = "rings of different q never merge"
	c.says("wide", "node n1 is of another cluster", "status")
	c.says("n1", "node wide is of another cluster", "cluster", "status")
	for _, n := range []*serving{wide, c.at["n1"]} {
		n.within(t, "it logs it", func() bool { return strings.Contains(n.log.String(), apart) })
	}
	c.refused(apart, "n1", "cluster", "join", c.located("wide"))
	for _, id := range []string{"n1", "wide"} {
		if info := c.info(id); len(info.Members) != 1 || info.Members[0].ID != id {
			t.Errorf("members at %s: %+v", id, info.Members)
		}
	}
	for id := range foreign {
		if info := c.info(id); len(info.Members) > 0 {
			t.Errorf("%s knows members of a cluster that is not its own: %+v", id, info)
		}
	}
}

// One command adds a node to a dev cluster, one takes it away, and the folder
// remembers both.
func TestDevGrowsAndShrinks(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir, 3)
	for k := range 20 {
		c.put(k%3+1, fmt.Sprint("things/k", k), fmt.Sprint(k), "--blind")
	}
	if out := c.dev("add"); !strings.Contains(out, "n4") {
		t.Errorf("dev add says:\n%s", out)
	}
	if out := c.dev("remove", "2"); strings.Contains(out, "n2") || !strings.Contains(out, "n4") {
		t.Errorf("dev remove says:\n%s", out)
	}
	if alive(c.Nodes[1].PID) {
		t.Error("the node that was removed runs")
	}
	for _, verb := range []string{"cut", "heal"} { // nobody is told of a node that left
		if out := c.dev(verb, "1"); !strings.Contains(out, "n4") {
			t.Errorf("dev %s says:\n%s", verb, out)
		}
	}
	c.stop()
	again := start(t, dir, 0)
	for _, i := range []int{1, 3, 4} {
		for k := range 20 {
			again.expect(i, fmt.Sprint("things/k", k), fmt.Sprint(k))
		}
	}
	if again.Nodes[1].PID != 0 {
		t.Errorf("a node that left for ever is back: %+v", again.Nodes[1])
	}
}
