package host

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// transfers is what one shard brings and lets go, as it was a moment ago: whoever
// asks for it does not slow it.
type transfers struct {
	pending []transfer.Pending
	at      time.Duration
}

// showTransfers publishes that.
func (s *shard) showTransfers(now clock.Now) {
	before := s.moving.Load()
	if before != nil && now.Mono-s.slept-before.at < showEvery {
		return
	}
	pending := s.core.Transfers(nil)
	if len(pending) == 0 {
		if before != nil {
			s.moving.Store(nil)
		}
		return
	}
	s.moving.Store(&transfers{pending, now.Mono - s.slept})
}

// transfers returns what is on its way to this node, and what it holds that is to
// be with others, by partition.
func (h *Host) transfers() []ouro.TransferInfo {
	var all []ouro.TransferInfo
	for _, s := range h.shards {
		if t := s.moving.Load(); t != nil {
			for i := range t.pending {
				all = append(all, transferInfo(h.view.Load().Self, &t.pending[i]))
			}
		}
	}
	slices.SortFunc(all, func(a, b ouro.TransferInfo) int { return cmp.Compare(a.Partition, b.Partition) })
	return all
}

func transferInfo(self ring.NodeID, p *transfer.Pending) ouro.TransferInfo {
	info := ouro.TransferInfo{
		Partition: p.Partition, Since: time.UnixMilli(p.Since).UTC(), Keys: int64(p.Moved), Bytes: p.Bytes,
		Running: p.With != "", Error: p.Failed,
	}
	if p.Failed != "" {
		info.ErrorAt = time.UnixMilli(p.FailedAt).UTC()
	}
	others := string(p.With)
	if others == "" {
		others = left(p)
	}
	if info.From, info.To, info.Why = others, string(self), "joins"; p.Leaving {
		info.From, info.To, info.Why = string(self), others, "leaves"
	}
	return info
}

// left names who was not compared with yet, or all who were where nobody is left.
func left(p *transfer.Pending) string {
	var ids []string
	for _, id := range p.Peers {
		if !slices.Contains(p.Done, id) || p.Proven {
			ids = append(ids, string(id))
		}
	}
	return strings.Join(ids, " ")
}
