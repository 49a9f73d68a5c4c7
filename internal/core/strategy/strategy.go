// Package strategy has the three ways of placing keys that the paper went through
// (section 6.2), behind one interface, to compare them: how evenly load falls, how
// much every node must know, and how much moves when nodes come and go. The third is
// what Ouro serves with; its ring is package ring's own.
package strategy

import (
	"fmt"
	"math"
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Strategy places keys on nodes.
type Strategy interface {
	// Name is what the paper calls it.
	Name() string
	// Place lays the key space out for nodes, as if they had joined one after the
	// other. Equal arguments give equal results.
	Place(nodes []ring.NodeID) (*Layout, error)
}

// Layout says who holds what: arcs of the circle of positions, in order.
type Layout struct {
	Arcs []Arc
	// Fixed says that an arc is a partition for ever, a unit to move and to archive.
	// Otherwise its ends are tokens, and change with the nodes.
	Fixed bool

	ring *ring.Ring
}

// Arc is a part of the circle that is placed as one.
type Arc struct {
	Share float64       // of the circle, 0 to 1
	End   ring.Position // included
	Token uint32        // where the walk for its preference list begins, in the ring
}

// Nodes returns the first n distinct nodes of an arc's preference list.
func (l *Layout) Nodes(a Arc, n int) []ring.NodeID { return l.ring.Preference(a.Token, n) }

// Efficiency is the mean load of a node over that of the most loaded, where every
// position is asked for alike and all n replicas are (paper, figure 8).
func (l *Layout) Efficiency(n int) float64 {
	load := map[ring.NodeID]float64{}
	for _, a := range l.Arcs {
		for _, id := range l.Nodes(a, n) {
			load[id] += a.Share
		}
	}
	sum, most := 0.0, 0.0
	for _, id := range l.ring.Nodes() {
		sum += load[id.ID]
		most = max(most, load[id.ID])
	}
	return sum / float64(len(l.ring.Nodes())) / most
}

// Moved returns what share of all replicas, n of each key, has come to a node that
// did not have it under the layout before.
func (l *Layout) Moved(before *Layout, n int) float64 {
	moved, i, j := 0.0, 0, 0
	last := 0.0 // how far round the circle both were compared
	for last < 1-1e-12 && i < len(l.Arcs) && j < len(before.Arcs) {
		a, b := l.Arcs[i], before.Arcs[j]
		end := min(fraction(a.End), fraction(b.End))
		old := before.Nodes(b, n)
		for _, id := range l.Nodes(a, n) {
			if !slices.Contains(old, id) {
				moved += (end - last) / float64(n)
			}
		}
		last = end
		if fraction(a.End) <= end {
			i++
		}
		if fraction(b.End) <= end {
			j++
		}
	}
	return moved
}

// Cut returns how many ranges that a node held before, n replicas of each key, it
// holds no longer as the same range: their trees are made anew, and what is handed
// over of them must be looked for (paper, section 6.2).
func (l *Layout) Cut(before *Layout, n int) int {
	if l.Fixed {
		return 0 // whole partitions come and go
	}
	now := map[[3]uint64]bool{}
	for i, a := range l.Arcs {
		now[rangeKey(l, i, a)] = true
	}
	cut := 0
	for i, a := range before.Arcs {
		if !now[rangeKey(before, i, a)] {
			cut += len(before.Nodes(a, n))
		}
	}
	return cut
}

func rangeKey(l *Layout, i int, a Arc) [3]uint64 {
	from := l.Arcs[(i+len(l.Arcs)-1)%len(l.Arcs)].End
	return [3]uint64{from.Hi, a.End.Hi, a.End.Lo}
}

// fraction is where a position is on the circle, from above 0 to 1.
func fraction(p ring.Position) float64 { return (float64(p.Hi) + 1) / math.Exp2(64) }

// nodesOf are plain members.
func nodesOf(ids []ring.NodeID) []ring.Node {
	nodes := make([]ring.Node, len(ids))
	for i, id := range ids {
		nodes[i].ID = id
	}
	return nodes
}

func errStrategy(name string, err error) error { return fmt.Errorf("strategy %s: %w", name, err) }
