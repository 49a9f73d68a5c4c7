package node

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/recovery"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Recovering tells a node, before anything else, in which of its partitions it
// may have forgotten what it acknowledged, as its disk has it (RULES R9).
type Recovering struct{ Partitions []recovery.Partition }

func (*Recovering) input() {}

// promise is what some bucket asks of its partitions' replicas.
type promise struct{ n, w int }

// promises returns what the buckets ask, each once, in order: n, and the smallest
// number of primaries that a write is promised to be on.
func promises(b *Buckets) []promise {
	all := []promise{promiseOf(b.Default)}
	for _, name := range b.Names {
		all = append(all, promiseOf(b.Named[name]))
	}
	if len(b.Names) != len(b.Named) { // what is not known may ask for everything
		all = append(all, promise{member.MaxN, 1})
	}
	slices.SortFunc(all, func(a, b promise) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.w, b.w)) })
	return slices.Compact(all)
}

// promiseOf is what one bucket asks. Where a write need not be on disk to be
// acknowledged one replica may be all that has it (RULES R10).
func promiseOf(b Bucket) promise {
	if b.Durability != member.All {
		return promise{b.N, 1}
	}
	return promise{b.N, b.Promise().W}
}

// kin is the node as package recovery sees it.
type kin struct{ reachable }

// Named implements [recovery.Cluster].
func (k kin) Named() bool { return k.view.Named() }

// Needs implements [recovery.Cluster].
func (k kin) Needs(partition uint32) []recovery.Need {
	var needs []recovery.Need
	for _, p := range promises(&k.view.Buckets) {
		if l := k.view.Lists(partition, p.n); l.Newcomer(k.view.Self) {
			continue
		}
		if n, ok := k.need(partition, p); ok {
			needs = append(needs, n)
		}
	}
	return needs
}

// NeedOf implements [recovery.Cluster].
func (k kin) NeedOf(partition uint32, bucket string) (recovery.Need, bool) {
	return k.need(partition, promiseOf(k.bucket(bucket)))
}

// need is what must be compared of the list in force. A newcomer's comparisons are
// none of that list: it has to merge all that it holds before it counts (RULES
// R16), but what of it can't be read is had from there too, and so is what can't be
// read of what is left over: what was written beside it is to be handed on.
func (k kin) need(partition uint32, p promise) (recovery.Need, bool) {
	l := k.view.Lists(partition, p.n)
	list := l.Old
	if !l.Holds(k.view.Self) && !k.transfer.Leaves(partition) {
		return recovery.Need{}, false
	}
	others := slices.DeleteFunc(slices.Clone(list), func(id ring.NodeID) bool { return id == k.view.Self })
	w, _ := place.Promise{N: p.n, W: p.w}.In(len(list))
	return recovery.Need{Others: others, Count: len(list) - w + 1}, true
}

// Usable says that a node is worth asking; none is before a link has named the disk
// of this one, since what the others hold must be had after that (RULES R10).
func (k kin) Usable(id ring.NodeID) bool { return !k.view.Unnamed() && k.reachable.Usable(id) }

// Recoveries appends to dst what is recovering here.
func (n *Node) Recoveries(now time.Duration, dst []recovery.Left) []recovery.Left {
	return n.recovery.Left(now, dst)
}

// Recovers says whether anything is recovering here.
func (n *Node) Recovers() bool { return n.recovery.Busy() }

// Rotten returns how many records can't be read and are looked for at others.
func (n *Node) Rotten() int { return n.recovery.RottenLeft() }

// Unhealed appends to dst those of them that could not be had from others yet, room
// of them at most.
func (n *Node) Unhealed(dst []recovery.Unhealed, room int) []recovery.Unhealed {
	return n.recovery.Unhealed(dst, room)
}

func (n *Node) recover(now clock.Now, in *Recovering, out *Out) {
	n.recovery.Start(now, in.Partitions, &n.recoveries)
	n.drainRecovery(out)
}

// recoveryAnswer takes a peer's answer to what a recovery asked.
func (n *Node) recoveryAnswer(now clock.Now, from ring.NodeID, a *replica.Answer, out *Out) {
	answer := *a
	answer.ID = unmarked(a.ID)
	if !n.recovery.Answer(now, from, &answer, kin{reachable{n, now}}, &n.recoveries) {
		drop(now, out, from, "answer to a recovery that nobody waits for")
	}
	n.drainRecovery(out)
}

// recoveryDone takes the own storage's answer to what a recovery noted.
func (n *Node) recoveryDone(now clock.Now, a *replica.Answer, out *Out) {
	answer := *a
	answer.ID = unmarked(a.ID)
	n.recovery.Complete(now, &answer, kin{reachable{n, now}}, &n.recoveries)
	n.drainRecovery(out)
}

// rotten takes the news of a record that can't be read.
func (n *Node) rotten(now clock.Now, rot *replica.Rotten, out *Out) {
	n.recovery.Rotten(now, rot, &n.recoveries)
	n.drainRecovery(out)
}

func (n *Node) recoveryTick(now clock.Now, out *Out) {
	if n.recovery.Deadline() <= now.Mono {
		n.recovery.Tick(now, kin{reachable{n, now}}, &n.recoveries)
		n.drainRecovery(out)
	}
}

// compared tells the recovery how the comparisons that it asked for ended, and
// begins those that it asks for next.
func (n *Node) compared(now clock.Now, out *Out) {
	for len(n.outcomes) > 0 || len(n.compares) > 0 {
		outcomes, compares := n.outcomes, n.compares
		n.outcomes, n.compares = nil, nil
		for i := range outcomes {
			o := &outcomes[i]
			// What a record of the peer's that can't be read held is not known.
			n.recovery.Compared(now, o.Partition, o.Peer, o.Complete, o.Recovering || o.UnreadableThere > 0, o.Why, kin{reachable{n, now}}, &n.recoveries)
		}
		n.drainRecovery(out)
		for _, c := range compares {
			n.Compare(now, c.Partition, c.Peer, out)
		}
	}
}

func (n *Node) drainRecovery(out *Out) {
	e := &n.recoveries
	n.compares = append(n.compares, e.Compares...)
	for i := range e.Asks {
		a := &e.Asks[i]
		a.Op.ID = byRecovery.mark(a.Op.ID)
		n.send(out, a.To, Message{Kind: KindAsk, Partition: a.Op.Partition, Op: a.Op})
	}
	for i := range e.Ops {
		if e.Ops[i].ID != 0 {
			e.Ops[i].ID = byRecovery.mark(e.Ops[i].ID)
		}
	}
	out.Ops = append(out.Ops, e.Ops...)
	out.Facts = append(out.Facts, e.Facts...)
	e.Reset()
}
