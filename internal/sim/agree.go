package sim

import (
	"bytes"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
)

// Once everything has healed replicas must become equal by comparison alone within
// agreeWithin, and at a cost that follows from what they lack (PAPER 4.7).
const (
	agreeWithin = 10 * time.Second
	// mostStates is how many bytes of states may be exchanged for each that a replica
	// lacks: what one lacks another has to read, and several may bring it at a time.
	mostStates = 8
	// mostLook and mostLooks are how many bytes of questions and answers there may be
	// for each comparison, which then finds nothing, and for each record of a replica
	// that is to be changed.
	mostLook, mostLooks = 512, 8192
)

// AgreeStats is how replicas became equal by comparison alone.
type AgreeStats struct {
	Runs     int     `json:"runs"`
	Unhinted int     `json:"without_hints"`   // of them, with hints disabled from the beginning
	Longest  float64 `json:"longest_seconds"` // of virtual time
	Records  int     `json:"records_lacking"` // of replicas, not as they were to be
	Needed   int64   `json:"bytes_needed"`    // of their states
	States   int64   `json:"bytes_of_states"` // exchanged
	Looks    int64   `json:"bytes_of_looks"`  // of questions and their answers
	// The worst runs: bytes of states for each that was needed, and the share of the bytes
	// of questions and answers that there may be.
	Worst      float64 `json:"worst_states"`
	WorstLooks float64 `json:"worst_looks"`
}

func (a *AgreeStats) add(o *AgreeStats) {
	a.Runs, a.Unhinted, a.Records = a.Runs+o.Runs, a.Unhinted+o.Unhinted, a.Records+o.Records
	a.Needed, a.States, a.Looks = a.Needed+o.Needed, a.States+o.States, a.Looks+o.Looks
	a.Longest, a.Worst = max(a.Longest, o.Longest), max(a.Worst, o.Worst)
	a.WorstLooks = max(a.WorstLooks, o.WorstLooks)
}

// agree lets nodes compare themselves until all replicas are equal, reading
// nothing: what is kept for others comes home meanwhile.
func (w *World) agree(s *shape) {
	w.tracef("HEALED: replicas are to agree by comparison")
	a := &w.stats.Agreeing
	if a.Runs = 1; s.unhinted {
		a.Unhinted = 1
	}
	most := 0
	a.Records, a.Needed, most = w.lacking()
	states, looks, compared, began := w.stats.Exchanged, w.looked, w.stats.Agreed+w.stats.Apart, w.now
	w.comparing(true)
	for w.broken == nil && w.now < began+agreeWithin {
		w.RunFor(500 * time.Millisecond)
		if w.hints() == 0 && w.compare("a while") == nil {
			break
		}
	}
	half := w.halfReaped() // it can't be equal yet, and comparisons try in vain (RULES E2)
	w.comparing(false)
	a.Longest = (w.now - began).Seconds()
	w.idle("after they agreed")
	a.States, a.Looks = w.stats.Exchanged-states, w.looked-looks
	if a.Needed > 0 {
		a.Worst = float64(a.States) / float64(a.Needed)
	}
	compared = w.stats.Agreed + w.stats.Apart - compared
	mayLook := int64(mostLook*compared + mostLooks*a.Records)
	if mayLook > 0 && !half {
		a.WorstLooks = float64(a.Looks) / float64(mayLook)
	}
	switch {
	case w.broken != nil:
	case half:
	case s.types: // what is lacking of data types is not in the account
	case a.States > mostStates*a.Needed+int64(2*most): // one may be under way twice
		w.violatef(history.Grown, "", "%d bytes of states were exchanged where replicas lacked %d in %d records", a.States, a.Needed, a.Records)
	case a.Looks > mayLook:
		w.violatef(history.Grown, "", "%d bytes of questions and answers in %d comparisons, where replicas lacked %d records", a.Looks, compared, a.Records)
	}
}

// lacking returns how many records of replicas are not what they are to be when
// all is known everywhere, how many bytes of states that is, and how large the
// largest state, as it is to be or as it is held: who is to have a few versions may
// show a hundred that they replace, which the other one has to read.
func (w *World) lacking() (records int, size int64, most int) {
	for _, name := range w.hist.Keys() {
		bucket, rest, _ := strings.Cut(name, "/")
		r, s, m := w.lackingOf(keyIn(bucket, rest))
		records, size, most = records+r, size+s, max(most, m)
	}
	return records, size, most
}

func (w *World) lackingOf(key ouro.Key) (records int, size int64, most int) {
	var all causal.State
	var held [][]byte
	for _, id := range w.Primaries(key) {
		s, canonical, found := w.state(w.mustID(id), key)
		held, most = append(held, canonical), max(most, len(canonical))
		if found {
			all, _ = causal.JoinStates(all, s)
		}
	}
	for _, m := range w.nodes {
		if s, ok := w.keptFor(m, key); ok {
			all, _ = causal.JoinStates(all, s)
		}
	}
	want := all.Append(nil)
	for _, canonical := range held {
		if !bytes.Equal(canonical, want) && (len(all.Vector) > 0 || canonical != nil) {
			records, size = records+1, size+int64(len(want))
		}
	}
	return records, size, max(most, len(want))
}

// keptFor is what a node keeps of a key in the stead of others.
func (w *World) keptFor(m *machine, key ouro.Key) (s causal.State, found bool) {
	own := w.recordKey(key)
	lo, _ := store.PendingRange()
	_, err := m.disk.Engine.Get(append(lo, own[1:]...), func(record []byte) {
		if _, _, kept, err := replica.DecodePending(record); err == nil {
			s, err = replica.DecodeRecord(kept)
			found = err == nil
		}
	})
	return s, found && err == nil
}

// look counts the bytes of questions and answers of comparisons.
func (w *World) look(kind node.Kind, size int) {
	if kind == node.KindSurvey || kind == node.KindFound {
		w.looked += int64(size)
	}
}
