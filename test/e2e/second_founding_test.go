package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// All founders lose their whole folders while nobody else runs: to them that is a new
// cluster, and they found it a second time (decision 0034). As a member of the first
// one is back neither side follows the other, both raise the alarm, and an operator
// brings together what was written at either.
func TestASecondFoundingIsNoticedAndMended(t *testing.T) {
	t.Parallel()
	c := newRinged(t, "--q", "16")
	c.founders("n1", "n2")
	list := []string{"--members", c.located("n1") + "," + c.located("n2")}
	for _, id := range []string{"n3", "n4"} {
		c.begin(id, "--seeds", c.ports["n1"][1])
		c.op("n1", "cluster", "join", c.located(id), "--commit")
	}
	c.agree("n1", "n2", "n3", "n4")
	c.op("n1", "cluster", "leave", "n2", "--commit")
	c.agree("n1", "n3", "n4")
	must(t, "put", "a/first", "of the first", "--w", "2", "--addr", c.at["n3"].client)
	for _, id := range []string{"n1", "n2", "n3", "n4"} {
		c.kill(id)
	}
	for _, id := range []string{"n1", "n2"} {
		if err := os.RemoveAll(filepath.Join(c.Dir, id)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"n1", "n2"} {
		c.begin(id, list...)
	}
	for _, id := range []string{"n1", "n2"} {
		c.at[id].within(t, "it is founded again", func() bool { return linked(filepath.Join(c.Dir, id)) })
	}
	must(t, "put", "a/second", "of the second", "--w", "2", "--addr", c.at["n1"].client)

	for _, id := range []string{"n3", "n4"} {
		c.begin(id, "--seeds", c.ports["n1"][1])
	}
	c.says("n3", "ALARM: node n1 goes by another chain of links", "cluster", "status")
	c.says("n1", "goes by another chain of links than this one", "cluster", "status")
	alarmed := func(id, value string) func() bool {
		return func() bool {
			_, metrics := fetch(t, c.at[id].admin, "/metrics")
			return strings.Contains(metrics, "\nouro_chain_diverged "+value+"\n")
		}
	}
	for _, id := range []string{"n1", "n3"} {
		if !alarmed(id, "1")() || !strings.Contains(c.at[id].log.String(), "ALARM another placement has") {
			t.Errorf("%s has the alarm in its status alone", id)
		}
	}

	// As docs/operate/cluster.md says.
	c.kill("n1")
	c.kill("n2")
	must(t, "recover", "--forget-links", "--data", filepath.Join(c.Dir, "n1"))
	c.begin("n1", list...)
	c.agree("n1", "n3", "n4")
	for key, want := range map[string]string{"a/first": "of the first", "a/second": "of the second"} {
		for _, id := range []string{"n1", "n3"} {
			eventually(t, id+" shows "+key, func() bool { return runs(t, "get", key, "--addr", c.at[id].client).out == want })
		}
	}
	for _, id := range []string{"n1", "n3"} {
		c.at[id].within(t, "the alarm ends", func() bool { return !strings.Contains(c.op(id, "cluster", "status"), "ALARM") })
		c.at[id].within(t, "so does its metric", alarmed(id, "0"))
	}
}
