package host

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/ring"
)

var _ ouro.Repairer = (*Host)(nil)

// pauses is until when an operator wants this node to compare nothing. It ends by
// itself, so that one that is forgotten does no more harm than it was meant to.
type pauses struct {
	mu    sync.Mutex
	until time.Time // zero: it goes on
	ends  *time.Timer
}

// RepairPairs implements [ouro.Repairer].
func (h *Host) RepairPairs(ctx context.Context) (ouro.RepairPairs, error) {
	info := ouro.RepairPairs{Node: string(h.view.Load().Self), Pairs: []ouro.RepairPair{}}
	err := askAll(ctx, h, ouro.Unknown, func(s *shard) []repair.Pair { return s.core.RepairPairs(nil) }, func(pairs []repair.Pair) {
		for i := range pairs {
			info.Pairs = append(info.Pairs, pairInfo(&pairs[i]))
		}
	})
	slices.SortFunc(info.Pairs, func(a, b ouro.RepairPair) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Peer, b.Peer))
	})
	return info, err
}

func pairInfo(p *repair.Pair) ouro.RepairPair {
	info := ouro.RepairPair{Partition: p.Partition, Peer: string(p.Peer), Marked: p.Marked, Running: p.Running, Error: p.Failed, Failures: p.Failures}
	if p.Agreed != 0 {
		info.Agreed = time.UnixMilli(p.Agreed).UTC()
	}
	if p.FailedAt != 0 {
		info.ErrorAt = time.UnixMilli(p.FailedAt).UTC()
	}
	return info
}

// RunRepair implements [ouro.Repairer].
func (h *Host) RunRepair(ctx context.Context, run ouro.RepairRun) (ouro.RepairRun, error) {
	if until := h.RepairPaused(); !until.IsZero() {
		return run, ouro.Errorf(ouro.Conflict, ouro.NotDone, "repair is paused until %s: 'ouro repair resume' ends that", until.Format(time.RFC3339))
	}
	if h.cfg.Core.Repair.Off {
		return run, ouro.Errorf(ouro.Conflict, ouro.NotDone, "this node compares nothing of its own accord: compare=false is in its configuration")
	}
	partition := -1
	if run.Partition != nil {
		partition = int(*run.Partition)
	}
	run.Pairs = 0
	err := askAll(ctx, h, ouro.Unknown, func(s *shard) int {
		return s.core.RepairRound(s.now(), partition, ring.NodeID(run.Peer), &s.out)
	}, func(n int) { run.Pairs += n })
	if err == nil && run.Pairs == 0 && (run.Partition != nil || run.Peer != "") {
		err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "nobody else that you named holds what this node does: see 'ouro repair' for whom it is compared with, and 'ouro key owners' for a key's partition")
	}
	return run, err
}

// PauseRepair implements [ouro.Repairer].
func (h *Host) PauseRepair(ctx context.Context, pause ouro.RepairPause) (ouro.RepairPause, error) {
	d := time.Duration(pause.Seconds * float64(time.Second))
	if pause.Seconds < 0 || pause.Seconds > ouro.MaxRepairPause.Seconds() {
		return pause, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "a pause of %g seconds: it is at most %v; compare=false in the configuration ends comparing for good", pause.Seconds, ouro.MaxRepairPause)
	}
	p := &h.pauses
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ends != nil {
		p.ends.Stop()
	}
	p.until, p.ends = time.Time{}, nil
	if d > 0 {
		p.until = time.Now().Add(d).UTC()
		p.ends = time.AfterFunc(d, func() { h.pauseEnds() })
	}
	pause.Until = p.until
	return pause, h.tellPause(ctx, d > 0)
}

// pauseEnds goes on where the time of a pause is over.
func (h *Host) pauseEnds() {
	p := &h.pauses
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.IsZero() || time.Now().Before(p.until) {
		return // there is another
	}
	p.until, p.ends = time.Time{}, nil
	h.cfg.Log.Info("repair goes on: its pause is over")
	for _, s := range h.shards {
		s.in.force(item{do: func(s *shard) { s.core.PauseRepair(s.now(), false, &s.out) }, queued: time.Since(h.started)})
	}
}

func (h *Host) tellPause(ctx context.Context, on bool) error {
	return askAll(ctx, h, ouro.Unknown, func(s *shard) struct{} {
		s.core.PauseRepair(s.now(), on, &s.out)
		return struct{}{}
	}, func(struct{}) {})
}

// RepairPaused returns until when this node compares nothing of its own accord; zero:
// it does.
func (h *Host) RepairPaused() time.Time {
	h.pauses.mu.Lock()
	defer h.pauses.mu.Unlock()
	return h.pauses.until
}

// RepairPeers returns how far this node agrees with others, for the metrics; none where
// a shard did not find the time to look.
func (h *Host) RepairPeers() []ouro.RepairPeer {
	info, err := h.Repair(context.Background())
	if err != nil {
		return nil
	}
	return info.Peers
}

// endPause lets no pause end after the host.
func (h *Host) endPause() {
	h.pauses.mu.Lock()
	defer h.pauses.mu.Unlock()
	if h.pauses.ends != nil {
		h.pauses.ends.Stop()
	}
}
