package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// admin calls the admin port of node i, counted from 1.
func (c *cluster) admin(i int) *client.Admin {
	c.t.Helper()
	a, err := client.NewAdmin(c.Nodes[i-1].Admin)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// within waits until lacks returns "" and fails the test where it does not.
func (c *cluster) within(lacks func() string) {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		what := lacks()
		if what == "" {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// noHints waits until no node keeps anything for another.
func (c *cluster) noHints() {
	c.t.Helper()
	for i := range c.Nodes {
		a := c.admin(i + 1)
		c.within(func() string {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			info, err := a.Hints(ctx)
			switch {
			case err != nil:
				return err.Error()
			case info.Bytes > 0:
				return fmt.Sprintf("%s has handed everything over: it keeps %d bytes, %+v", info.Node, info.Bytes, info.Targets)
			default:
				return ""
			}
		})
		a.Close()
	}
}

// owners returns the primaries and the other nodes of a key, by their place
// among the nodes of the cluster, counted from 1.
func (c *cluster) owners(key ouro.Key) (primaries, others []int) {
	c.t.Helper()
	a := c.admin(1)
	defer a.Close()
	info, err := a.Owners(context.Background(), key)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, n := range c.Nodes {
		if !slices.Contains(info.Primaries, n.ID) {
			others = append(others, i+1)
		}
	}
	for _, id := range info.Primaries {
		for i, n := range c.Nodes {
			if n.ID == id {
				primaries = append(primaries, i+1)
			}
		}
	}
	return primaries, others
}

// replica tells what node i stores for a key: its digest, "absent", or what is
// wrong.
func (c *cluster) replica(i int, key ouro.Key) string {
	a := c.admin(i)
	defer a.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	info, err := a.Replica(ctx, key)
	switch {
	case err != nil:
		return err.Error()
	case info.Status == "have":
		return info.Digest
	default:
		return info.Status + info.Reason
	}
}

// equalReplicas waits until all primaries of the keys k0 to k(n-1) of a bucket
// store the same bytes, and no other node stores anything.
func (c *cluster) equalReplicas(bucket string, keys int) {
	c.t.Helper()
	for k := range keys {
		key := ouro.Key{Bucket: bucket, Name: fmt.Sprintf("k%d", k)}
		primaries, others := c.owners(key)
		c.within(func() string {
			first := c.replica(primaries[0], key)
			for _, i := range primaries[1:] {
				if other := c.replica(i, key); other != first {
					return fmt.Sprintf("n%d and n%d store the same for %v: %s, %s", primaries[0], i, key, first, other)
				}
			}
			for _, i := range others {
				if is := c.replica(i, key); is != "absent" {
					return fmt.Sprintf("n%d, no replica of %v, stores nothing of it: %s", i, key, is)
				}
			}
			return ""
		})
	}
}

// noAlarms checks the metrics that must be 0 and the logs.
func (c *cluster) noAlarms() {
	c.t.Helper()
	for _, n := range c.Nodes {
		_, metrics := fetch(c.t, n.Admin, "/metrics")
		for _, alarm := range []string{"ouro_dot_reused_total", "ouro_damaged_records_total"} {
			if !strings.Contains(metrics, "\n"+alarm+" 0\n") {
				c.t.Errorf("%s: %s is not 0", n.ID, alarm)
			}
		}
		log, err := os.ReadFile(filepath.Join(c.Dir, n.ID+".log"))
		if err != nil {
			c.t.Error(err)
		}
		for _, line := range strings.Split(string(log), "\n") {
			if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.Contains(line, `"level":"ERROR"`) {
				c.t.Errorf("the log of %s: %s", n.ID, line)
			}
		}
	}
}

// keep shows the ends of the logs of a cluster that failed.
func (c *cluster) keep() {
	for i := range c.Nodes {
		log, err := os.ReadFile(filepath.Join(c.Dir, fmt.Sprintf("n%d.log", i+1)))
		if err == nil {
			c.t.Logf("the log of n%d:\n%s", i+1, log[max(0, len(log)-4000):])
		}
	}
}
