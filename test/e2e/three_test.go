package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// three are the nodes of a cluster that serve with settings of their own, which
// those of 'ouro dev' can't be given.
type three struct {
	t     *testing.T
	at    [3]*serving
	ports []string
	dir   string
	flags []string
}

func serveThree(t *testing.T, flags ...string) *three {
	c := &three{t: t, ports: freePorts(t, 9), dir: t.TempDir(), flags: flags}
	for i := range c.at {
		c.begin(i)
	}
	for _, n := range c.at {
		n.foundAll(t, len(c.at))
	}
	return c
}

// begin starts a node, again or for the first time, and waits until it serves.
func (c *three) begin(i int) {
	id := fmt.Sprint("n", i+1)
	members := fmt.Sprintf("n1=%s,n2=%s,n3=%s", c.ports[1], c.ports[4], c.ports[7])
	c.at[i] = serveOn(c.t, c.ports[3*i:3*i+3], append([]string{"--id", id, "--data", filepath.Join(c.dir, id), "--members", members}, c.flags...)...).ready(c.t)
}

func (c *three) kill(i int) { c.at[i].stop(c.t, unix.SIGKILL) }

// status is what a node itself says it has of a key.
func (c *three) status(i int, key string) string {
	var info struct{ Status string }
	if err := json.Unmarshal([]byte(must(c.t, "key", "inspect", key, "-o", "json", "--admin", c.at[i].admin)), &info); err != nil {
		c.t.Fatal(err)
	}
	return info.Status
}
