package host

import (
	"context"
	"fmt"
	"testing"

	"github.com/ourodb/ouro"
)

// Verify goes through all shards, and goes on where it says it stopped.
func TestVerify(t *testing.T) {
	c := startCluster(t, []string{"a"}, func(cfg *Config) { cfg.Shards = 3 })
	a, ctx := c.hosts["a"], context.Background()
	for i := range 200 {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)}
		if _, err := a.Put(ctx, key, ouro.Value{Data: []byte("v")}, ouro.R(1), ouro.W(1)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := a.Verify(ctx, "")
	for err == nil && all.Next != "" {
		var v ouro.VerifyInfo
		v, err = a.Verify(ctx, all.Next)
		all = all.With(v)
	}
	if err != nil || all.Node != "a" || all.Records != 200 || all.Trees != 16 || all.Leaves < 16 || len(all.Wrong) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	part, err := a.Verify(ctx, "2:")
	if err != nil || part.Trees != 5 || part.Next != "" {
		t.Errorf("the last of three shards: %+v, %v", part, err)
	}
	for _, bad := range []string{"3:", "-1:", "x", "0:7", "0:zz", ":74"} {
		if _, err := a.Verify(ctx, bad); ouro.CodeOf(err) != ouro.BadRequest {
			t.Errorf("from %q: %v", bad, err)
		}
	}
}
