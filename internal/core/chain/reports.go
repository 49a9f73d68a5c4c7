package chain

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Bounds on reports.
const (
	perReport = 512                    // proofs in a message
	debounce  = 100 * time.Millisecond // moves that get ready together are reported together
	patience  = 3                      // how often one node is reported to in a row
)

// own is what this node has to report.
type own struct {
	clean bool
	due   bool
	when  time.Duration
	times int // reports in a row that led to nothing
}

func (o *own) at() time.Duration {
	if !o.due {
		return never
	}
	return o.when
}

// compare orders what is ready.
func (r *Ready) compare(o *Ready) int {
	return cmp.Or(cmp.Compare(r.Partition, o.Partition), r.Proof.Compare(&o.Proof))
}

// Ready says that this node has proved what the move of a partition needs of it:
// one proof for each promise. What proves nothing at the placement is ignored.
func (c *Chain) Ready(now clock.Now, partition uint32, proofs []place.Proof, out *Effects) {
	for i := range proofs {
		if proofs[i].Who == c.self && c.take(Ready{partition, proofs[i]}) {
			c.report(now)
		}
	}
	c.Tick(now, out)
}

// take keeps a proof that is good at the placement. It returns whether it is new.
func (c *Chain) take(r Ready) bool {
	p := c.placement
	if p == nil || r.Partition >= uint32(p.Q()) || !c.promisedBy(r.Proof) {
		return false
	}
	m, ok := p.Member(r.Proof.Who)
	if !ok || p.Of(r.Partition).Check(&r.Proof, m.Disk) != nil {
		return false
	}
	at, found := slices.BinarySearchFunc(c.proofs, &r, func(a Ready, b *Ready) int { return a.compare(b) })
	if found {
		return false
	}
	c.proofs = slices.Insert(c.proofs, at, r)
	c.due.dirty = true
	return true
}

// promisedBy says whether a proof is of what some bucket promises: so there are
// never more than that for each prover.
func (c *Chain) promisedBy(p place.Proof) bool {
	return c.target != nil && slices.Contains(c.target.Promises, place.Promise{N: p.N, W: p.W, R: p.R})
}

// prune drops proofs that are none any more.
func (c *Chain) prune() {
	c.proofs = slices.DeleteFunc(c.proofs, func(r Ready) bool {
		m, ok := c.placement.Member(r.Proof.Who)
		return !ok || r.Partition >= uint32(c.placement.Q()) || c.placement.Of(r.Partition).Check(&r.Proof, m.Disk) != nil
	})
}

// report makes a report due soon.
func (c *Chain) report(now clock.Now) {
	c.own.times = 0
	if !c.own.due || c.own.when > now.Mono+debounce {
		c.own.due, c.own.when = true, now.Mono+debounce
	}
}

// first is who proposes as a rule: the first member that can be reached.
func (c *Chain) first() ring.NodeID { return c.reachableMember(0) }

// reachableMember returns a member that can be reached, counted round and round;
// "" if there is none.
func (c *Chain) reachableMember(at int) ring.NodeID {
	if c.placement == nil {
		return ""
	}
	var up []ring.NodeID
	for _, m := range c.placement.Members() {
		if m.ID == c.self || c.up[m.ID] {
			up = append(up, m.ID)
		}
	}
	if len(up) == 0 {
		return ""
	}
	return up[at%len(up)]
}

// sendReports tells one node what is ready here, again after a while until it has
// led to something; then another one.
func (c *Chain) sendReports(now clock.Now, out *Effects) {
	c.own.due = false
	mine := c.mine()
	clean := c.isClean()
	if clean {
		c.clean[c.self] = c.number()
		c.due.dirty = true
	}
	if len(mine) == 0 && !clean {
		return
	}
	to := c.reachableMember(c.own.times / patience)
	c.own.times++
	c.own.due, c.own.when = true, now.Mono+c.cfg.Tell
	if to == c.self {
		return
	}
	for {
		n := min(len(mine), perReport)
		c.send(to, &Message{Kind: Report, Reports: mine[:n], Clean: clean}, out)
		if mine = mine[n:]; len(mine) == 0 {
			return
		}
	}
}

// mine are the own proofs.
func (c *Chain) mine() (mine []Ready) {
	for _, r := range c.proofs {
		if r.Proof.Who == c.self {
			mine = append(mine, r)
		}
	}
	return mine
}

// isClean says whether this node is a member only because nobody has heard yet
// that it holds nothing any more.
func (c *Chain) isClean() bool {
	if !c.own.clean || c.placement == nil || c.target == nil || slices.Contains(c.target.Members, c.self) {
		return false
	}
	_, member := c.placement.Member(c.self)
	return member && !c.placement.Holds(c.self)
}

// reported takes the report of a peer that stands where this node does.
func (c *Chain) reported(_ clock.Now, from ring.NodeID, m *Message) {
	if !c.here(m) {
		return
	}
	for _, r := range m.Reports {
		if r.Proof.Who == from {
			c.take(r)
		}
	}
	if m.Clean && c.clean[from] != m.Number {
		c.clean[from] = m.Number
		c.due.dirty = true
	}
}

// present says whether a node can be reached.
func (c *Chain) present(id ring.NodeID) bool { return id == c.self || c.up[id] }
