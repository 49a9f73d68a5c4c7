package node

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// cluster is a few nodes whose messages travel one by one, in order, and whose
// disks sync at once. Tests hold back or lose what they like.
type cluster struct {
	t       testing.TB
	sum     causal.Sum
	nodes   []*testNode
	now     clock.Now
	replies []Reply
	facts   []fact.Fact
	hold    func(from ring.NodeID, s *Send) bool // true: the message is kept
	held    []heldSend
	queue   []heldSend
}

type heldSend struct {
	from ring.NodeID
	send Send
}

type testNode struct {
	id      ring.NodeID
	core    *Node
	replica *replica.Replica
	records map[string][]byte
	fail    func(op *replica.Op) (replica.Answer, bool)
	out     Out
	asked   int // operations of the own storage
}

func newCluster(t *testing.T, size int, cfg Config) *cluster {
	t.Helper()
	return newClusterFor(t, size, cfg)
}

func newClusterFor(t testing.TB, size int, cfg Config) *cluster {
	t.Helper()
	cfg.Reap.Off = true // a world of its own: see the simulator
	c := &cluster{t: t, now: clock.Now{Mono: time.Second, Wall: 1_700_000_000_000}}
	members := make([]ring.Node, size)
	for i := range members {
		members[i] = ring.Node{ID: ring.NodeID('a' + rune(i)), Weight: 1}
	}
	tokens, err := ring.Assign(16, members)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(members, tokens)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Repair.Off = true // so that it comes to rest
	cfg.Sealer = causal.NewSealer([]byte("a key for tests"))
	for i, m := range members {
		cfg.Run = uint64(i + 1)
		n := &testNode{id: m.ID, records: map[string][]byte{}, replica: replica.New(replica.Config{Run: uint64(i + 1), Seed: 7})}
		n.core = New(cfg, &View{Self: m.ID, Ring: r, Buckets: Buckets{Default: member.DefaultBucket()}})
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		for _, p := range c.nodes {
			if p != n {
				c.step(n, &Link{Peer: p.id, Up: true})
			}
		}
	}
	return c
}

func (c *cluster) node(id ring.NodeID) *testNode {
	for _, n := range c.nodes {
		if n.id == id {
			return n
		}
	}
	c.t.Fatalf("no node %q", id)
	return nil
}

// owners is the preference list of a key.
func (c *cluster) owners(k ring.Key) []ring.NodeID {
	r := c.nodes[0].core.view.Ring
	return r.Preference(r.Partition(k.Pos), 3)
}

// step gives a node an input and carries out what it wants until its storage
// has nothing left to do.
func (c *cluster) step(n *testNode, in Input) {
	n.core.Step(c.now, in, &n.out)
	for len(n.out.Ops) > 0 {
		ops := n.out.Ops
		n.out.Ops = nil
		for i := range ops {
			c.run(n, &ops[i])
		}
	}
	for _, s := range n.out.Sends {
		if c.hold != nil && c.hold(n.id, &s) {
			c.held = append(c.held, heldSend{n.id, s})
			continue
		}
		c.queue = append(c.queue, heldSend{n.id, s})
	}
	c.replies = append(c.replies, n.out.Replies...)
	c.facts = append(c.facts, n.out.Facts...)
	n.out.Reset()
}

func (c *cluster) run(n *testNode, op *replica.Op) {
	n.asked++
	if n.fail != nil {
		if a, ok := n.fail(op); ok {
			a.ID, a.Verb = op.ID, op.Verb
			n.core.Step(c.now, &Completion{Answer: a}, &n.out)
			return
		}
	}
	key := op.Key.Bucket + "/" + op.Key.Name
	res := n.replica.Do(c.now, n.records[key], op, nil)
	if res.Record != nil {
		n.records[key] = res.Record
	}
	if op.Silent {
		return
	}
	a := res.Answer
	if op.Verb == replica.Write && a.Status == replica.Have {
		n.core.Step(c.now, &Completion{Answer: a}, &n.out)
		a.State = nil
	}
	a.Durable = true
	n.core.Step(c.now, &Completion{Answer: a}, &n.out)
}

// flow delivers what is under way until nothing is.
func (c *cluster) flow() {
	for len(c.queue) > 0 {
		m := c.queue[0]
		c.queue = c.queue[1:]
		c.deliver(m)
	}
}

func (c *cluster) deliver(m heldSend) {
	c.step(c.node(m.send.To), &Delivery{From: m.from, Session: 1, Message: m.send.Message})
}

// wait lets time pass at every node.
func (c *cluster) wait(d time.Duration) {
	c.now.Mono += d
	c.now.Wall += d.Milliseconds()
	for _, n := range c.nodes {
		c.step(n, Tick{})
	}
	c.flow()
}

// do sends a request to a node, lets it flow and returns the reply.
func (c *cluster) do(at ring.NodeID, r *Request) Reply {
	c.t.Helper()
	before := len(c.replies)
	c.step(c.node(at), r)
	c.flow()
	if got := len(c.replies) - before; got != 1 {
		c.t.Fatalf("%d replies, want 1", got)
	}
	return c.replies[before]
}

func put(k ring.Key, value string, context []byte) *Request {
	return &Request{ID: 1, Verb: Put, Key: k, Value: []byte(value), Context: context, HasContext: context != nil}
}

func values(r Reply) string {
	s := ""
	for i, v := range r.Siblings {
		if i > 0 {
			s += ","
		}
		s += string(v.Data)
	}
	return s
}

func code(r Reply) ouro.Code {
	if r.Err == nil {
		return ""
	}
	return r.Err.Code
}

// store returns the state of a key that one value was put to.
func (c *cluster) store(at ring.NodeID, k ring.Key, value string) causal.State {
	c.t.Helper()
	c.do(at, put(k, value, nil))
	raw, err := replica.StateOf(c.node(at).records[k.Bucket+"/"+k.Name])
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := causal.DecodeState(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	c.sum = causal.Digest(raw, 7)
	return s
}
