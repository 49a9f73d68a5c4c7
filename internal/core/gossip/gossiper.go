package gossip

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Gossiper is one node's part in spreading the history. It is fed the time, what
// others say and what the disk has, and says what to send and to store.
type Gossiper struct {
	cfg  Config
	rand *rand.Rand
	self ring.NodeID

	stored  Durable // on disk: what is told, and what this node goes by
	latest  Durable // with what is on its way there
	seq     uint64
	storing bool
	inStore Durable
	wanted  [16]byte // a checkpoint that this node does not have the changes for yet

	members []member.Member
	others  []target // peers and seeds that are no members
	heard   []*heard // by id
	next    time.Duration
	resume  resume
	stats   Stats
	scratch []byte
}

// resume is a difference of which one page came.
type resume struct {
	from    ring.NodeID
	addr    string
	through member.Key
}

// New returns a machine that goes on from what the disk has kept. It is to be
// told the members, see [Gossiper.Members].
func New(cfg Config, self ring.NodeID, kept Durable, now clock.Now) *Gossiper {
	cfg = cfg.withDefaults()
	g := &Gossiper{
		cfg: cfg, self: self, stored: kept, latest: kept,
		rand: rand.New(rand.NewPCG(cfg.Seed, 0x676f737369707300)),
	}
	g.next = now.Mono + g.pause()/2
	g.targets()
	return g
}

// pause is how long to the next exchange: about Every, so that nodes that were
// started together do not stay in step.
func (g *Gossiper) pause() time.Duration {
	return g.cfg.Every*3/4 + time.Duration(g.rand.Int64N(int64(g.cfg.Every)/2+1))
}

// History returns what this node goes by: it is on its disk.
func (g *Gossiper) History() member.History { return g.stored.History }

// Latest returns the history with what is on its way to the disk: a change is
// planned against it and issued on top of it.
func (g *Gossiper) Latest() member.History { return g.latest.History }

// Stats returns what was counted since the start.
func (g *Gossiper) Stats() Stats { return g.stats }

// Deadline says when [Gossiper.Tick] is to be called next.
func (g *Gossiper) Deadline() time.Duration { return g.next }

// Tick begins an exchange when one is due.
func (g *Gossiper) Tick(now clock.Now, out *Effects) {
	if now.Mono < g.next {
		return
	}
	g.next = now.Mono + g.pause()
	if t, ok := g.choose(); ok {
		g.stats.Rounds++
		g.digest(now, t, member.Key{}, out)
	}
}

// digest asks a node whether its history is the same.
func (g *Gossiper) digest(now clock.Now, t target, through member.Key, out *Effects) {
	g.send(now, t, Message{Summary: g.stored.History.Summary(through)}, out)
}

// send sends a message to a node, and counts it.
func (g *Gossiper) send(now clock.Now, t target, m Message, out *Effects) {
	m.Cluster, m.Addr, m.Wall = g.cfg.Cluster, g.cfg.Addr, now.Wall
	g.scratch = AppendMessage(g.scratch[:0], &m)
	g.stats.Sent++
	g.stats.SentBytes += uint64(len(g.scratch))
	if m.Page != nil {
		g.stats.Pages++
	}
	out.Sends = append(out.Sends, Send{t.id, t.addr, m})
}

// Deliver takes a message from a node.
func (g *Gossiper) Deliver(now clock.Now, from ring.NodeID, m *Message, out *Effects) {
	if from == g.self {
		return
	}
	g.stats.Received++
	if m.Cluster != g.cfg.Cluster {
		g.refuse(now, from, "it is of another cluster: check the seeds and the cluster's name", out)
		return
	}
	g.hear(now, from, m)
	t := target{from, m.Addr}
	switch {
	case m.Page != nil:
		g.page(now, t, m, out)
	case !g.stored.History.Same(&m.Summary):
		p := g.stored.History.Page(g.stored.History.Common(&m.Summary), g.cfg.PageBytes)
		g.send(now, t, Message{Summary: g.stored.History.Summary(member.Key{}), Page: &p}, out)
	}
	g.store(out)
}

// page takes a part of another's history, and answers with what it lacks there.
func (g *Gossiper) page(now clock.Now, from target, m *Message, out *Effects) {
	if err := g.latest.History.Joins(m.Page.Changes); err != nil {
		g.refuse(now, from.id, err.Error(), out)
		return
	}
	g.about(from.id).why = ""
	if !m.Answer {
		if p := g.stored.History.Lacking(m.Page, g.cfg.PageBytes); len(p.Changes) > 0 {
			g.send(now, from, Message{Summary: g.stored.History.Summary(member.Key{}), Page: &p, Answer: true}, out)
		}
		if m.Page.More {
			g.resume = resume{from.id, from.addr, m.Page.Upto}
		}
	}
	if g.merge(g.latest.History.Take(m.Page.Changes)) {
		g.stats.Merged += uint64(len(m.Page.Changes))
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.Merged, At: now.Mono, Peer: string(from.id), N: len(m.Page.Changes), Note: tell(m.Page.Changes)})
	}
	if !g.dirty() && !g.storing {
		g.goOn(now, out)
	}
}

// tell names the changes of a page.
func tell(changes []member.Change) string {
	switch n := len(changes); n {
	case 0:
		return ""
	case 1:
		return changes[0].String()
	default:
		return fmt.Sprintf("%v to %v", changes[0], changes[n-1])
	}
}

// goOn asks for the next page of a long difference.
func (g *Gossiper) goOn(now clock.Now, out *Effects) {
	if r := g.resume; r.from != "" {
		g.resume = resume{}
		g.digest(now, target{r.from, r.addr}, r.through, out)
	}
}
