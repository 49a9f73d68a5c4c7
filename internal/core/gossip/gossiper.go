package gossip

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
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

// resume is a difference of which one page came.
type resume struct {
	from    ring.NodeID
	addr    string
	through member.Key
}

// othersShare is which share of the exchanges, one out of so many, goes to those
// who are no members: rings formed apart meet within seconds, and peers that
// ceased to be cost little.
const othersShare = 4

// farthest is how far apart two clocks are taken to be at most, in milliseconds:
// a hundred years.
const farthest = 100 * 365 * 24 * 3600 * 1000

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

// Peers returns the nodes that were heard of and are no members.
func (g *Gossiper) Peers() []Peer { return g.latest.Peers }

// Stats returns what was counted since the start.
func (g *Gossiper) Stats() Stats { return g.stats }

// Deadline says when [Gossiper.Tick] is to be called next.
func (g *Gossiper) Deadline() time.Duration { return g.next }

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

// digest asks a node whether its history is the same.
func (g *Gossiper) digest(now clock.Now, t target, through member.Key, out *Effects) {
	g.send(now, t, Message{Summary: g.stored.History.Summary(through)}, out)
}

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

// merge takes a history that has more, and says whether it had.
func (g *Gossiper) merge(h member.History) bool {
	if same(h, g.latest.History) {
		return false
	}
	if g.wanted != [16]byte{} {
		if next, ok := h.Checkpoint(g.wanted); ok {
			h, g.wanted = next, [16]byte{}
		}
	}
	g.latest.History = h
	return true
}

// same says whether two histories are one and are kept in one way.
func same(a, b member.History) bool { return a.Digest() == b.Digest() && a.Len() == b.Len() }

// goOn asks for the next page of a long difference.
func (g *Gossiper) goOn(now clock.Now, out *Effects) {
	if r := g.resume; r.from != "" {
		g.resume = resume{}
		g.digest(now, target{r.from, r.addr}, r.through, out)
	}
}

// Issue adds changes that an operator made at this node, all or none. They are
// on disk when [Gossiper.Stored] was told of the number it returns, and may be
// acknowledged from then on.
func (g *Gossiper) Issue(now clock.Now, changes []member.Change, out *Effects) (uint64, error) {
	if err := g.checkClock(); err != nil {
		return 0, err
	}
	next, err := g.latest.History.Issue(now.Wall, g.self, changes...)
	if err != nil {
		return 0, err
	}
	g.merge(next)
	return g.put(out), nil
}

// checkClock refuses to stamp a change when this node's clock is far ahead: the
// stamps of all later changes would have to follow. The changes of others are
// taken whatever their stamps (RULES R37).
func (g *Gossiper) checkClock() error {
	if len(g.heard) == 0 {
		return nil
	}
	var ahead []time.Duration
	for _, h := range g.heard {
		ahead = append(ahead, -h.ahead)
	}
	slices.Sort(ahead)
	if most := ahead[len(ahead)/2]; most > g.cfg.MaxDrift {
		return fmt.Errorf("gossip: the clock of node %s is %v ahead of those of most others: set it right, or make the change at another node", g.self, most.Round(time.Second))
	}
	return nil
}

// Checkpoint folds the history up to where it had this digest, as the chain of
// links has decided (RULES R38). A node that lacks some of these changes comes
// to the checkpoint when it hears of them, or of the checkpoint itself.
func (g *Gossiper) Checkpoint(digest [16]byte, out *Effects) {
	next, ok := g.latest.History.Checkpoint(digest)
	if !ok {
		g.wanted = digest
		return
	}
	g.merge(next)
	g.store(out)
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

// dirty says whether there is more than the disk has or is about to have.
func (g *Gossiper) dirty() bool {
	have := &g.stored
	if g.storing {
		have = &g.inStore
	}
	return !same(g.latest.History, have.History) || !slices.Equal(g.latest.Peers, have.Peers)
}

// store has the latest state stored, if there is news and the disk is idle.
func (g *Gossiper) store(out *Effects) {
	if g.dirty() {
		g.put(out)
	}
}

// put returns the number under which the latest state is stored.
func (g *Gossiper) put(out *Effects) uint64 {
	if g.storing {
		return g.seq + 1 // together with what came meanwhile
	}
	g.seq++
	g.storing, g.inStore = true, g.latest
	out.Seq, out.Store = g.seq, g.latest
	return g.seq
}

// Stored tells that what had this number is on disk.
func (g *Gossiper) Stored(now clock.Now, seq uint64, out *Effects) {
	if !g.storing || seq != g.seq {
		return
	}
	g.storing = false
	out.Changed = !same(g.stored.History, g.inStore.History)
	g.stored, g.inStore = g.inStore, Durable{}
	g.store(out)
	if !g.storing {
		g.goOn(now, out)
	}
}
