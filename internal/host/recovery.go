package host

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/recovery"
)

// Doubt says whether this node may have forgotten everything, as one must think
// whose data folder is new until a peer has been heard: then it takes writes and
// counts for no read (RULES R9).
func (h *Host) Doubt(on bool) {
	if h.doubt.Swap(on) == on {
		return
	}
	for _, s := range h.shards {
		s.in.force(item{do: func(s *shard) { s.replica.SetDoubt(on) }, queued: time.Since(h.started)})
	}
}

// recover reads what is recovering; the core is told with its first input.
func (s *shard) recover() error {
	all, err := s.disk.Recoveries()
	if err != nil {
		return err
	}
	in := &node.Recovering{}
	for _, p := range all {
		in.Partitions = append(in.Partitions, recovery.Partition{Partition: p.Partition, Progress: p.Progress})
	}
	if len(all) > 0 {
		s.in.force(item{input: in, queued: time.Since(s.host.started)})
	}
	return nil
}

// showEvery is how often a shard tells anew what it recovers, while it does.
const showEvery = 250 * time.Millisecond

// showUnhealed is how many records are named that can't be had from others.
const showUnhealed = 16

// shown is what one shard recovers, as it was a moment ago.
type shown struct {
	left     []recovery.Left
	rotten   int
	unhealed []recovery.Unhealed // some of the rotten ones
	at       time.Duration
}

// show publishes what is recovering, for status and metrics.
func (s *shard) show(now clock.Now) {
	before := s.shown.Load()
	if !s.core.Recovers() {
		if before != nil {
			s.shown.Store(nil)
		}
		return
	}
	if at := now.Mono - s.slept; before == nil || at-before.at >= showEvery {
		s.shown.Store(&shown{s.core.Recoveries(now.Mono, nil), s.core.Rotten(), s.core.Unhealed(nil, showUnhealed), at})
	}
}

// recovering sums up what the shards recover; nil: nothing.
func (h *Host) recovering() *ouro.RecoveringInfo {
	info := ouro.RecoveringInfo{Unconfirmed: h.doubt.Load()}
	for _, s := range h.shards {
		if what := s.shown.Load(); what != nil {
			h.addShown(&info, what)
		}
	}
	if !info.Unconfirmed && info.Partitions == 0 && info.Records == 0 {
		return nil
	}
	return &info
}

func (h *Host) addShown(info *ouro.RecoveringInfo, what *shown) {
	info.Partitions += len(what.left)
	info.Records += what.rotten
	for _, u := range what.unhealed[:min(len(what.unhealed), showUnhealed-len(info.Unhealed))] {
		info.Unhealed = append(info.Unhealed, ouro.UnhealedInfo{Bucket: u.Key.Bucket, Key: u.Key.Name, Partition: u.Partition, Error: u.Failed})
	}
	for _, l := range what.left {
		if since := time.UnixMilli(l.Since).UTC(); info.Since.IsZero() || since.Before(info.Since) {
			info.Since = since
		}
		if l.With != "" {
			info.Comparing++
		}
		if until := h.started.Add(what.at + l.Waits).UTC(); l.Waits > 0 && until.After(info.WaitsUntil) {
			info.WaitsUntil = until
		}
		if l.Failed != "" {
			info.Error = l.Failed
		}
	}
}

// Recovering returns how many partitions and how many single records are not
// current.
func (h *Host) Recovering() (partitions, records int) {
	for _, s := range h.shards {
		if what := s.shown.Load(); what != nil {
			partitions += len(what.left)
			records += what.rotten
		}
	}
	return partitions, records
}
