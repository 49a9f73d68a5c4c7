package plan

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
)

// Bucket returns the change that defines a bucket, or alters one that is defined;
// "" names the default. It is refused where the settings can never be met, and
// where n or the mode of a bucket would change: they belong to it for ever (RULES
// R17, R38). Nothing is staged: the change may be issued at once.
func Bucket(now *member.Cluster, name string, set ouro.BucketSettings) (member.Change, error) {
	old, defined := now.Buckets.Default, now.Defaulted
	if name != "" {
		var b member.Bucket
		if b, defined = now.Buckets.Named[name]; defined {
			old = b
		}
	}
	c := member.Change{Kind: member.Define, Name: name, Bucket: old}
	if defined {
		c.Kind = member.Tune
	}
	if err := apply(&c.Bucket, &set, !defined); err != nil {
		return c, fmt.Errorf("bucket %s: %w", cmp.Or(name, "default"), err)
	}
	if err := c.Check(); err != nil {
		return c, err
	}
	return c, nil
}

// apply puts the settings into b. With n given and r or w not, one that was the
// majority stays the majority.
func apply(b *member.Bucket, set *ouro.BucketSettings, fresh bool) error {
	b.Timeout = min(b.Timeout, member.MaxTimeout) // it is set anew, and more is not in force
	old := *b
	numbers := [...]struct {
		to   *int
		from *int
	}{{&b.N, set.N}, {&b.R, set.R}, {&b.W, set.W}, {&b.PR, set.PR}, {&b.PW, set.PW}, {&b.DW, set.DW}}
	for _, n := range numbers {
		if n.from != nil {
			*n.to = *n.from
		}
	}
	if set.R == nil && old.R == member.Majority(old.N) {
		b.R = member.Majority(b.N)
	}
	if set.W == nil && old.W == member.Majority(old.N) {
		b.W = member.Majority(b.N)
	}
	if set.Timeout != nil {
		b.Timeout = *set.Timeout
	}
	if set.TTL != nil {
		b.TTL = *set.TTL
	}
	if set.Mode != nil {
		if !b.SetMode(*set.Mode) {
			return fmt.Errorf("unknown mode %q: choose %s, %s or %s", *set.Mode, member.ModeSiblings, member.ModeLWW, member.ModeTypes)
		}
	}
	if set.Durability != nil {
		d, ok := member.ParseDurability(*set.Durability)
		if !ok {
			return fmt.Errorf("unknown durability %q: choose all, one or buffered", *set.Durability)
		}
		b.Durability = d
	}
	switch {
	case fresh:
	case b.N != old.N:
		return fmt.Errorf("n=%d belongs to it for ever: make a bucket with n=%d and copy the data", old.N, b.N)
	case b.Mode() != old.Mode():
		return errors.New("its mode belongs to it for ever: make another bucket and copy the data")
	}
	return b.Validate()
}

// Describe says how a bucket behaves in a cluster.
func Describe(now *member.Cluster, name string) ouro.BucketInfo {
	b, defined := now.Buckets.Named[name]
	if !defined {
		b = now.Buckets.Default
	}
	if name == "" {
		defined = now.Defaulted
	}
	info := ouro.BucketInfo{
		Name: name, Defined: defined, Mode: b.Mode(), Durability: b.Durability.String(), Timeout: min(b.Timeout, member.MaxTimeout), TTL: b.TTL,
		Set: quorum(b), InForce: quorum(member.EffectiveBucket(b, len(now.Members))), Note: member.Shortfall(b, len(now.Members)),
	}
	if info.Note == "" && b.R+b.W <= b.N {
		info.Note = fmt.Sprintf("r+w is not more than n=%d: a read may miss what was just written", b.N)
	}
	return info
}

func quorum(b member.Bucket) ouro.QuorumInfo {
	return ouro.QuorumInfo{N: b.N, R: b.R, W: b.W, PR: b.PR, PW: b.PW, DW: b.DW}
}
