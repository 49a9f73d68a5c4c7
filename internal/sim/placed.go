package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
)

// settleWithin is how long changes of the ring may take to end once everything has
// healed.
const settleWithin = 30 * time.Minute

// numbered is a place in a chain of links.
type numbered struct {
	origin place.Hash
	number uint64
}

// adopts checks the placement that a node has adopted: there is one of each number.
func (w *World) adopts(m *machine, p *place.Placement) {
	if p == nil {
		return
	}
	m.folder.linked = m.folder.linked || p.Named()
	if w.placed == nil {
		w.placed = map[numbered]place.Hash{}
	}
	at := numbered{p.Origin(), p.Number()}
	hash, seen := w.placed[at]
	switch {
	case seen && hash != p.Hash():
		w.violatef(history.Forked, "", "%s has adopted another placement with number %d than a node before it", m.id, p.Number())
	case !seen:
		w.placed[at] = p.Hash()
		if at.origin == w.origin {
			w.linked(m)
		}
	}
}

// linked counts what links did, each once.
func (w *World) linked(m *machine) {
	s := &w.stats.Ring
	for _, l := range m.steward.core.Ended() {
		if l.Number <= w.counted {
			continue
		}
		w.counted = l.Number
		s.Links++
		if l.Checkpoint.Count > 0 {
			s.Folded++
		}
		for _, move := range l.Moves {
			switch {
			case len(move.New) > 0 && len(move.Old) > 0:
				s.Begun++
			case len(move.Proofs) > 0:
				s.Ended++
			default:
				s.Aborted++
			}
		}
	}
}

// serving are the nodes that are members, of whom everything is asked; where the
// ring does not change, all.
func (w *World) serving() []*machine {
	p := w.newest().Place
	if !w.cfg.Changes || p == nil {
		return w.nodes
	}
	var all []*machine
	for _, m := range w.nodes {
		if _, ok := p.Member(m.id); ok {
			all = append(all, m)
		}
	}
	return all
}

// rest lets everything that is under way end. Where the ring changes nodes never
// cease to tell each other of it: then until none holds anything.
func (w *World) rest() {
	if !w.cfg.Changes {
		w.RunUntilIdle()
		return
	}
	for end := w.now + 5*time.Minute; w.broken == nil && w.now < end; {
		w.RunFor(200 * time.Millisecond)
		if w.resting() {
			return
		}
	}
}

func (w *World) resting() bool {
	for _, m := range w.nodes {
		if !m.alive { // it comes back, as another disk
			return false
		}
		if requests, foreign := m.core.Held(); requests != 0 || foreign != 0 || len(m.open) != 0 || m.runner.PendingBytes() != 0 {
			return false
		}
	}
	return true
}

// settleRing lets what the operator wanted come true, and checks that it did: one
// history, one placement, and each partition where it is to be and nowhere else.
func (w *World) settleRing() {
	if !w.cfg.Changes || w.broken != nil {
		return
	}
	w.tracef("HEALED: the ring is to come to rest")
	for end := w.now + settleWithin; !w.Settled() && w.now < end && w.broken == nil; {
		w.RunFor(time.Second)
	}
	if w.broken != nil {
		return
	}
	if !w.Settled() {
		w.violatef(history.Placed, "", "the ring has not come to rest in %v though everything had healed: %v", settleWithin, w.unsettled())
		return
	}
	w.oneCluster()
	w.emptyOutside()
}

// unsettled tells where each node stands.
func (w *World) unsettled() (lines []string) {
	for _, m := range w.nodes {
		if m.alive && m.steward != nil {
			l := m.steward.core.Links()
			lines = append(lines, fmt.Sprintf("%s: link %d, %d members by the history, moving %d, ready %d, left over %d, waits: %q",
				m.id, l.Number, len(m.steward.core.View().Ring.Nodes()), l.Moving, l.Ready, m.core.LeftOver(), l.Waits))
		}
	}
	return lines
}

// oneCluster checks that all members go by one history and one placement.
func (w *World) oneCluster() {
	all := w.serving()
	for _, m := range all[1:] {
		first, core := all[0].steward.core, m.steward.core
		if first.Version() != core.Version() {
			w.violatef(history.Placed, "", "%s goes by history %s and %s by %s", all[0].id, first.Version(), m.id, core.Version())
			return
		}
		if a, b := first.Place(), core.Place(); a.Number() != b.Number() || a.Hash() != b.Hash() {
			w.violatef(history.Placed, "", "%s is at link %d and %s at %d, with hashes %x and %x", all[0].id, a.Number(), m.id, b.Number(), a.Hash(), b.Hash())
			return
		}
	}
}

// emptyOutside checks that a node holds nothing of partitions in whose lists it is
// not.
func (w *World) emptyOutside() {
	p := w.newest().Place
	for _, m := range w.nodes {
		for i := range uint32(p.Q()) {
			if p.Of(i).Holds(m.id) {
				continue
			}
			lo, hi := store.PartitionRange(i)
			err := m.disk.Engine.Range(lo, hi, func(key, _ []byte) bool {
				w.violatef(history.Placed, string(appendName(nil, key)), "%s holds it, and partition %d is at %v", m.id, i, slices.Clone(p.Of(i).Old))
				return false
			})
			if err != nil {
				w.bug("%s: %v", m.id, err)
			}
		}
	}
}

// asks are the nodes that clients go to: those in no cluster refuse them.
func (w *World) asks() []*machine {
	if !w.cfg.Changes {
		return w.nodes
	}
	return w.serving()
}
