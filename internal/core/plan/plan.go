package plan

import (
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Cost is what is known of how long moving takes.
type Cost struct {
	// Bytes is about how much a partition holds, on one node; nil: not known.
	Bytes func(partition uint32) int64
	// Rate is how many bytes a second a node may receive; 0: not bounded, so that
	// the time is not known.
	Rate int64
}

// Plan says what would become of the cluster if the draft were committed at this
// node. It compares where partitions should be before and after; moves of earlier
// changes may still be under way.
func (d Draft) Plan(h member.History, at ring.NodeID, cost Cost) (ouro.Plan, error) {
	after, err := d.still(h, at)
	if err != nil {
		return ouro.Plan{}, err
	}
	before, err := h.Fold()
	if err != nil {
		return ouro.Plan{}, err
	}
	p := ouro.Plan{
		Node: string(at), Version: Version(h), Changes: d.Changes(), Tokens: before.Ring.Q(),
		Moved: moved(before.Ring, after.Ring), Least: ring.Least(before.Ring.Tokens(), after.Ring.Nodes()),
		Members: members(before, after), Guarantees: guarantees(before, after), Warnings: warnings(before, after),
	}
	moves(&p, before, after, cost)
	return p, nil
}

// moved returns how many partitions change their first owner.
func moved(before, after *ring.Ring) int {
	n := 0
	for t, token := range before.Tokens() {
		if after.Tokens()[t].Owner != token.Owner {
			n++
		}
	}
	return n
}

// members tells of each node, those that leave included, how many partitions it
// owns.
func members(before, after *member.Cluster) []ouro.PlanMember {
	all := slices.Clone(after.Members)
	for _, m := range before.Members {
		if _, stays := after.Member(m.ID); !stays {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b member.Member) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	var out []ouro.PlanMember
	for _, m := range all {
		out = append(out, ouro.PlanMember{
			ID: string(m.ID), Zone: m.Zone, DC: m.DC, Weight: max(m.Weight, 1), Before: before.Ring.Count(m.ID), After: after.Ring.Count(m.ID),
		})
	}
	return out
}

// moves finds the partitions whose preference lists change, and what is sent for
// it.
func moves(p *ouro.Plan, before, after *member.Cluster, cost Cost) {
	n := max(before.Buckets.MostN(), after.Buckets.MostN())
	receives := make([]int64, len(after.Ring.Nodes()))
	if cost.Bytes == nil {
		p.Bytes = -1
	}
	for t := range uint32(before.Ring.Q()) {
		from, to := before.Ring.Preference(t, n), after.Ring.Preference(t, n)
		if slices.Equal(from, to) {
			continue
		}
		p.Moves = append(p.Moves, ouro.PlanMove{Partition: t, From: texts(from), To: texts(to)})
		for _, id := range to {
			if slices.Contains(from, id) {
				continue
			}
			p.Copies++
			if cost.Bytes != nil {
				p.Bytes += cost.Bytes(t)
				receives[after.Ring.Index(id)] += cost.Bytes(t)
			}
		}
	}
	p.Lists = len(p.Moves)
	p.Seconds = -1
	if cost.Bytes != nil && cost.Rate > 0 { // nodes receive side by side
		p.Seconds = float64(slices.Max(receives)) / float64(cost.Rate)
	}
}

func texts(ids []ring.NodeID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}
