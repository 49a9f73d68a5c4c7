package reap

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// EpochConfig is how an [Epochs] behaves. Zero fields take the defaults.
type EpochConfig struct {
	// Every is the least time that a node stays in an epoch while no other is
	// ahead of it. A delete is reaped some four epochs after it. Default 20 s.
	Every time.Duration
	// Tell is how long between two tellings of the epochs to a random peer, while
	// somebody waits for one. Default 1 s.
	Tell time.Duration
	// Seed is for the choice of peers.
	Seed uint64
	// Shards is how many shards of this node stand in its epoch. Default 1.
	Shards int
}

// Durable is what a node keeps of its epochs on disk.
type Durable struct {
	Epoch uint64
	Born  uint64 // the epoch in which this disk was filled anew; 0: with the cluster
}

// Disk is what a node finds on its disk when it starts.
type Disk struct {
	Durable
	// Holds: there is any record, its own or kept for another.
	Holds bool
}

// Shown is the highest epoch that a member is known to have shown.
type Shown struct {
	Node  ring.NodeID
	Epoch uint64
	// Clean is the number of the newest placement by which the node held nothing of
	// partitions in whose lists it was not; 0: it has told of none.
	Clean uint64
}

// Show is what one node tells another.
type Show struct {
	Wanted uint64 // the epoch that somebody waits for
	Shown  []Shown
}

// Tell is a [Show] on its way.
type Tell struct {
	To ring.NodeID
	Show
}

// Stand tells every shard where it stands. Each answers with the lowest stamp of
// what it keeps for others, by [Epochs.Stood] and the same Seq.
type Stand struct {
	replica.Standing
	Seq uint64
}

// EpochEffects is what an [Epochs] wants done.
type EpochEffects struct {
	Tells []Tell
	// Stand, if its Seq is not 0, is for every shard; the last one counts.
	Stand Stand
	// Store, if Storing, is to be synced, and then told by [Epochs.Stored].
	Storing bool
	Store   Durable
	Facts   []fact.Fact
	// RolledBack says that this disk is an old copy of what the node once had
	// (RULES R22): what it holds must not be offered any more.
	RolledBack bool
}

// Reset empties e and keeps its memory.
func (e *EpochEffects) Reset() {
	clear(e.Tells)
	clear(e.Facts)
	*e = EpochEffects{Tells: e.Tells[:0], Facts: e.Facts[:0]}
}
