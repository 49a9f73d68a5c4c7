package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const never = time.Duration(1<<63 - 1)

// Recovery is the machine.
type Recovery struct {
	cfg    Config
	seq    uint64
	parts  []part   // by partition
	rotten []record // in the order in which they were met
}

// part is a partition that recovers.
type part struct {
	Partition
	opens    time.Duration // when the first comparison may begin
	due      time.Duration // when to try again
	failures int
	failed   string
	with     ring.NodeID // a comparison is under way
	noting   uint64      // the operation that notes that it is over; 0: none
}

// New returns a machine for which nothing is to be done.
func New(cfg Config) *Recovery {
	cfg = cfg.withDefaults()
	return &Recovery{cfg: cfg, seq: cfg.First}
}

// Start tells which partitions are recovering, as the disk has it. Where nothing
// was compared yet the wait begins now, and lasts its full time: what passed
// while the process was down is not known.
func (r *Recovery) Start(now clock.Now, parts []Partition, e *Effects) {
	for _, p := range parts {
		opens := now.Mono
		if len(p.Progress.Sources) == 0 && !p.Progress.Away {
			opens += r.cfg.Wait
		}
		i, found := r.find(p.Partition)
		if !found {
			r.parts = slices.Insert(r.parts, i, part{Partition: p, opens: opens, due: opens})
		}
	}
	if len(parts) > 0 {
		e.Facts = append(e.Facts, fact.Fact{Kind: fact.Recovering, At: now.Mono, N: len(parts), Lasted: r.cfg.Wait})
	}
}

func (r *Recovery) find(partition uint32) (int, bool) {
	return slices.BinarySearchFunc(r.parts, partition, func(p part, n uint32) int { return cmp.Compare(p.Partition.Partition, n) })
}

// Left appends to dst what is recovering still.
func (r *Recovery) Left(now time.Duration, dst []Left) []Left {
	for i := range r.parts {
		p := &r.parts[i]
		dst = append(dst, Left{
			Partition: p.Partition.Partition, Since: p.Progress.Since, Sources: p.Progress.Sources,
			Waits: max(0, p.opens-now), With: p.with, Failed: p.failed,
		})
	}
	return dst
}

// Busy says whether anything is recovering.
func (r *Recovery) Busy() bool { return len(r.parts)+len(r.rotten) > 0 }

// Deadline returns when [Recovery.Tick] is due; the greatest time there is: not
// before something else happens.
func (r *Recovery) Deadline() time.Duration {
	at := never
	room := r.comparing() < r.cfg.Parallel
	for i := range r.parts {
		if p := &r.parts[i]; room && p.with == "" && p.noting == 0 {
			at = min(at, p.due)
		}
	}
	return min(at, r.healDeadline())
}

func (r *Recovery) comparing() int {
	n := 0
	for i := range r.parts {
		if r.parts[i].with != "" {
			n++
		}
	}
	return n
}

// Tick does what is due.
func (r *Recovery) Tick(now clock.Now, c Cluster, e *Effects) {
	room := r.cfg.Parallel - r.comparing()
	for i := range r.parts {
		p := &r.parts[i]
		if room <= 0 {
			break
		}
		if p.with != "" || p.noting != 0 || p.due > now.Mono {
			continue
		}
		if r.advance(now, p, c, e) {
			room--
		}
	}
	r.healTick(now, c, e)
}

// advance begins the next comparison of a partition, and says whether it did.
func (r *Recovery) advance(now clock.Now, p *part, c Cluster, e *Effects) bool {
	if !c.Named() {
		r.fail(now, p, "no link names the disk of this node yet")
		p.due = never // until one does
		return false
	}
	needs := c.Needs(p.Partition.Partition)
	if p.enough(needs) {
		r.finish(p, e)
		return false
	}
	peer, ok := candidate(needs, p, c)
	if !ok {
		r.fail(now, p, "no other replica that is still needed can be reached")
		p.due = never // until one is back
		return false
	}
	p.with = peer
	e.Compares = append(e.Compares, Compare{p.Partition.Partition, peer})
	return true
}

// enough says whether what was compared meets all needs. One that was away and has
// forgotten nothing needs one of the others, whichever: where all were away there
// may be none that was not.
func (p *part) enough(needs []Need) bool {
	if p.Progress.Away && len(p.Progress.Sources) > 0 {
		return true
	}
	for i := range needs {
		if !needs[i].met(p.Progress.Sources) {
			return false
		}
	}
	return true
}

// candidate is whom to compare with next: one that was not compared with yet, or
// else one that was recovering then.
func candidate(needs []Need, p *part, c Cluster) (ring.NodeID, bool) {
	var second ring.NodeID
	for i := range needs {
		if needs[i].met(p.Progress.Sources) {
			continue
		}
		for _, o := range needs[i].Others {
			at := source(p.Progress.Sources, o)
			switch {
			case !c.Usable(o):
			case at < 0:
				return o, true
			case second == "" && p.Progress.Sources[at].Recovering:
				second = o
			}
		}
	}
	return second, second != ""
}

func source(sources []replica.Source, id ring.NodeID) int {
	return slices.IndexFunc(sources, func(s replica.Source) bool { return s.Node == id })
}

// finish notes that a partition is current again.
func (r *Recovery) finish(p *part, e *Effects) {
	r.seq++
	p.noting = r.seq
	e.Ops = append(e.Ops, replica.Op{ID: p.noting, Verb: replica.Recover, Partition: p.Partition.Partition})
}

func (r *Recovery) fail(now clock.Now, p *part, why string) {
	p.due = now.Mono + r.backOff(p.failures)
	p.failures++
	p.failed = why
}

// backOff is how long to leave alone what failed before so many times in a row.
func (r *Recovery) backOff(failures int) time.Duration {
	return min(r.cfg.BackOff<<min(failures, 20), r.cfg.MaxBackOff)
}

// Compared takes the outcome of a [Compare]. Complete means that all that the
// peer held of the partition, at some moment after the comparison was asked for,
// is merged here durably. Recovering says that the peer may itself lack
// something. Why tells what was wrong with one that is not complete.
func (r *Recovery) Compared(now clock.Now, partition uint32, peer ring.NodeID, complete, recovering bool, why string, c Cluster, e *Effects) {
	i, found := r.find(partition)
	if !found || r.parts[i].with != peer {
		return
	}
	p := &r.parts[i]
	p.with = ""
	note := "complete"
	switch {
	case !complete:
		note = cmp.Or(why, "not complete")
		r.fail(now, p, fmt.Sprintf("compared with %s: %s", peer, note))
	default:
		r.note(now, p, peer, recovering, c, e)
	}
	e.Facts = append(e.Facts, fact.Fact{Kind: fact.Compared, At: now.Mono, Peer: string(peer), N: int(partition), Note: note})
	r.Tick(now, c, e)
}

// note counts a complete comparison.
func (r *Recovery) note(now clock.Now, p *part, peer ring.NodeID, recovering bool, c Cluster, e *Effects) {
	sources := slices.Clone(p.Progress.Sources)
	at := source(sources, peer)
	switch {
	case at < 0:
		sources = append(sources, replica.Source{Node: peer, Recovering: recovering})
	case recovering: // as it was before: it is no use to ask at once again
		r.fail(now, p, fmt.Sprintf("%s is still recovering itself", peer))
		return
	default:
		sources[at].Recovering = false
	}
	p.Progress.Sources = sources
	p.due, p.failures, p.failed = now.Mono, 0, ""
	if p.enough(c.Needs(p.Partition.Partition)) {
		r.finish(p, e)
		return
	}
	e.Ops = append(e.Ops, replica.Op{
		Verb: replica.Recover, Partition: p.Partition.Partition, State: replica.AppendProgress(nil, &p.Progress),
	})
}

// Complete takes the own storage's answer to an operation.
func (r *Recovery) Complete(now clock.Now, a *replica.Answer, c Cluster, e *Effects) {
	if a.Verb == replica.Heal {
		r.healed(now, a, c, e)
		return
	}
	i := slices.IndexFunc(r.parts, func(p part) bool { return p.noting == a.ID && a.ID != 0 })
	if i < 0 {
		return
	}
	if a.Status != replica.Have {
		r.parts[i].noting = 0
		r.fail(now, &r.parts[i], "that it is over can't be stored: "+a.Reason.String())
		return
	}
	r.parts = slices.Delete(r.parts, i, i+1)
	e.Facts = append(e.Facts, fact.Fact{Kind: fact.Current, At: now.Mono, N: len(r.parts)})
	r.Tick(now, c, e)
}

// Back tells that a node can be reached again: what waits for it need not wait
// longer.
func (r *Recovery) Back(now clock.Now) {
	for i := range r.parts {
		if p := &r.parts[i]; p.failures > 0 {
			p.due, p.failures = max(p.opens, now.Mono), 0
		}
	}
	for i := range r.rotten {
		if p := &r.rotten[i]; p.failures > 0 && len(p.asked) == 0 {
			p.due, p.failures = max(p.opens, now.Mono), 0
		}
	}
}
