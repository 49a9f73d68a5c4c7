package chain

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// due is what this node knows of the link that should come next.
type due struct {
	dirty bool          // something has changed since it was looked at
	again time.Duration // when to look at it again; 0: when something changes
	any   bool          // something is due
	since time.Duration // since when
	ready time.Duration // since when moves could end; 0: none could
	waits string
}

// dueAt is when to look at what is due.
func (c *Chain) dueAt() time.Duration {
	if c.proposal != nil || c.placement == nil || c.desk.next != nil {
		return never
	}
	switch {
	case c.due.dirty:
		return c.next
	case c.due.again > 0:
		return max(c.due.again, c.next)
	}
	return never
}

// look proposes what is due, if that is this node's to do and has waited enough.
func (c *Chain) look(now clock.Now, out *Effects) {
	d := &c.due
	d.dirty, d.again, d.waits = false, 0, ""
	link, urgent := c.build(now)
	if link == nil {
		d.any, d.ready = false, 0
		return
	}
	if !d.any {
		d.any, d.since = true, now.Mono
	}
	if d.ready == 0 {
		d.ready = now.Mono
	}
	at := d.since
	if !urgent {
		at = d.ready + c.cfg.Gather
	}
	if first := c.first(); first != c.self {
		at = max(at, d.since+c.cfg.Patience+time.Duration(c.rank())*c.cfg.Wait*tries)
		d.waits = "it is for " + string(first) + " to propose"
	}
	switch n := c.reachable(); {
	case n < c.need():
		d.waits = fmt.Sprintf("%d members must answer and %d can be reached", c.need(), n)
		d.again = now.Mono + c.cfg.Every
	case at > now.Mono:
		d.again = at
	default:
		c.propose(now, out)
	}
}

// rank is the place of this node among the members, after all of them if it is
// none.
func (c *Chain) rank() int {
	all := c.placement.Members()
	for i, m := range all {
		if m.ID >= c.self {
			return i
		}
	}
	return len(all)
}

// build returns the link that should come next, nil for none, and whether it is
// more than moves that end while others are still on their way.
func (c *Chain) build(clock.Now) (l *place.Link, urgent bool) {
	b := builder{c: c, p: c.placement, link: place.Link{Number: c.placement.Next(place.Ordinary), Before: c.placement.Hash()}}
	switch {
	case c.forgot():
		c.due.waits = "this node had links that followed the founding and has lost them: it hears of them from a member that has not; only if all have lost them an operator restarts the chain"
		return nil, false
	case !b.p.Named():
		return b.founders(), len(b.p.Members()) == 1 // others wait: a member that knows better may be heard first
	case b.ignorant():
		return nil, false
	case b.forced():
		return &b.link, true
	}
	b.members()
	b.checkpoint()
	b.moves()
	if !b.changed && len(b.link.Moves) == 0 {
		return nil, false
	}
	return &b.link, b.changed || b.urgent || b.onWay == 0
}

// builder makes a link.
type builder struct {
	c       *Chain
	p       *place.Placement
	link    place.Link
	changed bool // the members are others, or there is a checkpoint
	urgent  bool // moves begin or are aborted
	onWay   int  // partitions that move and can't end yet
	size    int
	scratch []byte
	coming  map[ring.NodeID]int // partitions on their way to each
	freed   map[ring.NodeID]int // of these, how many end or are aborted in this link
}

// founders names the disks of all founders, once they all have been seen.
func (b *builder) founders() *place.Link {
	for _, m := range b.p.Members() {
		if m.Disk = b.c.disks[m.ID]; m.Disk == 0 {
			b.c.due.waits = fmt.Sprintf("the disk of %s has not been seen, and no founder can be left out", m.ID)
			return nil
		}
		b.link.Members = append(b.link.Members, m)
	}
	return &b.link
}

// ignorant says whether the history that is known here is older than the placement: it
// has not heard of all members. Who has lost its disk begins so.
func (b *builder) ignorant() bool {
	t := b.c.target
	if t == nil || t.Members == nil {
		return false
	}
	for _, m := range b.p.Members() {
		if _, joined := slices.BinarySearch(t.Members, m.ID); !joined && !t.removed(m.ID) {
			b.c.due.waits = fmt.Sprintf("the history that is known here says nothing of %s: it is heard from a node that has it; if that was lost right after %s had joined, join it again", m.ID, m.ID)
			return true
		}
	}
	return false
}

// forced removes who is given up, by a link of its own.
func (b *builder) forced() bool {
	t := b.c.target
	if t == nil || len(t.Forced) == 0 {
		return false
	}
	for _, m := range b.p.Members() {
		if !slices.Contains(t.Forced, m.ID) {
			b.link.Members = append(b.link.Members, m)
		}
	}
	if n := len(b.link.Members); n == 0 || n == len(b.p.Members()) {
		b.link.Members = nil
		return false
	}
	b.link.Act = place.Forced
	return true
}

// checkpoint makes a checkpoint of the history that all members have.
func (b *builder) checkpoint() {
	if cp := b.c.checkpoint; cp.Count > b.p.Checkpoint().Count {
		b.link.Checkpoint, b.changed = cp, true
	}
}

// leaves says whether a member has left and holds nothing any more.
func (b *builder) leaves(id ring.NodeID) bool {
	t := b.c.target
	return t != nil && t.Members != nil && !slices.Contains(t.Members, id) && b.c.clean[id] == b.p.Number() && !b.c.placement.Holds(id)
}

// canSpare says whether those who stay could choose the next link by themselves: else
// who leaves has a say until they can. A member that is down or has lost its disk is
// then named anew, or removed by force, with the help of who leaves.
func (b *builder) canSpare() bool {
	stay, able := 0, 0
	for _, m := range b.p.Members() {
		if b.leaves(m.ID) {
			continue
		}
		stay++
		if b.c.present(m.ID) {
			able++
		}
	}
	return able > stay/2
}

// members names new disks and who has joined, and leaves out who holds nothing any
// more.
func (b *builder) members() {
	c, t := b.c, b.c.target
	letGo := b.canSpare()
	for _, m := range b.p.Members() {
		if letGo && b.leaves(m.ID) {
			b.changed = true
			continue
		}
		if d := c.disks[m.ID]; d != 0 && d != m.Disk {
			m.Disk, b.changed = d, true
		}
		b.link.Members = append(b.link.Members, m)
	}
	if t == nil {
		return
	}
	for _, id := range t.Members {
		if _, ok := b.p.Member(id); ok || c.disks[id] == 0 || !c.present(id) || len(b.link.Members) >= place.MaxMembers {
			continue
		}
		if id != c.self && !c.heard[id] { // it may be of another cluster
			c.due.waits = fmt.Sprintf("%s has not said yet by which placement it goes", id)
			continue
		}
		at, _ := slices.BinarySearchFunc(b.link.Members, id, func(m place.Member, id ring.NodeID) int { return compareIDs(m.ID, id) })
		b.link.Members = slices.Insert(b.link.Members, at, place.Member{ID: id, Disk: c.disks[id]})
		b.changed = true
	}
}
