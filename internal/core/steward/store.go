package steward

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/reap"
)

// store is what of the notes is on its way to the disk. One batch is under way at a
// time, so that none that is repeated overtakes a later one.
type store struct {
	marked []Note // to be stored, with what they say when they are
	flight []Note // under way; nil: nothing is
	seq    uint64 // of the batch under way, or of the last one
	epoch  reap.Durable
	sent   reap.Durable // the epoch in the batch under way
}

// mark lets a note be stored, soon, and returns the seq of the batch it will be in.
func (t *store) mark(n Note) uint64 {
	if !slices.Contains(t.marked, n) {
		t.marked = append(t.marked, n)
	}
	return t.seq + 1
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

// note is what a note says now.
func (s *Steward) note(n Note) []byte {
	switch n {
	case EpochNote:
		s.store.sent = s.store.epoch
		return reap.AppendDurable(nil, s.store.epoch)
	case HistoryNote:
		return s.history.Append(nil)
	default:
		return s.book.append(nil)
	}
}

// stored goes on with what waited for a batch.
func (s *Steward) stored(now clock.Now, seq uint64, out *Out) {
	t := &s.store
	if seq != t.seq || t.flight == nil {
		return
	}
	flight := t.flight
	t.flight = nil
	for _, n := range flight {
		if n == EpochNote {
			s.epochs.Stored(now, t.sent, &s.effects)
		}
	}
	s.show(out)
}
