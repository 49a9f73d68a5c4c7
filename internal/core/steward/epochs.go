package steward

import (
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// members are those whose epochs are counted: all that the newest link names
// (RULES E1).
func (s *Steward) members() []ring.NodeID {
	var ids []ring.NodeID
	for _, n := range s.view.Ring.Nodes() {
		ids = append(ids, n.ID)
	}
	return ids
}

// drainEpochs passes on what the epochs want.
func (s *Steward) drainEpochs(out *Out) {
	e := &s.effects
	if e.Stand.Seq != 0 {
		out.Stand = e.Stand
	}
	for i := range e.Tells {
		show := e.Tells[i].Show // the memory of the effects is used again
		out.Sends = append(out.Sends, node.Send{To: e.Tells[i].To, Message: node.Message{Kind: node.KindEpochs, Show: &show}})
	}
	out.Facts = append(out.Facts, e.Facts...)
	out.RolledBack = out.RolledBack || e.RolledBack
	if e.Storing {
		s.store.epoch = e.Store
		s.store.mark(EpochNote)
	}
	e.Reset()
}
