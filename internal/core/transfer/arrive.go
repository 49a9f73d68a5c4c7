package transfer

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// arrive goes on with an arrival, or begins it. Before is that of the same
// partition; nil: there was none.
func (t *Transfer) arrive(now clock.Now, task *Task, before *job, c Cluster, e *Effects) {
	l := c.Lists(task.Partition)
	if before != nil && before.number == l.Number && before.disk == task.Disk {
		t.arrivals = append(t.arrivals, before)
		if !slices.Equal(before.promises, task.Promises) { // a bucket has come, or has gone
			before.promises, before.proven = slices.Clone(task.Promises), false
			t.prove(now, before, c, e)
		}
		return
	}
	j := &job{
		partition: task.Partition, number: l.Number, since: now.Wall, due: now.Mono, lists: *l,
		promises: slices.Clone(task.Promises), disk: task.Disk, peers: donors(l, c.Self(), task),
	}
	t.arrivals = append(t.arrivals, j)
	if self := c.Self(); slices.Contains(l.Old, self) { // it is new for buckets of fewer replicas only
		j.sources, j.sealed = insert(nil, self), insert(nil, self)
	}
	goesOn := before != nil && slices.Equal(before.lists.Old, l.Old) && slices.Equal(before.lists.New, l.New)
	if goesOn {
		j.since = before.since
	} else {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Arriving, At: now.Mono, N: int(j.partition)})
	}
	t.prepare(j, goesOn, c, e)
	t.prove(now, j, c, e)
}

// donors returns the others of the old list, first of them whom the partition and
// this node's place in the new list pick: so the load of many partitions spreads
// over all (paper, section 4.9).
func donors(l *place.Lists, self ring.NodeID, task *Task) []ring.NodeID {
	most := 0
	for _, p := range task.Promises {
		most = max(most, p.N)
	}
	f := l.First(most)
	others := slices.DeleteFunc(slices.Clone(f.Old), func(id ring.NodeID) bool { return id == self })
	if len(others) == 0 {
		return nil
	}
	at := (mix(uint64(task.Partition)) + uint64(max(0, slices.Index(f.New, self)))) % uint64(len(others))
	return slices.Concat(others[at:], others[:at])
}

// mix spreads numbers that follow each other (splitmix64), none of them so high
// that one could not be added.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x ^ x>>31) >> 1
}

// prepare sees to what is held before an arrival begins. What another move
// brought goes: it was aborted, and what was deleted for good since must not come
// back by this one. Anything else stays, and is mixed with what comes.
func (t *Transfer) prepare(j *job, goesOn bool, c Cluster, e *Effects) {
	began := t.held.began(j.partition)
	before := t.held.as(j.partition, Newcomer, c)
	switch {
	case began.Number == j.number:
		j.mixed, j.noted = began.Mixed, true
		return
	case len(before) == 0:
	case began.Number != 0 && !began.Mixed && !goesOn:
		t.clear(j.partition, before, c, e)
	default:
		j.mixed = true
	}
	t.note(j, e)
}

// note tells the disk at which number an arrival began.
func (t *Transfer) note(j *job, e *Effects) {
	j.noting = t.id()
	t.held.begin(replica.Arrival{Partition: j.partition, Number: j.number, Mixed: j.mixed})
	e.Ops = append(e.Ops, replica.Op{ID: j.noting, Verb: replica.Arrive, Partition: j.partition, State: replica.AppendArrival(nil, j.number, j.mixed)})
}

// written takes the answer to that. Where it failed it is tried again; what comes
// meanwhile can't be told from what was there before.
func (t *Transfer) written(now clock.Now, a *replica.Answer, c Cluster, e *Effects) {
	i := slices.IndexFunc(t.arrivals, func(j *job) bool { return j.noting == a.ID })
	if i < 0 {
		return
	}
	j := t.arrivals[i]
	j.noting, j.noted = 0, a.Status == replica.Have
	if !j.noted {
		j.mixed, j.due = true, now.Mono+t.cfg.BackOff
		j.wrong(now, "when it began can't be stored: "+a.Reason.String())
	}
	t.prove(now, j, c, e)
}

// arrived forgets the arrivals that are over, where this node is a holder now.
func (t *Transfer) arrived(c Cluster, e *Effects) {
	for i := 0; i < len(t.held.arrived); {
		p := t.held.arrived[i].Partition
		l := c.Lists(p)
		if left := t.held.as(p, None, c); find(t.arrivals, p) != nil || !slices.Contains(l.Old, c.Self()) || len(left) > 0 {
			i++
			continue
		}
		t.held.begin(replica.Arrival{Partition: p})
		e.Ops = append(e.Ops, replica.Op{Verb: replica.Arrive, Partition: p, Silent: true})
	}
}

// prove tells that all promises are proved, once they are.
func (t *Transfer) prove(now clock.Now, j *job, c Cluster, e *Effects) {
	if j.mixed && j.noted && j.noting == 0 && len(j.done) == len(j.peers) {
		j.mixed, j.noted = false, false // it is as good as what they gave
		t.note(j, e)
	}
	if j.proven || !j.noted {
		return
	}
	var proofs []place.Proof
	for _, p := range j.promises {
		proof := j.proof(p, c.Self())
		if j.lists.Check(&proof, j.disk) != nil {
			return
		}
		proofs = append(proofs, proof)
	}
	slices.SortFunc(proofs, func(a, b place.Proof) int { return a.Compare(&b) })
	j.proven = true
	e.Proven = append(e.Proven, Proven{j.partition, proofs})
	e.Facts = append(e.Facts, fact.Fact{Kind: fact.Arrived, At: now.Mono, Lasted: j.lasted(now), N: int(j.partition)})
}

// proof is what is proved so far of a promise.
func (j *job) proof(p place.Promise, self ring.NodeID) place.Proof {
	old := j.lists.First(p.N).Old
	in := func(ids []ring.NodeID) []ring.NodeID {
		return slices.DeleteFunc(slices.Clone(ids), func(id ring.NodeID) bool { return !slices.Contains(old, id) })
	}
	return place.Proof{Who: self, Disk: j.disk, Number: j.number, N: p.N, W: p.W, R: p.R, Sources: in(j.sources), Sealed: in(j.sealed)}
}
