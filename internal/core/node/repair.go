package node

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Comparing makes a node compare itself with others, or not any more but where
// that is asked for.
type Comparing struct{ On bool }

func (*Comparing) input() {}

// Shares says whether this node and another are both primaries of a bucket's
// keys in a partition.
func (r reachable) Shares(partition uint32, bucket string, peer ring.NodeID) bool {
	list := r.view.Primaries(partition, r.bucket(bucket).N)
	return slices.Contains(list, r.view.Self) && slices.Contains(list, peer)
}

// Takes says whether a peer is a primary of a bucket's keys of which this node is
// none.
func (r reachable) Takes(partition uint32, bucket string, peer ring.NodeID) bool {
	list := r.view.Primaries(partition, r.bucket(bucket).N)
	return !slices.Contains(list, r.view.Self) && slices.Contains(list, peer)
}

// Whole is the span of the tree of a partition.
func (r reachable) Whole(partition uint32) merkle.Span {
	return merkle.Whole(partition, r.view.Ring.Bits())
}

// Number is that of a partition's lists.
func (r reachable) Number(partition uint32) uint64 { return r.view.Number(partition) }

// PauseRepair makes this node compare nothing but what is asked for, or goes on.
func (n *Node) PauseRepair(now clock.Now, on bool, out *Out) {
	n.repair.Pause(now, on, reachable{n, now}, &n.repairs)
	n.drainRepair(out)
}

// RepairRound has all be compared at once that this node shares with others, or a
// partition of it, or what it shares with a peer, and returns how many pairs that is.
func (n *Node) RepairRound(now clock.Now, partition int, peer ring.NodeID, out *Out) int {
	pairs := n.repair.Round(now, partition, peer, reachable{n, now}, &n.repairs)
	n.drainRepair(out)
	return pairs
}

// Repairing says whether this node compares itself with others of its own accord.
func (n *Node) Repairing() bool { return n.repair.Turns() }

// RepairPairs appends to dst how each partition of this node stands with each other
// node that holds it. One that has no link is not tried, which is why it does not agree.
func (n *Node) RepairPairs(dst []repair.Pair) []repair.Pair {
	first := len(dst)
	dst = n.repair.Pairs(dst)
	for i := first; i < len(dst); i++ {
		if p := &dst[i]; p.Failed == "" && !n.up[p.Peer] {
			p.Failed = "no link"
		}
	}
	return dst
}

// Agreements appends to dst how far this node has compared itself with others.
func (n *Node) Agreements(now clock.Now, dst []repair.Agreement) []repair.Agreement {
	return n.repair.Agreements(now, dst)
}

// Compare compares a partition with a peer, beginning now; Out.Compared tells
// the outcome, with Asked set.
func (n *Node) Compare(now clock.Now, partition uint32, peer ring.NodeID, out *Out) {
	n.repair.Compare(now, repair.Wish{Mark: replica.Mark{Partition: partition, Peer: peer}}, reachable{n, now}, &n.repairs)
	n.drainRepair(out)
}

// assign tells the comparing which partitions are whose.
func (n *Node) assign(now clock.Now, out *Out) {
	var held []replica.Mark
	for p := uint32(n.cfg.Shard); p < uint32(n.view.Ring.Q()); p += uint32(n.cfg.Shards) {
		l := n.view.Lists(p, max(n.view.Buckets.MostN(), n.bucket("").N))
		if l.Newcomer(n.view.Self) || !l.Holds(n.view.Self) {
			continue // the former has what it needs brought, once
		}
		for _, id := range l.All(nil) {
			if id != n.view.Self && !l.Newcomer(id) {
				held = append(held, replica.Mark{Partition: p, Peer: id})
			}
		}
	}
	n.repair.Assign(now, held, reachable{n, now}, &n.repairs)
	n.drainRepair(out)
}

// repairMissed looks for joins that say who missed them.
func (n *Node) repairMissed(now clock.Now, op *replica.Op, out *Out) {
	if op.Missed != "" && op.Verb == replica.Join && !op.Pending {
		n.repair.Mark(now, replica.Mark{Partition: op.Partition, Peer: op.Missed}, true, reachable{n, now}, &n.repairs)
		n.drainRepair(out)
	}
}

// repairAnswer takes the answer to an operation of a comparison, of a peer or of
// the own storage.
func (n *Node) repairAnswer(now clock.Now, from ring.NodeID, a *replica.Answer, out *Out) {
	answer := *a
	answer.ID = unmarked(a.ID)
	if !n.repair.Answer(now, n.other(from), &answer, reachable{n, now}, &n.repairs) {
		drop(now, out, from, "answer to a comparison that is over")
	}
	n.drainRepair(out)
}

// repairFound likewise takes what was found.
func (n *Node) repairFound(now clock.Now, from ring.NodeID, f *replica.Found, out *Out) {
	found := *f
	found.ID = unmarked(f.ID)
	if askerOf(f.ID) != byRepair || !n.repair.Found(now, n.other(from), &found, reachable{n, now}, &n.repairs) {
		drop(now, out, from, "found for a comparison that is over")
	}
	n.drainRepair(out)
}

// other returns "" for this node.
func (n *Node) other(id ring.NodeID) ring.NodeID {
	if id == n.view.Self {
		return ""
	}
	return id
}

// repairLink tells that a peer came or went.
func (n *Node) repairLink(now clock.Now, l *Link, out *Out) {
	if l.Up {
		n.repair.Back(now, l.Peer, reachable{n, now}, &n.repairs)
	} else {
		n.repair.Down(now, l.Peer, reachable{n, now}, &n.repairs)
	}
	n.drainRepair(out)
}

func (n *Node) comparing(now clock.Now, on bool, out *Out) {
	n.repair.SetOff(now, !on, reachable{n, now}, &n.repairs)
	n.drainRepair(out)
}

func (n *Node) repairTick(now clock.Now, out *Out) {
	if n.repair.Deadline() <= now.Mono {
		n.repair.Tick(now, reachable{n, now}, &n.repairs)
		n.drainRepair(out)
	}
}

func (n *Node) drainRepair(out *Out) {
	e := &n.repairs
	for i := range e.Asks {
		a := &e.Asks[i]
		a.Op.ID = byRepair.mark(a.Op.ID)
		// A peer that knows of later lists may have let the partition go: that it holds
		// nothing of a key would then say nothing.
		n.send(out, a.To, Message{Kind: KindAsk, Partition: a.Op.Partition, Number: n.view.Number(a.Op.Partition), Op: a.Op})
	}
	for i := range e.Questions {
		q := &e.Questions[i]
		q.Survey.ID = byRepair.mark(q.Survey.ID)
		s := q.Survey
		n.send(out, q.To, Message{Kind: KindSurvey, Partition: s.Partition, Number: q.Number, Survey: &s})
	}
	for i := range e.Ops {
		if !e.Ops[i].Silent {
			e.Ops[i].ID = byRepair.mark(e.Ops[i].ID)
		}
	}
	for i := range e.Surveys {
		e.Surveys[i].ID = byRepair.mark(e.Surveys[i].ID)
	}
	out.Ops = append(out.Ops, e.Ops...)
	out.Surveys = append(out.Surveys, e.Surveys...)
	out.Compared = append(out.Compared, e.Done...)
	for i := range e.Done {
		switch {
		case e.Done[i].Number != 0:
			n.brought = append(n.brought, e.Done[i])
		case e.Done[i].Asked:
			n.outcomes = append(n.outcomes, e.Done[i])
		}
	}
	out.Facts = append(out.Facts, e.Facts...)
	e.Reset()
}
