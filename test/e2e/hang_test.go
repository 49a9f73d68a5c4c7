package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// A process that is stopped keeps its links and answers nothing: every write of
// three copies and every read succeeds at all other nodes, those that pass them on
// to it included; who asked it says so; and it is handed what it missed (sections
// 4.6 and 4.8.3).
func TestHangingNodeIsWrittenAround(t *testing.T) {
	c := start(t, "", 5)
	c.dev("pause", "2")
	suspected := false // while its links are up: some seconds later they are not
	for i := range 30 {
		at, key := []int{1, 3, 4, 5}[i%4], fmt.Sprint("things/k", i)
		if r := runs(t, "put", key, fmt.Sprint(i), "--w", "3", "--addr", c.Nodes[at-1].Client); r.code != 0 {
			t.Errorf("put %d at n%d: %+v", i, at, r)
		}
		if r := runs(t, "get", key, "--addr", c.Nodes[at-1].Client); r.code != 0 || r.out != fmt.Sprint(i) {
			t.Errorf("get %d at n%d: %+v", i, at, r)
		}
		suspected = suspected || c.suspects(at, 2)
	}
	if !suspected {
		t.Error("nobody says that n2 leaves asks unanswered")
	}
	c.dev("resume", "2")
	c.noHints()
	for i := range 30 {
		c.expect(2, fmt.Sprint("things/k", i), fmt.Sprint(i), "--r", "3")
	}
	c.equalReplicas("things", 30)
	c.within(func() string {
		if st := must(t, "status", "--admin", c.Nodes[0].Admin); strings.Contains(st, "no writes") {
			return "n1 still suspects somebody:\n" + st
		}
		return ""
	})
}

// suspects tells whether node i says that another, to which it has a link, leaves
// asks unanswered.
func (c *cluster) suspects(i, other int) bool {
	c.t.Helper()
	a := c.admin(i)
	defer a.Close()
	st, err := a.Status(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	m := st.Members[other-1]
	return m.Up && len(m.Suspected) > 0
}
