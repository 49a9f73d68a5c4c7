package gossip

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config is how a [Gossiper] behaves. Zero fields take the defaults.
type Config struct {
	// Every is how long between two exchanges that this node begins. Default 1 s.
	Every time.Duration
	// PageBytes is about how much of a history one message may carry; one change
	// always fits. Default 256 KiB.
	PageBytes int
	// MaxPeers is how many nodes are remembered that are no members; with more the
	// one that was not heard of for longest is forgotten. Default 1,024.
	MaxPeers int
	// MaxDrift is how far this node's clock may be ahead of those of most others
	// when a change is issued here. Default 10 min.
	MaxDrift time.Duration
	// Seed is for the choice of peers.
	Seed uint64

	Cluster uint64   // see [member.ClusterID]
	Addr    string   // of this node, for others
	Seeds   []string // addresses that are tried for ever; the host resolves names
}

func (c Config) withDefaults() Config {
	for _, d := range [...]struct {
		v    *int
		none int
	}{{&c.PageBytes, 256 << 10}, {&c.MaxPeers, 1024}} {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	for _, d := range [...]struct {
		v    *time.Duration
		none time.Duration
	}{{&c.Every, time.Second}, {&c.MaxDrift, 10 * time.Minute}} {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}

// Peer is a node that is no member, and where it was last.
type Peer struct {
	ID   ring.NodeID
	Addr string
}

// Durable is what a node keeps of all this on disk.
type Durable struct {
	History member.History
	Peers   []Peer // the one heard of last comes last
}

// Message is what one node tells another.
type Message struct {
	Cluster uint64
	Addr    string // of the sender
	Wall    int64  // its wall clock in milliseconds since 1970
	Summary member.Summary
	Page    *member.Page // nil: a digest only
	// Answer says that the page is what the receiver lacks: it ends an exchange.
	Answer bool
}

// Send is a message on its way. A seed is known by its address alone.
type Send struct {
	To   ring.NodeID // "": whoever lives at Addr
	Addr string
	Message
}

// Effects is what a [Gossiper] wants done.
type Effects struct {
	Sends []Send
	// Store, if Seq is not 0, is to be synced, and then told by
	// [Gossiper.Stored]. It takes the place of all stored before.
	Seq   uint64
	Store Durable
	// Changed says that the history that this node goes by is another one, see
	// [Gossiper.History].
	Changed bool
	Facts   []fact.Fact
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Sends)
	clear(e.Facts)
	*e = Effects{Sends: e.Sends[:0], Facts: e.Facts[:0]}
}

// Stats counts what was exchanged.
type Stats struct {
	Rounds    uint64 // exchanges begun
	Sent      uint64 // messages
	SentBytes uint64
	Received  uint64
	Pages     uint64 // sent: the other had another history
	Merged    uint64 // changes taken over from others
	Refused   uint64 // messages of rings that cannot merge with this one
}
