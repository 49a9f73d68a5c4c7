package node

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestPendingOnlyWhereNoPrimary: a primary stores what it is sent as its own,
// whatever the sender took it for.
func TestPendingOnlyWhereNoPrimary(t *testing.T) {
	c := newCluster(t, 5, Config{})
	k := ring.NewKey("b", "k")
	primaries := c.owners(k)
	for _, n := range c.nodes {
		op := replica.Op{
			ID: 1, Verb: replica.Join, Partition: n.core.view.Ring.Partition(k.Pos), Key: k,
			Pending: true, Targets: []ring.NodeID{"x"},
		}
		var out Out
		n.core.Step(c.now, &Delivery{From: "x", Message: Message{Kind: KindAsk, Partition: op.Partition, Op: op}}, &out)
		if len(out.Ops) != 1 {
			t.Fatalf("%s: %+v", n.id, out)
		}
		got := out.Ops[0]
		if want := !slices.Contains(primaries, n.id); got.Pending != want || (len(got.Targets) > 0) != want {
			t.Errorf("%s of primaries %v: %+v", n.id, primaries, got)
		}
		if askerOf(got.ID) == byHandoff {
			t.Errorf("the id %x of a peer's operation is taken for that of a handover", got.ID)
		}
	}
}

// TestPeersDoNotPay: only the node itself says what is paid.
func TestPeersDoNotPay(t *testing.T) {
	c := newCluster(t, 3, Config{})
	op := replica.Op{ID: 1, Verb: replica.Paid, Key: ring.NewKey("b", "k"), Pending: true, Targets: []ring.NodeID{"a"}}
	var out Out
	c.nodes[0].core.Step(c.now, &Delivery{From: "b", Message: Message{Kind: KindAsk, Op: op}}, &out)
	if len(out.Ops) != 0 {
		t.Fatalf("it is carried out: %+v", out.Ops)
	}
}

// stray returns a partition of which a node is no primary, and its primaries.
func (c *cluster) stray(n *testNode) (uint32, []ring.NodeID) {
	for p := range uint32(16) {
		if list := n.core.view.Ring.Preference(p, 3); !slices.Contains(list, n.id) {
			return p, list
		}
	}
	c.t.Fatal("it is a primary everywhere")
	return 0, nil
}

// TestHandover is the way of one record: found by a scan, sent to its target
// when the link is up, paid when the target has it.
func TestHandover(t *testing.T) {
	c := newCluster(t, 5, Config{Run: 1<<64 - 1})
	n := c.nodes[0].core
	part, list := c.stray(c.nodes[0])
	target := list[0]
	now := c.now
	n.Step(now, &Link{Peer: target, Up: false}, &Out{})
	var out Out
	step := func(in Input) {
		out.Reset()
		n.Step(now, in, &out)
	}
	page := &Page{replica.Page{Held: []replica.Held{{
		Partition: part, Key: ring.NewKey("b", "k"), Owed: []replica.Owed{{Target: target, Since: now.Wall}}, State: []byte("state"), Size: 100,
	}}}}
	walk := func() {
		t.Helper()
		for len(out.Scans) == 0 {
			at, ok := n.Deadline()
			if !ok {
				t.Fatal("no walk is due")
			}
			now.Mono = max(at, now.Mono)
			step(Tick{})
		}
		step(page)
	}
	step(page) // the first walk began with the node
	if len(out.Sends) != 0 {
		t.Fatalf("sent without a link: %+v", out.Sends)
	}
	step(&Link{Peer: target, Up: true})
	walk()
	if len(out.Sends) != 1 || out.Sends[0].To != target || out.Sends[0].Message.Partition != part {
		t.Fatalf("sends %+v", out.Sends)
	}
	ask := out.Sends[0].Message.Op
	step(&Delivery{From: target, Message: Message{Kind: KindAnswer, Answer: replica.Answer{
		ID: ask.ID, Verb: replica.Join, Status: replica.Have, Durable: true,
	}}})
	if len(out.Ops) != 1 || out.Ops[0].Verb != replica.Paid || !out.Ops[0].Pending {
		t.Fatalf("ops %+v", out.Ops)
	}
	if got := n.Backlog(nil); len(got) != 1 || got[0].Records != 1 || n.OldestHint() != got[0].Oldest {
		t.Fatalf("backlog %+v, the oldest %d", got, n.OldestHint())
	}
	step(&Completion{Answer: replica.Answer{ID: out.Ops[0].ID, Verb: replica.Paid, Status: replica.Have, Found: true}})
	if got := n.Backlog(nil); len(got) != 0 || n.OldestHint() != 0 {
		t.Fatalf("backlog %+v after all was paid", got)
	}
}

// TestHandoverToNoPrimary (RULES R34): a node that is asked to take what it is no
// primary of says so and stores nothing, neither as its own nor for others.
func TestHandoverToNoPrimary(t *testing.T) {
	c := newCluster(t, 5, Config{})
	n := c.nodes[0]
	part, list := c.stray(n)
	take := func(partition uint32) Out {
		var out Out
		op := replica.Op{ID: 7, Verb: replica.Join, Partition: partition, Key: ring.NewKey("b", "k"), State: []byte("state"), Pending: true, Targets: []ring.NodeID{n.id}}
		n.core.Step(c.now, &Delivery{From: list[0], Message: Message{Kind: KindAsk, Partition: partition, Op: op}}, &out)
		return out
	}
	out := take(part)
	if len(out.Ops) != 0 || len(out.Sends) != 1 || out.Sends[0].Message.Answer.Reason != replica.NotPrimary || out.Sends[0].Message.Answer.ID != 7 {
		t.Fatalf("%+v", out)
	}
	for p := range uint32(16) {
		if slices.Contains(n.core.view.Ring.Preference(p, 3), n.id) {
			if out := take(p); len(out.Ops) != 1 || out.Ops[0].Pending {
				t.Fatalf("a primary: %+v", out)
			}
			return
		}
	}
}

// TestRules_H19_ViewChanges (RULES R34): when a view says that a target is no
// primary any more, the holder passes its claim on to all that are.
func TestRules_H19_ViewChanges(t *testing.T) {
	c := newCluster(t, 5, Config{})
	n := c.nodes[0].core
	_, list := c.stray(c.nodes[0])
	target := list[0]
	var members []ring.Node
	for _, m := range c.nodes {
		if m.id != target {
			members = append(members, ring.Node{ID: m.id, Weight: 1})
		}
	}
	tokens, err := ring.Assign(16, members)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(members, tokens)
	if err != nil {
		t.Fatal(err)
	}
	view := *n.view
	view.Ring = r
	var out Out
	n.Step(c.now, &view, &out)
	out.Reset()
	part := uint32(0)
	for ; slices.Contains(r.Preference(part, 3), "a"); part++ {
	}
	n.Step(c.now, &Page{replica.Page{Held: []replica.Held{{
		Partition: part, Key: ring.NewKey("b", "k"), Owed: []replica.Owed{{Target: target, Since: c.now.Wall}}, State: []byte("state"), Size: 100,
	}}}}, &out)
	if len(out.Ops) != 1 || !out.Ops[0].Pending || len(out.Ops[0].Targets) != 3 || slices.Contains(out.Ops[0].Targets, target) {
		t.Fatalf("ops %+v", out.Ops)
	}
}
