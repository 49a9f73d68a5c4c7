package chain

import (
	"math/rand/v2"
	"slices"
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
	run  uint64 // of ballots
	rand *rand.Rand

	placement *place.Placement // adopted durably; nil: none
	links     []*place.Link    // that led to it, the newest last, as far as they were seen
	encoded   []byte           // the placement, once somebody fetched it

	desk     desk
	proposal *proposal
	round    uint64        // the highest that was made or heard of
	failures int           // proposals in a row that led to nothing
	next     time.Duration // when the next proposal may begin

	target *Target
	disks  map[ring.NodeID]uint64 // under which peers are seen
	up     map[ring.NodeID]bool
	heard  map[ring.NodeID]bool // has said since it can be reached that it is of this chain, or of none
	proofs []Ready              // sorted; all valid at the placement, the own ones too
	clean  map[ring.NodeID]uint64
	own    own
	due    due

	checkpoint place.Checkpoint // the history that all members have, if it should be a checkpoint

	fetch    fetch
	tellAt   time.Duration
	ahead    ring.NodeID // told a number above all others' and ours
	aheadTo  uint64
	diverged []ring.NodeID // who goes by another chain, as far as they can be reached or are members
}

const never = time.Duration(1<<63 - 1)

// New returns the machine of a node with this disk, that found d on it. A founder
// begins with [place.Founded]; who is to be joined, or lost a disk after the
// founding, with nothing.
func New(cfg Config, self ring.NodeID, disk uint64, d Durable, r *rand.Rand) *Chain {
	c := &Chain{
		cfg: cfg.withDefaults(), self: self, disk: disk, run: r.Uint64(), rand: r, placement: d.Placement,
		disks: map[ring.NodeID]uint64{self: disk}, up: map[ring.NodeID]bool{}, heard: map[ring.NodeID]bool{}, clean: map[ring.NodeID]uint64{},
	}
	if d.Placement != nil {
		c.desk.vote = Vote{Number: d.Placement.Number()}
		if d.Vote.Number == d.Placement.Number() {
			c.desk.vote = d.Vote
		}
	}
	c.due.dirty = true
	return c
}

// Placement returns the one this node has adopted durably; nil: none.
func (c *Chain) Placement() *place.Placement { return c.placement }

// Links returns the last links that this node saw chosen, the newest last: those
// that end moves have their certificates. The result must not be modified.
func (c *Chain) Links() []*place.Link { return c.links }

// number is that of the placement; 0: there is none.
func (c *Chain) number() uint64 {
	if c.placement == nil {
		return 0
	}
	return c.placement.Number()
}

// Target takes what the history wants. It is kept, and must not be modified.
func (c *Chain) Target(now clock.Now, t *Target, out *Effects) {
	c.target = t
	c.due.dirty = true
	c.report(now) // that this node is out may be news to it
	c.Tick(now, out)
}

// Checkpoint says which history all members are known to have, if it has become so long
// that a link should make it a checkpoint (RULES R38); the zero value: none.
func (c *Chain) Checkpoint(now clock.Now, cp place.Checkpoint, out *Effects) {
	if cp == c.checkpoint {
		return
	}
	c.checkpoint = cp
	c.due.dirty = true
	c.Tick(now, out)
}

// Disk says under which disk a node is seen: a peer as its handshake showed it and
// it was accepted.
func (c *Chain) Disk(now clock.Now, id ring.NodeID, disk uint64, out *Effects) {
	if disk == 0 || id == c.self || c.disks[id] == disk {
		return
	}
	c.disks[id] = disk
	c.due.dirty = true
	c.Tick(now, out)
}

// Link says that a peer can be reached or no longer can.
func (c *Chain) Link(now clock.Now, peer ring.NodeID, up bool, out *Effects) {
	if up == c.up[peer] || peer == c.self {
		return
	}
	c.due.dirty = true
	if !up {
		delete(c.up, peer)
		delete(c.heard, peer)
	} else {
		c.up[peer] = true
		c.send(peer, &Message{Kind: Tell}, out)
	}
	c.Tick(now, out)
}

// Clean says whether this node, under the placement adopted last, holds nothing of
// partitions in whose lists it is not.
func (c *Chain) Clean(now clock.Now, clean bool, out *Effects) {
	if clean != c.own.clean {
		c.own.clean = clean
		c.report(now)
	}
	c.Tick(now, out)
}

// Deadline returns when [Chain.Tick] is due; the greatest time there is: not
// before something else happens.
func (c *Chain) Deadline() time.Duration {
	at := min(c.dueAt(), c.own.at(), c.fetch.at())
	if c.proposal != nil {
		at = min(at, c.proposal.at)
	}
	if len(c.up) > 0 {
		at = min(at, c.tellAt)
	}
	return at
}

// Tick lets time pass.
func (c *Chain) Tick(now clock.Now, out *Effects) {
	if c.proposal != nil && c.proposal.at <= now.Mono {
		c.retry(now, out)
	}
	if c.own.at() <= now.Mono {
		c.sendReports(now, out)
	}
	if c.fetch.at() <= now.Mono {
		c.fetch = fetch{}
	}
	if len(c.up) > 0 && c.tellAt <= now.Mono {
		c.tellAt = now.Mono + c.cfg.Tell
		c.send(c.anyone(), &Message{Kind: Tell}, out)
	}
	if c.dueAt() <= now.Mono {
		c.look(now, out)
	}
}

// nodes returns all nodes that may have anything to do with the chain, sorted:
// maps are never walked.
func (c *Chain) nodes() []ring.NodeID {
	var all []ring.NodeID
	if c.placement != nil {
		for _, m := range c.placement.Members() {
			all = append(all, m.ID)
		}
	}
	if c.target != nil {
		all = append(all, c.target.Members...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// anyone draws a peer that can be reached.
func (c *Chain) anyone() ring.NodeID {
	all := c.nodes()
	all = slices.DeleteFunc(all, func(id ring.NodeID) bool { return !c.up[id] })
	if len(all) == 0 {
		return ""
	}
	return all[c.rand.IntN(len(all))]
}

// at fills in where this node stands.
func (c *Chain) at(m *Message) *Message {
	m.Disk = c.disk
	if p := c.placement; p != nil {
		m.Number, m.Origin, m.Hash, m.First = p.Number(), p.Origin(), p.Hash(), p.First()
	}
	return m
}

func (c *Chain) send(to ring.NodeID, m *Message, out *Effects) {
	if to != "" {
		out.Sends = append(out.Sends, Send{To: to, Message: c.at(m)})
	}
}

// Hear takes a message.
func (c *Chain) Hear(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	if from != c.self && !c.follow(now, from, m, out) {
		return
	}
	switch m.Kind {
	case Prepare:
		c.prepare(now, from, m, out)
	case Accept:
		c.accept(now, from, m, out)
	case Promise:
		c.promised(now, from, m, out)
	case Accepted:
		c.accepted(now, from, m, out)
	case Reject:
		c.rejected(now, from, m)
	case Report:
		c.reported(now, from, m)
	}
	c.Tick(now, out)
}

// Status returns where the node stands.
func (c *Chain) Status() Status {
	s := Status{Ready: len(c.proofs), Waits: c.due.waits, Acceptor: c.acceptor(), First: c.first()}
	if c.due.any {
		s.Since = c.due.since
	}
	if at := slices.IndexFunc(c.diverged, c.around); at >= 0 {
		s.Diverged = c.diverged[at]
	}
	if p := c.placement; p != nil {
		s.Number, s.Hash = p.Number(), p.Hash()
		for i := range p.Q() {
			if p.Of(uint32(i)).Moving() {
				s.Moving++
			}
		}
	}
	return s
}
