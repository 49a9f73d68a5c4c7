package transfer

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const never = time.Duration(1<<63 - 1)

// Transfer is the machine.
type Transfer struct {
	cfg      Config
	seq      uint64
	held     held
	arrivals []*job // by partition
	leavings []*job // likewise
	gone     []gone // under way
}

// New returns a machine that knows what is held and not where it is to be: see
// [Transfer.Assign].
func New(cfg Config) *Transfer {
	cfg = cfg.withDefaults()
	return &Transfer{cfg: cfg, seq: cfg.First, held: newHeld(&cfg.Held)}
}

// Assign tells what this node must prove, of all partitions that move, by
// partition. It is to be called whenever the lists, or the settings of buckets,
// may have changed, and what comes of it is to be done before anything is stored
// under the new ones.
func (t *Transfer) Assign(now clock.Now, tasks []Task, c Cluster, e *Effects) {
	arrivals, leavings := t.arrivals, t.leavings
	t.arrivals, t.leavings = nil, nil
	for i := range tasks {
		t.arrive(now, &tasks[i], find(arrivals, tasks[i].Partition), c, e)
	}
	t.arrived(c, e)
	t.leave(now, leavings, c, e)
	t.run(now, c, e)
}

// Adrift tells that it is not known where anything is: this node is in no ring yet, or
// its ring was merged into another (paper, section 4.8.2). Numbers of the links before
// mean nothing any more, so what was compared counts no more, and what was on its way
// here is kept as something that was here before: others may lack it.
func (t *Transfer) Adrift(e *Effects) {
	t.arrivals, t.leavings = nil, nil
	for _, a := range t.held.arrived {
		if !a.Mixed {
			a.Mixed = true
			t.held.begin(a)
			e.Ops = append(e.Ops, replica.Op{Verb: replica.Arrive, Partition: a.Partition, State: replica.AppendArrival(nil, a.Number, true), Silent: true})
		}
	}
}

// Keeps tells that something is about to be stored in a bucket of a partition,
// as this node's own.
func (t *Transfer) Keeps(partition uint32, bucket string) { t.held.add(partition, bucket) }

// LeftOver returns how many partitions have something that may be older than what
// their members have deleted for good since (RULES E1): what is to go, and what
// was there before it is taken over again.
func (t *Transfer) LeftOver() int {
	n := len(t.gone)
	for _, j := range t.leavings {
		if j.going == 0 {
			n++
		}
	}
	for _, j := range t.arrivals {
		if j.mixed {
			n++
		}
	}
	return n
}

// Deadline returns when [Transfer.Tick] is due; the greatest time there is: not
// before something else happens.
func (t *Transfer) Deadline() time.Duration {
	at := never
	if len(t.comparing()) >= t.cfg.Parallel {
		return at
	}
	for _, jobs := range [...][]*job{t.arrivals, t.leavings} {
		for _, j := range jobs {
			if j.waits() {
				at = min(at, j.due)
			}
		}
	}
	return at
}

// Tick begins what is due.
func (t *Transfer) Tick(now clock.Now, c Cluster, e *Effects) { t.run(now, c, e) }

// Back tells that a node can be reached again.
func (t *Transfer) Back(now clock.Now, id ring.NodeID, c Cluster, e *Effects) {
	for _, jobs := range [...][]*job{t.arrivals, t.leavings} {
		for _, j := range jobs {
			if slices.Contains(j.peers, id) {
				j.due, j.failures = min(j.due, now.Mono), 0
			}
		}
	}
	t.run(now, c, e)
}

// comparing returns the partitions that are being compared.
func (t *Transfer) comparing() []uint32 {
	var all []uint32
	for _, jobs := range [...][]*job{t.arrivals, t.leavings} {
		for _, j := range jobs {
			if j.with != "" {
				all = append(all, j.partition)
			}
		}
	}
	return all
}

// run begins what may begin. Two comparisons of one partition at a time would
// bring the same states twice.
func (t *Transfer) run(now clock.Now, c Cluster, e *Effects) {
	busy := t.comparing()
	for _, jobs := range [...][]*job{t.arrivals, t.leavings} {
		for _, j := range jobs {
			switch {
			case len(busy) >= t.cfg.Parallel:
				return
			case !j.waits() || j.due > now.Mono || slices.Contains(busy, j.partition):
			case !j.leaving && !j.noted:
				t.note(j, e)
			case t.begin(now, j, c, e):
				busy = append(busy, j.partition)
			}
		}
	}
}

// begin begins a comparison, if there is somebody to compare with.
func (t *Transfer) begin(now clock.Now, j *job, c Cluster, e *Effects) bool {
	peer, ok := j.next(c)
	if !ok {
		j.due = never // until one is back
		if j.failed == "" {
			j.wrong(now, "nobody who is still needed can be reached")
		}
		return false
	}
	j.with = peer
	e.Compares = append(e.Compares, Compare{j.partition, peer, j.number, j.leaving})
	return true
}

// Compared takes how a [Compare] ended.
func (t *Transfer) Compared(now clock.Now, o *Outcome, c Cluster, e *Effects) {
	jobs := t.arrivals
	if o.Push {
		jobs = t.leavings
	}
	if j := find(jobs, o.Partition); j != nil && j.with == o.Peer && j.number == o.Number {
		j.compared(now, o, t.cfg)
		if !o.Complete {
			e.Facts = append(e.Facts, fact.Fact{Kind: fact.NotTransferred, At: now.Mono, Peer: string(o.Peer), N: int(j.partition), Note: o.Why})
		}
		if j.leaving {
			t.vacate(now, j, c, e)
		} else {
			t.prove(now, j, c, e)
		}
	}
	t.run(now, c, e)
}

// Complete takes the own storage's answer to an operation.
func (t *Transfer) Complete(now clock.Now, a *replica.Answer, c Cluster, e *Effects) {
	if a.Verb == replica.Arrive {
		t.written(now, a, c, e)
	} else {
		t.vacated(now, a, c, e)
	}
	t.run(now, c, e)
}

// Pending appends to dst what is on its way here and what is left over.
func (t *Transfer) Pending(dst []Pending) []Pending {
	for _, jobs := range [...][]*job{t.arrivals, t.leavings} {
		for _, j := range jobs {
			dst = append(dst, j.pending())
		}
	}
	return dst
}

// Leaves says whether something of a partition is left over here, and to be handed on.
func (t *Transfer) Leaves(partition uint32) bool { return find(t.leavings, partition) != nil }

// Idle says whether nothing is on its way here, and nothing left over.
func (t *Transfer) Idle() bool { return len(t.arrivals)+len(t.leavings) == 0 }

// id returns the id of the next operation.
func (t *Transfer) id() uint64 {
	t.seq++
	return t.seq
}

func find(jobs []*job, partition uint32) *job {
	i, ok := slices.BinarySearchFunc(jobs, partition, func(j *job, p uint32) int { return cmp.Compare(j.partition, p) })
	if !ok {
		return nil
	}
	return jobs[i]
}
