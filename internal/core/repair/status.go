package repair

import (
	"cmp"
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Pairs appends to dst how each partition stands with each other node that holds it.
func (r *Repair) Pairs(dst []Pair) []Pair {
	for i := range r.pairs {
		pr := &r.pairs[i]
		p := Pair{Mark: pr.Mark, Agreed: pr.agreed, Marked: pr.marked, Running: r.talkAbout(pr.Mark) != nil}
		if pr.failed != "" {
			p.Failed, p.FailedAt, p.Failures = pr.failed, pr.failedAt, int(pr.failures)
		}
		dst = append(dst, p)
	}
	return dst
}

// Agreements appends to dst how far this node agrees with each other one.
func (r *Repair) Agreements(now clock.Now, dst []Agreement) []Agreement {
	start := len(dst)
	for i := range r.pairs {
		pr := &r.pairs[i]
		at, ok := slices.BinarySearchFunc(dst[start:], pr.Peer, func(a Agreement, id ring.NodeID) int { return cmp.Compare(a.Peer, id) })
		if !ok {
			about := r.peer(pr.Peer)
			dst = slices.Insert(dst, start+at, Agreement{Peer: pr.Peer, Repaired: about.repaired, Failed: about.failed})
			if about.failed != "" {
				dst[start+at].FailedAt = about.failedAt
			}
		}
		dst[start+at].add(now, pr)
	}
	return dst
}

func (a *Agreement) add(now clock.Now, pr *pair) {
	a.Partitions++
	a.Waits = max(a.Waits, pr.waits(now))
	if pr.marked {
		a.Marked++
	}
	switch {
	case pr.agreed == 0:
		a.Never++
		a.Oldest = 0
	case a.Never == 0 && (a.Oldest == 0 || pr.agreed < a.Oldest):
		a.Oldest = pr.agreed
	}
}

// Underway appends to dst how far the comparisons at a number have come.
func (r *Repair) Underway(dst []Underway) []Underway {
	for _, t := range r.talks {
		if t.out.Number != 0 {
			dst = append(dst, Underway{t.out, len(t.buckets), len(t.spans) + len(t.lists)})
		}
	}
	return dst
}
