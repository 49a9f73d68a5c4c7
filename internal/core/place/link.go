package place

import "github.com/ourodb/ouro/internal/core/ring"

// Hash tells chains apart: it covers a link and, by the hash before it, all links
// that led to it.
type Hash [16]byte

// Member is a node with a say in which link comes next. It has it under the disk
// that it is named with: a disk that forgot what it promised never votes (RULES
// R13).
type Member struct {
	ID   ring.NodeID
	Disk uint64 // 0: a founder whose disk no link has named yet
}

// Act says by what right a link removes members that lists still hold.
type Act uint8

// The acts. Ordinary links remove none.
const (
	Ordinary Act = iota
	// Forced removes members that an operator gave up. The lists go on without
	// them, and so do moves; what only they held is lost (RULES R18).
	Forced
	// Restarted is an operator's act that nobody chose, for when a majority of the
	// members' disks is lost (R13). It does what Forced does, begins a new count of
	// numbers, and voids strict promises.
	Restarted
)

// Link is one decision of the members of the link before it.
type Link struct {
	Number  uint64 // that of the link before it and 1; see [Restarted]
	Before  Hash
	Act     Act
	Members []Member // sorted by id; they choose the next link
	// Checkpoint, if not zero, is a new checkpoint of the history.
	Checkpoint Checkpoint
	Moves      []Move // sorted by partition, each at most once
}

// Checkpoint names a beginning of the cluster's history that nothing comes into any
// more: what is in it is folded once for all, and whatever else there is comes after
// it, however early its stamp (RULES R38). The zero value names none.
type Checkpoint struct {
	Count  uint64   // of changes in it
	Digest [16]byte // that the history had with these
}

// Move puts one partition into a configuration. To begin a move it names both
// lists; to end or to abort it, one.
type Move struct {
	Partition uint32
	Old, New  []ring.NodeID // as in [Lists]
	// Proofs is the certificate of a move that ends: what each newcomer merged
	// before it counted (RULES R16). Empty where a move begins or is aborted.
	Proofs []Proof
}

// Proof says that one node may hold a partition in a new list, for buckets of n
// replicas: it has merged what so many members of the old list held when
// they had adopted the link that began the move.
type Proof struct {
	Who     ring.NodeID
	Disk    uint64 // of Who: under another the proof is void
	Number  uint64 // of the link that began the move
	N, W, R int    // the replicas, and the smallest pw and pr promised, or w and r where these are 0
	Sources []ring.NodeID
	Sealed  []ring.NodeID // members of the old list known to have adopted that link
}
