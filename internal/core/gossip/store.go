package gossip

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
)

// Issue adds changes that an operator made at this node, all or none. They are
// on disk when [Gossiper.Stored] was told of the number it returns, and may be
// acknowledged from then on.
func (g *Gossiper) Issue(now clock.Now, changes []member.Change, out *Effects) (uint64, error) {
	if err := g.checkClock(); err != nil {
		return 0, err
	}
	next, err := g.latest.History.Issue(now.Wall, g.self, changes...)
	if err != nil {
		return 0, err
	}
	g.merge(next)
	return g.put(out), nil
}

// checkClock refuses to stamp a change when this node's clock is far ahead: the
// stamps of all later changes would have to follow. The changes of others are
// taken whatever their stamps (RULES R37).
func (g *Gossiper) checkClock() error {
	if len(g.heard) == 0 {
		return nil
	}
	var ahead []time.Duration
	for _, h := range g.heard {
		ahead = append(ahead, -h.ahead)
	}
	slices.Sort(ahead)
	if most := ahead[len(ahead)/2]; most > g.cfg.MaxDrift {
		return fmt.Errorf("the clock of node %s is %v ahead of those of most others: set it right, or make the change at another node", g.self, most.Round(time.Second))
	}
	return nil
}

// Checkpoint folds the history up to where it had this digest, as the chain of
// links has decided (RULES R38). A node that lacks some of these changes comes
// to the checkpoint when it hears of them, or of the checkpoint itself.
func (g *Gossiper) Checkpoint(digest [16]byte, out *Effects) {
	next, ok := g.latest.History.Checkpoint(digest)
	if !ok {
		g.wanted = digest
		return
	}
	g.merge(next)
	g.store(out)
}

// merge takes a history that has more, and says whether it had.
func (g *Gossiper) merge(h member.History) bool {
	if same(h, g.latest.History) {
		return false
	}
	if g.wanted != [16]byte{} {
		if next, ok := h.Checkpoint(g.wanted); ok {
			h, g.wanted = next, [16]byte{}
		}
	}
	g.latest.History = h
	return true
}

// same says whether two histories are one and are kept in one way.
func same(a, b member.History) bool { return a.Digest() == b.Digest() && a.Len() == b.Len() }

// dirty says whether there is more than the disk has or is about to have.
func (g *Gossiper) dirty() bool {
	have := &g.stored
	if g.storing {
		have = &g.inStore
	}
	return !same(g.latest.History, have.History) || !slices.Equal(g.latest.Peers, have.Peers)
}

// store has the latest state stored, if there is news and the disk is idle.
func (g *Gossiper) store(out *Effects) {
	if g.dirty() {
		g.put(out)
	}
}

// put returns the number under which the latest state is stored.
func (g *Gossiper) put(out *Effects) uint64 {
	if g.storing {
		return g.seq + 1 // together with what came meanwhile
	}
	g.seq++
	g.storing, g.inStore = true, g.latest
	out.Seq, out.Store = g.seq, g.latest
	return g.seq
}

// Stored tells that what had this number is on disk.
func (g *Gossiper) Stored(now clock.Now, seq uint64, out *Effects) {
	if !g.storing || seq != g.seq {
		return
	}
	g.storing = false
	out.Changed = !same(g.stored.History, g.inStore.History)
	g.stored, g.inStore = g.inStore, Durable{}
	g.store(out)
	if !g.storing {
		g.goOn(now, out)
	}
}
