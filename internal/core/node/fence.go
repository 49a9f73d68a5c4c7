package node

import (
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The lists of a partition have a number, which goes with whatever a request asks
// (RULES R15). A replica that has adopted later lists does not answer as if there
// were none: it says which it knows, the asker learns of them and begins again. One
// that knows of earlier lists only learns of the later before it answers. So two
// quorums of one time meet in a replica that knows of both, whoever the
// coordinators are and however old their maps (H3).

// parked is an operation of a peer that waits for a placement.
type parked struct {
	from    ring.NodeID
	message Message
	until   time.Duration
}

// fenced looks under which lists a peer asks, and says whether that is the end of
// it for now.
func (n *Node) fenced(now clock.Now, from ring.NodeID, m *Message, out *Out) bool {
	own := n.view.Number(m.Partition)
	switch {
	case m.Number == 0 || m.Number == own:
		return false
	case m.Number < own:
		n.decline(from, m, replica.Outdated, out)
		return true
	}
	n.learn(now, from, m, out)
	if len(n.parked) >= n.cfg.MaxParked || n.parkedBytes()+len(m.Op.State) > n.cfg.ParkedBytes {
		n.decline(from, m, replica.Behind, out)
		return true
	}
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.Parked, At: now.Mono, Peer: string(from), N: int(m.Number)})
	n.parked = append(n.parked, parked{from, *m, now.Mono + n.cfg.ParkWait})
	return true
}

// parkedBytes is how much what waits has brought.
func (n *Node) parkedBytes() (bytes int) {
	for i := range n.parked {
		bytes += len(n.parked[i].message.Op.State)
	}
	return bytes
}

// learn says whether a peer knows of later lists than this node, and if so wants
// them had from it.
func (n *Node) learn(now clock.Now, from ring.NodeID, m *Message, out *Out) bool {
	if m.Number <= n.view.Number(m.Partition) {
		return false
	}
	f := Fetch{From: from, Number: m.Number}
	if !slices.Contains(out.Fetches, f) {
		out.Fetches = append(out.Fetches, f)
		out.Facts = append(out.Facts, fact.Fact{Kind: fact.Outpaced, At: now.Mono, Peer: string(from), N: int(m.Number)})
	}
	return true
}

// adopted serves what has waited for a view that has come.
func (n *Node) adopted(now clock.Now, out *Out) {
	waiting := n.parked
	n.parked = nil
	for i := range waiting {
		p := &waiting[i]
		if p.message.Number > n.view.Number(p.message.Partition) {
			n.parked = append(n.parked, *p)
			continue
		}
		n.serve(now, p.from, &p.message, out)
	}
}

// unpark refuses what has waited for too long.
func (n *Node) unpark(now clock.Now, out *Out) {
	late := 0
	for ; late < len(n.parked) && n.parked[late].until <= now.Mono; late++ {
		p := &n.parked[late]
		n.decline(p.from, &p.message, replica.Behind, out)
	}
	if late > 0 {
		n.parked = slices.Delete(n.parked, 0, late)
	}
}

func (n *Node) parkDeadline() time.Duration {
	if len(n.parked) == 0 {
		return 1<<63 - 1
	}
	return n.parked[0].until // the first that came
}

// stranger says whether an operation would be on a record of its own of a partition
// that is not at this node by the placement: then it is for others, and whoever
// asked looks again for whom (RULES R34).
func (n *Node) stranger(op *replica.Op) bool {
	if n.view.Place == nil || op.Pending || op.Verb != replica.Join && op.Verb != replica.Drop && op.Verb != replica.Fold {
		return false
	}
	l := n.view.Lists(op.Partition, n.bucket(op.Key.Bucket).N)
	return !l.Holds(n.view.Self) || op.Verb != replica.Join && l.Moving()
}

// counts makes of the own storage's answer what it is good for under the lists that
// the peer asked under: nothing, where they have changed since. What was stored
// before that is durable by then, and so in every snapshot that is taken later for
// whoever comes (RULES R16).
func (n *Node) counts(part uint32, number uint64, a *replica.Answer) {
	if number != n.view.Number(part) {
		*a = replica.Answer{ID: a.ID, Verb: a.Verb, Status: replica.Failed, Reason: replica.Outdated}
		return
	}
	if n.view.Unnamed() {
		n.weaken(a)
	}
}

// weaken makes of an answer one of a disk that no link has named yet: what it
// stores counts for w alone, and what it tells for nothing, not even as a
// newcomer's witness (RULES R9, R14).
func (n *Node) weaken(a *replica.Answer) {
	a.Recovering = true
	if (a.Verb == replica.Read || a.Verb == replica.Recall || a.Verb == replica.Fold) && a.Status != replica.Failed {
		*a = replica.Answer{ID: a.ID, Verb: a.Verb, Status: replica.Failed, Reason: replica.Unnamed, Recovering: true}
	}
}

// answered takes a peer's answer. One that says that the lists have changed is none
// yet: the request begins again once this node knows of them too.
func (n *Node) answered(now clock.Now, from ring.NodeID, m *Message, out *Out) {
	a := &m.Answer
	if a.Status == replica.Failed && a.Reason == replica.Outdated && n.learn(now, from, m, out) {
		if s := n.slots.find(a.ID); s != nil && !s.answered {
			n.health.answered(now, from, a, 0)
			return
		}
	}
	n.answer(now, from, a, out)
}

// setView takes a new view, which whoever passes it on has made durable. Requests
// whose lists have changed begin again; what has waited for the view is served.
func (n *Node) setView(now clock.Now, v *View, out *Out) {
	before := n.view
	n.view = v
	n.keepWatch(v)
	n.place(now, out) // before anything else reaches the own storage
	n.assign(now, out)
	n.recovery.Back(now)
	n.reaper.Changed(now, func(p uint32) bool { return before.Number(p) != v.Number(p) })
	for i := 0; i < len(n.slots.all); i++ { // it may grow
		s := n.slots.all[i]
		if s.machine == nil || s.answered || s.common.Number == v.Number(s.common.Partition) {
			continue
		}
		s.machine.Outdated(&n.effects)
		n.drain(now, s, out)
	}
	n.listingsMoved(now, out)
	n.adopted(now, out)
}

// again lets a request begin again at the lists in force. A put that has stored
// something brings that to them; all others start anew, here or where the new lists
// have them coordinated.
func (n *Node) again(now clock.Now, s *slot, out *Out) {
	numbers, next, err := n.numbers(s.request, s.common.Partition)
	put, _ := s.machine.(*coord.Put)
	stored := put != nil && put.Stored()
	forward, passed := s.machine.(*coord.Forward)
	switch {
	case err != nil && passed: // who has it may have done it: nobody else is asked
		forward.Reroute(&s.common, nil)
		return
	case err != nil:
		if stored {
			err.Outcome = ouro.Unknown
		}
		n.giveUp(now, s, err, out)
		return
	case s.origin.internal && !stored: // it is looked for again
		n.giveUp(now, s, nil, out)
		return
	}
	numbers.Timeout = max(s.ends-now.Mono, 1)
	if next != nil {
		next.Numbers.Timeout = numbers.Timeout
	}
	if !passed { // the reply to what was passed on is still good
		n.slots.renew(s)
	}
	s.common = n.common(s, s.common.Partition, numbers, next)
	switch {
	case passed:
		forward.Reroute(&s.common, n.hops(now, s, n.primariesOf(&s.common), ""))
	case stored:
		put.Again(now, &s.common, n.staff(now, &s.common, toStore(&s.common)), &n.effects)
	default:
		s.machine, s.reading = nil, false
		n.route(now, s, out)
		return
	}
	n.drain(now, s, out)
}
