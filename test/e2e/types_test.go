package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// Data types are changed, several keys stored and read, from the command line.
func TestTypesAndSeveralKeys(t *testing.T) {
	c := start(t, "", 3)
	at := func(node int, args ...string) []string {
		return append([]string{args[0], "--addr", c.Nodes[node-1].Client}, args[1:]...)
	}
	must(t, "bucket", "set", "things", "--mode", "types", "--admin", c.Nodes[0].Admin)
	eventually(t, "all nodes know the bucket", func() bool {
		for n := 1; n <= 3; n++ {
			if runs(t, at(n, "update", "things/ready", "counter", "add")...).code != 0 {
				return false
			}
		}
		return true
	})
	for _, s := range []struct {
		node int
		args string
		want string
	}{
		{1, "update things/visits counter add", "\n1\n"},
		{2, "update things/visits counter add 41", "\n42\n"},
		{3, "update things/visits counter add -- -2", "\n40\n"},
		{1, "update things/tags set add grey small", "2 elements new or gone"},
		{2, "update things/tags set remove small", "1 element new or gone"},
		{3, "get things/tags", "grey"},
		{1, "update things/user map set name=Alice city=Paris", "Alice"},
		{2, "update things/user map add age=30", "30"},
		{1, "update things/week sorted-set set alice=1.5", "1.5"},
		{3, "update things/week sorted-set add alice=1", "2.5"},
		{2, "update things/note register set hello", "updated things/note"},
		{1, "get things/note", "hello"},
		{2, "get things/visits", "40"},
		{1, "mput a/x=1 a/y=2=2", "stored by"},
		{3, "mget a/x a/y a/none things/visits", "2=2"},
	} {
		if out := must(t, at(s.node, strings.Fields(s.args)...)...); !strings.Contains(out, s.want) {
			t.Errorf("ouro %s: no %q in\n%s", s.args, s.want, out)
		}
	}
	c.put(1, "a/x", "beside", "--blind")
	var all []struct {
		Siblings []any
		Context  string
		Error    *struct{ Code string }
	}
	if err := json.Unmarshal([]byte(must(t, at(2, "mget", "a/x", "a/none", "-o", "json")...)), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || len(all[0].Siblings) != 2 || all[0].Context == "" || all[1].Error.Code != "not_found" {
		t.Errorf("%+v", all)
	}
	fails(t, 1, "wrong_type", at(1, "update", "things/tags", "counter", "add")...)
	fails(t, 2, "see 'ouro update --help'", at(1, "update", "things/x", "set", "shrink", "y")...)
	fails(t, 2, "NAME=VALUE", at(1, "update", "things/x", "map", "set", "y")...)
	fails(t, 2, "is not BUCKET/KEY=VALUE", at(1, "mput", "a/x")...)
	fails(t, 1, "2 of 2 failed", at(1, "mput", "a/x=1", "a/y=2", "--w", "3", "--pw", "4")...)
}
