package chain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config bounds a [Chain]. Zero fields take the defaults.
type Config struct {
	// Origin is that of the only chain which may be followed: who was merged into
	// another ring knows of none yet, and hears of its own from those who have not
	// heard so. Zero: whichever is heard of first.
	Origin place.Hash
	// Linked: this node has adopted a link once, or was told by one that has. A founder
	// that knows the founding alone has lost the links since: it has no say in the first
	// one, which would be a second one of its number (decision 0034).
	Linked bool
	// Every is the least time between two proposals of this node. Default 1 s.
	Every time.Duration
	// Wait is after what time acceptors are asked again. After three times a new
	// ballot is begun, later each time up to MaxBackOff. Defaults 1 s and 10 s.
	Wait, MaxBackOff time.Duration
	// Gather is for how long moves that could end wait for others to get ready,
	// so that one link ends many. Default 3 s.
	Gather time.Duration
	// Patience is for how long something may be due before a node that is not
	// the first proposes it. Default 15 s.
	Patience time.Duration
	// Tell is how often a peer is told the newest number, and after what time a
	// report that led to nothing is made again. Default 5 s.
	Tell time.Duration
	// MaxMoving is how many partitions may be on their way to a node at a time;
	// others wait. Default 128.
	MaxMoving int
	// MaxLink bounds a proposed link, in bytes; what does not fit is for the
	// next. Default 192 KiB. MaxPage bounds what one message carries of a
	// placement. Default 256 KiB.
	MaxLink, MaxPage int
	// MaxPlacement bounds a placement that is fetched, in bytes. Default 16 MiB.
	MaxPlacement int
}

// Ballot is one attempt at an instance. Ballots are ordered, and a node never
// makes one twice: Run is drawn at its start.
type Ballot struct {
	Round uint64 // 0: none
	Node  ring.NodeID
	Run   uint64
}

// Compare returns -1, 0 or 1 as b comes before, with or after o.
func (b Ballot) Compare(o Ballot) int {
	return cmp.Or(cmp.Compare(b.Round, o.Round), strings.Compare(string(b.Node), string(o.Node)), cmp.Compare(b.Run, o.Run))
}

// Vote is what an acceptor keeps of the instance that follows a placement. The
// zero value has promised nothing.
type Vote struct {
	Number   uint64 // of that placement
	Promised Ballot // no lower ballot is answered
	Accepted Ballot
	Link     *place.Link // accepted in that ballot; nil: none
}

// Durable is what a node must find again after a stop.
type Durable struct {
	Placement *place.Placement // nil: none known
	Vote      Vote
}

// Target is what the history of the cluster wants (RULES R12), and what is not to
// be waited for.
type Target struct {
	// Lists has the list that each partition should have, up to the greatest n of
	// any bucket. It may name nodes that are no members yet. nil: as they are.
	Lists [][]ring.NodeID
	// Members are all that have joined and not left, sorted.
	Members []ring.NodeID
	// Removed are those that have left for ever, sorted: they are never taken in again.
	Removed []ring.NodeID
	// Forced are those that an operator removed for ever, sorted: their lists go
	// on without them, and what only they held is lost (R18).
	Forced []ring.NodeID
	// Promises are those of the buckets: what ends a move must prove each.
	Promises []place.Promise
}

func (t *Target) removed(id ring.NodeID) bool {
	_, found := slices.BinarySearch(t.Removed, id)
	return found
}

// Kind says what a [Message] is.
type Kind uint8

// The kinds of message. Number, Origin, Hash, First and Disk are the sender's in each.
const (
	Tell     Kind = 1 + iota // here is where I am
	Prepare                  // will you answer Ballot?
	Promise                  // yes, and no lower one; I accepted Link in Accepted, if any
	Accept                   // accept Link in Ballot
	Accepted                 // I did
	Reject                   // no: I promised Ballot, which is higher
	Chosen                   // Link led to where I am; without one, the Link that you accepted
	Report                   // Reports are ready, and whether I am Clean
	Fetch                    // send me your placement from Offset on
	Page                     // Bytes of it, from Offset, of Total
)

// Message is what nodes tell each other. Every field is shared, none may be
// modified.
type Message struct {
	Kind     Kind
	Number   uint64 // of the sender's placement; 0: it has none. The instance is that which follows it
	Origin   place.Hash
	Hash     place.Hash
	First    place.Hash // of the link that named the founders' disks
	Disk     uint64
	Ballot   Ballot
	Accepted Ballot
	Link     *place.Link
	Found    bool // of an Accept: an acceptor named the link, so it may have been chosen
	Reports  []Ready
	Clean    bool
	Offset   int
	Total    int
	Bytes    []byte
}

// Ready says that a node has proved what a move needs of it.
type Ready struct {
	Partition uint32
	Proof     place.Proof
}

// Effects is what a [Chain] wants done.
type Effects struct {
	Sends []Send
	// Storing: Store is to be synced, then told with [Chain.Stored]. There is one
	// at a time.
	Storing bool
	Store   Store
	// Adopted is a placement that this node has adopted durably: what requests go
	// by from now on. nil: none.
	Adopted *place.Placement
	Facts   []fact.Fact
}

// Send is a message to a peer. It may be lost.
type Send struct {
	To      ring.NodeID
	Message *Message
}

// Store is what is to be written in one batch.
type Store struct {
	Seq       uint64
	Vote      Vote
	Placement *place.Placement // nil: as it is
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Sends)
	clear(e.Facts)
	*e = Effects{Sends: e.Sends[:0], Facts: e.Facts[:0]}
}

// Status is where a node stands, for operators.
type Status struct {
	Number   uint64
	Hash     place.Hash
	Acceptor bool // this node has a say, under its disk
	First    ring.NodeID
	Moving   int           // partitions
	Ready    int           // proofs in hand
	Since    time.Duration // since when something is due; 0: nothing is
	// Waits says what holds up what is due; "": nothing is due, or it goes on.
	Waits    string
	Diverged ring.NodeID // ALARM: goes by another chain of this founding, or one of another; "": nobody seen
}
