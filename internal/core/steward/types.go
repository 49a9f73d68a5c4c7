package steward

import (
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/plan"
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
	// Gossip bounds the exchange of histories, and says of which cluster they are and
	// where there are seeds. Its Addr is the above.
	Gossip gossip.Config
	// Disk is the id of the data folder, under which this node has a say in the
	// placement (RULES R13). Chain bounds how that is agreed on.
	Disk  uint64
	Chain chain.Config
	// CheckpointAfter is how many changes the history may have before it is made a checkpoint,
	// once all members have them. Default 64. It need not be equal on all nodes.
	CheckpointAfter int
	// Recovering: the disk says that this node may have forgotten what it acknowledged.
	Recovering bool
	// Linked: beside the disk it is known that this node was at a link once, or that
	// another one is: see [chain.Config].
	Linked bool
	// Seed is for what the machines draw.
	Seed uint64
	// Epochs bounds the epochs by which tombstones are reaped.
	Epochs reap.EpochConfig
}

// Note names one of the things that a steward keeps on disk.
type Note byte

// The notes.
const (
	EpochNote   Note = 'e' // where the node stands in the epochs
	HistoryNote Note = 'h' // what operators did, and who was heard of besides
	PeersNote   Note = 'a' // where nodes were found
	PlaceNote   Note = 'l' // where each partition is, by the links that this node has adopted
	VoteNote    Note = 'v' // what it promised and accepted of the next link
)

// Notes returns all there are.
func Notes() []Note { return []Note{EpochNote, HistoryNote, PeersNote, PlaceNote, VoteNote} }

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
// *Stood, *Want, *Ready, *Clean, *Fetch, *Issue, what an operator does, *Restart, *Refused, *Removed and Tick.
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
	Disk uint64 // that the peer showed when the link was made
}

// Met says that a node was found, or has said where it is.
type Met struct {
	Peer
	Seed string // the seed under which it was found; "": it was not looked for
}

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

// Ready says that this node has proved what the move of a partition needs of it:
// one proof for each promise.
type Ready struct {
	Partition uint32
	Proofs    []place.Proof
}

// Clean is what is left over at a shard.
type Clean struct {
	Shard int
	node.Clean
}

// Fetch asks for the placement of a peer: it showed a higher number, or refused a
// lower one.
type Fetch struct{ Peer ring.NodeID }

// Restart is an operator's act for when a majority of the members' disks is lost,
// see [chain.Chain.Restart]. Its answer is a [Reply].
type Restart struct {
	ID   uint64
	Lost []ring.NodeID
}

// Issue makes changes part of the cluster's history, all or none, without a plan. Its
// answer is a [Reply].
type Issue struct {
	ID      uint64
	Changes []member.Change
}

// Refused says that a member which knows of that epoch has refused a link, since it
// knows another disk of this node: see [reap.Epochs.Refused]. Its answer is a [Reply],
// once all is stored that is to be.
type Refused struct {
	ID    uint64
	Epoch uint64
}

// Removed says that another node refuses this one because it was removed.
type Removed struct{}

// Tick says that the time reported by [Steward.Deadline] has come.
type Tick struct{}

func (*Told) input()    {}
func (*Link) input()    {}
func (*Met) input()     {}
func (*Stored) input()  {}
func (*Stood) input()   {}
func (*Want) input()    {}
func (*Ready) input()   {}
func (*Clean) input()   {}
func (*Fetch) input()   {}
func (*Issue) input()   {}
func (*Restart) input() {}
func (*Removed) input() {}
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
	Err error // nil: it is on the disk of this node, and others will hear of it
	// What an operator did led to this: what is staged, the history with what was
	// issued, and what that was.
	Draft   plan.Draft
	History member.History
	Changes []string
	Unmet   []string // what is to be looked to before what is staged is committed
}

// Out collects the effects of steps. The host drains it and calls [Out.Reset]; no
// order is promised among effects.
type Out struct {
	Sends []node.Send
	// Seeks are seeds where it is to be found out who lives there; a [Met] tells. One
	// that can't be reached is sought again later.
	Seeks []string
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
	// Peers, if Dial, is all to whom there are to be links from now on. Who is fenced
	// now, see [Steward.Fenced], must have none to this node either.
	Peers   []Peer
	Dial    bool
	Replies []Reply
	Facts   []fact.Fact
	// RolledBack says that this disk is an old copy of what the node once had (RULES
	// R22): what it holds must not be offered any more.
	RolledBack bool
	// Forgot says that the links know this node by another disk, and that the one it has
	// does not say that anything was lost: it is to come back as recovering (RULES R9).
	Forgot bool
}

// Reset empties o and keeps its memory.
func (o *Out) Reset() {
	clear(o.Sends)
	clear(o.Facts)
	*o = Out{Sends: o.Sends[:0], Facts: o.Facts[:0]}
}
