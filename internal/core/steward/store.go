package steward

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/reap"
)

// store is what of the notes is on its way to the disk. One batch is under way at a
// time, so that none that is repeated overtakes a later one.
type store struct {
	marked []Note // to be stored
	flight []Note // under way; nil: nothing is
	seq    uint64 // of the batch under way, or of the last one

	// What is to be stored, and under which number its machine waits for it.
	epoch   reap.Durable
	history gossip.Durable
	gossip  uint64 // 0: it does not wait
	place   *place.Placement
	origin  [16]byte // of the history that place is by
	vote    chain.Vote
	chain   uint64
}

// mark lets a note be stored, soon.
func (t *store) mark(n Note) {
	if !slices.Contains(t.marked, n) {
		t.marked = append(t.marked, n)
	}
}

// keep begins to store what is marked, unless a batch is under way.
func (s *Steward) keep(out *Out) {
	t := &s.store
	if t.flight == nil && len(t.marked) == 0 {
		for _, id := range s.idle {
			out.Replies = append(out.Replies, Reply{ID: id})
		}
		s.idle = nil
	}
	if t.flight != nil || len(t.marked) == 0 {
		return
	}
	t.seq++
	t.flight, t.marked = t.marked, nil
	out.Seq = t.seq
	for _, n := range t.flight {
		out.Store = append(out.Store, Record{n, s.note(n)})
	}
}

// note is what a note is to say.
func (s *Steward) note(n Note) []byte {
	switch n {
	case EpochNote:
		return appendEpochs(nil, s.origin, s.store.epoch)
	case HistoryNote:
		return gossip.AppendDurable(nil, &s.store.history)
	case PlaceNote:
		return appendPlace(nil, s.store.origin, s.store.place)
	case VoteNote:
		return chain.AppendVote(nil, &s.store.vote)
	default:
		return s.book.append(nil)
	}
}

// stored goes on with what waited for a batch. A machine has one thing on its way at
// a time, so that what it waits for is what it gave last.
func (s *Steward) stored(now clock.Now, seq uint64) {
	t := &s.store
	if seq != t.seq || t.flight == nil {
		return
	}
	flight := t.flight
	t.flight = nil
	for _, n := range flight {
		switch {
		case slices.Contains(t.marked, n): // it was given while an earlier one was under way
		case n == EpochNote:
			s.epochs.Stored(now, t.epoch, &s.reaping)
		case n == HistoryNote && t.gossip != 0:
			s.written = t.gossip
			s.gossip.Stored(now, t.gossip, &s.gossips)
		case n == VoteNote && t.chain != 0: // the placement is in the same batch
			s.chain.Stored(now, t.chain, &s.links)
		}
	}
}
