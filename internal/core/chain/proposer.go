package chain

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// tries is how often acceptors are asked in one ballot.
const tries = 3

// proposal is one ballot of this node.
type proposal struct {
	ballot   Ballot
	link     *place.Link // what is accepted; while promises are asked for, nil
	best     Ballot      // in which found was accepted, by somebody
	found    *place.Link
	answered []ring.NodeID // in this phase
	at       time.Duration // when to ask again
	asked    int           // how often
}

// need is how many acceptors must answer: more than half; all founders, as long as
// their disks have no names (decision 0019).
func (c *Chain) need() int {
	n := len(c.placement.Members())
	if !c.placement.Named() {
		return n
	}
	return n/2 + 1
}

// reachable is how many acceptors can be reached, so that nothing is begun in vain.
func (c *Chain) reachable() (n int) {
	for _, m := range c.placement.Members() {
		if c.up[m.ID] || m.ID == c.self && c.acceptor() {
			n++
		}
	}
	return n
}

// propose begins a ballot.
func (c *Chain) propose(now clock.Now, out *Effects) {
	c.round = max(c.round, c.desk.vote.Promised.Round) + 1
	c.proposal = &proposal{ballot: Ballot{Round: c.round, Node: c.self, Run: c.run}}
	c.next = now.Mono + c.cfg.Every
	c.ask(now, out)
}

// ask puts the question of the phase to all who have not answered it.
func (c *Chain) ask(now clock.Now, out *Effects) {
	p := c.proposal
	p.asked++
	p.at = now.Mono + c.cfg.Wait
	m := p.question()
	self := false // asked last: it may answer at once, and that may be the end
	for _, a := range c.placement.Members() {
		switch {
		case slices.Contains(p.answered, a.ID):
		case a.ID == c.self:
			self = true
		case c.up[a.ID]:
			to := m
			c.send(a.ID, &to, out)
		}
	}
	if self {
		c.askItself(now, out)
	}
}

func (p *proposal) question() Message {
	if p.link == nil {
		return Message{Kind: Prepare, Ballot: p.ballot}
	}
	return Message{Kind: Accept, Ballot: p.ballot, Link: p.link, Found: p.found != nil}
}

// askItself has this node answer its own question, if it is to by now. It accepts what
// it proposes as the last one that is needed: what all others refuse, as they know more
// than this node does, nobody has accepted then, and it need not be followed.
func (c *Chain) askItself(now clock.Now, out *Effects) {
	p := c.proposal
	if p.link == nil || len(p.answered)+1 >= c.need() {
		m := p.question()
		c.Hear(now, c.self, c.at(&m), out)
	}
}

func (c *Chain) retry(now clock.Now, out *Effects) {
	if c.proposal.asked < tries {
		c.ask(now, out)
		return
	}
	c.giveUp(now, c.proposal.ballot.Round)
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.NotLinked, At: now.Mono, N: int(c.number() + 1), Note: "too few members answer"})
}

// giveUp waits before the next ballot, longer after each that led to nothing, and
// by chance, so that two nodes do not go on against each other.
func (c *Chain) giveUp(now clock.Now, round uint64) {
	c.round = max(c.round, round)
	c.proposal = nil
	wait := min(c.cfg.Every<<min(c.failures, 10), c.cfg.MaxBackOff)
	c.failures++
	c.next = now.Mono + wait/2 + time.Duration(c.rand.Int64N(int64(wait)))
	c.due.dirty = true
}

// counts says whether an answer to the ballot under way counts: it is an
// acceptor's, under the disk that the placement names, and the first.
func (c *Chain) counts(from ring.NodeID, m *Message, accepting bool) bool {
	p := c.proposal
	if p == nil || m.Ballot != p.ballot || (p.link != nil) != accepting || !c.here(m) {
		return false
	}
	a, ok := c.placement.Member(from)
	return ok && (a.Disk == m.Disk || a.Disk == 0) && !slices.Contains(p.answered, from)
}

func (c *Chain) promised(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	if !c.counts(from, m, false) {
		return
	}
	p := c.proposal
	p.answered = append(p.answered, from)
	if m.Link != nil && m.Accepted.Compare(p.best) > 0 {
		p.best, p.found = m.Accepted, m.Link
	}
	if len(p.answered) < c.need() {
		return
	}
	link := p.found // it may have been chosen
	if link == nil {
		link, _ = c.build(now)
	}
	if link == nil {
		c.proposal = nil
		return
	}
	p.link, p.answered, p.asked = link, nil, 0
	c.ask(now, out)
}

func (c *Chain) accepted(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	if !c.counts(from, m, true) {
		return
	}
	p := c.proposal
	p.answered = append(p.answered, from)
	if len(p.answered) < c.need() {
		if !slices.Contains(p.answered, c.self) {
			c.askItself(now, out)
		}
		return
	}
	next, err := c.placement.Follow(p.link)
	if err != nil {
		c.giveUp(now, 0) // acceptors have looked: it never happens
		return
	}
	c.adopt(next, p.link, p.answered, out)
}

func (c *Chain) rejected(now clock.Now, from ring.NodeID, m *Message) {
	p := c.proposal
	if p == nil || !c.here(m) || m.Ballot.Compare(p.ballot) <= 0 {
		return
	}
	if _, ok := c.placement.Member(from); ok {
		c.giveUp(now, m.Ballot.Round)
	}
}

// spread tells everybody that can be reached which link is chosen; those who
// accepted it have it.
func (c *Chain) spread(l *place.Link, accepted []ring.NodeID, out *Effects) {
	for _, id := range c.nodes() {
		if !c.up[id] {
			continue
		}
		m := &Message{Kind: Chosen}
		if !slices.Contains(accepted, id) {
			m.Link = l
		}
		c.send(id, m, out)
	}
}

// Restart is an operator's act for when a majority of the members' disks is lost:
// the chain goes on from here without those named, and with the disks that the
// others have now. It voids strict promises, and is refused where the chain can go on by
// itself, or where who is given up can be reached.
func (c *Chain) Restart(_ clock.Now, lost []ring.NodeID, out *Effects) error {
	p := c.placement
	if p == nil || c.desk.next != nil {
		return fmt.Errorf("%s knows of no placement yet", c.self)
	}
	if err := c.mayRestart(lost); err != nil {
		return err
	}
	l := &place.Link{Number: p.Next(place.Restarted), Before: p.Hash(), Act: place.Restarted}
	for _, m := range p.Members() {
		if slices.Contains(lost, m.ID) {
			continue
		}
		if d := c.disks[m.ID]; d != 0 {
			m.Disk = d
		}
		l.Members = append(l.Members, m)
	}
	next, err := p.Follow(l)
	if err != nil {
		return fmt.Errorf("it can't go on from here: %w", err)
	}
	if _, ok := next.Member(c.self); !ok {
		return fmt.Errorf("%s itself is named as lost: restart the chain at a node that stays", c.self)
	}
	c.adopt(next, l, []ring.NodeID{}, out)
	return nil
}

// mayRestart says why the chain must not restart without those named, or returns nil.
func (c *Chain) mayRestart(lost []ring.NodeID) error {
	able := 0
	for _, m := range c.placement.Members() {
		there := m.Disk != 0 && c.present(m.ID) && c.disks[m.ID] == m.Disk
		if there && m.ID != c.self && slices.Contains(lost, m.ID) {
			return fmt.Errorf("%s is named as lost, and can be reached with the disk that it had: stop it first, or let it stay", m.ID)
		}
		if there {
			able++
		}
	}
	for _, id := range lost {
		if _, ok := c.placement.Member(id); !ok {
			return fmt.Errorf("%s is named as lost, and is no member", id)
		}
	}
	if able >= c.need() {
		return fmt.Errorf("%d of %d members can be reached with the disks that they had, and that is enough to go on without a restart", able, len(c.placement.Members()))
	}
	return nil
}
