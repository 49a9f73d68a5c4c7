package gossip

import (
	"bytes"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// world is some nodes that gossip, in virtual time. Messages go through their
// form in bytes; a disk takes a while.
type world struct {
	t       testing.TB
	rand    *rand.Rand
	now     time.Duration
	nodes   map[ring.NodeID]*node
	order   []ring.NodeID
	at      map[string]ring.NodeID // who lives at an address
	events  events
	seq     int
	latency time.Duration
	loss    float64
	cut     func(a, b ring.NodeID) bool
	folds   bool // members follow from the history; else they are told once
}

type node struct {
	*Gossiper
	id    ring.NodeID
	cfg   Config
	disk  []byte
	out   Effects
	life  int // events of earlier lives are void
	wall  int64
	notes []string
}

type event struct {
	at   time.Duration
	seq  int
	to   ring.NodeID
	life int // 0: any
	do   func(*node)
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newWorld(t testing.TB, seed uint64) *world {
	return &world{
		t: t, rand: rand.New(rand.NewPCG(seed, 7)), nodes: map[ring.NodeID]*node{}, at: map[string]ring.NodeID{},
		latency: 5 * time.Millisecond, folds: true,
	}
}

func addr(id ring.NodeID) string { return string(id) + ":7071" }

// start starts a node, for the first time or again.
func (w *world) start(id ring.NodeID, h member.History, seeds ...string) *node {
	n := w.nodes[id]
	if n == nil {
		n = &node{id: id, cfg: Config{
			Cluster: member.ClusterID("shop"), Addr: addr(id), Seeds: seeds, Seed: w.rand.Uint64(), PageBytes: 1 << 16,
		}}
		kept := Durable{History: h}
		n.disk = AppendDurable(nil, &kept)
		w.nodes[id] = n
		w.order = append(w.order, id)
		w.at[addr(id)] = id
	}
	n.life++
	kept, err := DecodeDurable(n.disk)
	if err != nil {
		w.t.Fatal(err)
	}
	n.Gossiper = New(n.cfg, id, kept, w.clock(n))
	n.out.Reset()
	w.told(n)
	w.wake(n)
	return n
}

func (w *world) clock(n *node) clock.Now {
	return clock.Now{Mono: w.now, Wall: 1_000_000_000_000 + w.now.Milliseconds() + n.wall}
}

// told folds the history and tells who is a member.
func (w *world) told(n *node) {
	if !w.folds {
		return
	}
	var members []member.Member
	if c, err := n.History().Fold(); err == nil {
		members = c.Members
	}
	n.Members(members, &n.out)
	w.effects(n)
}

func (w *world) push(after time.Duration, to ring.NodeID, life int, do func(*node)) {
	w.seq++
	heap.Push(&w.events, &event{w.now + after, w.seq, to, life, do})
}

// wake has the node's deadline kept.
func (w *world) wake(n *node) {
	w.push(n.Deadline()-w.now, n.id, n.life, func(n *node) {
		n.Tick(w.clock(n), &n.out)
		w.effects(n)
		w.wake(n)
	})
}

// effects does what a node wants done.
func (w *world) effects(n *node) {
	for _, s := range n.out.Sends {
		to := s.To
		if to == "" {
			to = w.at[s.Addr]
		}
		if to == "" || w.rand.Float64() < w.loss || w.cut != nil && w.cut(n.id, to) {
			continue
		}
		b := AppendMessage(nil, &s.Message)
		from := n.id
		w.push(w.latency/2+time.Duration(w.rand.Int64N(int64(w.latency))), to, 0, func(n *node) {
			m, err := DecodeMessage(b)
			if err != nil {
				w.t.Fatal(err)
			}
			n.Deliver(w.clock(n), from, m, &n.out)
			w.effects(n)
		})
	}
	for _, f := range n.out.Facts {
		n.notes = append(n.notes, f.String())
	}
	if seq := n.out.Seq; seq != 0 {
		b := AppendDurable(nil, &n.out.Store)
		w.push(w.latency, n.id, n.life, func(n *node) {
			n.disk = b
			n.Stored(w.clock(n), seq, &n.out)
			w.effects(n)
		})
	}
	changed := n.out.Changed
	n.out.Reset()
	if changed {
		w.told(n)
	}
}

// run lets time pass until it is over or done says so, and returns how long it
// took.
func (w *world) run(limit time.Duration, done func() bool) time.Duration {
	from := w.now
	for len(w.events) > 0 && w.events[0].at <= from+limit {
		if done != nil && done() {
			return w.now - from
		}
		e := heap.Pop(&w.events).(*event)
		w.now = e.at
		if n := w.nodes[e.to]; n != nil && (e.life == 0 || e.life == n.life) {
			e.do(n)
		}
	}
	w.now = from + limit
	return limit
}

func (w *world) issue(id ring.NodeID, changes ...member.Change) {
	w.t.Helper()
	n := w.nodes[id]
	if _, err := n.Issue(w.clock(n), changes, &n.out); err != nil {
		w.t.Fatal(err)
	}
	w.effects(n)
}

// agreed says whether all nodes go by one history.
func (w *world) agreed() bool {
	first := w.nodes[w.order[0]].History()
	for _, id := range w.order {
		if w.nodes[id].History().Digest() != first.Digest() {
			return false
		}
	}
	return true
}

func (w *world) stats() (s Stats) {
	for _, id := range w.order {
		n := w.nodes[id].Stats()
		s.Rounds += n.Rounds
		s.Sent += n.Sent
		s.SentBytes += n.SentBytes
		s.Pages += n.Pages
		s.Merged += n.Merged
	}
	return s
}

func of(id string) member.Member {
	return member.Member{Node: ring.Node{ID: ring.NodeID(id), Weight: 1}, Addr: addr(ring.NodeID(id))}
}

func named(n int) []member.Member {
	var out []member.Member
	for i := range n {
		out = append(out, of(fmt.Sprintf("n%03d", i)))
	}
	return out
}

func genesis(t testing.TB, q int, members ...member.Member) member.History {
	t.Helper()
	h, err := member.Genesis("shop", members, q)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// formed is a ring that an operator formed at one node.
func formed(t testing.TB, wall int64, id string, q int) member.History {
	t.Helper()
	c, err := member.NewFounding("shop", []member.Member{of(id)}, q)
	if err != nil {
		t.Fatal(err)
	}
	h, err := member.History{}.Issue(wall, ring.NodeID(id), c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func add(id string) member.Change    { return member.Change{Kind: member.Add, Member: of(id)} }
func remove(id string) member.Change { return member.Change{Kind: member.Remove, Member: of(id)} }

func equal(a, b member.History) bool { return bytes.Equal(a.Append(nil), b.Append(nil)) }
