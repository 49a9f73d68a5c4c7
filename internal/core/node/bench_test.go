package node

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// benchAnswers gives the node under test the answers of three replicas.
type benchAnswers struct {
	c    *cluster
	n    *Node
	out  Out
	next Out
}

func newBench(b *testing.B) *benchAnswers {
	c := newClusterFor(b, 3, Config{})
	return &benchAnswers{c: c, n: c.nodes[0].core}
}

func (x *benchAnswers) request(r *Request, answer func(op *replica.Op, from ring.NodeID)) {
	x.out.Reset()
	x.n.Step(x.c.now, r, &x.out)
	for len(x.out.Ops)+len(x.out.Sends) > 0 {
		x.out, x.next = x.next, x.out
		x.out.Reset()
		for i := range x.next.Ops {
			answer(&x.next.Ops[i], "")
		}
		for i := range x.next.Sends {
			answer(&x.next.Sends[i].Message.Op, x.next.Sends[i].To)
		}
	}
}

func (x *benchAnswers) answer(a replica.Answer, from ring.NodeID) {
	if from == "" {
		x.n.Step(x.c.now, &Completion{Answer: a}, &x.out)
		return
	}
	x.n.Step(x.c.now, &Delivery{From: from, Message: Message{Kind: KindAnswer, Answer: a}}, &x.out)
}

// BenchmarkStepPut is a whole put through a node, N=3 W=2, with canned answers.
func BenchmarkStepPut(b *testing.B) {
	x := newBench(b)
	k := ring.NewKey("b", "k")
	state := x.c.store("a", k, "v")
	r := put(k, "v", nil)
	b.ReportAllocs()
	for b.Loop() {
		x.request(r, func(op *replica.Op, from ring.NodeID) {
			a := replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have}
			if op.Verb == replica.Write {
				a.State, a.Dot = state.Append(nil), state.Versions[0].Dot
				x.answer(a, from)
			}
			a.Durable = true
			x.answer(a, from)
		})
	}
	if x.n.inFlight != 0 || x.n.lingering != 0 {
		b.Fatal("not at rest")
	}
}

// BenchmarkStepGet is a whole get through a node, N=3 R=2, with canned answers.
func BenchmarkStepGet(b *testing.B) {
	x := newBench(b)
	k := ring.NewKey("b", "k")
	state := x.c.store("a", k, "v").Append(nil)
	r := &Request{Verb: Get, Key: k}
	b.ReportAllocs()
	for b.Loop() {
		x.request(r, func(op *replica.Op, from ring.NodeID) {
			a := replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Digest: x.c.sum}
			if op.Full {
				a.State = state
			}
			x.answer(a, from)
		})
	}
	if x.n.inFlight != 0 || x.n.lingering != 0 {
		b.Fatal("not at rest")
	}
}
