package node

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// MoveRate says how many bytes a second this shard exchanges of partitions that
// move, from now on; 0: as many as by default.
type MoveRate struct{ Bytes int }

func (*MoveRate) input() {}

// Clean says what is left over at this shard by the placement of a number.
type Clean struct {
	Number uint64
	// LeftOver is how many partitions have something of no list, or something that
	// was there before they are taken over again: it may be older than what their
	// members have deleted for good (RULES E1).
	LeftOver int
	// Hints: something is kept for others still, or may be.
	Hints bool
	// Out: this node has been told to leave, and takes nothing for others any more.
	Out bool
}

// movers is the node as package transfer sees it.
type movers struct{ reachable }

// Lists implements [transfer.Cluster].
func (m movers) Lists(partition uint32) *place.Lists {
	if p := m.view.Place; p != nil && int(partition) < p.Q() {
		return p.Of(partition)
	}
	return &place.Lists{}
}

// Role implements [transfer.Cluster].
func (m movers) Role(partition uint32, bucket string) transfer.Role {
	switch l := m.view.Lists(partition, m.bucket(bucket).N); {
	case slices.Contains(l.Old, m.view.Self):
		return transfer.Holder
	case slices.Contains(l.New, m.view.Self):
		return transfer.Newcomer
	default:
		return transfer.None
	}
}

// Holders implements [transfer.Cluster].
func (m movers) Holders(partition uint32, bucket string) []ring.NodeID {
	return m.view.Primaries(partition, m.bucket(bucket).N)
}

// place tells the machine that brings partitions and lets them go where they are.
// What it asks of the own storage comes before whatever else does.
func (n *Node) place(now clock.Now, out *Out) {
	n.placed = true
	if n.view.Place == nil {
		n.transfer.Adrift(&n.transfers)
		n.drainTransfers(out)
		return
	}
	var disk uint64
	if self, ok := n.view.Place.Member(n.view.Self); ok {
		disk = self.Disk
	}
	promises := n.view.Buckets.Promises()
	var tasks []transfer.Task
	for p := uint32(n.cfg.Shard); p < uint32(n.view.Place.Q()); p += uint32(n.cfg.Shards) {
		l := n.view.Place.Of(p)
		if !l.Moving() || !slices.Contains(l.New, n.view.Self) || n.view.Unnamed() {
			continue // nothing is proven under a disk that is another's by the links
		}
		task := transfer.Task{Partition: p, Disk: disk}
		for _, promise := range promises {
			if slices.Contains(l.Provers(nil, promise), n.view.Self) {
				task.Promises = append(task.Promises, promise)
			}
		}
		if len(task.Promises) > 0 {
			tasks = append(tasks, task)
		}
	}
	n.transfer.Assign(now, tasks, movers{reachable{n, now}}, &n.transfers)
	n.drainTransfers(out)
}

// keeps notes what is about to be stored as this node's own, of the operations
// after the first so many.
func (n *Node) keeps(ops []replica.Op) {
	for i := range ops {
		if op := &ops[i]; !op.Pending && (op.Verb == replica.Write || op.Verb == replica.Join || op.Verb == replica.Heal) {
			n.transfer.Keeps(op.Partition, op.Key.Bucket)
		}
	}
}

// transferDone takes the own storage's answer to an operation of a transfer.
func (n *Node) transferDone(now clock.Now, a *replica.Answer, out *Out) {
	answer := *a
	answer.ID = unmarked(a.ID)
	n.transfer.Complete(now, &answer, movers{reachable{n, now}}, &n.transfers)
	n.drainTransfers(out)
}

func (n *Node) transferTick(now clock.Now, out *Out) {
	if n.transfer.Deadline() <= now.Mono {
		n.transfer.Tick(now, movers{reachable{n, now}}, &n.transfers)
		n.drainTransfers(out)
	}
}

// transferBack tells that a peer can be reached again.
func (n *Node) transferBack(now clock.Now, id ring.NodeID, out *Out) {
	n.transfer.Back(now, id, movers{reachable{n, now}}, &n.transfers)
	n.drainTransfers(out)
}

// moved begins the comparisons that transfers ask for, and tells how they ended.
func (n *Node) moved(now clock.Now, out *Out) {
	for len(n.brings) > 0 || len(n.brought) > 0 {
		brings, brought := n.brings, n.brought
		n.brings, n.brought = nil, nil
		for _, c := range brings {
			w := repair.Wish{Mark: replica.Mark{Partition: c.Partition, Peer: c.Peer}, Number: c.Number, Push: c.Push}
			n.repair.Compare(now, w, reachable{n, now}, &n.repairs)
			n.drainRepair(out)
		}
		for i := range brought {
			o := outcome(&brought[i])
			n.transfer.Compared(now, &o, movers{reachable{n, now}}, &n.transfers)
			n.drainTransfers(out)
		}
	}
	n.tellClean(out)
}

// outcome is how a comparison ended, as package transfer has it. What a record of
// the peer's that can't be read held is not known.
func outcome(o *repair.Outcome) transfer.Outcome {
	unreadable := o.UnreadableThere
	if o.Push {
		unreadable = o.Unreadable
	}
	return transfer.Outcome{
		Compare: transfer.Compare{Partition: o.Partition, Peer: o.Peer, Number: o.Number, Push: o.Push},
		Known:   o.Known, Complete: o.Complete, Lacking: o.Recovering || o.UnreadableThere > 0, Behind: o.Behind, Why: o.Why,
		Moved: o.Pulled + o.Pushed, Bytes: o.Bytes, Unreadable: unreadable,
	}
}

// tellClean tells what is left over, where that is another than was told.
func (n *Node) tellClean(out *Out) {
	if n.view.Place == nil {
		return
	}
	requests, foreign := n.Held()
	c := Clean{Number: n.view.Place.Number(), LeftOver: n.transfer.LeftOver(), Hints: !n.handoff.Empty(), Out: n.leaves()}
	c.Hints = c.Hints || c.Out && requests+foreign > 0 // what is under way may be kept yet
	if !n.told || c != n.clean {
		n.told, n.clean = true, c
		out.Clean = &c
	}
}

// Lowest returns the lowest stamp of what this shard keeps that is not a primary's
// record, and whether there is any, where it is told that of the pending ones. What
// is left over counts as older than anything (RULES E1).
func (n *Node) Lowest(stamp uint64, any bool) (uint64, bool) {
	if n.transfer.LeftOver() > 0 {
		return n.standing.Of(0), true
	}
	return stamp, any
}

// LeftOver returns how many partitions this shard holds something of that it is not
// to hold, or that was there before they are taken over again.
func (n *Node) LeftOver() int { return n.transfer.LeftOver() }

// Transfers appends to dst what is on its way here and what is left over, with
// what the comparisons under way have brought.
func (n *Node) Transfers(dst []transfer.Pending) []transfer.Pending {
	from := len(dst)
	dst = n.transfer.Pending(dst)
	for _, u := range n.repair.Underway(nil) {
		for i := range dst[from:] {
			if p := &dst[from+i]; p.Partition == u.Partition && p.With == u.Peer && p.Number == u.Number && p.Leaving == u.Push {
				p.Moved += u.Pulled + u.Pushed
				p.Bytes += u.Bytes
			}
		}
	}
	return dst
}

func (n *Node) drainTransfers(out *Out) {
	e := &n.transfers
	for i := range e.Ops {
		if !e.Ops[i].Silent {
			e.Ops[i].ID = byTransfer.mark(e.Ops[i].ID)
		}
	}
	out.Ops = append(out.Ops, e.Ops...)
	out.Proven = append(out.Proven, e.Proven...)
	out.Facts = append(out.Facts, e.Facts...)
	n.brings = append(n.brings, e.Compares...)
	e.Reset()
}
