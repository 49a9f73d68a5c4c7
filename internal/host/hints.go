package host

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/node"
)

// scan looks for pending records. What it finds comes back through the inbox, so
// that a long walk takes turns with everything else.
func (s *shard) scan() {
	for i := range s.out.Scans {
		scan := &s.out.Scans[i]
		page := &node.Page{Page: s.disk.Scan(scan.From, scan.Limit)}
		s.in.force(item{input: page, queued: time.Since(s.host.started)})
	}
	clear(s.out.Scans)
	s.out.Scans = s.out.Scans[:0]
}

// HintBytes returns how many bytes are kept here for other nodes.
func (h *Host) HintBytes() int64 {
	var sum int64
	for _, s := range h.shards {
		sum += s.disk.PendingBytes()
	}
	return sum
}

// OldestHint returns since when the oldest of what is kept here for other nodes
// is; zero: nothing is. It is as exact as [Host.Hints].
func (h *Host) OldestHint() time.Time {
	var oldest int64
	for _, s := range h.shards {
		if at := s.oldest.Load(); at != 0 && (oldest == 0 || at < oldest) {
			oldest = at
		}
	}
	if oldest == 0 {
		return time.Time{}
	}
	return time.UnixMilli(oldest).UTC()
}

// Hints implements [ouro.Inspector].
func (h *Host) Hints(ctx context.Context) (ouro.HintsInfo, error) {
	info := ouro.HintsInfo{
		Node: string(h.view.Load().Self), Bytes: h.HintBytes(), Targets: []ouro.HintTarget{},
		MaxAge: cmp.Or(h.cfg.Core.Handoff.MaxAge, handoff.DefaultMaxAge).Seconds(),
	}
	for i := range h.shards {
		info.Max += h.diskOf(i).MaxPending
	}
	byTarget := map[string]ouro.HintTarget{}
	err := askAll(ctx, h, ouro.NotDone, func(s *shard) []handoff.Backlog { return s.core.Backlog(nil) }, func(all []handoff.Backlog) {
		for _, b := range all {
			byTarget[string(b.Target)] = addBacklog(byTarget[string(b.Target)], b)
		}
	})
	if err != nil {
		return ouro.HintsInfo{}, err
	}
	for _, t := range byTarget {
		info.Targets = append(info.Targets, t)
	}
	slices.SortFunc(info.Targets, func(a, b ouro.HintTarget) int { return cmp.Compare(a.Target, b.Target) })
	return info, nil
}

// addBacklog adds what one shard keeps for a node to what others do.
func addBacklog(t ouro.HintTarget, b handoff.Backlog) ouro.HintTarget {
	t.Target = string(b.Target)
	t.Records += b.Records
	t.Bytes += b.Bytes
	t.OverAge += b.OverAge
	if oldest := time.UnixMilli(b.Oldest).UTC(); b.Oldest != 0 && (t.Oldest.IsZero() || oldest.Before(t.Oldest)) {
		t.Oldest = oldest
	}
	if at := time.UnixMilli(b.FailedAt).UTC(); b.Failed != "" && at.After(t.ErrorAt) {
		t.Error, t.ErrorAt = b.Failed, at
	}
	return t
}
