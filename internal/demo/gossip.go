package demo

import (
	"github.com/ourodb/ouro/internal/paper"
	"github.com/ourodb/ouro/internal/sim"
)

// Sizes runs a cluster of so many nodes and partitions and tells what they tell each
// other, and keep.
func Sizes(nodes, q int) (paper.ClusterSize, error) {
	s, err := sim.MeasureSize(nodes, q)
	return paper.ClusterSize{Nodes: nodes, Bytes: s.Bytes, Messages: s.Messages, Spread: s.Spread, Placement: s.Placement, Member: s.History}, err
}
