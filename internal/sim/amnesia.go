package sim

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/store"
)

// forget makes a node forget what it acknowledged, once all have got back what
// was forgotten before: what is on two replicas must survive it.
func (n *nemesis) forget(k kind, m *machine) {
	w, c := n.w, &n.w.stats.Faults
	if m.former = w.fenced(m); m.former && k == kindWipe && m.index < len(w.cfg.Nodes) {
		return // with another founder that lost its disk it would look like a cluster that begins (decision 0016)
	}
	if k != kindRot && !m.former && w.needed(m) {
		return
	}
	m.empty = m.empty || k != kindRot && w.handedOn(m)
	if n.early && m.first != nil {
		k = kindRestore // whatever was drawn: few seeds would meet it
	}
	switch k {
	case kindWipe:
		c.Wipes++
		w.kill(m, 0)
		w.wipe(m)
	case kindRestore:
		old := n.images[m]
		if n.early && m.first != nil {
			old, m.first = m.first, nil
			c.Early++
		}
		if old == nil {
			n.images[m] = m.copyDisk()
			return
		}
		c.Restored++
		w.kill(m, 0)
		w.putBack(m, old, n.rand.IntN(2) == 0)
		delete(n.images, m)
	case kindCopy:
		o := n.node()
		if o == m || !w.allHoldAll() {
			return // it would be a replica of what is not its own
		}
		c.Copied++
		w.kill(m, 0)
		w.tracef("%s is given the data of %s", m.id, o.id)
		m.disk.Engine, m.leaves = o.disk.Copy(), maps.Clone(o.leaves) // what rotted there has here
		w.lost()
		w.hist.Wiped = max(w.hist.Wiped, 1)
	case kindRot:
		if key := n.record(m); key != nil {
			c.Rotten++
			w.rot(m, key)
		}
		c.RottenLeaves += w.rotLeaves(m, n.rots)
		return
	}
	n.heals(func() { w.restart(m) })
}

// putBack gives a node that is down an old copy of its disk. Marked says that its
// owner says so, as with 'ouro recover'; where the others can't notice it, as they
// did not see the node start since, that is what must be done (RULES R11).
func (w *World) putBack(m *machine, old *image, marked bool) {
	w.tracef("%s is given an old copy of its disk, of start %d, marked %v", m.id, old.folder.starts, marked)
	for _, o := range w.nodes {
		if seen, _ := o.folder.seen.Of(string(m.id)); o != m && (seen.Disk != m.folder.disk || seen.Disk == old.folder.disk && seen.Starts <= old.folder.starts) {
			marked = true
		}
	}
	m.disk.Engine, m.folder, m.rotten = old.data.Copy(), old.folder.clone(), nil
	if m.unheard = !marked; marked {
		w.draw(m)
	}
	w.hist.Wiped = max(w.hist.Wiped, 1)
}

// needed says whether a member must not lose its disk, as too few would be left to
// choose the next link: only an operator's act helps then (RULES R13). The next link may
// have been chosen without anybody knowing, so what any disk has accepted counts too.
func (w *World) needed(m *machine) bool {
	if !w.cfg.Changes {
		return false
	}
	return slices.ContainsFunc(w.electorates(), func(members []place.Member) bool {
		in, able := false, 0
		for _, o := range members {
			switch {
			case o.ID == m.id:
				in = true
			case w.mustID(o.ID).folder.disk == o.Disk:
				able++
			}
		}
		return in && able <= len(members)/2
	})
}

// electorates returns who has a say in the next link by the newest placement on any
// disk, and who would have by each link that was accepted there and may be chosen.
func (w *World) electorates() (all [][]place.Member) {
	var newest *place.Placement
	for _, m := range w.nodes {
		if p := w.placementOf(m); p != nil && (newest == nil || p.Number() > newest.Number()) {
			newest = p
		}
	}
	if newest == nil {
		return nil
	}
	if newest.Named() {
		all = append(all, newest.Members())
	}
	for _, m := range w.nodes {
		if v := w.voteOf(m); v.Link != nil && v.Number == newest.Number() {
			all = append(all, v.Link.Members)
		}
	}
	return all
}

// placementOf returns the placement on a node's disk; nil: there is none of this ring.
func (w *World) placementOf(m *machine) *place.Placement {
	b := w.note(m, steward.PlaceNote)
	if len(b) < len(w.origin) || [16]byte(b[:len(w.origin)]) != w.origin {
		return nil
	}
	p, err := chain.DecodePlacement(b[len(w.origin):])
	if err != nil {
		w.bug("%s: %v", m.id, err)
	}
	return p
}

// voteOf returns the vote on a node's disk.
func (w *World) voteOf(m *machine) chain.Vote {
	v, err := chain.DecodeVote(w.note(m, steward.VoteNote))
	if err != nil {
		w.bug("%s: %v", m.id, err)
	}
	return v
}

// fenced says whether a node was removed and has handed on what it held: it is
// refused for ever.
func (w *World) fenced(m *machine) bool {
	return slices.ContainsFunc(w.nodes, func(o *machine) bool {
		return o.alive && o.steward != nil && o.steward.core.Fenced(m.id)
	})
}

// handedOn says whether a node is to leave and holds nothing any more: others may know
// that by now, and take it out, whatever becomes of its disk.
func (w *World) handedOn(m *machine) bool {
	if !m.alive || m.steward == nil || m.core.LeftOver() > 0 {
		return false
	}
	core := m.steward.core
	p := core.Place()
	stays := slices.ContainsFunc(core.View().Ring.Nodes(), func(n ring.Node) bool { return n.ID == m.id })
	return p != nil && !stays && !p.Holds(m.id)
}

// emptyFormer empties the disks that were given to nodes after these had left for
// ever, or had said that they hold nothing any more, by which they left: nobody hears
// such a node, so what is on it now goes only as an operator takes it away, who is
// told to stop it and to use another folder.
func (w *World) emptyFormer() {
	for _, m := range w.nodes {
		if !m.former && !(m.empty && w.fenced(m)) {
			continue
		}
		if m.alive {
			w.kill(m, 0)
		}
		w.wipe(m)
	}
}

// allHoldAll says whether every node is a primary of every key.
func (w *World) allHoldAll() bool {
	all := w.cfg.Buckets.Default.N == len(w.nodes)
	for _, name := range w.cfg.Buckets.Names {
		all = all && w.cfg.Buckets.Named[name].N == len(w.nodes)
	}
	return all
}

// record draws the engine key of a record that others of the list in force hold too, since one
// that nobody else does stays as it is until it is written anew; nil: there is none.
func (n *nemesis) record(m *machine) []byte {
	var keys [][]byte
	err := m.disk.Engine.Range([]byte{'r'}, []byte{'s'}, func(key, _ []byte) bool {
		partition, bucket, _, ok := store.SplitKey(key)
		if ok && len(n.w.view(m).Lists(partition, n.w.cfg.Buckets.Of(string(bucket)).N).Old) > 1 {
			keys = append(keys, bytes.Clone(key))
		}
		return true
	})
	if err != nil || len(keys) == 0 {
		return nil
	}
	return keys[n.rand.IntN(len(keys))]
}

// OldDisk is a copy of a node's disk.
type OldDisk struct{ *image }

// CopyDisk copies the disk of a node: what is synced, and its folder.
func (w *World) CopyDisk(id ring.NodeID) OldDisk { return OldDisk{w.mustID(id).copyDisk()} }

// PutBack gives a node that is down an old copy of its disk. Marked says that its
// owner has marked it, as 'ouro recover' does.
func (w *World) PutBack(id ring.NodeID, old OldDisk, marked bool) {
	w.putBack(w.mustID(id), old.image, marked)
}

// Recovering says whether a node may have forgotten something that it has not got
// back yet.
func (w *World) Recovering(id ring.NodeID) bool { return !w.wholeOne(w.mustID(id)) }

// Away lets the clock of a node that is down go on, as if it was down so long.
func (w *World) Away(id ring.NodeID, d time.Duration) { w.mustID(id).skew += d.Milliseconds() }
