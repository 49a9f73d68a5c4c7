package host

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
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
	c := h.steward.known.Load().cluster
	if c == nil {
		return h.cfg.Notes
	}
	var notes []string
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

// Fenced says whether a node was removed from the cluster, and may never be heard
// again.
func (h *Host) Fenced(id string) bool {
	c := h.steward.known.Load().cluster
	if c == nil {
		return false
	}
	_, gone := slices.BinarySearch(c.Removed, ring.NodeID(id))
	return gone
}

// Member says whether a node is one of the cluster.
func (h *Host) Member(id string) bool { return h.inside(ring.NodeID(id)) }
