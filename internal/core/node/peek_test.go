package node

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A peek goes to whom it is about, as a read that counts for nothing, and what is
// answered comes back under its ticket; a probe's answer does not.
func TestPeek(t *testing.T) {
	c := newCluster(t, 3, Config{})
	n, key := c.nodes[0].core, ring.NewKey("carts", "alice")
	var out Out
	n.Step(c.now, &Peek{ID: 7, At: "b", Key: key}, &out)
	if len(out.Sends) != 1 || out.Sends[0].To != "b" || len(out.Ops) != 0 {
		t.Fatalf("%+v", out)
	}
	m := out.Sends[0].Message
	if o := m.Op; m.Kind != KindAsk || o.Verb != replica.Read || !o.Full || o.Silent || m.Number != 0 || o.Key != key {
		t.Errorf("asks %+v", m)
	}
	if n.InFlight() != 0 {
		t.Error("it counts as a request")
	}
	answer := func(a replica.Answer) []Peeked {
		out.Reset()
		n.Step(c.now, &Delivery{From: "b", Message: Message{Kind: KindAnswer, Answer: a}}, &out)
		return out.Peeked
	}
	if got := answer(replica.Answer{ID: byProbe.mark(7), Verb: replica.Read, Status: replica.Absent}); len(got) != 0 {
		t.Errorf("a probe's answer is taken for a peek's: %+v", got)
	}
	got := answer(replica.Answer{ID: m.Op.ID, Verb: replica.Read, Status: replica.Have, State: []byte("s")})
	if len(got) != 1 || got[0].ID != 7 || got[0].From != "b" || string(got[0].Answer.State) != "s" {
		t.Errorf("it came to %+v", got)
	}
	if answer(replica.Answer{ID: byProbe.mark(7)}); len(out.Peeked) != 0 {
		t.Error("what came is told twice")
	}
}

// A node looks at itself through its own storage.
func TestPeekAtOneself(t *testing.T) {
	c := newCluster(t, 3, Config{})
	n, key := c.nodes[0].core, ring.NewKey("carts", "alice")
	var out Out
	n.Step(c.now, &Peek{ID: 9, At: "a", Key: key}, &out)
	if len(out.Ops) != 1 || len(out.Sends) != 0 {
		t.Fatalf("%+v", out)
	}
	op := out.Ops[0]
	out.Reset()
	n.Step(c.now, &Completion{Answer: replica.Answer{ID: op.ID, Verb: replica.Read, Status: replica.Absent}}, &out)
	if len(out.Peeked) != 1 || out.Peeked[0].ID != 9 || out.Peeked[0].From != "a" {
		t.Errorf("%+v", out.Peeked)
	}
}
