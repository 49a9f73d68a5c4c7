package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
)

func TestBucketSettings(t *testing.T) {
	cart := member.DefaultBucket()
	h := cluster(t, 16, "n1 n2 n3", member.NamedBucket{Name: "cart", Bucket: cart})
	now := fold(t, h)
	num := func(n int) *int { return &n }
	mode := func(m string) *string { return &m }
	minute, longer := time.Minute, time.Minute+time.Millisecond
	for _, test := range []struct {
		name string
		set  ouro.BucketSettings
		want string // part of the error, or of the change
	}{
		{"fresh", ouro.BucketSettings{}, `define "fresh" n=3 r=2 w=2`},
		{"fresh", ouro.BucketSettings{N: num(5)}, `define "fresh" n=5 r=3 w=3`},
		{"fresh", ouro.BucketSettings{N: num(5), R: num(1), PW: num(2)}, `define "fresh" n=5 r=1 w=3`},
		{"fresh", ouro.BucketSettings{R: num(4)}, "r=4 is more than n=3"},
		{"fresh", ouro.BucketSettings{N: num(1), PW: num(2)}, "pw=2 is more than w=1"},
		{"fresh", ouro.BucketSettings{Timeout: &minute}, `define "fresh"`},
		{"fresh", ouro.BucketSettings{Timeout: &longer}, "timeout=1m0.001s: choose a timeout from 1ms to 1m0s"},
		{"fresh", ouro.BucketSettings{Mode: mode("lww")}, `define "fresh"`},
		{"fresh", ouro.BucketSettings{Mode: mode("crdt")}, `unknown mode "crdt"`},
		{"no such/name", ouro.BucketSettings{}, "bucket name"},
		{"cart", ouro.BucketSettings{R: num(3), W: num(1), TTL: &minute}, `tune "cart" n=3 r=3 w=1`},
		{"cart", ouro.BucketSettings{N: num(3)}, `tune "cart" n=3 r=2 w=2`},
		{"cart", ouro.BucketSettings{N: num(5)}, "n=3 belongs to it for ever"},
		{"cart", ouro.BucketSettings{Mode: mode("lww")}, "its mode belongs to it for ever"},
		{"cart", ouro.BucketSettings{W: num(0)}, "r and w must be at least 1"},
		{"", ouro.BucketSettings{R: num(1)}, `tune "" n=3 r=1 w=2`},
		{"", ouro.BucketSettings{N: num(2)}, "n=3 belongs to it for ever"},
	} {
		c, err := Bucket(now, test.name, test.set)
		got := c.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%q %+v: %q, want %q", test.name, test.set, got, test.want)
		}
		if err != nil {
			continue
		}
		next, err := h.Issue(1000, "n1", c)
		if err != nil {
			t.Fatal(err)
		}
		made := fold(t, next)
		if len(made.Skipped) != 0 || made.Buckets.Of(test.name) != c.Bucket {
			t.Errorf("%q: made %+v, skipped %v", test.name, made.Buckets.Of(test.name), made.Skipped)
		}
		if d := Describe(made, test.name); !d.Defined || d.Set.R != c.Bucket.R || d.TTL != c.Bucket.TTL || (d.Mode == "lww") != c.Bucket.LWW {
			t.Errorf("%q is described as %+v", test.name, d)
		}
	}
}

func TestDescribe(t *testing.T) {
	loose := member.Bucket{N: 3, R: 1, W: 1, Timeout: time.Second}
	now := fold(t, cluster(t, 16, "n1 n2", member.NamedBucket{Name: "loose", Bucket: loose}))
	if d := Describe(now, "other"); d.Defined || d.InForce.N != 2 || !strings.Contains(d.Note, "only 2 members") {
		t.Errorf("%+v", d)
	}
	now = fold(t, cluster(t, 16, "n1 n2 n3", member.NamedBucket{Name: "loose", Bucket: loose}))
	if d := Describe(now, "loose"); !d.Defined || !strings.Contains(d.Note, "may miss") {
		t.Errorf("%+v", d)
	}
	if d := Describe(now, ""); !d.Defined || d.Note != "" {
		t.Errorf("%+v", d)
	}
}
