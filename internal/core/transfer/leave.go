package transfer

import (
	"cmp"
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

// gone is an operation by which something of a partition goes.
type gone struct {
	id      uint64
	buckets []string
	arrival replica.Arrival // that went with them; its number 0: none
}

// leave finds what is left over, and goes on with letting it go, or begins that.
func (t *Transfer) leave(now clock.Now, before []*job, c Cluster, e *Effects) {
	for at := 0; at < len(t.held.buckets); {
		p := t.held.buckets[at].Partition
		at += len(t.held.of(p))
		left := t.held.as(p, None, c)
		l, began := c.Lists(p), t.held.began(p)
		switch {
		case len(left) == 0 || len(l.Old) == 0: // or it is not known where it is
		case began.Number != 0 && began.Number != l.Number && !began.Mixed:
			e.Facts = append(e.Facts, fact.Fact{Kind: fact.Left, At: now.Mono, N: int(p), Note: "its move was aborted"})
			t.clear(p, left, c, e)
			at -= len(left)
		default:
			t.leaveOne(now, p, left, find(before, p), c, e)
		}
	}
}

// leaveOne goes on with what is left of a partition, or begins with it.
func (t *Transfer) leaveOne(now clock.Now, p uint32, left []string, before *job, c Cluster, e *Effects) *job {
	number := c.Lists(p).Number
	j := &job{partition: p, number: number, leaving: true, since: now.Wall, due: now.Mono, buckets: left}
	switch {
	case before == nil:
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Leaving, At: now.Mono, N: int(p)})
	case before.number == number && slices.Equal(before.buckets, left):
		j = before
	default:
		j.since = before.since // it is left over since then, at whatever number
	}
	for _, b := range left {
		for _, id := range c.Holders(p, b) {
			if id != c.Self() && !slices.Contains(j.peers, id) {
				j.peers = append(j.peers, id)
			}
		}
	}
	i, _ := slices.BinarySearchFunc(t.leavings, p, func(j *job, p uint32) int { return cmp.Compare(j.partition, p) })
	t.leavings = slices.Insert(t.leavings, i, j)
	return j
}

// vacate lets go what everybody has merged who holds the partition now.
func (t *Transfer) vacate(now clock.Now, j *job, c Cluster, e *Effects) {
	if j.over() && j.going == 0 {
		j.going = t.clear(j.partition, j.buckets, c, e)
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Left, At: now.Mono, Lasted: j.lasted(now), N: int(j.partition)})
	}
}

// clear lets buckets of a partition go, and returns the id of the operation, the
// last one where there are several. It is one where nothing else is held of the
// partition, and nothing can come.
func (t *Transfer) clear(partition uint32, buckets []string, c Cluster, e *Effects) uint64 {
	t.held.drop(partition, buckets)
	op := replica.Op{Verb: replica.Vacate, Partition: partition}
	if l := c.Lists(partition); len(t.held.of(partition)) == 0 && !l.Holds(c.Self()) {
		op.ID = t.id()
		began := t.held.began(partition)
		began.Partition = partition
		t.gone = append(t.gone, gone{op.ID, buckets, began})
		t.held.begin(replica.Arrival{Partition: partition})
		e.Ops = append(e.Ops, op)
		return op.ID
	}
	for _, b := range buckets {
		op.ID, op.Key.Bucket = t.id(), b
		t.gone = append(t.gone, gone{op.ID, []string{b}, replica.Arrival{Partition: partition}})
		e.Ops = append(e.Ops, op)
	}
	return op.ID
}

// vacated takes the answer to that.
func (t *Transfer) vacated(now clock.Now, a *replica.Answer, c Cluster, e *Effects) {
	i := slices.IndexFunc(t.gone, func(g gone) bool { return g.id == a.ID })
	if i < 0 {
		return
	}
	g := t.gone[i]
	t.gone = slices.Delete(t.gone, i, i+1)
	p := g.arrival.Partition
	if a.Status != replica.Have {
		t.stays(now, &g, "it can't be let go: "+a.Reason.String(), c, e)
		return
	}
	if j := find(t.leavings, p); j != nil && j.going != 0 && !slices.ContainsFunc(t.gone, func(o gone) bool { return o.arrival.Partition == p }) {
		t.leavings = slices.DeleteFunc(t.leavings, func(o *job) bool { return o == j })
	}
}

// stays begins anew with what could not go. If the partition is being taken over
// meanwhile, it mixes with that.
func (t *Transfer) stays(now clock.Now, g *gone, why string, c Cluster, e *Effects) {
	p := g.arrival.Partition
	for _, b := range g.buckets {
		t.held.add(p, b)
	}
	if j := find(t.arrivals, p); j != nil {
		j.mixed, j.noted, j.due = true, false, now.Mono+t.cfg.BackOff
		j.wrong(now, why)
	} else if g.arrival.Number != 0 && t.held.began(p).Number == 0 {
		t.held.begin(g.arrival)
	}
	before := find(t.leavings, p)
	t.leavings = slices.DeleteFunc(t.leavings, func(j *job) bool { return j == before })
	if left := t.held.as(p, None, c); len(left) > 0 {
		j := t.leaveOne(now, p, left, nil, c, e)
		j.due = now.Mono + t.cfg.BackOff
		j.wrong(now, why)
		if before != nil {
			j.since = before.since
		}
	}
}
