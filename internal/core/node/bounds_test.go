package node

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestMaxInFlight(t *testing.T) {
	c := newCluster(t, 3, Config{MaxInFlight: 2, RetryAfter: time.Second})
	c.hold = func(ring.NodeID, *Send) bool { return true }
	k := ring.NewKey("b", "k")
	for range 3 {
		c.step(c.nodes[0], put(k, "v", nil))
	}
	if len(c.replies) != 1 || code(c.replies[0]) != ouro.Overloaded {
		t.Fatalf("%+v", c.replies)
	}
	if e := c.replies[0].Err; e.Outcome != ouro.NotDone || e.RetryAfter != time.Second || !e.Retryable {
		t.Fatalf("%+v", e)
	}
	c.wait(time.Minute)
	if len(c.replies) != 3 || c.nodes[0].core.InFlight() != 0 {
		t.Fatalf("%d replies, %d in flight", len(c.replies), c.nodes[0].core.InFlight())
	}
}

func TestLingeringIsBounded(t *testing.T) {
	c := newCluster(t, 3, Config{MaxInFlight: 4})
	c.hold = func(_ ring.NodeID, s *Send) bool { return s.To == "c" }
	k := ring.NewKey("b", "k")
	for range 20 {
		if r := c.do("a", put(k, "v", nil)); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	n := c.nodes[0].core
	if n.lingering != 4 || len(n.slots.all)-len(n.slots.free) != 4 {
		t.Fatalf("%d linger", n.lingering)
	}
	if !has(c.facts, fact.Dropped) {
		t.Fatal("nobody says so")
	}
}

func TestMaxForeign(t *testing.T) {
	c := newCluster(t, 3, Config{MaxForeign: 1})
	n := c.nodes[0].core
	var out Out
	ask := func(id uint64) {
		n.Step(c.now, &Delivery{From: "b", Message: Message{Kind: KindAsk, Partition: 3, Op: replica.Op{ID: id, Verb: replica.Read}}}, &out)
	}
	ask(11)
	ask(12)
	if len(out.Ops) != 1 || len(out.Sends) != 1 {
		t.Fatalf("%d operations, %d messages", len(out.Ops), len(out.Sends))
	}
	if a := out.Sends[0].Message.Answer; a.ID != 12 || a.Status != replica.Failed || a.Reason != replica.Overloaded {
		t.Fatalf("%+v", a)
	}
	id := out.Ops[0].ID
	out.Reset()
	done := &Completion{Answer: replica.Answer{ID: id, Verb: replica.Read, Status: replica.Absent}}
	n.Step(c.now, done, &out)
	n.Step(c.now, done, &out) // once more
	if len(out.Sends) != 1 || out.Sends[0].Message.Answer.ID != 11 || out.Sends[0].Message.Partition != 3 || !has(out.Facts, fact.Dropped) {
		t.Fatalf("%+v", out)
	}
}

func TestForwardsRememberedAreBounded(t *testing.T) {
	w := taken{bound: 3}
	for id := range uint64(10) {
		if !w.add(passed{"a", 1, id}) {
			t.Fatalf("%d is new", id)
		}
		if w.add(passed{"a", 1, id}) {
			t.Fatalf("%d is known", id)
		}
	}
	if len(w.seen) != 3 || len(w.order) != 3 {
		t.Fatalf("%d remembered", len(w.seen))
	}
}

func TestStrayMessagesAreDropped(t *testing.T) {
	c := newCluster(t, 3, Config{})
	n := c.nodes[0].core
	for name, m := range map[string]Message{
		"unknown kind":        {Kind: 99},
		"a write":             {Kind: KindAsk, Op: replica.Op{Verb: replica.Write}},
		"answer to nobody":    {Kind: KindAnswer, Answer: replica.Answer{ID: 12345, Verb: replica.Read}},
		"answer to a foreign": {Kind: KindAnswer, Answer: replica.Answer{ID: byPeer.mark(1), Verb: replica.Read}},
		"empty forward":       {Kind: KindForward},
		"empty return":        {Kind: KindReturn},
		"return to nobody":    {Kind: KindReturn, Reply: &Reply{ID: 77}},
	} {
		var out Out
		n.Step(c.now, &Delivery{From: "b", Message: m}, &out)
		if len(out.Ops)+len(out.Sends)+len(out.Replies) > 0 || len(out.Facts) != 1 {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

func TestSilentJoinIsNotAnswered(t *testing.T) {
	c := newCluster(t, 3, Config{})
	n := c.nodes[0].core
	var out Out
	n.Step(c.now, &Delivery{From: "b", Message: Message{Kind: KindAsk, Op: replica.Op{ID: 5, Verb: replica.Join, Silent: true}}}, &out)
	if len(out.Ops) != 1 || out.Ops[0].ID != 0 || len(n.asks.all) != 0 {
		t.Fatalf("%+v", out)
	}
	n.Step(c.now, &Completion{Answer: replica.Answer{Verb: replica.Join}}, &out)
	if len(out.Sends) != 0 {
		t.Fatal("answered")
	}
}

func TestAnswersOfAnEarlierRunMeetNobody(t *testing.T) {
	ids := func(run uint64) uint64 {
		c := newCluster(t, 3, Config{})
		n := New(Config{Sealer: c.nodes[0].core.cfg.Sealer, Run: run}, c.nodes[0].core.view)
		return n.slots.take().id
	}
	if a, b := ids(1), ids(0x123456789); a == b {
		t.Fatal("two runs use the same ids")
	}
}
