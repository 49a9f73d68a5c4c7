package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// founders starts nodes that form a ring from a list.
func (c *ringed) founders(ids ...string) {
	c.t.Helper()
	var members []string
	for _, id := range ids {
		c.ports[id] = freePorts(c.t, 3)
		members = append(members, c.located(id))
	}
	for _, id := range ids {
		c.begin(id, "--members", strings.Join(members, ","))
	}
	for _, id := range ids {
		c.at[id].ready(c.t).foundAll(c.t, len(ids))
	}
}

// TestRingsFormedApart: two rings of one name and Q, each with data of its own, become
// one when a node of either hears of the other, and every node shows all (paper,
// section 4.8.2).
func TestRingsFormedApart(t *testing.T) {
	t.Parallel()
	c := newRinged(t, "--q", "64")
	first, second := []string{"n1", "n2", "n3"}, []string{"m1", "m2"}
	c.founders(first...)
	c.founders(second...)
	const keys = 20
	for i := range keys {
		must(t, "put", fmt.Sprint("b/n", i), fmt.Sprint("first ", i), "--addr", c.at[first[i%3]].client)
		must(t, "put", fmt.Sprint("b/m", i), fmt.Sprint("second ", i), "--addr", c.at[second[i%2]].client)
	}
	c.kill("m1")
	c.begin("m1", "--seeds", c.ports["n1"][1])
	all := slices.Concat(first, second)
	c.agree(all...)
	for _, id := range all {
		for i := range keys {
			for key, want := range map[string]string{fmt.Sprint("b/n", i): fmt.Sprint("first ", i), fmt.Sprint("b/m", i): fmt.Sprint("second ", i)} {
				if got := must(t, "get", key, "--addr", c.at[id].client); got != want {
					t.Errorf("%s at %s is %q, want %q", key, id, got, want)
				}
			}
		}
	}
}
