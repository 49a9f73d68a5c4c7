package host

import (
	"context"
	"fmt"
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
)

// maxCertificates is how many certificates are shown.
const maxCertificates = 64

// Cluster implements [ouro.Operator].
func (h *Host) Cluster(context.Context) (ouro.ClusterInfo, error) {
	k, self := h.steward.known.Load(), h.view.Load().Self
	info := ouro.ClusterInfo{Node: string(self), Cluster: h.cfg.Cluster, Staged: k.staged, Notes: h.notes()}
	if k.cluster == nil {
		return info, nil
	}
	info.Version, info.Changes = k.version, int(k.cluster.Ring.Epoch())
	for _, s := range k.cluster.Skipped {
		info.Skipped = append(info.Skipped, fmt.Sprintf("%v: %s", s.Change, s.Reason))
	}
	for _, id := range k.cluster.Removed {
		info.Removed = append(info.Removed, string(id))
	}
	h.placed(&info, k)
	info.Waits = waits(&info, h.count(k).coming, k.links.Waits)
	if h.view.Load().Expelled {
		goneOut(&info)
	}
	if k.links.Diverged != "" {
		info.Notes = append(slices.Clone(info.Notes), fmt.Sprintf(
			"ALARM: node %s goes by another chain of links than this one, which refuses it: the cluster was founded or restarted twice, and neither side has what was written at the other; see 'Two chains of links' in docs/operate/cluster.md", k.links.Diverged))
	}
	info.Transfers, info.TransferRate = h.transfers(), h.rate.Load()
	info.Certificates = certificates(k.ended)
	return info, nil
}

// Diverged says whether another node goes by another chain of links than this one
// (RULES R12), which an operator has to look after.
func (h *Host) Diverged() bool { return h.steward.known.Load().links.Diverged != "" }

// goneOut leaves away what a node that is a member no more will never hear the end of.
func goneOut(info *ouro.ClusterInfo) {
	info.Out, info.Waits, info.Moving, info.Waiting = true, nil, 0, 0
	info.Members = slices.DeleteFunc(info.Members, func(m ouro.ClusterMember) bool { return m.Self })
}

// counts are what a placement comes to beside the history, kept until one of the two
// is another: who asks for it often costs little then.
type counts struct {
	cluster         *member.Cluster
	place           *place.Placement
	holds, targets  map[ring.NodeID]int
	coming          map[ring.NodeID]int // are on their way to it, or have yet to begin that
	moving, waiting int
}

// count returns the counts of what is known.
func (h *Host) count(k *known) *counts {
	if c := h.counts.Load(); c != nil && c.cluster == k.cluster && c.place == k.place {
		return c
	}
	c := &counts{cluster: k.cluster, place: k.place, holds: map[ring.NodeID]int{}, targets: map[ring.NodeID]int{}, coming: map[ring.NodeID]int{}}
	n := k.cluster.Buckets.MostN()
	for p := range uint32(k.cluster.Ring.Q()) {
		target := k.cluster.Ring.Preference(p, n)
		for _, id := range target {
			c.targets[id]++
		}
		if k.place == nil {
			continue
		}
		l := k.place.Of(p)
		for _, id := range l.All(nil) {
			c.holds[id]++
		}
		want := l.New
		switch {
		case l.Moving():
			c.moving++
		case !slices.Equal(l.Old, target):
			c.waiting++
			want = target
		}
		for _, id := range want {
			if !slices.Contains(l.Old, id) {
				c.coming[id]++
			}
		}
	}
	h.counts.Store(c)
	return c
}

// placed fills in who is where, and who is on the way.
func (h *Host) placed(info *ouro.ClusterInfo, k *known) {
	if k.place != nil {
		info.Placement, info.Hash = k.place.Number(), fmt.Sprintf("%x", k.place.Hash())
	}
	c := h.count(k)
	info.Moving, info.Waiting = c.moving, c.waiting
	for _, m := range k.cluster.Members {
		info.Members = append(info.Members, h.clusterMember(m, "member", k.place))
	}
	if k.place != nil {
		for _, m := range k.place.Members() {
			if _, stays := k.cluster.Member(m.ID); !stays {
				info.Members = append(info.Members, h.clusterMember(member.Member{Node: ring.Node{ID: m.ID}, Addr: addrOf(k.peers, m.ID)}, "leaving", k.place))
			}
		}
	}
	for i := range info.Members {
		id := ring.NodeID(info.Members[i].ID)
		info.Members[i].Holds, info.Members[i].Target = c.holds[id], c.targets[id]
	}
}

// addrOf is where a node is dialled; "": it is not.
func addrOf(peers []core.Peer, id ring.NodeID) string {
	for _, p := range peers {
		if p.ID == id {
			return p.Addr
		}
	}
	return ""
}

func (h *Host) clusterMember(m member.Member, state string, p *place.Placement) ouro.ClusterMember {
	self := m.ID == h.view.Load().Self
	c := ouro.ClusterMember{
		ID: string(m.ID), Peer: m.Addr, Zone: m.Zone, DC: m.DC, Weight: m.Weight, State: state, Self: self, Up: self || h.links.up(m.ID),
	}
	if p == nil {
		return c
	}
	named, ok := p.Member(m.ID)
	switch {
	case !ok:
		c.State = "joining"
	case named.Disk != 0:
		c.Disk = fmt.Sprintf("%016x", named.Disk)
	}
	return c
}

// certificates are those of the moves that ended last, newest first.
func certificates(links []*place.Link) []ouro.Certificate {
	var all []ouro.Certificate
	for i := range links {
		l := links[len(links)-1-i]
		for _, m := range l.Moves {
			for _, p := range m.Proofs {
				if len(all) == maxCertificates {
					return all
				}
				all = append(all, ouro.Certificate{
					Link: l.Number, Partition: m.Partition, Node: string(p.Who), N: p.N, R: p.R, W: p.W, Sources: texts(p.Sources), Sealed: texts(p.Sealed),
				})
			}
		}
	}
	return all
}

func texts(ids []ring.NodeID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}
