package steward

import (
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config is what a [Steward] is made with.
type Config struct {
	Self ring.NodeID
	// Addr is where other nodes reach this one; "": that is no matter.
	Addr string
	// Founding is the history of the cluster that this node forms with others from a
	// list that is equal on all of them. It counts where the disk has none. Empty: the
	// node is in no cluster until it is joined to one.
	Founding member.History
	// Fixed, if not nil, is a cluster whose ring is laid out by hand and never
	// changes: there is no history then.
	Fixed *node.View
	// Epochs bounds the epochs by which tombstones are reaped.
	Epochs reap.EpochConfig
}

// Note names one of the things that a steward keeps on disk.
type Note byte

// The notes.
const (
	EpochNote   Note = 'e' // where the node stands in the epochs
	HistoryNote Note = 'h' // what operators did
	PeersNote   Note = 'a' // where nodes were reached
)

// Notes returns all there are.
func Notes() []Note { return []Note{EpochNote, HistoryNote, PeersNote} }

// Disk is what a steward finds on its disk when it starts.
type Disk struct {
	Notes map[Note][]byte
	// Holds: there is any record, the node's own or kept for another.
	Holds bool
}

// Record is a note to be stored.
type Record struct {
	Note  Note
	Value []byte
}

// Input is anything that happens to a steward: one of *Told, *Link, *Met, *Stored,
// *Stood, *Want, *Refused and Tick.
type Input interface{ input() }

// Told is a message of a peer.
type Told struct {
	From    ring.NodeID
	Message *node.Message
}

// Link says that a peer can be sent to, or no longer can.
type Link struct {
	Peer ring.NodeID
	Up   bool
}

// Met says that a node was found at an address, or has said that it is there.
type Met struct{ Peer }

// Stored says that the records of an [Out] with this Seq are on stable storage.
type Stored struct{ Seq uint64 }

// Stood is a shard's answer to a Stand: the lowest stamp of what it keeps for
// others, if it keeps anything.
type Stood struct {
	Shard       int
	Seq, Lowest uint64
	Keeps       bool
}

// Want says that a shard waits for an epoch.
type Want struct{ Epoch uint64 }

// Refused says that a member which knows of that epoch has refused a link, since it
// knows another disk of this node: see [reap.Epochs.Refused]. Its answer is a [Reply],
// once all is stored that is to be.
type Refused struct {
	ID    uint64
	Epoch uint64
}

// Tick says that the time reported by [Steward.Deadline] has come.
type Tick struct{}

func (*Told) input()    {}
func (*Link) input()    {}
func (*Met) input()     {}
func (*Stored) input()  {}
func (*Stood) input()   {}
func (*Want) input()    {}
func (*Refused) input() {}
func (Tick) input()     {}

// Peer is a node and the address of its node-to-node port.
type Peer struct {
	ID   ring.NodeID
	Addr string
}

// Reply answers an input that has an id.
type Reply struct {
	ID  uint64
	Err error
}

// Out collects the effects of steps. The host drains it and calls [Out.Reset]; no
// order is promised among effects.
type Out struct {
	Sends []node.Send
	// Stand, if its Seq is not 0, is for every shard, which answers with a [Stood];
	// the last one counts.
	Stand reap.Stand
	// View, if not nil, is for every shard: what it says is on stable storage.
	View *node.View
	// Store is to be written in one batch and, when it is synced, told by a [Stored]
	// with this Seq. A disk that refuses it is asked again: there is no other until
	// then.
	Store []Record
	Seq   uint64
	// Peers, if Dial, is all to whom there are to be links from now on.
	Peers   []Peer
	Dial    bool
	Replies []Reply
	Facts   []fact.Fact
	// RolledBack says that this disk is an old copy of what the node once had (RULES
	// R22): what it holds must not be offered any more.
	RolledBack bool
}

// Reset empties o and keeps its memory.
func (o *Out) Reset() {
	clear(o.Sends)
	clear(o.Facts)
	*o = Out{Sends: o.Sends[:0], Facts: o.Facts[:0]}
}
