package place

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Lists are where a partition is. The zero value is a partition that is nowhere.
type Lists struct {
	// Number is that of the last link that changed the lists, or named another
	// disk of a member in them.
	Number uint64
	// Old is the preference list in force, up to the greatest n of any bucket.
	Old []ring.NodeID
	// New is the list that the partition is on its way to; nil: it does not move.
	// A quorum is then counted in Old and in New: one node may count in both.
	New []ring.NodeID
}

// Moving says whether the partition is on its way to another list.
func (l *Lists) Moving() bool { return l.New != nil }

// First returns the lists of a bucket of n replicas. It shares memory with l.
func (l *Lists) First(n int) Lists {
	f := Lists{Number: l.Number, Old: l.Old[:min(n, len(l.Old))]}
	if l.Moving() {
		f.New = l.New[:min(n, len(l.New))]
	}
	return f
}

// All appends everybody in the lists to dst, each once: the old list in its order,
// then the newcomers in theirs.
func (l *Lists) All(dst []ring.NodeID) []ring.NodeID {
	dst = append(dst, l.Old...)
	for _, id := range l.New {
		if !slices.Contains(l.Old, id) {
			dst = append(dst, id)
		}
	}
	return dst
}

// Holds says whether a node is in one of the lists.
func (l *Lists) Holds(id ring.NodeID) bool {
	return slices.Contains(l.Old, id) || slices.Contains(l.New, id)
}

// Newcomer says whether a node is in the new list only: what it answers counts
// there, as a witness that no later configuration passed it, and never in the old
// list (RULES R14).
func (l *Lists) Newcomer(id ring.NodeID) bool {
	return slices.Contains(l.New, id) && !slices.Contains(l.Old, id)
}

// Newcomers appends to dst those in the new list only, in its order.
func (l *Lists) Newcomers(dst []ring.NodeID) []ring.NodeID {
	for _, id := range l.New {
		if !slices.Contains(l.Old, id) {
			dst = append(dst, id)
		}
	}
	return dst
}

// Target returns the list the partition will have when nothing is in the way.
func (l *Lists) Target() []ring.NodeID {
	if l.Moving() {
		return l.New
	}
	return l.Old
}
