package host

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/repair"
)

// Repair implements [ouro.Inspector].
func (h *Host) Repair(ctx context.Context) (ouro.RepairInfo, error) {
	info := ouro.RepairInfo{Node: string(h.view.Load().Self), Started: h.started.UTC(), Peers: []ouro.RepairPeer{}}
	byPeer := map[string]ouro.RepairPeer{}
	err := askAll(ctx, h, ouro.NotDone, func(s *shard) []repair.Agreement { return s.core.Agreements(s.now(), nil) }, func(all []repair.Agreement) {
		for _, a := range all {
			info.SinceAgreed = max(info.SinceAgreed, a.Waits.Seconds())
			p, found := byPeer[string(a.Peer)]
			byPeer[string(a.Peer)] = addAgreement(p, a, !found)
		}
	})
	if err != nil {
		return ouro.RepairInfo{}, err
	}
	for _, p := range byPeer {
		info.Peers = append(info.Peers, p)
	}
	slices.SortFunc(info.Peers, func(a, b ouro.RepairPeer) int { return cmp.Compare(a.Peer, b.Peer) })
	info.PausedUntil = h.RepairPaused()
	return info, nil
}

// SinceAgreed returns for how long the pair of replicas that waits the longest has
// not been compared to the end, as [ouro.RepairInfo] has it; false where a shard
// did not find the time to look.
func (h *Host) SinceAgreed() (time.Duration, bool) {
	info, err := h.Repair(context.Background())
	return time.Duration(info.SinceAgreed * float64(time.Second)), err == nil
}

// addAgreement adds what one shard says of a node to what others do.
func addAgreement(p ouro.RepairPeer, a repair.Agreement, first bool) ouro.RepairPeer {
	p.Peer = string(a.Peer)
	p.Partitions += a.Partitions
	p.Never += a.Never
	p.Marked += a.Marked
	p.Repaired += a.Repaired
	switch oldest := time.UnixMilli(a.Oldest).UTC(); {
	case p.Never > 0:
		p.Oldest = time.Time{}
	case first || oldest.Before(p.Oldest):
		p.Oldest = oldest
	}
	if at := time.UnixMilli(a.FailedAt).UTC(); a.Failed != "" && at.After(p.ErrorAt) {
		p.Error, p.ErrorAt = a.Failed, at
	}
	return p
}
