package chain

import (
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Chain is the machine of one node. It is for one goroutine.
type Chain struct {
	cfg  Config
	self ring.NodeID
	disk uint64
	d    Durable
	rand *rand.Rand
}

const never = time.Duration(1<<63 - 1)

// New returns the machine of a node with this disk, that found d on it. A founder
// begins with [place.Founded]; who is to be joined, or lost a disk after the
// founding, with nothing.
func New(cfg Config, self ring.NodeID, disk uint64, d Durable, r *rand.Rand) *Chain {
	return &Chain{cfg: cfg, self: self, disk: disk, d: d, rand: r}
}

// Placement returns the one this node has adopted durably; nil: none.
func (c *Chain) Placement() *place.Placement { return c.d.Placement }

// Target takes what the history wants. It is kept, and must not be modified.
func (c *Chain) Target(now clock.Now, t *Target, out *Effects) {}

// Disk says under which disk a node is seen: a peer as its handshake showed it and
// it was accepted.
func (c *Chain) Disk(now clock.Now, id ring.NodeID, disk uint64, out *Effects) {}

// Link says that a peer can be reached or no longer can.
func (c *Chain) Link(now clock.Now, peer ring.NodeID, up bool, out *Effects) {}

// Hear takes a message.
func (c *Chain) Hear(now clock.Now, from ring.NodeID, m *Message, out *Effects) {}

// Ready says that this node has proved what the move of a partition needs of it:
// one proof for each promise.
func (c *Chain) Ready(now clock.Now, partition uint32, proofs []place.Proof, out *Effects) {}

// Clean says whether this node, under the placement adopted last, holds nothing of
// partitions in whose lists it is not.
func (c *Chain) Clean(now clock.Now, clean bool, out *Effects) {}

// Fetch asks a peer for its placement: it showed a higher number, or a lower one
// was refused.
func (c *Chain) Fetch(now clock.Now, peer ring.NodeID, out *Effects) {}

// Stored says that a [Store] is synced.
func (c *Chain) Stored(now clock.Now, seq uint64, out *Effects) {}

// Restart is an operator's act for when a majority of the members' disks is lost:
// the chain goes on from here without those named, and with the disks that the
// others have now. It voids strict promises.
func (c *Chain) Restart(now clock.Now, lost []ring.NodeID, out *Effects) error { return nil }

// Deadline returns when [Chain.Tick] is due; the greatest time there is: not
// before something else happens.
func (c *Chain) Deadline() time.Duration { return never }

// Tick lets time pass.
func (c *Chain) Tick(now clock.Now, out *Effects) {}

// Status returns where the node stands.
func (c *Chain) Status() Status { return Status{} }
