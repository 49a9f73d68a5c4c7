package replica

import (
	"fmt"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Verb is what an [Op] asks of a replica's storage.
type Verb uint8

// The verbs. Each is a pure function of what is stored under the key.
const (
	Write   Verb = 1 + iota // mint a dot under a context, or delete under it
	Join                    // merge a state
	Read                    // report the state or its digest
	Recall                  // was this request id stored here? (RULES R29, R30)
	Paid                    // a target holds the pending record: it is owed no more
	Agreed                  // Missed and this node agree on Partition: its mark goes
	Recover                 // State is the progress of Partition's recovery; none: it is current again
	Heal                    // merge a state, into a record in the stead of one that can't be read
	Drop                    // reap a tombstone that all primaries have voted for
	Vacate                  // all goes that is held of Partition, or of Key.Bucket in it; State as for Arrive
	Arrive                  // State is the number at which Partition began to be taken over; none: it is over
	Fold                    // report the state and its live actor; with Dots, fold those shares into one (RULES R8)
)

// Op asks one thing of a replica's storage, the coordinator's own or a peer's.
type Op struct {
	ID        uint64 // the asker's ticket; the answer carries it
	Verb      Verb
	Partition uint32
	Key       ring.Key
	State     []byte // Join: the state to merge, in canonical form
	Full      bool   // Read: the state itself, not only its digest
	Silent    bool   // Join: a repair that nobody counts; no answer is wanted
	// Relaxed: of a bucket whose durability is not all. A Write or Join may be
	// acknowledged, and a Read shown, before it is synced (RULES R35).
	Relaxed bool
	Request uint64 // Write, Recall, Join of a delete: keyed hash of the request id
	Mint    *Mint  // Write

	// Pending: the operation is on the pending record of the key, which this
	// node holds in the stead of the primaries in its list of targets, and not
	// on a record of its own (paper, section 4.6).
	Pending bool
	// Targets are the primaries to which the record is owed after a pending
	// Write or Join, besides those to which it is already; of a Paid, those to
	// which it is not owed any more.
	Targets []ring.NodeID
	// Base: the State of a Join is a delta, cut from a record with these claims. It is
	// joined only where they are claimed already (RULES R5).
	Base *causal.Claims
	// Kept: the record is held already, and a pending Join only changes to whom it
	// is owed. It needs no room that is not there. It is never sent to a peer.
	Kept bool
	// Alone: nobody else holds the record of a Heal: only what was written beside it may
	// take its place, since "not found" would be a lie. It is never sent to a peer.
	Alone  bool
	Digest causal.Sum // Paid: of the state that was delivered; Drop: of that voted for

	// Stamp is the epoch of the state in a Join: that of the read of a primary's
	// record it came from, the lowest where several were merged (RULES E1). Of a
	// Drop, and of a Fold with Dots, it is the epoch that the floor must be above (E2).
	Stamp uint64
	// Dots are the shares of ended actors that a Fold makes one of. They are never sent
	// to a peer: it is for the first primary alone.
	Dots []causal.Dot
	// Background: no client waits for it. It is told apart where it is carried out, and
	// sent only for what a client's request is as well: for an archive.
	Background bool
	// Missed names a node that did not get the state in a Join, and that nobody
	// will hand it to: what it holds of the partition is to be compared.
	Missed ring.NodeID
}

// Mint is what a Write writes.
type Mint struct {
	Context     causal.Claims
	Delete      bool         // remove what Context covers and write nothing
	LWW         bool         // an lww bucket: the record's own claims are the context (R23)
	Types       bool         // a bucket of data types: its claims are never pruned (R7)
	Update      *ouro.Update // of a bucket of data types, instead of a value
	Value       []byte
	ContentType string
	Expiry      int64 // wall-clock milliseconds; 0: never
	MaxSiblings int   // bound on blind growth; 0: the replica's own
}

// Updated is what an update of a data type did, at the own disk.
type Updated struct {
	Changed int            // elements that are new or gone
	Shown   []ouro.Sibling // of those it names, what is there now (typed.Show)
	// Alone is what it did and nothing else, in canonical form; Base the claims of the
	// record before, which a delta is sent with. Alone nil: it was done before.
	Alone []byte
	Base  *causal.Claims
}

// Status is how an [Answer] is to be taken (RULES R33).
type Status uint8

// The statuses. Only Have and Absent count for r.
const (
	Have     Status = 1 + iota // a state is there (maybe a tombstone), or is stored now
	Absent                     // nothing is stored under the key
	DontKnow                   // the replica may have forgotten; it must not be counted
	Failed                     // the operation failed; Reason says why
)

// Reason says why an answer is Failed.
type Reason uint8

// The reasons of failure.
const (
	None            Reason = iota
	Overloaded             // the inbox or the disk queue is full
	DiskFull               // no room; reads still work
	IOError                // the engine failed
	Corrupt                // the record or the state in the message fails its checksum
	TooManySiblings        // blind growth beyond the bucket's bound
	Stopping               // the node is going away
	Stale                  // the state's stamp is below what is taken here (RULES E1)
	NotPrimary             // the node is no primary of the key by its own view (RULES R34)
	Outdated               // asked under lists that have changed since: the answer comes with their number (RULES R15)
	Behind                 // asked under lists that the node does not know and could not learn of in time
	Unnamed                // the link that it was asked under names another disk of this node
	Lacking                // the record lacks some of what a delta was cut from: the whole state is asked for (RULES R5)
	WrongType              // the key shows another data type
	NotNumber              // what is to be incremented is no integer
	TooLarge               // a typed key would outgrow its bounds
	Overflow               // a sum would not fit, or be no number
)

// String returns the reason in words.
func (r Reason) String() string {
	names := [...]string{
		None: "no reason", Overloaded: "overloaded", DiskFull: "no room", IOError: "I/O error", Corrupt: "checksum mismatch",
		TooManySiblings: "too many siblings", Stopping: "stopping", Stale: "stamp too old", NotPrimary: "not a primary",
		Lacking: "lacks what the delta was cut from", WrongType: "another data type is there", NotNumber: "no integer",
		TooLarge: "too many elements, or bytes", Overflow: "the sum would not fit",
		Outdated: "the lists have changed", Behind: "does not know of the lists", Unnamed: "its disk is not the one that counts",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Answer is a replica's answer to an [Op].
type Answer struct {
	ID      uint64
	Verb    Verb
	Status  Status
	Reason  Reason
	Durable bool // it has been synced (a Write is answered twice: stored, then durable)
	// Relaxed: it counts though it is not synced, and nothing more will be said.
	Relaxed bool
	Pending bool // it is of a pending record: a fallback's answer, not a primary's
	Found   bool // Write, Recall: the request id was known, Dot is its dot; Drop: dropped here, now or before; Fold: folded
	Digest  causal.Sum
	State   []byte     // Write: the state as stored; Fold, and Read with Full: the state
	Dot     causal.Dot // Write: the dot minted (zero for a delete); Fold: the last of the record's live actor
	Stamp   uint64     // with a State: its epoch, as in [Op]; Stale: the lowest that is taken
	// Alone is, of a Write at the own disk, the epoch under which what it did may
	// be sent without the rest of the record (RULES E2, R20): the one after its
	// own for a primary, who votes after it; for others only one that is known to
	// be shown already.
	Alone uint64

	// Recovering: the replica may have forgotten something it acknowledged, so a
	// Write or Join counts for w, but for nothing that is strict (RULES R9).
	Recovering bool
	// Updated is what an update did. It is not sent.
	Updated *Updated
	// Rotten names the record where it can't be read, so that its node looks for
	// it elsewhere. It is not sent.
	Rotten *Rotten
}

// Rotten names a record that fails its checksum.
type Rotten struct {
	Partition uint32
	Key       ring.Key
}
