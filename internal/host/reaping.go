package host

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	core "github.com/ourodb/ouro/internal/core/steward"
)

// reapingTimeout bounds how long the shards may take to tell what waits.
const reapingTimeout = time.Second

// backlog asks the shards what waits to be reaped. One that does not find the
// time is left out.
func (h *Host) backlog() reap.Backlog {
	answers := make(chan reap.Backlog, len(h.shards))
	for _, s := range h.shards {
		s.in.force(item{do: func(s *shard) { answers <- s.core.Reaping() }, queued: time.Since(h.started)})
	}
	var all reap.Backlog
	late := time.NewTimer(reapingTimeout)
	defer late.Stop()
	for range h.shards {
		select {
		case b := <-answers:
			all.Keys, all.Voted = all.Keys+b.Keys, all.Voted+b.Voted
			if b.Oldest != 0 && (all.Oldest == 0 || b.Oldest < all.Oldest) {
				all.Oldest, all.Blocked, all.Why = b.Oldest, b.Blocked, b.Why
			}
		case <-late.C:
			return all
		case <-h.stop:
			return all
		}
	}
	return all
}

// reaping tells where the node stands, and for whom it waits.
func (h *Host) reaping() ouro.ReapingInfo {
	st, b := h.steward.known.Load().epochs, h.backlog()
	info := ouro.ReapingInfo{Epoch: st.Epoch, Lowest: st.Lowest, Keys: b.Keys, Voted: b.Voted}
	if b.Oldest != 0 {
		info.Oldest = time.UnixMilli(b.Oldest).UTC()
	}
	switch {
	case b.Blocked != "":
		info.HeldBy, info.Why = []string{string(b.Blocked)}, b.Why
	case len(st.Behind) > 0:
		info.Why = "an epoch behind, or never heard of"
		for _, id := range st.Behind {
			info.HeldBy = append(info.HeldBy, string(id))
		}
	case st.Keeps:
		info.HeldBy, info.Why = []string{string(h.view.Load().Self)}, "what it keeps for others is older than the next epoch"
	}
	return info
}

// ReapingAge returns for how long the oldest key waits to be reaped, 0 where none
// does.
func (h *Host) ReapingAge() time.Duration {
	b := h.backlog()
	if b.Oldest == 0 {
		return 0
	}
	return max(time.Since(time.UnixMilli(b.Oldest)), 0)
}

// HighestEpoch returns the highest epoch that this node knows of.
func (h *Host) HighestEpoch() uint64 { return h.steward.known.Load().epochs.Highest }

// Refused says that a member which knows of that epoch has refused a link, since
// it knows another disk of this node, and waits until a disk that is new has taken
// the epoch, for a while: if it has not, it is taken for an old copy when the node
// begins again.
func (h *Host) Refused(epoch uint64) {
	taken, forget := h.steward.ask(func(id uint64) core.Input { return &core.Refused{ID: id, Epoch: epoch} })
	defer forget()
	late := time.NewTimer(reapingTimeout)
	defer late.Stop()
	select {
	case <-taken:
	case <-late.C:
	case <-h.stop:
	}
}

// ReapingEpoch returns the epoch of this node.
func (h *Host) ReapingEpoch() uint64 { return h.steward.known.Load().epochs.Epoch }

// stand puts a shard where the steward says, and tells it what is kept here.
func (s *shard) stand(now clock.Now, stand reap.Stand) {
	s.replica.Stand(stand.Standing)
	s.core.Step(now, &node.Standing{Standing: stand.Standing}, &s.out)
	lowest, keeps := s.core.Lowest(s.disk.LowestStamp())
	s.host.steward.do(&core.Stood{Shard: s.index, Seq: stand.Seq, Lowest: lowest, Keeps: keeps})
}

// sweep looks through some of the own records; what it finds comes back through
// the inbox.
func (s *shard) sweep() {
	for i := range s.out.Sweeps {
		w := &s.out.Sweeps[i]
		found := &node.Swept{Sweep: s.disk.Sweep(w.From, w.Limit)}
		s.in.force(item{input: found, queued: time.Since(s.host.started)})
	}
	clear(s.out.Sweeps)
	s.out.Sweeps = s.out.Sweeps[:0]
}
