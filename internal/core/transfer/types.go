package transfer

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config bounds a [Transfer]. Zero fields take the defaults.
type Config struct {
	// Parallel is how many comparisons are under way at a time. Default 4.
	Parallel int
	// BackOff is how long what failed with everybody is left alone, doubling with
	// each failure in a row up to MaxBackOff; who has not heard of the number yet
	// is asked again after BackOff. Defaults 500 ms and 1 min.
	BackOff, MaxBackOff time.Duration
	// Held is what the disk has.
	Held replica.Holdings
	// First is what the ids of operations count from.
	First uint64
}

func (c Config) withDefaults() Config {
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.BackOff <= 0 {
		c.BackOff = 500 * time.Millisecond
	}
	if c.MaxBackOff <= 0 {
		c.MaxBackOff = time.Minute
	}
	return c
}

// Role is what a node is to a bucket in a partition.
type Role uint8

// The roles.
const (
	None     Role = iota // it is in no list
	Newcomer             // it is in the new list only
	Holder               // it is in the old list
)

// Cluster is what a [Transfer] must know of the cluster, at the number of each
// partition.
type Cluster interface {
	Self() ring.NodeID
	// Usable says whether a node is worth asking.
	Usable(ring.NodeID) bool
	// Lists returns where a partition is. It is shared and stays as it is.
	Lists(partition uint32) *place.Lists
	// Role says what this node is to a bucket.
	Role(partition uint32, bucket string) Role
	// Holders returns who is in the lists for a bucket.
	Holders(partition uint32, bucket string) []ring.NodeID
}

// Task is a partition that moves, and of which this node must prove something.
type Task struct {
	Partition uint32
	Promises  []place.Promise // what it must prove
	Disk      uint64          // its own, as the newest link names it
}

// Compare asks that a partition be compared with what a peer holds, all of it
// being asked for from now on and at exactly this number of the partition. The
// outcome is told by [Transfer.Compared].
type Compare struct {
	Partition uint32
	Peer      ring.NodeID
	Number    uint64
	// Push: only what is held here is to be merged there, not the other way round.
	Push bool
}

// Outcome is how a [Compare] ended.
type Outcome struct {
	Compare
	// Known: the peer has shown that it knows of the number.
	Known bool
	// Complete: all that the peer held when it began is merged here, durably, and
	// what this node held is merged there; with Push the latter only.
	Complete bool
	// Lacking: the peer may lack something that it acknowledged, so that its
	// holding no more proves nothing (RULES R10).
	Lacking bool
	// Unreadable is how many records can't be read, of the peer's, or with Push of this
	// node's. The peer lacks what they held; here something may be beside them that
	// nobody else has.
	Unreadable int
	// Behind: the peer has not heard of the number yet.
	Behind bool
	Why    string // it is not complete
	Moved  int    // states that were merged, here or there
	Bytes  int64  // of them
}

// Effects is what a [Transfer] wants done. Ids count per machine. The operations
// are to be run in their order, and before whatever else is asked of the own
// storage from then on.
type Effects struct {
	Ops      []replica.Op // of the own storage: Vacate and Arrive
	Compares []Compare
	Proven   []Proven
	Facts    []fact.Fact
}

// Proven says that all that this node must prove of a partition is proved.
type Proven struct {
	Partition uint32
	Proofs    []place.Proof // in the order of [place.Proof.Compare]
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Ops)
	clear(e.Compares)
	clear(e.Proven)
	clear(e.Facts)
	e.Ops, e.Compares, e.Proven, e.Facts = e.Ops[:0], e.Compares[:0], e.Proven[:0], e.Facts[:0]
}

// Pending is a partition on its way here, or left over, as an operator sees it.
type Pending struct {
	Partition uint32
	Number    uint64
	Leaving   bool
	Peers     []ring.NodeID // who may be, or is to be, compared with
	Done      []ring.NodeID // of them, who was
	Needed    int           // how many must have been
	Proven    bool          // this node has done its part; others or the link are waited for
	With      ring.NodeID   // being compared with; "": nobody
	Since     int64         // wall-clock milliseconds; of what was left over before a start: of that
	Moved     int           // states merged so far, here or there
	Bytes     int64         // of them
	Failed    string        // the last failure; "": none since the last success
	FailedAt  int64         // when that was, wall-clock milliseconds
}
