package reap

import "github.com/ourodb/ouro/internal/core/ring"

// Status is where a node stands, for operators.
type Status struct {
	Epoch   uint64
	Lowest  uint64        // that all members have shown
	Highest uint64        // the highest that any is known to have shown
	Wanted  uint64        // that somebody waits for; met when Lowest is as high
	Behind  []ring.NodeID // members that hold up this node's next epoch
	Keeps   bool          // what this node keeps for others holds it up
}

// Status returns where the node stands.
func (e *Epochs) Status() Status {
	s := Status{Epoch: e.durable.Epoch, Lowest: e.lowest(), Highest: e.highest(), Wanted: e.wanted}
	if !e.waited() {
		return s
	}
	for _, m := range e.members {
		if !m.heard || m.Clean < e.placed || m.Epoch < e.durable.Epoch || m.Epoch == e.durable.Epoch && e.highest() > e.durable.Epoch && m.Node != e.self {
			s.Behind = append(s.Behind, m.Node)
		}
	}
	s.Keeps = e.kept && e.oldest <= e.durable.Epoch
	return s
}
