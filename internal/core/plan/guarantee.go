package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// MaxKinds bounds how many kinds of bucket guarantees are told of: those with
// other numbers are counted.
const MaxKinds = 8

// kind is the buckets that have the same numbers.
type kind struct {
	set   member.Bucket // as defined
	names []string
}

// kinds returns the buckets of a cluster by their numbers, the default first.
func kinds(c *member.Cluster) []kind {
	numbers := func(b member.Bucket) member.Bucket {
		return member.Bucket{N: b.N, R: b.R, W: b.W, PR: b.PR, PW: b.PW, DW: b.DW}
	}
	out := []kind{{numbers(c.Buckets.Default), []string{"the default"}}}
	for _, name := range c.Defined {
		b := numbers(c.Buckets.Named[name])
		i := slices.IndexFunc(out, func(k kind) bool { return k.set == b })
		if i < 0 {
			i = len(out)
			out = append(out, kind{set: b})
		}
		out[i].names = append(out[i].names, name)
	}
	return out
}

// String names the buckets.
func (k *kind) String() string {
	names := k.names
	if more := len(names) - 3; more > 0 {
		names = append(slices.Clone(names[:3]), fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("n=%d r=%d w=%d (%s)", k.set.N, k.set.R, k.set.W, strings.Join(names, ", "))
}

// guarantees says of every range what is promised now, while it moves and
// afterwards, ranges of which the same is said together.
func guarantees(before, after *member.Cluster) []string {
	var out []string
	all := kinds(before)
	for i := range all {
		if i == MaxKinds {
			out = append(out, fmt.Sprintf("and buckets with %d other combinations of n, r and w", len(all)-i))
			break
		}
		out = append(out, all[i].promises(before, after)...)
	}
	return out
}

func (k *kind) promises(before, after *member.Cluster) []string {
	was, is := newJudge(before, k.set), newJudge(after, k.set)
	type group struct {
		text   string
		ranges ranges
	}
	var groups []group
	for p := range uint32(before.Ring.Q()) {
		from, to := before.Ring.Preference(p, k.set.N), after.Ring.Preference(p, k.set.N)
		now, then := was.promise(from), is.promise(to)
		text := now + ", and nothing moves"
		switch {
		case !same(from, to):
			text = fmt.Sprintf("now %s; while it moves quorums are counted in the old list and in the new one%s; then %s", now, meanwhile(from, after), then)
		case now != then:
			text = fmt.Sprintf("now %s; then %s; nothing moves", now, then)
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.text == text })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{text: text})
		}
		groups[i].ranges.add(p)
	}
	var out []string
	for i := range groups {
		g := &groups[i]
		out = append(out, fmt.Sprintf("%v: %d of %d partitions (%v): %s", k, g.ranges.count, before.Ring.Q(), &g.ranges, g.text))
	}
	return out
}

// meanwhile says what that means for an old list some of which is gone for good.
func meanwhile(old []ring.NodeID, after *member.Cluster) string {
	var gone []ring.NodeID
	for _, id := range old {
		if slices.Contains(after.Forced, id) {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return ", so what holds now holds"
	}
	return fmt.Sprintf(", with %s failed for good", strings.Join(texts(gone), " and "))
}

// same says whether two lists have the same nodes.
func same(a, b []ring.NodeID) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(id ring.NodeID) bool { return !slices.Contains(b, id) })
}

// judge says what a list promises for buckets of one kind in a cluster.
type judge struct {
	ring   *ring.Ring
	b      member.Bucket // in force
	zones  bool          // nodes are labelled
	places map[string]int
}

func newJudge(c *member.Cluster, set member.Bucket) *judge {
	j := &judge{ring: c.Ring, b: member.EffectiveBucket(set, len(c.Members)), places: map[string]int{}}
	for _, m := range c.Members {
		j.zones = j.zones || m.Zone != "" || m.DC != ""
	}
	return j
}

func (j *judge) promise(list []ring.NodeID) string {
	quorum := max(j.b.R, j.b.W)
	text := fmt.Sprintf("%s, of which %s may fail", count(len(list), "replica"), upTo(len(list)-quorum, "node"))
	if !j.zones {
		return text
	}
	zones, crowded := j.spread(list)
	text = fmt.Sprintf("%s in %s, of which %s", count(len(list), "replica"), count(zones, "zone"), upTo(len(list)-quorum, "node"))
	if len(list)-crowded >= quorum {
		return text + " or any whole zone may fail"
	}
	return text + " but not every whole zone may fail"
}

// spread returns in how many zones a list is, and how many of it are in the zone
// that has most of them.
func (j *judge) spread(list []ring.NodeID) (zones, crowded int) {
	clear(j.places)
	for _, id := range list {
		n, _ := j.ring.Node(id)
		place := n.DC + "\x00" + n.Zone
		j.places[place]++
		crowded = max(crowded, j.places[place])
	}
	return len(j.places), crowded
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func upTo(n int, what string) string {
	if n <= 0 {
		return "no " + what
	}
	return "any " + count(n, what)
}

// ranges is a set of partitions, added in ascending order.
type ranges struct {
	count int
	runs  [][2]uint32
}

func (r *ranges) add(p uint32) {
	r.count++
	if n := len(r.runs); n > 0 && r.runs[n-1][1]+1 == p {
		r.runs[n-1][1] = p
		return
	}
	r.runs = append(r.runs, [2]uint32{p, p})
}

// String names the first runs.
func (r *ranges) String() string {
	const most = 6
	var out []string
	for i, run := range r.runs {
		if i == most {
			return strings.Join(out, " ") + " and " + count(len(r.runs)-most, "other run")
		}
		if run[0] == run[1] {
			out = append(out, fmt.Sprint(run[0]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", run[0], run[1]))
		}
	}
	return strings.Join(out, " ")
}
