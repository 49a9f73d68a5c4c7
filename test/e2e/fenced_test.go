package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
)

// says waits until what a command prints about a node has something in it.
func (c *ringed) says(at, what string, args ...string) {
	c.t.Helper()
	c.within(func() string {
		r := runs(c.t, append(args, "--admin", c.ports[at][2])...)
		if !strings.Contains(r.out+r.err, what) {
			return strings.Join(args, " ") + " at " + at + " says " + what + ", not\n" + r.out + r.err
		}
		return ""
	})
}

// decode reads what a command printed as JSON.
func (c *ringed) decode(text string, into any) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		c.t.Fatal(err)
	}
}

// joined starts nodes and lets them join, at n1, which has founded a cluster.
func (c *ringed) joined(ids ...string) {
	c.t.Helper()
	for _, id := range ids {
		c.begin(id, "--seeds", c.ports["n1"][1])
	}
	for _, id := range ids {
		c.op("n1", "cluster", "join", c.located(id))
	}
	var plan ouro.Plan
	c.decode(c.op("n1", "cluster", "plan", "-o", "json"), &plan)
	c.op("n1", "cluster", "commit", "--version", plan.Version)
	c.agree(append([]string{"n1"}, ids...)...)
}

// isOut checks that a node was removed, knows it, and serves nobody.
func (c *ringed) isOut(id, key string) {
	c.t.Helper()
	c.says(id, "fenced for ever", "status")
	c.says(id, "fenced for ever", "cluster", "status")
	if out := c.op(id, "cluster", "wait", "--timeout", "10s"); strings.Contains(out, "leaving") { // there is nothing to wait for here
		c.t.Errorf("%s was removed, and says:\n%s", id, out)
	}
	fails(c.t, 1, "was removed from its cluster and serves nobody any more: ask a member, and stop this node", "get", key, "--addr", c.at[id].client)
	c.refused("which hears nothing of what is done here: ask a member", id, "cluster", "plan")
	c.refused("which hears nothing of what is done here: ask a member", id, "bucket", "set", "late", "--n", "2")
	fails(c.t, 1, "fenced for ever", "keys", "--bucket", "things", "--addr", c.at[id].client)
	fails(c.t, 1, "was removed", "put", key, "late", "--blind", "--w", "1", "--addr", c.at[id].client)
	if code, _ := fetch(c.t, c.at[id].admin, "/readyz"); code != http.StatusServiceUnavailable {
		c.t.Errorf("%s was removed, and /readyz answers %d", id, code)
	}
	if log := c.at[id].log.String(); !strings.Contains(log, "this node was removed from its cluster") {
		c.t.Errorf("%s does not log that it was removed:\n%s", id, log)
	}
}

// A member that died for good is replaced, and whom the cluster still waits for is
// told. One that was removed, whether it runs on, or is started again with what it had,
// is told so and hurts nothing. A node that only runs owns nothing (paper, sections
// 4.8.1a and 4.9).
func TestDeadMemberIsReplacedAndStaysOut(t *testing.T) {
	t.Parallel()
	c := newRinged(t, "--q", "64")
	c.begin("n1", "--seeds", "none")
	c.op("n1", "cluster", "init")
	c.joined("n2", "n3")
	put := func(key, value string) { must(t, "put", key, value, "--addr", c.at["n1"].client) }
	put("things/old", "of before")
	put("things/kept", "kept")
	c.kill("n3")

	c.begin("n4", "--seeds", c.ports["n1"][1])
	c.says("n4", "no member of the cluster", "status")
	must(t, "put", "things/stray", "passed on", "--addr", c.at["n4"].client)
	if got := must(t, "get", "things/stray", "--addr", c.at["n4"].client); got != "passed on" {
		t.Errorf("through a node that is no member: %q", got)
	}
	if got := must(t, "key", "inspect", "things/stray", "--admin", c.at["n4"].admin); !strings.Contains(got, "absent") {
		t.Errorf("a node that is no member holds something:\n%s", got)
	}
	fails(t, 1, "this node is no member of the cluster", "keys", "--bucket", "things", "--addr", c.at["n4"].client)
	for _, id := range []string{"n1", "n4"} {
		if out := c.op(id, "ring"); strings.Contains(out, "n4") {
			t.Errorf("a node that never joined is in the ring of %s:\n%s", id, out)
		}
	}

	c.op("n1", "cluster", "replace", "n3", c.located("n4"), "--commit")
	const waits = "n3, which leaves and can't be reached: it holds no partition"
	c.says("n2", waits, "cluster", "status")
	fails(t, 1, "it waits for "+waits, "cluster", "wait", "--timeout", "1s", "--admin", c.at["n1"].admin)
	fails(t, 1, "ouro cluster force-remove n3", "cluster", "wait", "--timeout", "1s", "--admin", c.at["n1"].admin)
	c.refused("it was removed already", "n1", "cluster", "leave", "n3")
	if out := c.op("n1", "cluster", "force-remove", "n3"); !strings.Contains(out, "n3 was to leave, and is not waited for any more") {
		t.Errorf("the dry run:\n%s", out)
	}
	c.refused("force-remove n3 is staged at n1 too", "n1", "cluster", "reweigh", "n2", "1", "--commit") // the dry run is not made true by the way
	c.op("n1", "cluster", "abort")
	c.op("n1", "cluster", "force-remove", "n3")
	c.op("n1", "cluster", "force-remove", "n3", "--commit")
	if m := c.agree("n1", "n2", "n4").Members; m[0].Holds != 64 || m[2].Holds != 64 {
		t.Errorf("they hold %+v", m)
	}
	must(t, "del", "things/old", "--addr", c.at["n1"].client)
	c.begin("n3", "--seeds", c.ports["n1"][1])
	c.isOut("n3", "things/old")

	c.op("n1", "cluster", "leave", "n2", "--commit") // it runs on
	c.agree("n1", "n4")
	c.isOut("n2", "things/kept")
	for _, id := range []string{"n2", "n3"} {
		if code := c.at[id].stop(t, unix.SIGTERM); code != 0 {
			t.Errorf("%s was removed, and ends with exit code %d", id, code)
		}
	}
	c.begin("n2", "--seeds", c.ports["n1"][1])
	c.isOut("n2", "things/kept")
	for _, id := range []string{"n1", "n4"} {
		fails(t, 1, "not found", "get", "things/old", "--r", "2", "--addr", c.at[id].client)
		if got := must(t, "get", "things/kept", "--r", "2", "--addr", c.at[id].client); got != "kept" {
			t.Errorf("at %s: %q", id, got)
		}
	}
}

// A node of a cluster that grew loses its disk, and is started as it was: it learns from
// the others that it had another disk, and recovers all it holds. A founder never goes
// on as a cluster of its own, whatever made it found one (docs/operate/cluster.md).
func TestLostDiskInAClusterThatGrew(t *testing.T) {
	for name, test := range map[string]struct {
		lost  string // whose
		part  string // of its data folder
		flags []string
		says  string
	}{
		"the founder, by itself":                {"n1", "", nil, "it forgets its own"},
		"the founder, by 'init'":                {"n1", "", []string{"--seeds", "none"}, "it begins again"},
		"the founder, which remembers others":   {"n1", "data", nil, "founds none anew"},
		"one that joined":                       {"n2", "", nil, "it begins again"},
		"one that joined, and remembers others": {"n2", "data", nil, "it begins again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newRinged(t, "--q", "64")
			c.begin("n1", test.flags...)
			if test.flags != nil {
				c.op("n1", "cluster", "init")
			}
			c.joined("n2", "n3")
			must(t, "put", "a/b", "kept", "--addr", c.at["n1"].client)
			before := c.agree("n1", "n2", "n3")
			c.kill(test.lost)
			if err := os.RemoveAll(filepath.Join(c.Dir, test.lost, test.part)); err != nil {
				t.Fatal(err)
			}
			flags := test.flags
			if test.lost != "n1" {
				flags = []string{"--seeds", c.ports["n1"][1]}
			}
			n := c.begin(test.lost, flags...)
			n.within(t, "it says what it learns", func() bool { return strings.Contains(n.log.String(), test.says) })
			n.within(t, "it recovers", func() bool {
				return strings.Contains(runs(t, "status", "--admin", n.admin).out, "Recovering  64 partitions")
			})
			n.within(t, "it knows who is in the cluster", func() bool {
				return strings.Contains(runs(t, "cluster", "status", "--admin", n.admin).out, before.Version)
			})
			c.agree("n1", "n2", "n3")
			n.within(t, "it serves what it has not", func() bool { return runs(t, "get", "a/b", "--addr", n.client).out == "kept" })
			must(t, "put", "a/b", "changed", "--addr", n.client)
			if got := must(t, "get", "a/b", "--addr", c.at["n3"].client); got != "changed" {
				t.Errorf("at n3: %q", got)
			}
		})
	}
}
