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

// keepLinks is how many links are kept for those one behind and for operators.
const keepLinks = 32

// fetch is a placement on its way from a peer, page by page.
type fetch struct {
	from     ring.NodeID // "": none is
	number   uint64
	hash     place.Hash
	bytes    []byte
	deadline time.Duration
}

func (f *fetch) at() time.Duration {
	if f.from == "" {
		return never
	}
	return f.deadline
}

// follow looks at where the sender stands, and takes what it has newer. It returns
// whether the message is to be looked at further.
func (c *Chain) follow(now clock.Now, from ring.NodeID, m *Message, out *Effects) bool {
	if m.Number > 0 && (c.foreign(m.Origin) || c.second(m.First)) {
		delete(c.heard, from)
		c.diverge(now, from, m.Number, out)
		return false
	}
	if !c.heard[from] && c.up[from] {
		c.heard[from], c.due.dirty = true, true
	}
	switch {
	case m.Kind == Fetch:
		c.serve(from, m, out)
		return false
	case m.Number > c.number():
		if m.Number > c.aheadTo {
			c.ahead, c.aheadTo = from, m.Number
		}
		c.learn(now, from, m, out)
		return false
	case m.Number < c.number():
		if m.Kind == Tell || m.Kind == Prepare || m.Kind == Accept || m.Kind == Report {
			c.bring(from, m, out)
		}
		return false
	case c.placement != nil && m.Hash != c.placement.Hash():
		c.diverge(now, from, m.Number, out)
		return false
	}
	c.diverged = slices.DeleteFunc(slices.Clone(c.diverged), func(id ring.NodeID) bool { return id == from })
	return true
}

// foreign says whether a chain is another than the own one.
func (c *Chain) foreign(origin place.Hash) bool {
	own := c.cfg.Origin
	if c.placement != nil {
		own = c.placement.Origin()
	}
	return own != place.Hash{} && own != origin
}

// second says whether a chain of the own founding begins with another first link: all
// founders had lost the one, and chose the other (decision 0034).
func (c *Chain) second(first place.Hash) bool {
	none := place.Hash{}
	return c.placement != nil && c.placement.First() != none && first != none && first != c.placement.First()
}

// diverge is the alarm of R12: two chains of one number, or of two foundings, or two of
// one. The other is refused; only an operator can say which one stays.
func (c *Chain) diverge(now clock.Now, from ring.NodeID, number uint64, out *Effects) {
	if slices.Contains(c.diverged, from) {
		return
	}
	c.diverged = append(slices.DeleteFunc(slices.Clone(c.diverged), func(id ring.NodeID) bool { return !c.around(id) }), from)
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.Diverged, At: now.Mono, Peer: string(from), N: int(number)})
}

// around says whether a node can be reached, or is a member.
func (c *Chain) around(id ring.NodeID) bool { return c.up[id] || slices.Contains(c.nodes(), id) }

// bring gives somebody who is behind the next link, or says that there is more.
func (c *Chain) bring(to ring.NodeID, m *Message, out *Effects) {
	reply := &Message{Kind: Tell}
	if l := c.lastLink(); l != nil && m.Number+1 == l.Number && m.Hash == l.Before {
		reply = &Message{Kind: Chosen, Link: l}
	}
	c.send(to, reply, out)
}

func (c *Chain) lastLink() *place.Link {
	if len(c.links) == 0 || c.links[len(c.links)-1].Number != c.number() {
		return nil
	}
	return c.links[len(c.links)-1]
}

func (c *Chain) keepLink(l *place.Link) {
	if l == nil {
		return
	}
	if len(c.links) >= keepLinks {
		c.links = append(c.links[:0:0], c.links[1:]...)
	}
	c.links = append(c.links, l)
}

// learn takes a link or a page that leads beyond the own placement, or asks for
// it.
func (c *Chain) learn(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	switch {
	case c.desk.next != nil:
		return
	case m.Kind == Page:
		c.page(now, from, m, out)
		return
	case m.Kind == Chosen && c.placement != nil:
		l := m.Link
		if l == nil {
			l = c.desk.vote.Link
		}
		if l == nil || l.Before != c.placement.Hash() {
			break
		}
		next, err := c.placement.Follow(l)
		if err == nil && next.Hash() == m.Hash {
			c.adopt(next, l, nil, out)
			return
		}
	}
	c.Fetch(now, from, out)
}

// Fetch asks a peer for its placement: it showed a higher number, or a lower one
// was refused. One is fetched at a time.
func (c *Chain) Fetch(now clock.Now, peer ring.NodeID, out *Effects) {
	if c.fetch.from != "" && c.fetch.deadline > now.Mono || c.desk.next != nil || peer == c.self {
		return
	}
	c.fetch = fetch{from: peer}
	c.more(now, out)
}

func (c *Chain) more(now clock.Now, out *Effects) {
	c.fetch.deadline = now.Mono + c.cfg.Wait
	c.send(c.fetch.from, &Message{Kind: Fetch, Offset: len(c.fetch.bytes)}, out)
}

// serve sends a page. It keeps nothing of who fetches.
func (c *Chain) serve(to ring.NodeID, m *Message, out *Effects) {
	switch {
	case c.placement == nil:
		return
	case m.Number >= c.number():
		c.send(to, &Message{Kind: Tell}, out)
		return
	case m.Offset == 0 && c.lastLink() != nil && c.lastLink().Before == m.Hash:
		c.bring(to, m, out)
		return
	}
	if c.encoded == nil {
		c.encoded = c.placement.Append(nil)
	}
	from := min(max(m.Offset, 0), len(c.encoded))
	bytes := c.encoded[from:min(from+c.cfg.MaxPage, len(c.encoded))]
	c.send(to, &Message{Kind: Page, Offset: from, Total: len(c.encoded), Bytes: bytes}, out)
}

// page takes a page of what is fetched. If the peer has gone on, all begins again.
func (c *Chain) page(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	f := &c.fetch
	if f.from != from || m.Total > c.cfg.MaxPlacement || len(m.Bytes) == 0 {
		return
	}
	if m.Offset != 0 && (m.Number != f.number || m.Hash != f.hash) {
		f.bytes = nil
		c.more(now, out)
		return
	}
	if m.Offset != len(f.bytes) {
		return
	}
	f.number, f.hash = m.Number, m.Hash
	f.bytes = append(f.bytes, m.Bytes...)
	if len(f.bytes) < m.Total {
		c.more(now, out)
		return
	}
	p, err := place.Decode(f.bytes)
	c.fetch = fetch{}
	if err == nil && p.Number() == m.Number && p.Hash() == m.Hash && p.Origin() == m.Origin && p.First() == m.First {
		c.adopt(p, nil, nil, out)
	}
}

// changes tells in words what a link did.
func changes(before, after *place.Placement, l *place.Link) string {
	if l == nil {
		return "fetched"
	}
	var begun, ended, aborted int
	for i := range l.Moves {
		m := &l.Moves[i]
		switch {
		case m.New != nil:
			begun++
		case len(m.Proofs) > 0:
			ended++
		default:
			aborted++
		}
	}
	s := fmt.Sprintf("%d members, %d moves begun, %d ended, %d aborted", len(after.Members()), begun, ended, aborted)
	switch {
	case l.Act == place.Forced:
		s += ", members removed by force"
	case l.Act == place.Restarted:
		s += ", RESTARTED by an operator"
	case before != nil && !before.Named():
		s += ", the founders' disks named"
	case l.Checkpoint.Count > 0:
		s += fmt.Sprintf(", a checkpoint of %d changes of the history", l.Checkpoint.Count)
	}
	return s
}
