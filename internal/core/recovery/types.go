package recovery

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config bounds a [Recovery]. Zero fields take the defaults.
type Config struct {
	// Wait is the longest time that a request may take. Default 1 min.
	Wait time.Duration
	// Parallel is how many partitions are compared at a time. Default 2.
	Parallel int
	// BackOff is how long what failed is left alone, doubling with each failure
	// in a row up to MaxBackOff. Defaults 1 s and 1 min.
	BackOff, MaxBackOff time.Duration
	// MaxRotten is how many records that can't be read are remembered; another is
	// remembered when it is met again and there is room. Default 1,024.
	MaxRotten int
	// MaxHeals is how many of them are asked for at a time. Default 8.
	MaxHeals int
	// AskWait is how long the others may take to show such a record. Default 5 s.
	AskWait time.Duration
	// First is what the ids of operations count from.
	First uint64
}

func (c Config) withDefaults() Config {
	ints := [...]struct {
		v    *int
		none int
	}{{&c.Parallel, 2}, {&c.MaxRotten, 1024}, {&c.MaxHeals, 8}}
	for _, d := range ints {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	times := [...]struct {
		v    *time.Duration
		none time.Duration
	}{{&c.Wait, time.Minute}, {&c.BackOff, time.Second}, {&c.MaxBackOff, time.Minute}, {&c.AskWait, 5 * time.Second}}
	for _, d := range times {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}

// Need is what must have been compared before a replica counts again in the
// buckets of one n and w: Count of Others that do not recover themselves, or all
// of them (RULES R10).
type Need struct {
	Others []ring.NodeID // the other primaries, in order of preference
	Count  int           // n-w+1
}

// met says whether some sources are enough.
func (n *Need) met(sources []replica.Source) bool {
	good, all := 0, 0
	for _, o := range n.Others {
		for _, s := range sources {
			if s.Node != o {
				continue
			}
			all++
			if !s.Recovering {
				good++
			}
		}
	}
	return good >= n.Count || all == len(n.Others)
}

// Cluster is what a [Recovery] must know of the cluster.
type Cluster interface {
	// Named says whether the disk of this node is the one that the cluster knows it
	// by. Before that it is not known what this node holds: nothing is compared, and
	// nothing is over (RULES R10).
	Named() bool
	// Usable says whether a node is worth asking.
	Usable(ring.NodeID) bool
	// Needs returns what must be compared of a partition, for the buckets in
	// which this node holds it.
	Needs(partition uint32) []Need
	// NeedOf returns the same for one bucket; false where this node does not hold
	// the partition for it.
	NeedOf(partition uint32, bucket string) (Need, bool)
}

// Partition is one in which the replica recovers.
type Partition struct {
	Partition uint32
	Progress  replica.Progress
}

// Effects is what a [Recovery] wants done. Ids count per machine; the owner
// tells them from those of others.
type Effects struct {
	Compares []Compare
	Asks     []Ask        // reads at peers
	Ops      []replica.Op // at the own storage
	Facts    []fact.Fact
}

// Compare asks that a whole partition be compared with what a peer holds, from a
// moment that is still to come, and all that the peer has be merged durably. The
// outcome is told by [Recovery.Compared].
type Compare struct {
	Partition uint32
	Peer      ring.NodeID
}

// Ask is an operation at a peer's storage.
type Ask struct {
	To ring.NodeID
	Op replica.Op
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Compares)
	clear(e.Asks)
	clear(e.Ops)
	clear(e.Facts)
	e.Compares, e.Asks, e.Ops, e.Facts = e.Compares[:0], e.Asks[:0], e.Ops[:0], e.Facts[:0]
}

// Left is a partition that is recovering, as an operator sees it.
type Left struct {
	Partition uint32
	Since     int64            // wall-clock milliseconds
	Sources   []replica.Source // compared with so far
	Waits     time.Duration    // before the first comparison; 0: that is over
	With      ring.NodeID      // being compared with; "": nobody
	Failed    string           // the last failure; "": none
}

// Unhealed is a record that can't be read and could not be had from others yet.
type Unhealed struct {
	replica.Rotten
	Failed string // why
}
