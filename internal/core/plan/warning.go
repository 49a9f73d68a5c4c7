package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// warnings says what an operator should think of before committing: what cannot
// be had, and what would be lost.
func warnings(before, after *member.Cluster) []string {
	out := losses(before, after)
	if m, least := moved(before.Ring, after.Ring), ring.Least(before.Ring.Tokens(), after.Ring.Nodes()); m > least {
		out = append(out, fmt.Sprintf("%d partitions change their first owner where %d would do, as the changes follow each other; to put a node in another's place, replace it", m, least))
	}
	all := kinds(after)
	for i := range all {
		if i == MaxKinds {
			break
		}
		if s := member.Shortfall(all[i].set, len(after.Members)); s != "" {
			out = append(out, fmt.Sprintf("%v: %s", &all[i], s))
		}
	}
	out = append(out, places(after)...)
	for _, m := range after.Members {
		if after.Ring.Count(m.ID) == 0 {
			out = append(out, fmt.Sprintf("node %s owns no partition: there are %d for %d members; q was fixed when the cluster was made", m.ID, after.Ring.Q(), len(after.Members)))
		}
	}
	if q, s := after.Ring.Q(), len(after.Members); q >= s && q < fewTokens*s {
		out = append(out, fmt.Sprintf("%d partitions for %d members are fewer than %d for each: load is less even; q was fixed when the cluster was made", q, s, fewTokens))
	}
	return out
}

// fewTokens is how many partitions a node should own for its load to be even.
const fewTokens = 8

// places says where replicas cannot be spread as far as there are replicas.
func places(c *member.Cluster) []string {
	n := c.Buckets.MostN()
	zones, dcs, blank := map[string]bool{}, map[string]bool{}, 0
	for _, m := range c.Members {
		zones[m.DC+"\x00"+m.Zone], dcs[m.DC] = true, true
		if m.Zone == "" && m.DC == "" {
			blank++
		}
	}
	var out []string
	switch {
	case blank == len(c.Members):
		return nil // nobody asked for zones
	case blank > 0:
		out = append(out, fmt.Sprintf("%s no zone and no data centre: they count as one zone of their own; relabel them", have(blank)))
	}
	if len(c.Members) > 1 && len(zones) == 1 && n > 1 {
		return append(out, fmt.Sprintf("all %d members are in one zone: replicas cannot be spread, and every range is lost to clients while that zone is down", len(c.Members)))
	}
	if want := min(n, len(c.Members)); len(zones) < want {
		out = append(out, fmt.Sprintf("n=%d replicas are wanted but there are only %s: some zone has two replicas of each range", n, count(len(zones), "zone")))
	}
	if len(dcs) > 1 && len(dcs) < min(n, len(c.Members)) {
		out = append(out, fmt.Sprintf("n=%d replicas are in %d data centres: some data centre has two replicas of each range", n, len(dcs)))
	}
	return out
}

func have(n int) string {
	if n == 1 {
		return "1 member has"
	}
	return fmt.Sprintf("%d members have", n)
}

// losses says what goes with nodes that are removed by force (RULES R18): they
// hand over nothing.
func losses(before, after *member.Cluster) []string {
	var gone, left []ring.NodeID
	for _, id := range after.Forced {
		if _, was := before.Member(id); was {
			gone = append(gone, id)
		} else if !slices.Contains(before.Forced, id) {
			left = append(left, id)
		}
	}
	var out []string
	for _, id := range left {
		out = append(out, fmt.Sprintf("%s was to leave, and is not waited for any more: what it has not handed on, of its own or kept for other nodes, is lost; 'ouro cluster status' has how many partitions it holds", id))
	}
	if len(gone) == 0 {
		return out
	}
	who := strings.Join(texts(gone), ", ")
	out = append(out, fmt.Sprintf("%s will hand over nothing: what is kept there for other nodes is lost, and the id is fenced for ever", who))
	all := kinds(before)
	for i := range all {
		if i < MaxKinds {
			out = append(out, all[i].losses(before, gone, who)...)
		}
	}
	return out
}

// losses says of each range how many of its replicas go, and which promises go
// with them.
func (k *kind) losses(before *member.Cluster, gone []ring.NodeID, who string) []string {
	b := member.EffectiveBucket(k.set, len(before.Members))
	lost := make([]ranges, b.N+1) // by how many replicas go
	for p := range uint32(before.Ring.Q()) {
		n := 0
		for _, id := range before.Ring.Preference(p, b.N) {
			if slices.Contains(gone, id) {
				n++
			}
		}
		lost[n].add(p)
	}
	var out []string
	for n := b.N; n > 0; n-- {
		r := &lost[n]
		if r.count == 0 {
			continue
		}
		text := fmt.Sprintf("%v: %s of %d in %d partitions (%v) are on %s", k, count(n, "replica"), b.N, r.count, r, who)
		switch {
		case n == b.N:
			text += ": EVERYTHING in them is lost"
		case b.W <= n:
			text += fmt.Sprintf(": a write acknowledged with w=%d may be lost, and promises of pw up to %d lapse", b.W, n)
		default:
			text += fmt.Sprintf(": writes acknowledged with w=%d are on another replica or a stand-in; promises of pw up to %d lapse", b.W, n)
		}
		out = append(out, text)
	}
	return out
}
