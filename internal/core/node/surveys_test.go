package node

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
)

// A peer's survey goes to the own storage, and what is found back to it, under
// the peer's own ticket.
func TestSurveyOfAPeer(t *testing.T) {
	c := newCluster(t, 3, Config{MaxSurveys: 2})
	n, now := c.nodes[0].core, c.now
	var out Out
	ask := func(id uint64, s replica.Survey) {
		out.Reset()
		s.ID = id
		n.Step(now, &Delivery{From: "b", Message: Message{Kind: KindSurvey, Partition: 5, Survey: &s}}, &out)
	}
	ask(1, replica.Survey{Look: replica.Roots})
	if len(out.Surveys) != 1 || out.Surveys[0].Partition != 5 || out.Surveys[0].ID == 1 {
		t.Fatalf("surveys %+v", out.Surveys)
	}
	first := out.Surveys[0]
	ask(2, replica.Survey{Look: replica.Keys, Bucket: "carts", Span: merkle.Around(9, 60), After: "alice"})
	if s := out.Surveys[0]; s.Bucket != "carts" || s.Span != merkle.Around(9, 60) || s.After != "alice" || s.ID == first.ID {
		t.Errorf("survey %+v", s)
	}
	ask(3, replica.Survey{Look: replica.Roots})
	if len(out.Surveys) != 0 || len(out.Sends) != 1 {
		t.Fatalf("one beyond the bound: %+v", out)
	}
	if f := out.Sends[0].Message.Found; f == nil || f.ID != 3 || f.Reason != replica.Overloaded || f.Status != replica.Failed {
		t.Errorf("it is told %+v", f)
	}
	out.Reset()
	found := &Found{replica.Found{ID: first.ID, Look: replica.Roots, Status: replica.Have, Roots: []replica.Root{{Bucket: "carts", Sum: merkle.Sum{Lo: 1}}}}}
	n.Step(now, found, &out)
	if len(out.Sends) != 1 || out.Sends[0].To != "b" {
		t.Fatalf("sends %+v", out.Sends)
	}
	if m := out.Sends[0].Message; m.Kind != KindFound || m.Partition != 5 || m.Found.ID != 1 || len(m.Found.Roots) != 1 {
		t.Errorf("sends %+v", m)
	}
	n.Step(now, found, &out)
	if len(out.Sends) != 1 {
		t.Error("an answer that comes twice is sent twice")
	}
	if _, foreign := n.Held(); foreign != 1 {
		t.Errorf("%d are under way, want 1", foreign)
	}
}

// What names nothing reaches no engine.
func TestSurveysOfNothing(t *testing.T) {
	c := newCluster(t, 3, Config{})
	n := c.nodes[0].core
	var out Out
	for _, s := range []replica.Survey{{Look: 0}, {Look: replica.Keys + 1}, {Look: replica.Parts}, {Look: replica.Keys, After: "alice"}} {
		n.Step(c.now, &Delivery{From: "b", Message: Message{Kind: KindSurvey, Survey: &s}}, &out)
	}
	if len(out.Surveys) != 0 || len(out.Sends) != 0 {
		t.Errorf("%+v", out)
	}
}
