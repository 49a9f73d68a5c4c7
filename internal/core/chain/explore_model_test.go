package chain

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The model of RULES R13, after models/voters, over the real machines: A and B
// propose different links, C is slow (everybody is: messages arrive in any order,
// again, or never), crashes, or loses its disk. Nothing that was ever sent goes
// away. What a node does depends on itself and on the event alone, so it is asked
// of the real code once and looked up from then on.

// exploration is a scope of the search.
type exploration struct {
	name    string
	ballots [2]int // that A and B may begin
	crashes int    // of C
	wipes   int    // of C
	alike   bool   // planted bug: the lost disk comes back under its old name
}

const (
	nodeA = iota
	nodeB
	nodeC
)

var names = [...]ring.NodeID{"A", "B", "C"}

// exploreNow stands still: the model alone says when something is tried again.
var exploreNow = clock.Now{Mono: 1, Wall: 1}

// local is a node's state, with what is on its disk and what it may do yet.
type local struct {
	c       *Chain
	disk    Durable
	store   Store // under way; Seq 0: none
	ballots int
	crashes int
	wipes   int
}

// global is a state of the cluster: indexes of local states, and the messages that
// were ever sent.
type global struct {
	nodes [3]int32
	sent  [4]uint64
}

// happening is what an event led to at one node.
type happening struct {
	next int32
	sent []int32
}

type parcel struct {
	from, to int8
	bytes    string
}

type explorer struct {
	t        testing.TB
	x        exploration
	locals   []*local
	index    map[string]int32
	parcels  []parcel
	messages []*Message
	known    map[parcel]int32
	events   map[[2]int32]*happening // by local state and event
	chosen   map[place.Hash]bool     // links of number 4 that were adopted in some state
}

// Events: a message counts from events on.
const (
	eventPropose = iota
	eventSynced
	eventCrash
	eventWipe
	events
)

// clone copies a machine, so that what happens to the copy leaves it alone.
func (c *Chain) clone() *Chain {
	n := *c
	n.disks, n.up, n.clean = maps.Clone(c.disks), maps.Clone(c.up), maps.Clone(c.clean)
	n.desk.held = slices.Clone(c.desk.held)
	n.links, n.proofs = slices.Clone(c.links), slices.Clone(c.proofs)
	n.fetch.bytes = slices.Clone(c.fetch.bytes)
	if c.proposal != nil {
		p := *c.proposal
		p.answered = slices.Clone(p.answered)
		n.proposal = &p
	}
	return &n
}

// still takes all away from a machine that time would do.
func (c *Chain) still() {
	c.next, c.tellAt, c.own.due, c.own.times = never, never, false, 0
	c.failures, c.due, c.ahead, c.aheadTo = 0, due{}, "", 0
	c.fetch.deadline = 0
	if c.proposal != nil {
		c.proposal.at, c.proposal.asked = never, 0
	}
}

// key tells states apart: two with one key do the same for ever.
func (l *local) key() string {
	c := l.c
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d %d %d|%d %d|", l.ballots, l.crashes, l.wipes, c.disk, c.run)
	if c.placement != nil {
		b.Write(c.placement.Append(nil))
	}
	b.Write(AppendVote(nil, &c.desk.vote))
	d := &c.desk
	fmt.Fprintf(&b, "|%d %d %v %v|", d.version-d.synced, d.version-d.writing, d.seq != 0, d.adopts)
	if d.next != nil {
		b.Write(d.next.Append(nil))
		fmt.Fprint(&b, d.link != nil, d.tell)
	}
	for _, h := range d.held {
		fmt.Fprintf(&b, "|%d %s ", d.version-h.version, h.to)
		b.Write(AppendMessage(nil, h.m))
	}
	if p := c.proposal; p != nil {
		b.Write(AppendMessage(nil, &Message{Kind: Accept, Ballot: p.ballot, Link: p.link}))
		b.Write(AppendMessage(nil, &Message{Kind: Accept, Ballot: p.best, Link: p.found}))
		fmt.Fprint(&b, p.answered)
	}
	fmt.Fprintf(&b, "|%d %s %d|", c.round, c.fetch.from, len(c.fetch.bytes))
	if l.disk.Placement != nil {
		b.Write(l.disk.Placement.Append(nil))
	}
	b.Write(AppendVote(nil, &l.disk.Vote))
	if l.store.Seq != 0 {
		b.Write(AppendVote(nil, &l.store.Vote))
		fmt.Fprint(&b, l.store.Placement != nil)
	}
	return b.String()
}

func (e *explorer) intern(l *local) int32 {
	l.c.still()
	k := l.key()
	if id, ok := e.index[k]; ok {
		return id
	}
	id := int32(len(e.locals))
	e.locals = append(e.locals, l)
	e.index[k] = id
	return id
}

// messageID numbers what is sent and may change what is chosen. Nobody needs a
// Reject: whoever may propose may do so again at any time.
func (e *explorer) messageID(from int, s Send) (int32, bool) {
	if k := s.Message.Kind; k < Prepare || k > Accepted {
		return 0, false
	}
	p := parcel{int8(from), int8(slices.Index(names[:], s.To)), string(AppendMessage(nil, s.Message))}
	id, ok := e.known[p]
	if !ok {
		id = int32(len(e.parcels))
		if id >= 256 {
			e.t.Fatal("more than 256 messages")
		}
		m, err := DecodeMessage([]byte(p.bytes))
		if err != nil {
			e.t.Fatal(err)
		}
		e.known[p] = id
		e.parcels, e.messages = append(e.parcels, p), append(e.messages, m)
	}
	return id, true
}

// at lets an event happen to a local state; nil: it can't, or changes nothing.
func (e *explorer) at(node int, state, event int32) *happening {
	k := [2]int32{state, event}
	if h, ok := e.events[k]; ok {
		return h
	}
	was := e.locals[state]
	l := *was
	l.c = was.c.clone()
	var out Effects
	var h *happening
	if e.happens(node, &l, event, &out) {
		h = &happening{}
		e.effects(node, &l, &out, h)
		h.next = e.intern(&l)
		if h.next == state && len(h.sent) == 0 {
			h = nil
		}
	}
	e.events[k] = h
	return h
}

func (e *explorer) happens(node int, l *local, event int32, out *Effects) bool {
	switch event {
	case eventPropose:
		if node == nodeC || l.ballots == 0 || l.c.desk.next != nil || l.c.number() != 3 {
			return false
		}
		l.ballots--
		l.c.proposal = nil
		l.c.propose(exploreNow, out)
	case eventSynced:
		if l.store.Seq == 0 {
			return false
		}
		e.sync(l, out)
	case eventCrash:
		if l.crashes == 0 {
			return false
		}
		l.crashes--
		e.restart(node, l)
	case eventWipe:
		if l.wipes == 0 {
			return false
		}
		l.wipes--
		l.disk.Vote = Vote{} // and has copied all that others know
		if !e.x.alike {
			l.c.disk += 10
		}
		e.restart(node, l)
	default:
		l.c.Hear(exploreNow, names[e.parcels[event-events].from], e.messages[event-events], out)
	}
	return true
}

// sync puts on disk what is under way.
func (e *explorer) sync(l *local, out *Effects) {
	seq := l.store.Seq
	l.disk.Vote = l.store.Vote
	if l.store.Placement != nil {
		l.disk.Placement = l.store.Placement
	}
	l.store = Store{}
	l.c.Stored(exploreNow, seq, out)
}

// restart begins a new process on what is on disk.
func (e *explorer) restart(node int, l *local) {
	run := l.c.run
	l.c = New(Config{}, names[node], l.c.disk, l.disk, rand.New(rand.NewPCG(1, 1)))
	l.c.run = run + 100
	l.c.still()
	for _, id := range names {
		if id != names[node] {
			l.c.up[id] = true
		}
	}
	l.store = Store{}
}

// effects takes what a machine wants. What A and B write is synced at once: only C
// crashes.
func (e *explorer) effects(node int, l *local, out *Effects, h *happening) {
	for {
		for _, s := range out.Sends {
			if id, ok := e.messageID(node, s); ok && !slices.Contains(h.sent, id) {
				h.sent = append(h.sent, id)
			}
		}
		if !out.Storing {
			return
		}
		l.store = out.Store
		if node == nodeC {
			return
		}
		l.c.still()
		*out = Effects{}
		e.sync(l, out)
	}
}

// newExplorer begins with a partition on its way from A, B to A, C: A wants the
// move aborted, B has what ends it.
func newExplorer(t testing.TB, x exploration) (*explorer, global) {
	e := &explorer{
		t: t, x: x, index: map[string]int32{}, known: map[parcel]int32{}, events: map[[2]int32]*happening{}, chosen: map[place.Hash]bool{},
	}
	p, proof := moving(t)
	var g global
	for i, id := range names {
		l := &local{disk: Durable{Placement: p}}
		l.c = New(Config{}, id, uint64(i+1), l.disk, rand.New(rand.NewPCG(1, 1)))
		e.restart(i, l)
		l.c.run = uint64(i)
		old, fresh := p.Of(0).Old, p.Of(0).New
		l.c.target = &Target{Members: names[:], Promises: []place.Promise{{N: 2, W: 2, R: 1}}, Lists: [][]ring.NodeID{fresh}}
		switch i {
		case nodeA:
			l.ballots = x.ballots[nodeA]
			l.c.target.Lists = [][]ring.NodeID{old}
		case nodeB:
			l.ballots = x.ballots[nodeB]
			l.c.proofs = []Ready{{0, proof}}
		case nodeC:
			l.crashes, l.wipes = x.crashes, x.wipes
		}
		g.nodes[i] = e.intern(l)
	}
	return e, g
}

func moving(t testing.TB) (*place.Placement, place.Proof) {
	t.Helper()
	nodes := []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}}
	tokens, err := ring.EqualTokens(1)
	if err != nil {
		t.Fatal(err)
	}
	tokens[0].Owner = "A"
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	p := place.Founded(place.Hash{7}, r, 1)
	for i := range 2 {
		l := &place.Link{Number: p.Next(place.Ordinary), Before: p.Hash(), Members: []place.Member{{ID: "A", Disk: 1}, {ID: "B", Disk: 2}, {ID: "C", Disk: 3}}}
		if i == 1 {
			l.Moves = []place.Move{{Old: []ring.NodeID{"A"}, New: []ring.NodeID{"C"}}}
		}
		if p, err = p.Follow(l); err != nil {
			t.Fatal(err)
		}
	}
	return p, place.Proof{Who: "C", Disk: 3, Number: 3, N: 2, W: 2, R: 1, Sources: []ring.NodeID{"A"}, Sealed: []ring.NodeID{"A"}}
}
