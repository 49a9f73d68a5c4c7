package host

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestRepairer: an operator runs, pauses and resumes the comparing of a node with
// several shards, and sees that it is paused.
func TestRepairer(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) { cfg.Shards = 2 })
	h, ctx := c.hosts["a"], t.Context()
	pairs, err := h.RepairPairs(ctx)
	if err != nil || len(pairs.Pairs) != 2*16 { // with two others, in each of 16 partitions
		t.Fatalf("%d pairs, %v", len(pairs.Pairs), err)
	}
	for i, p := range pairs.Pairs {
		if p.Partition != uint32(i/2) || p.Peer != string(ring.NodeID("bc"[i%2:i%2+1])) {
			t.Fatalf("pair %d: %+v", i, p)
		}
	}
	if run, err := h.RunRepair(ctx, ouro.RepairRun{}); err != nil || run.Pairs != 32 {
		t.Errorf("%+v, %v", run, err)
	}
	part := uint32(3)
	if run, err := h.RunRepair(ctx, ouro.RepairRun{Partition: &part, Peer: "b"}); err != nil || run.Pairs != 1 {
		t.Errorf("%+v, %v", run, err)
	}
	if run, err := h.RunRepair(ctx, ouro.RepairRun{Peer: "x"}); ouro.CodeOf(err) != ouro.BadRequest {
		t.Errorf("%+v, %v", run, err)
	}
	for _, seconds := range []float64{-1, ouro.MaxRepairPause.Seconds() + 1} {
		if _, err := h.PauseRepair(ctx, ouro.RepairPause{Seconds: seconds}); ouro.CodeOf(err) != ouro.BadRequest {
			t.Errorf("a pause of %v seconds: %v", seconds, err)
		}
	}
	if p, err := h.PauseRepair(ctx, ouro.RepairPause{Seconds: 3600}); err != nil || p.Until.IsZero() || p.Until != h.RepairPaused() {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := h.RunRepair(ctx, ouro.RepairRun{}); ouro.CodeOf(err) != ouro.Conflict || !strings.Contains(err.Error(), "resume") {
		t.Error(err)
	}
	if info, err := h.Repair(ctx); err != nil || info.PausedUntil.IsZero() {
		t.Errorf("%+v, %v", info, err)
	}
	if notes := strings.Join(h.Status().Notes, " "); !strings.Contains(notes, "repair is paused until") {
		t.Error(notes)
	}
	for _, s := range h.shards {
		turns := make(chan bool, 1)
		s.in.force(item{do: func(s *shard) { turns <- s.core.Repairing() }})
		if <-turns {
			t.Errorf("shard %d goes on", s.index)
		}
	}
	if p, err := h.PauseRepair(ctx, ouro.RepairPause{}); err != nil || !p.Until.IsZero() || !h.RepairPaused().IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := h.RunRepair(ctx, ouro.RepairRun{}); err != nil {
		t.Error(err)
	}
	if _, err := h.PauseRepair(ctx, ouro.RepairPause{Seconds: 0.001}); err != nil {
		t.Fatal(err)
	}
	until(t, "the pause ends by itself", func() bool { return h.RepairPaused().IsZero() })
}
