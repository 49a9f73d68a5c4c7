package replica

import (
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
)

// Config is how a [Replica] behaves. Zero values mean the defaults named.
type Config struct {
	// Run is the id of this run: drawn at random at every start of the process,
	// never read from disk (RULES R1). Replicas that run side by side in one
	// process need one each.
	Run uint64
	// Seed keys the sums of values and digests of states. It is derived from a
	// secret of the cluster and the same on all its nodes (RULES R26).
	Seed uint64
	// Limits bound what a record remembers; default causal.DefaultLimits.
	Limits causal.Limits
	// MaxSiblings bounds blind growth where the bucket has no bound of its own:
	// beyond it a put whose context covers no stored version is refused; default
	// 100.
	MaxSiblings int
	// MaxElements and MaxTyped bound what a key of a data type may grow to by updates:
	// elements, and bytes of all their values. Defaults 10,000 and 1 MiB.
	MaxElements, MaxTyped int
	// MaxShares is beyond how many shares of one number those of ended actors are to be
	// folded; default 8.
	MaxShares int
	// TokenTTL is how long a request id is remembered; default two minutes.
	TokenTTL time.Duration
	// TokenMax is how many request ids are remembered; the oldest go; default
	// 65,536.
	TokenMax int
	// ReapedMax is how many reaped tombstones are remembered, so that one which
	// comes back from a primary that has it yet is not stored again; the oldest
	// go, which costs another reaping. Default 16,384. ReapedTTL is how long;
	// default five minutes.
	ReapedMax int
	ReapedTTL time.Duration
}

func (c Config) withDefaults() Config {
	if c.Limits == (causal.Limits{}) {
		c.Limits = causal.DefaultLimits()
	}
	if c.MaxSiblings == 0 {
		c.MaxSiblings = 100
	}
	if c.MaxElements == 0 {
		c.MaxElements = 10_000
	}
	if c.MaxTyped == 0 {
		c.MaxTyped = 1 << 20
	}
	if c.MaxShares == 0 {
		c.MaxShares = 8
	}
	if c.TokenTTL == 0 {
		c.TokenTTL = 2 * time.Minute
	}
	if c.TokenMax == 0 {
		c.TokenMax = 1 << 16
	}
	if c.ReapedMax == 0 {
		c.ReapedMax = 1 << 14
	}
	if c.ReapedTTL == 0 {
		c.ReapedTTL = 5 * time.Minute
	}
	return c
}
