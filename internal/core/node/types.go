package node

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/local"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// Verb is what a client asks.
type Verb uint8

// The client verbs.
const (
	Get Verb = 1 + iota
	Put
	Delete
	Update
)

// Request is one client request, at the node that received it or forwarded to
// the one that coordinates it.
type Request struct {
	ID          uint64 // ticket of whoever passes it to this node; the reply carries it
	Verb        Verb
	Key         ring.Key
	Context     []byte // sealed, as the client sent it; nil: none
	HasContext  bool
	Value       []byte
	ContentType string
	Update      *ouro.Update  // of an Update
	TTL         time.Duration // 0: the bucket's; negative: never
	R, W        ouro.Count
	PR, PW, DW  ouro.Count
	Timeout     time.Duration // what is left of it; 0: the bucket's
	Explain     bool
	Token       uint64 // keyed hash of the request id; 0: none (RULES R29)
	Retry       bool   // it was sent to another coordinator before (RULES R30)

	// Of an archive, at the node that was asked, which coordinates it itself: Whole asks
	// a get for the record, too; Record is what a put merges into that of the key,
	// instead of minting a version.
	Whole  bool
	Record []byte

	// Local: a get is answered from this node's own copy alone, if that counts, and the
	// reply says by what right. It is never forwarded.
	Local bool

	// Of one that is forwarded: when it was sent, by the forwarder's own clock, and
	// how long after that it may be taken: later another has it (RULES R30). Within
	// 0: however late.
	Sent, Within time.Duration
}

// Reply answers a [Request]; every request gets exactly one.
type Reply struct {
	ID          uint64
	Err         *ouro.Error    // nil: it is done
	Siblings    []ouro.Sibling // of a bucket of data types as typed.View takes them
	Changed     int            // by an Update
	Context     []byte         // sealed
	Coordinator ring.NodeID
	Quorum      ouro.Quorum
	Explain     []fact.Fact
	Record      []byte      // where the whole of it was asked for, in canonical form
	Local       *local.Word // of a Local request that was answered
}

// Kind says which fields of a [Message] count.
type Kind uint8

// The kinds of message between nodes.
const (
	KindAsk     Kind = 1 + iota // Op: an operation on the receiver's storage
	KindAnswer                  // Answer: the answer to an Ask
	KindForward                 // Request: coordinate this
	KindReturn                  // Reply: the reply to a Forward
	KindSurvey                  // Survey: what does the receiver hold of a partition?
	KindFound                   // Found: the answer to a Survey
	KindEpochs                  // Show: the epochs that the sender knows of
	KindGossip                  // Gossip: a part of the cluster's history, or its digest
	KindChain                   // Chain: about where partitions are
)

// Message is what one node sends another. Partition routes it to a shard.
type Message struct {
	Kind      Kind
	Partition uint32
	Number    uint64 // of the partition's lists that the sender acts under (RULES R15); 0: that is no matter
	Op        replica.Op
	Answer    replica.Answer
	Request   *Request
	Reply     *Reply
	Survey    *replica.Survey
	Found     *replica.Found

	// For what is kept of the cluster beside the shards, not for one of them.
	Show   *reap.Show
	Gossip *gossip.Message
	Chain  *chain.Message
}

// Input is anything that happens to a node: one of *Request, *Delivery,
// *Completion, *Page, *Found, *Comparing, *Recovering, *Swept, *Mortals, *Standing,
// *Scrubbed, *Scrubbing, *ScrubNow, *MoveRate, *Load, *Shed, *List, *Peek, *View,
// *Link and Tick.
type Input interface{ input() }

// Delivery is a message that arrived. Session numbers the link it came over
// anew each time that link is made: a forward counts once per session (R30).
type Delivery struct {
	From    ring.NodeID
	Session uint64
	Message Message
}

// Completion is an answer of this node's own storage.
type Completion struct{ Answer replica.Answer }

// Link says that a peer became reachable or stopped being so. Until told
// otherwise a node takes every peer for unreachable.
type Link struct {
	Peer ring.NodeID
	Up   bool
}

// Tick says that the time reported by [Node.Deadline] has come.
type Tick struct{}

func (*Request) input()    {}
func (*Delivery) input()   {}
func (*Completion) input() {}
func (*View) input()       {}
func (*Link) input()       {}
func (Tick) input()        {}

// Out collects the effects of steps. The host drains it and calls
// [Out.Reset]; no order is promised among effects.
type Out struct {
	Sends    []Send
	Ops      []replica.Op      // for this node's own storage
	Scans    []Scan            // of this node's own storage
	Surveys  []replica.Survey  // likewise
	Sweeps   []Sweep           // likewise
	Scrubs   []ScrubSlice      // likewise
	Compared []repair.Outcome  // comparisons that ended
	Proven   []transfer.Proven // what moves that may end need of this node, each told once
	Clean    *Clean            // nil: as told before
	Listed   []Listed          // pages of keys
	Peeked   []Peeked          // what others hold, for people
	Replies  []Reply           // to this node's own clients
	Facts    []fact.Fact
	Want     uint64 // an epoch that is waited for, for [reap.Epochs.Want]; 0: none
	Fetches  []Fetch
}

// Fetch says that a peer knows of a placement that this node does not: whoever
// keeps it should ask the peer, and pass the view on. The same may be said several
// times, and means nothing once the view has come.
type Fetch struct {
	From   ring.NodeID
	Number uint64 // the placement there is by this link or a later one
}

// Send is a message to a peer.
type Send struct {
	To      ring.NodeID
	Message Message
}

// Reset empties out and keeps its memory.
func (o *Out) Reset() {
	clear(o.Sends)
	clear(o.Ops)
	clear(o.Scans)
	clear(o.Sweeps)
	clear(o.Scrubs)
	clear(o.Surveys)
	clear(o.Compared)
	clear(o.Proven)
	clear(o.Replies)
	clear(o.Listed)
	clear(o.Peeked)
	clear(o.Facts)
	clear(o.Fetches)
	o.Sends, o.Ops, o.Scans, o.Surveys = o.Sends[:0], o.Ops[:0], o.Scans[:0], o.Surveys[:0]
	o.Compared, o.Proven, o.Clean = o.Compared[:0], o.Proven[:0], nil
	o.Replies, o.Facts, o.Listed = o.Replies[:0], o.Facts[:0], o.Listed[:0]
	o.Sweeps, o.Scrubs, o.Want, o.Fetches, o.Peeked = o.Sweeps[:0], o.Scrubs[:0], 0, o.Fetches[:0], o.Peeked[:0]
}
