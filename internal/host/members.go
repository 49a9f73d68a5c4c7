package host

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
)

// members returns who is in the cluster.
func (h *Host) members() []Member {
	c := h.steward.known.Load().cluster
	if c == nil {
		return h.cfg.Members
	}
	var all []Member
	for _, m := range c.Members {
		all = append(all, Member{Node: m.Node, Peer: m.Addr})
	}
	return all
}

// notes are what an operator should know.
func (h *Host) notes() []string {
	var notes []string
	why, k := h.outside(), h.steward.known.Load()
	switch v := h.view.Load(); {
	case why != nil:
		notes = append(notes, why.Error())
	case v.Place != nil && v.Ring.Index(v.Self) < 0 && k.cluster != nil && k.cluster.Fenced(v.Self):
		notes = append(notes, "this node leaves the cluster: it passes requests on, and hands on what it still holds or keeps for others; stop it when 'ouro cluster status' at another node does not list it any more")
	case v.Place != nil && v.Ring.Index(v.Self) < 0:
		notes = append(notes, "this node is no member of the cluster: it passes requests on and holds nothing until it is joined; run 'ouro cluster join' at a member")
	}
	for _, a := range k.apart {
		notes = append(notes, fmt.Sprintf("node %s is of another cluster: %s", a.Peer, a.Why))
	}
	if h.cfg.Troubles != nil {
		notes = append(notes, h.cfg.Troubles()...)
	}
	c := k.cluster
	if c == nil {
		return slices.Concat(notes, h.cfg.Notes)
	}
	if m, ok := c.Member(h.view.Load().Self); ok {
		notes = append(notes, h.labelled(m)...)
	}
	if short := member.Shortfall(c.Buckets.Default, len(c.Members)); short != "" {
		notes = append(notes, short)
	}
	for _, name := range c.Defined {
		if short := member.Shortfall(c.Buckets.Named[name], len(c.Members)); short != "" {
			notes = append(notes, "bucket "+name+": "+short)
		}
	}
	return slices.Concat(notes, h.cfg.Notes)
}

// labelled says where the configuration of this node has another place or weight for it
// than the cluster, which goes by its history: one that is joined has what 'join' said.
func (h *Host) labelled(is member.Member) (notes []string) {
	set := h.cfg.Founding.Self
	if zone, dc := cmp.Or(set.Zone, is.Zone), cmp.Or(set.DC, is.DC); zone != is.Zone || dc != is.DC {
		notes = append(notes, fmt.Sprintf("its configuration says zone %q and data centre %q, the cluster has it in zone %q and data centre %q, and that counts: 'ouro cluster relabel %s --zone=%s --dc=%s' changes it",
			set.Zone, set.DC, is.Zone, is.DC, is.ID, zone, dc))
	}
	if w := max(is.Weight, 1); set.Weight > 1 && set.Weight != w {
		notes = append(notes, fmt.Sprintf("its configuration says weight %d, the cluster has it at %d, and that counts: 'ouro cluster reweigh %s %d' changes it", set.Weight, w, is.ID, set.Weight))
	}
	return notes
}

// Fenced says whether a node was removed from the cluster, has handed on what it
// held, and may never be heard again.
func (h *Host) Fenced(id string) bool {
	known := h.steward.known.Load()
	if known.cluster == nil || !known.cluster.Fenced(ring.NodeID(id)) {
		return false
	}
	if known.place == nil {
		return false // it may still have to hand on what it holds
	}
	_, there := known.place.Member(ring.NodeID(id))
	return !there
}

// Alone says whether this node has founded a cluster of itself, and nothing has come of
// that.
func (h *Host) Alone() bool {
	v := h.view.Load()
	return v.Ring.Epoch() == 1 && len(v.Ring.Nodes()) == 1 && v.Ring.Index(v.Self) == 0
}

// Member says whether a node is one of the cluster.
func (h *Host) Member(id string) bool {
	return core.Admits(h.view.Load(), ring.NodeID(id), node.KindAsk)
}
