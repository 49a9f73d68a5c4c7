package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
)

// pair is a node that compares a partition with another.
type pair struct {
	partition uint32
	from, to  int
}

// snapshot is what the other node held of the partition when a comparison began.
type snapshot struct {
	began time.Duration // on the clock of the node that compares
	at    uint64        // the number of the partition at that node
	held  map[string][]byte
}

// noteSurvey looks for the first question of a comparison and keeps what the
// other node holds of the partition at that moment.
func (w *World) noteSurvey(from, to *machine, m *node.Message) {
	if m.Kind != node.KindSurvey || m.Survey.Look != replica.Roots || m.Survey.After != "" {
		return
	}
	held := map[string][]byte{}
	at := pair{m.Partition, from.index, to.index}
	lo, hi := store.PartitionRange(m.Partition)
	if err := to.disk.Engine.Range(lo, hi, func(key, value []byte) bool {
		held[string(key)] = value // values never change once stored
		return true
	}); err != nil {
		held = nil
	}
	w.begun[at] = append(w.begun[at], snapshot{w.clock(from).Mono, w.numberAt(from, m.Partition), held})
}

// compared checks a comparison that ended complete: all that the other node held
// when it began is merged here (RULES R10, R28). Where clocks are pruned that
// can't be seen from the states.
func (w *World) compared(m *machine, o *repair.Outcome) {
	w.stats.Exchanged += o.Bytes
	if o.Number > 0 {
		w.stats.Ring.Bytes += o.Bytes // of a move
	}
	at := pair{o.Partition, m.index, w.mustID(o.Peer).index}
	var held map[string][]byte
	// The next comparison of the pair may have begun in the turn that ended this.
	w.begun[at] = slices.DeleteFunc(w.begun[at], func(s snapshot) bool {
		if s.began == o.Began && s.at == w.numberAt(m, o.Partition) { // else it may have let all go since
			held = s.held
		}
		return s.began <= o.Began
	})
	// What the other could not read any more, though it could when this began, is
	// not had by it; recovery does not count such a comparison.
	if !o.Complete || o.Push || o.UnreadableThere > 0 || w.hist.Loose {
		return
	}
	reaped := m.reaped >= o.Began // what it dropped had been deleted since the comparison began
	for key, record := range held {
		_, bucket, name, ok := store.SplitKey([]byte(key))
		theirs, err := replica.DecodeRecord(record)
		if !ok || err != nil || !w.shared(m, o.Peer, o.Partition, string(bucket)) {
			continue
		}
		var mine causal.State
		var rotten error
		_, err = m.disk.Engine.Get([]byte(key), func(v []byte) { mine, rotten = replica.DecodeRecord(v) })
		if err != nil || rotten != nil || len(mine.Vector) == 0 && (len(theirs.Versions) == 0 || reaped) {
			continue // rotten since, or reaped
		}
		joined, _ := causal.JoinStates(mine, theirs)
		if len(theirs.Versions) == 0 && len(joined.Versions) == len(mine.Versions) {
			continue // a tombstone of nothing that is here: reaped since, and the key created again
		}
		if string(timeless(joined)) != string(timeless(mine)) {
			w.violatef(history.Diverged, strings.Join([]string{string(bucket), string(name)}, "/"),
				"%s ended a comparison with %s as complete and holds %s, where %s held %s when it began", m.id, o.Peer, tell(&mine), o.Peer, tell(&theirs))
			return
		}
	}
}

// numberAt is the number of a partition as a node knows it.
func (w *World) numberAt(m *machine, partition uint32) uint64 {
	if m.steward == nil || m.steward.core.View().Place == nil {
		return 0
	}
	return m.steward.core.View().Place.Of(partition).Number
}

// timeless is a state without the times of its entries: a tombstone that was
// reaped meanwhile and made anew by a late delete has times of its own.
func timeless(s causal.State) []byte {
	s.Vector = slices.Clone(s.Vector)
	for i := range s.Vector {
		s.Vector[i].Time = s.Floor + 1
	}
	return s.Append(nil)
}

// shared says whether two nodes are both primaries of a bucket in a partition.
func (w *World) shared(m *machine, peer ring.NodeID, partition uint32, bucket string) bool {
	list := w.view(m).Primaries(partition, w.cfg.Buckets.Of(bucket).N)
	return slices.Contains(list, m.id) && slices.Contains(list, peer)
}
