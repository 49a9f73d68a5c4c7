package gossip

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// target is somebody to begin an exchange with.
type target struct {
	id   ring.NodeID
	addr string
}

// heard is what a node said last.
type heard struct {
	id     ring.NodeID
	digest [16]byte
	ahead  time.Duration // its wall clock, of this node's
	why    string        // its history was refused last
}

// othersShare is which share of the exchanges, one out of so many, goes to those
// who are no members: rings formed apart meet within seconds, and peers that
// ceased to be cost little.
const othersShare = 4

// farthest is how far apart two clocks are taken to be at most, in milliseconds:
// a hundred years.
const farthest = 100 * 365 * 24 * 3600 * 1000

// Peers returns the nodes that were heard of and are no members.
func (g *Gossiper) Peers() []Peer { return g.latest.Peers }

// Members takes the members that follow from the history, this node perhaps
// among them. One that is none any more is remembered as a peer: two sides of a
// cut may each have removed the other.
func (g *Gossiper) Members(members []member.Member, out *Effects) {
	before := g.members
	g.members = members
	for _, m := range before {
		if !g.isMember(m.ID) && m.ID != g.self {
			g.remember(Peer{m.ID, m.Addr})
		}
	}
	g.latest.Peers = slices.DeleteFunc(slices.Clone(g.latest.Peers), func(p Peer) bool { return g.isMember(p.ID) })
	g.targets()
	g.store(out)
}

func (g *Gossiper) isMember(id ring.NodeID) bool {
	_, found := slices.BinarySearchFunc(g.members, id, func(m member.Member, id ring.NodeID) int { return strings.Compare(string(m.ID), string(id)) })
	return found
}

// remember puts a peer last of all.
func (g *Gossiper) remember(p Peer) {
	if n := len(g.latest.Peers); n > 0 && g.latest.Peers[n-1] == p {
		return
	}
	peers := slices.DeleteFunc(slices.Clone(g.latest.Peers), func(o Peer) bool { return o.ID == p.ID })
	peers = append(peers, p)
	g.latest.Peers = peers[max(0, len(peers)-g.cfg.MaxPeers):]
}

// targets finds out who is no member and may be exchanged with.
func (g *Gossiper) targets() {
	g.others = g.others[:0]
	taken := map[string]bool{g.cfg.Addr: true}
	for i := range g.members {
		taken[g.members[i].Addr] = true
	}
	for _, p := range g.latest.Peers {
		if !g.isMember(p.ID) && p.ID != g.self {
			g.others = append(g.others, target{p.ID, p.Addr})
			taken[p.Addr] = true
		}
	}
	for _, addr := range g.cfg.Seeds {
		if !taken[addr] {
			g.others = append(g.others, target{addr: addr})
			taken[addr] = true
		}
	}
}

// choose draws whom to exchange with.
func (g *Gossiper) choose() (target, bool) {
	members := len(g.members)
	if g.isMember(g.self) {
		members--
	}
	if n := len(g.others); n > 0 && (members == 0 || g.rand.IntN(othersShare) == 0) {
		return g.others[g.rand.IntN(n)], true
	}
	if members == 0 {
		return target{}, false
	}
	for {
		if m := &g.members[g.rand.IntN(len(g.members))]; m.ID != g.self {
			return target{m.ID, m.Addr}, true
		}
	}
}

// hear notes what a node's message tells beside its history.
func (g *Gossiper) hear(now clock.Now, from ring.NodeID, m *Message) {
	if !g.isMember(from) {
		if m.Addr != "" {
			g.remember(Peer{from, m.Addr})
			g.targets()
		}
	}
	h := g.about(from)
	h.digest = m.Summary.Digest
	h.ahead = time.Duration(min(max(m.Wall-now.Wall, -farthest), farthest)) * time.Millisecond
}

// about returns what is known of a node. With more than there are members and
// peers, who is neither is forgotten.
func (g *Gossiper) about(id ring.NodeID) *heard {
	i, found := g.find(id)
	if found {
		return g.heard[i]
	}
	h := &heard{id: id}
	g.heard = slices.Insert(g.heard, i, h)
	if len(g.heard) > len(g.members)+g.cfg.MaxPeers {
		g.heard = slices.DeleteFunc(g.heard, func(o *heard) bool {
			return o != h && !g.isMember(o.id) && !slices.ContainsFunc(g.latest.Peers, func(p Peer) bool { return p.ID == o.id })
		})
	}
	return h
}

// find returns where what a node said last is, or is to be.
func (g *Gossiper) find(id ring.NodeID) (int, bool) {
	return slices.BinarySearchFunc(g.heard, id, func(h *heard, id ring.NodeID) int { return cmp.Compare(h.id, id) })
}

// refuse states once why a node's history is not taken.
func (g *Gossiper) refuse(now clock.Now, from ring.NodeID, why string, out *Effects) {
	g.stats.Refused++
	if h := g.about(from); h.why != why {
		h.why = why
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.NotMerged, At: now.Mono, Peer: string(from), Note: why})
	}
}

// Refusal says why the history of a node was not taken when it was offered last; "":
// it was, or never was offered.
func (g *Gossiper) Refusal(id ring.NodeID) string {
	if i, found := g.find(id); found {
		return g.heard[i].why
	}
	return ""
}

// Agree returns how many members there are, this node included, and how many of
// them have shown the history that this node goes by.
func (g *Gossiper) Agree() (agree, members int) {
	for i := range g.members {
		if g.Has(g.members[i].ID) {
			agree++
		}
	}
	return agree, len(g.members)
}

// Has says whether a node has shown the history that this node goes by.
func (g *Gossiper) Has(id ring.NodeID) bool {
	at, found := g.find(id)
	return id == g.self || found && g.heard[at].digest == g.stored.History.Digest()
}
