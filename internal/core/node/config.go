package node

import (
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/hot"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/recovery"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/scrub"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// Config is what a [Node] is made with. A zero field takes its default.
type Config struct {
	// Sealer seals contexts with the cluster's key and opens them. Required; the
	// node uses a fork of it, so that several may be made with one.
	Sealer *causal.Sealer
	// Run is the random id of this process run. Ids of operations start from
	// it, so that an answer meant for an earlier run is not taken for one.
	Run uint64
	// MaxInFlight is how many client requests may be coordinated at a time; more
	// are refused as overloaded, with RetryAfter. As many again may linger after
	// their reply; more are cut short, which costs a read its repair and a write
	// its lag figure, and is stated as a fact. Default 4,096.
	MaxInFlight int
	// MaxPerKey is how many of them may be of one key; more are refused as hot_key,
	// with RetryAfter, so that the others are served. Default [hot.Most] of MaxInFlight.
	MaxPerKey int
	// MaxForeign is how many operations of peers may be under way at the own
	// storage; more are answered "overloaded". Default 65,536.
	MaxForeign int
	// MaxSurveys is how many surveys of peers may be under way at the own storage;
	// more are answered "overloaded". Default 64.
	MaxSurveys int
	// MaxListings is how many pages of keys may be under way; more are answered as
	// not complete at once. Default 64.
	MaxListings int
	// MaxParked is how many operations of peers may wait for a placement that this
	// node does not know yet, ParkedBytes how much they may bring, and ParkWait for
	// how long: then, or where there are more, they are answered "behind". Defaults
	// 1,024, 8 MiB and 1 s.
	MaxParked, ParkedBytes int
	ParkWait               time.Duration
	// MaxForwards is how many forwarded requests are remembered, so that each is
	// taken once; the oldest are forgotten. Default 16,384.
	MaxForwards int
	// MaxExplain is how many facts of a request explain returns; later ones are
	// left out. Default 128.
	MaxExplain int
	// RepairWait is how long a read waits, after its reply, for replicas that
	// have not answered. Default 100 ms (PAPER 8.15b).
	RepairWait time.Duration
	// HedgeShare is the share of reads that may ask a second replica for its state
	// because the first takes longer than it usually does. Default 0.05; less than
	// 0: none.
	HedgeShare float64
	// ReadRepairRate is how many stale replicas reads may send the merged state to in a
	// second, and as many at once; what is more is left to a later read. MaxReadRepairs
	// is how many of them are remembered, so that none is sent twice within a
	// second; the oldest are forgotten. Default 1,000 and 16,384.
	ReadRepairRate, MaxReadRepairs int
	// RetryAfter is when a request refused as overloaded should come back.
	// Default 100 ms.
	RetryAfter time.Duration
	// Handoff bounds the handing over of what is kept for others; its First is
	// made from Run.
	Handoff handoff.Config
	// Recovery bounds what is done after something was forgotten; its First is
	// made from Run.
	Recovery recovery.Config
	// Repair bounds the comparing with other nodes; its First is made from Run.
	Repair repair.Config
	// Marks are the partitions to be compared first, as an earlier run left them.
	Marks []replica.Mark
	// Shard of Shards is this one, where a node has several: it has the partitions
	// whose number leaves Shard when divided by Shards. Default 0 of 1.
	Shard, Shards int
	// Transfer bounds the bringing of partitions and letting them go; likewise its
	// First.
	Transfer transfer.Config
	// Admit says how much of the node its background work may use.
	Admit admit.Config
	// Reap bounds the reaping of tombstones; likewise its First.
	Reap reap.Config
	// Scrub bounds the reading back of what is stored.
	Scrub scrub.Config
	// ArchiveRate is how many bytes of records a second go into archives and come back
	// out of them at most, each counted as 4 KiB more. Default 16 MiB.
	ArchiveRate int
}

func (c Config) withDefaults() Config {
	ints := [...]struct {
		v    *int
		none int
	}{{&c.MaxInFlight, 4096}, {&c.MaxForeign, 1 << 16}, {&c.MaxSurveys, 64}, {&c.MaxListings, 64}, {&c.MaxParked, 1024}, {&c.ParkedBytes, 8 << 20}, {&c.Shards, 1}, {&c.MaxForwards, 1 << 14}, {&c.MaxExplain, 128}, {&c.ReadRepairRate, 1000}, {&c.MaxReadRepairs, 1 << 14}, {&c.ArchiveRate, 16 << 20}}
	for _, d := range ints {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	c.MaxInFlight = min(c.MaxInFlight, maxSlots/2)
	if c.MaxPerKey <= 0 {
		c.MaxPerKey = hot.Most(c.MaxInFlight)
	}
	c.MaxForeign = min(c.MaxForeign, maxSlots)
	times := [...]struct {
		v    *time.Duration
		none time.Duration
	}{{&c.RepairWait, 100 * time.Millisecond}, {&c.RetryAfter, 100 * time.Millisecond}, {&c.ParkWait, time.Second}}
	for _, d := range times {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	switch {
	case c.HedgeShare == 0:
		c.HedgeShare = 0.05
	case c.HedgeShare < 0:
		c.HedgeShare = 0
	}
	return c
}
