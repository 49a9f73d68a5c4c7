package coord

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func benchSetup() (Common, []Replica) {
	replicas := []Replica{{ID: "a", Up: true}, {ID: "b", Up: true}, {ID: "c", Up: true}}
	return Common{
		Ticket: testTicket, Key: ring.NewKey("bucket", "key"), Self: "a",
		Numbers: Numbers{N: 3, R: 2, W: 2, Timeout: time.Second},
	}, replicas
}

// BenchmarkPut is a put from its start to the last acknowledgement, N=3 W=2.
func BenchmarkPut(b *testing.B) {
	common, replicas := benchSetup()
	r := PutRequest{Common: common, Value: make([]byte, 1024), Context: testContext}
	var p Put
	var e Effects
	now := clock.Now{Mono: time.Second}
	state := make([]byte, 1100)
	stored := replica.Answer{ID: opID(writeRound, 0), Verb: replica.Write, Status: replica.Have, State: state, Dot: testDot}
	durable := stored
	durable.Durable = true
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		p.Start(now, &r, replicas, &e)
		p.Answer(now, "a", &stored, &e)
		for i := 1; i < 3; i++ {
			a := replica.Answer{ID: opID(joinRound, i), Verb: replica.Join, Status: replica.Have, Durable: true}
			p.Answer(now, replicas[i].ID, &a, &e)
		}
		p.Answer(now, "a", &durable, &e)
	}
	if !p.Done() || !e.Replied || e.Reply.Err != nil {
		b.Fatalf("%+v", e.Reply)
	}
}

// BenchmarkGet is a get of equal replicas from its start to the last reply, N=3
// R=2.
func BenchmarkGet(b *testing.B) {
	v := causal.Version{Dot: causal.Dot{Actor: causal.Actor{Run: 1, Life: 1}, N: 1}, Stamp: 1, Value: make([]byte, 1024)}
	s := causal.State{Claims: causal.Claims{Vector: []causal.Entry{{Actor: v.Dot.Actor, N: 1, Time: 5}}}, Versions: []causal.Version{v}}
	state := s.Append(nil)
	common, replicas := benchSetup()
	r := GetRequest{Common: common, RepairWait: time.Second}
	var g Get
	var e Effects
	now := clock.Now{Mono: time.Second}
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		g.Start(now, &r, replicas, &e)
		for i := range 3 {
			a := replica.Answer{ID: opID(firstRound, i), Verb: replica.Read, Status: replica.Have, Digest: sumOf(1)}
			if i == 0 {
				a.State = state
			}
			g.Answer(now, replicas[i].ID, &a, &e)
		}
	}
	if !g.Done() || !e.Replied || len(e.Reply.Siblings) != 1 {
		b.Fatalf("%+v", e.Reply)
	}
}
