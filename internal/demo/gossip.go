package demo

import (
	"math"
	"time"

	"github.com/ourodb/ouro/internal/paper"
	"github.com/ourodb/ouro/internal/sim"
)

// Sizes runs a cluster of so many nodes and partitions and tells what they tell each
// other, and keep.
func Sizes(nodes, q int) (paper.ClusterSize, error) {
	s, err := sim.MeasureSize(nodes, q)
	return paper.ClusterSize{Nodes: nodes, Bytes: s.Bytes, Messages: s.Messages, Spread: s.Spread, Placement: s.Placement, Member: s.History}, err
}

// manyNodes shows what a cluster of so many whole nodes costs beside one of a tenth: a
// join is known after rounds that grow with the logarithm, nodes at rest send as much,
// and the table of partitions follows these, not the nodes.
func manyNodes(nodes, q int) func(s *Scene) {
	return func(s *Scene) {
		few := max(nodes/10, 3)
		s.say("%d whole nodes and %d partitions rest for half a minute, and one more joins; %d nodes do the same.", nodes, q, few)
		small, err := Sizes(few, q)
		if err == nil {
			var large paper.ClusterSize
			if large, err = Sizes(nodes, q); err == nil {
				s.compareSizes(small, large, q)
			}
		}
		if err != nil {
			s.expect("the clusters", "came to rest", err)
		}
	}
}

func (s *Scene) compareSizes(small, large paper.ClusterSize, q int) {
	limit := time.Duration((4 + 2*math.Log2(float64(large.Nodes))) * float64(time.Second))
	s.hold("all know of the join, a round of gossip being a second, within "+limit.Round(time.Second).String(), large.Spread <= limit, large.Spread)
	s.hold("the smaller one", small.Spread <= limit, small.Spread)
	s.hold("bytes a second that a node at rest sends, as many as in the smaller", large.Bytes <= 1.2*small.Bytes && large.Bytes < 150, [2]int{int(large.Bytes), int(small.Bytes)})
	s.hold("bytes of the table on each disk, at most 32 a node and 12 a partition", large.Placement <= 32*large.Nodes+12*q, [2]int{large.Placement, small.Placement})
	s.hold("bytes of the history, at most 32 a node", large.Member <= 32*large.Nodes+64, [2]int{large.Member, small.Member})
}
