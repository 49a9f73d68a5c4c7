package node

import (
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
		if want := !holds(primaries, n.id); got.Pending != want || (len(got.Targets) > 0) != want {
			t.Errorf("%s of primaries %v: %+v", n.id, primaries, got)
		}
		if isHint(got.ID) {
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

// TestHandover is the way of one record: found by a scan, sent to its target
// when the link is up, paid when the target has it.
func TestHandover(t *testing.T) {
	c := newCluster(t, 3, Config{Run: 1<<64 - 1})
	n := c.nodes[0].core
	now := c.now
	n.Step(now, &Link{Peer: "b", Up: false}, &Out{})
	var out Out
	step := func(in Input) {
		out.Reset()
		n.Step(now, in, &out)
	}
	page := &Page{replica.Page{Held: []replica.Held{{
		Partition: 3, Key: ring.NewKey("b", "k"), Owed: []replica.Owed{{Target: "b"}}, State: []byte("state"), Size: 100,
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
	step(&Link{Peer: "b", Up: true})
	walk()
	if len(out.Sends) != 1 || out.Sends[0].To != "b" || out.Sends[0].Message.Partition != 3 {
		t.Fatalf("sends %+v", out.Sends)
	}
	ask := out.Sends[0].Message.Op
	step(&Delivery{From: "b", Message: Message{Kind: KindAnswer, Answer: replica.Answer{
		ID: ask.ID, Verb: replica.Join, Status: replica.Have, Durable: true,
	}}})
	if len(out.Ops) != 1 || out.Ops[0].Verb != replica.Paid || !out.Ops[0].Pending {
		t.Fatalf("ops %+v", out.Ops)
	}
	if got := n.Backlog(nil); len(got) != 1 || got[0].Records != 1 {
		t.Fatalf("backlog %+v", got)
	}
	step(&Completion{Answer: replica.Answer{ID: out.Ops[0].ID, Verb: replica.Paid, Status: replica.Have, Found: true}})
	if got := n.Backlog(nil); len(got) != 0 {
		t.Fatalf("backlog %+v after all was paid", got)
	}
}
