package strategy

import "github.com/ourodb/ouro/internal/core/ring"

// Equal is the paper's third strategy: Q equal partitions, Q/S of them each node's
// own. A newcomer takes its share from all, and what a leaver had goes to all.
type Equal struct {
	Q int
	// AtRandom gives tokens away by lot alone, as the paper has it. Otherwise those
	// of a node are kept apart where there is a choice, as Ouro does.
	AtRandom bool
}

// Name implements [Strategy].
func (s Equal) Name() string {
	if s.AtRandom {
		return "3: Q/S tokens per node, equal sized partitions"
	}
	return "3 as in Ouro: tokens of a node kept apart"
}

// Place implements [Strategy].
func (s Equal) Place(ids []ring.NodeID) (*Layout, error) {
	rebalance := ring.Rebalance
	if s.AtRandom {
		rebalance = ring.RebalanceAtRandom
	}
	nodes, tokens, err := nodesOf(ids), equal(s.Q), error(nil)
	for i := range nodes {
		if tokens, err = rebalance(tokens, nodes[:i+1]); err != nil {
			return nil, errStrategy("3", err)
		}
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		return nil, errStrategy("3", err)
	}
	l := &Layout{Fixed: true, ring: r}
	for i, t := range tokens {
		l.Arcs = append(l.Arcs, Arc{Share: 1 / float64(s.Q), End: t.End, Token: uint32(i)})
	}
	return l, nil
}
