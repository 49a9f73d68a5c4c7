package chain

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// desk is what goes to disk, and what waits for that. There is one write at a time;
// what changes meanwhile goes with the next.
type desk struct {
	vote    Vote
	version uint64 // of vote and next: counts their changes
	synced  uint64 // version that is on disk
	next    *place.Placement
	link    *place.Link   // that leads to next; nil: it was fetched
	tell    []ring.NodeID // who accepted link: to be told that it is chosen, with all others; nil: nobody is told
	seq     uint64        // of the write under way; 0: none
	seqs    uint64        // counts writes
	writing uint64        // version that it has
	adopts  bool          // it has next
	held    []held        // replies
}

// held is a reply to be sent when the version is synced.
type held struct {
	version uint64
	to      ring.NodeID
	m       *Message
}

// acceptor says whether this node has a say in which link follows. A founder whose
// disk no link has named has, unless it knows that links have.
func (c *Chain) acceptor() bool {
	if c.placement == nil || c.forgot() {
		return false
	}
	m, ok := c.placement.Member(c.self)
	return ok && (m.Disk == c.disk || m.Disk == 0)
}

// forgot says whether this node, one of several founders, knows that links followed the
// founding, and none of them. Who is alone has nobody to hear of them from.
func (c *Chain) forgot() bool {
	p := c.placement
	return c.cfg.Linked && p != nil && !p.Named() && len(p.Members()) > 1
}

// here says whether a message is about the instance that this node is at.
func (c *Chain) here(m *Message) bool {
	return c.placement != nil && c.desk.next == nil && m.Number == c.placement.Number() && m.Hash == c.placement.Hash()
}

func (c *Chain) prepare(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	v := &c.desk.vote
	if !c.here(m) || !c.acceptor() || m.Ballot.Round == 0 {
		return
	}
	switch m.Ballot.Compare(v.Promised) {
	case -1:
		c.reply(now, from, &Message{Kind: Reject, Ballot: v.Promised}, out)
		return
	case 1:
		v.Promised = m.Ballot
		c.desk.version++
	}
	c.hold(now, from, &Message{Kind: Promise, Ballot: m.Ballot, Accepted: v.Accepted, Link: v.Link}, out)
}

func (c *Chain) accept(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	v := &c.desk.vote
	if !c.here(m) || !c.acceptor() || m.Ballot.Round == 0 || m.Link == nil {
		return
	}
	if m.Ballot.Compare(v.Promised) < 0 {
		c.reply(now, from, &Message{Kind: Reject, Ballot: v.Promised}, out)
		return
	}
	if v.Accepted != m.Ballot {
		if _, err := c.placement.Follow(m.Link); err != nil || !m.Found && c.takesInRemoved(m.Link) {
			return
		}
		v.Promised, v.Accepted, v.Link = m.Ballot, m.Ballot, m.Link
		c.desk.version++
	}
	c.hold(now, from, &Message{Kind: Accepted, Ballot: m.Ballot}, out)
}

// takesInRemoved says whether a link makes a member of one that has left for ever: who
// proposes it does not know, as it lost its history. A link that may have been chosen
// is not judged by that: no other could be chosen any more.
func (c *Chain) takesInRemoved(l *place.Link) bool {
	return c.target != nil && slices.ContainsFunc(l.Members, func(m place.Member) bool {
		_, there := c.placement.Member(m.ID)
		return !there && c.target.removed(m.ID)
	})
}

// hold sends a reply when all that it rests on is synced. One that is held for the
// same peer is older, and of no use to it any more.
func (c *Chain) hold(now clock.Now, to ring.NodeID, m *Message, out *Effects) {
	d := &c.desk
	if d.synced == d.version {
		c.reply(now, to, m, out)
		return
	}
	h := held{d.version, to, m}
	at := -1
	for i := range d.held {
		if d.held[i].to == to {
			at = i
		}
	}
	if at >= 0 {
		d.held[at] = h
	} else {
		d.held = append(d.held, h)
	}
	c.write(out)
}

// reply sends an answer, or hears it where this node asked itself.
func (c *Chain) reply(now clock.Now, to ring.NodeID, m *Message, out *Effects) {
	if to != c.self {
		c.send(to, m, out)
		return
	}
	c.Hear(now, c.self, c.at(m), out)
}

// write begins a write, unless one is under way.
func (c *Chain) write(out *Effects) {
	d := &c.desk
	if d.seq != 0 {
		return
	}
	d.seqs++
	d.seq, d.writing, d.adopts = d.seqs, d.version, d.next != nil
	out.Storing, out.Store = true, Store{Seq: d.seq, Vote: d.vote, Placement: d.next}
}

// Stored says that a [Store] is synced.
func (c *Chain) Stored(now clock.Now, seq uint64, out *Effects) {
	d := &c.desk
	if seq == 0 || seq != d.seq {
		return
	}
	d.seq, d.synced = 0, d.writing
	if d.adopts {
		c.adopted(now, out)
	}
	if d.version > d.synced {
		c.write(out)
	}
	release := d.held
	d.held = nil
	for _, h := range release {
		if h.version > d.synced {
			d.held = append(d.held, h)
		}
	}
	for _, h := range release {
		if h.version <= d.synced {
			c.reply(now, h.to, h.m, out)
		}
	}
	c.Tick(now, out)
}

// adopt takes a placement: from when it is synced, requests go by it. Nothing is
// voted on meanwhile.
func (c *Chain) adopt(p *place.Placement, l *place.Link, tell []ring.NodeID, out *Effects) {
	d := &c.desk
	d.next, d.link, d.tell = p, l, tell
	d.vote = Vote{Number: p.Number()}
	d.version++
	d.held = nil
	c.proposal = nil
	c.write(out)
}

func (c *Chain) adopted(now clock.Now, out *Effects) {
	d := &c.desk
	before := c.placement
	c.placement, c.encoded = d.next, nil
	c.own.clean = false // of the lists before: by these there may be something to let go
	out.Adopted = d.next
	c.keepLink(d.link)
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.Linked, At: now.Mono, N: int(d.next.Number()), Note: changes(before, d.next, d.link)})
	link, tell := d.link, d.tell
	d.next, d.link, d.tell, d.adopts = nil, nil, nil, false
	c.failures = 0 // whoever proposed it
	c.due = due{dirty: true}
	c.prune()
	c.report(now)
	if tell != nil {
		c.spread(link, tell, out)
	}
	if c.aheadTo > c.placement.Number() {
		c.Fetch(now, c.ahead, out)
	}
}
