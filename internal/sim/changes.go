package sim

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
)

// found makes the history that the founders begin with. Every node's address is its
// id.
func (w *World) found() (member.History, error) {
	return member.Genesis("sim", addressed(w.cfg.Nodes), w.cfg.Q, w.defined()...)
}

// foundAll makes the histories that nodes begin with.
func (w *World) foundAll() (err error) {
	if w.founding, err = w.found(); err != nil {
		return err
	}
	if w.younger, err = w.foundApart(); err != nil {
		return err
	}
	w.origin = w.founding.Origin()
	return nil
}

// foundApart makes the history of the second ring, which is the younger one.
func (w *World) foundApart() (member.History, error) {
	if len(w.cfg.Apart) == 0 {
		return member.History{}, nil
	}
	c, err := member.NewFounding("sim", addressed(w.cfg.Apart), w.cfg.Q, w.defined()...)
	c.Stamp = 2
	return member.History{}.With(c), err
}

func addressed(nodes []ring.Node) (members []member.Member) {
	for _, n := range nodes {
		members = append(members, member.Member{Node: n, Addr: string(n.ID)})
	}
	return members
}

func (w *World) defined() []member.NamedBucket {
	buckets := []member.NamedBucket{{Bucket: w.cfg.Buckets.Default}}
	for _, name := range w.cfg.Buckets.Names {
		buckets = append(buckets, member.NamedBucket{Name: name, Bucket: w.cfg.Buckets.Named[name]})
	}
	return buckets
}

// separate keeps the two rings apart.
func (w *World) separate() {
	w.between(func(l *link) { l.cuts++ })
}

// Introduce lets two rings that were formed apart meet.
func (w *World) Introduce() { w.between(w.heal) }

func (w *World) between(do func(*link)) {
	for _, a := range w.cfg.Nodes {
		for _, b := range w.cfg.Apart {
			do(w.linkOf(a.ID, b.ID))
			do(w.linkOf(b.ID, a.ID))
		}
	}
}

// changing is how a steward begins in a world whose ring changes: a founder with the
// list of all, a spare with that list as its seeds.
func (w *World) changing(m *machine, cfg *steward.Config) {
	cfg.Addr, cfg.Disk = string(m.id), m.folder.disk
	cfg.Gossip, cfg.Chain, cfg.CheckpointAfter = w.cfg.Gossip, w.cfg.Chain, w.cfg.CheckpointAfter
	cfg.Gossip.Cluster = member.ClusterID("sim")
	for _, n := range slices.Concat(w.cfg.Nodes, w.cfg.Apart) {
		cfg.Gossip.Seeds = append(cfg.Gossip.Seeds, string(n.ID))
	}
	switch named := func(n ring.Node) bool { return n.ID == m.id }; {
	case m.former: // who lost the disk of one that has left is told not to start it as a founder
	case slices.ContainsFunc(w.cfg.Nodes, named):
		cfg.Founding = w.founding
	case slices.ContainsFunc(w.cfg.Apart, named):
		cfg.Founding = w.younger
	}
}

// dials says whether there is to be a link to a node.
func (w *World) dials(m *machine, to ring.NodeID) bool {
	return !w.cfg.Changes || slices.Contains(m.dials, to)
}

// follow carries out what a steward wants where the ring changes.
func (w *World) follow(m *machine) {
	out := &m.steward.out
	if out.View != nil {
		w.adopts(m, out.View.Place)
		if !w.learns(m, out.View) {
			w.take(m, item{input: out.View})
		}
	}
	for _, r := range out.Replies {
		if r.ID > 0 {
			w.answered(w.issued[r.ID-1], r.Err)
		}
	}
	if out.Dial {
		w.redial(m, out.Peers)
	}
	for _, seed := range out.Seeks {
		to := w.byID(ring.NodeID(seed))
		if l := w.net.link(m.index, to.index); to != m && to.alive && l.cuts == 0 {
			w.take(m, item{steward: &steward.Met{Peer: steward.Peer{ID: to.id, Addr: seed}, Seed: seed}})
		}
	}
}

// redial ends the links that are not to be any more, those of who is fenced among
// them, and makes those that are.
func (w *World) redial(m *machine, peers []steward.Peer) {
	m.dials = m.dials[:0]
	for _, p := range peers {
		m.dials = append(m.dials, p.ID)
	}
	for i := range w.nodes {
		if i == m.index {
			continue
		}
		l := w.net.link(m.index, i)
		if !w.dials(m, l.to.id) {
			w.fall(l)
		}
		w.mend(l)
		if m.steward.core.Fenced(l.to.id) {
			w.fall(w.net.link(i, m.index))
		}
	}
}

// newest is the view with the newest placement of any node that is up; of two rings
// that were formed apart, of the older one.
func (w *World) newest() *node.View {
	if !w.cfg.Changes {
		return &node.View{Ring: w.ring, Buckets: w.cfg.Buckets}
	}
	best := &node.View{Ring: w.ring, Buckets: w.cfg.Buckets}
	for _, m := range w.nodes {
		if !m.alive || m.steward == nil {
			continue
		}
		if v := m.steward.core.View(); v.Place != nil && v.Place.Origin() == w.origin && (best.Place == nil || v.Place.Number() > best.Place.Number()) {
			best = v
		}
	}
	return best
}

// Issued is what became of a change that an operator made.
type Issued struct {
	Done   bool
	Err    error
	kind   member.Kind
	failed func() // called where it was refused; nil: nobody cares
}

func (w *World) answered(i *Issued, err error) {
	i.Done, i.Err = true, err
	if err != nil {
		w.tracef("OPERATOR: it was refused: %v", err)
		if i.failed != nil {
			i.failed()
		}
	}
}

// Issue lets an operator change the cluster at a node.
func (w *World) Issue(at ring.NodeID, changes ...member.Change) *Issued {
	return w.operate(at, func(id uint64) steward.Input { return &steward.Issue{ID: id, Changes: changes} })
}

// RestartChain lets an operator go on where the disks of most members were lost: with
// those that they have now (RULES R13).
func (w *World) RestartChain(at ring.NodeID) *Issued {
	return w.operate(at, func(id uint64) steward.Input { return &steward.Restart{ID: id} })
}

func (w *World) operate(at ring.NodeID, in func(id uint64) steward.Input) *Issued {
	i := &Issued{}
	w.issued = append(w.issued, i)
	w.take(w.mustID(at), item{steward: in(uint64(len(w.issued)))})
	return i
}

// Join lets an operator make a spare a member.
func (w *World) Join(at ring.NodeID, id ring.NodeID) *Issued {
	m := member.Member{Node: ring.Node{ID: id, Weight: 1}, Addr: string(id)}
	for _, s := range w.cfg.Spares {
		if s.ID == id {
			m.Node = s
		}
	}
	m.Weight = max(m.Weight, 1)
	return w.Issue(at, member.Change{Kind: member.Add, Member: m})
}

// Leave lets an operator take a member out of the cluster.
func (w *World) Leave(at ring.NodeID, id ring.NodeID) *Issued {
	return w.Issue(at, member.Change{Kind: member.Remove, Member: member.Member{Node: ring.Node{ID: id}}})
}

// Place returns the newest placement that any node has adopted.
func (w *World) Place() *place.Placement { return w.newest().Place }

// Settled says whether all members are at one placement that names their disks and is
// where everything is to be, and nothing is left over anywhere.
func (w *World) Settled() bool {
	newest := w.newest()
	if newest.Place == nil || !newest.Place.Named() {
		return false
	}
	for p := range uint32(newest.Place.Q()) {
		l := newest.Place.Of(p)
		if l.Moving() || !slices.Equal(l.Old, newest.Ring.Preference(p, newest.Buckets.MostN())) {
			return false
		}
	}
	for _, m := range newest.Place.Members() {
		at := w.mustID(m.ID)
		if newest.Ring.Index(m.ID) < 0 || !at.alive || at.steward.core.View().Place == nil || at.steward.core.View().Place.Number() != newest.Place.Number() {
			return false
		}
	}
	for _, m := range w.nodes {
		if m.alive && m.core.LeftOver() > 0 {
			return false
		}
	}
	return len(newest.Place.Members()) == len(newest.Ring.Nodes())
}
