package node

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/detector"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// What a node may be asked: to read, which needs its process; to store, which
// needs its disk to sync; to receive, where the bucket's durability lets a write be
// answered from the buffer; to coordinate, which needs others of it. Each may fail
// without the rest, so that each is watched by itself (paper, section 4.8.3).
type want uint8

const (
	reading want = iota
	storing
	receiving
	coordinating
	wants
)

func (w want) String() string {
	return [wants]string{"reads", "writes", "buffered writes", "forwards"}[w]
}

const (
	// forwardExtra is how much longer a coordinator may take than a replica: it may
	// have to wait for one itself.
	forwardExtra = 150 * time.Millisecond
	// oversleep is by how much a deadline may be missed before this node takes it
	// that it stood still.
	oversleep = 25 * time.Millisecond
)

// health is what this node knows of who answers: of its peers and of its own disk,
// which is asked as they are.
type health struct {
	seen    [wants]*detector.Detector
	relaxed bool   // somebody was asked to receive
	probes  uint64 // counts them
	part    uint32 // a partition of this shard, for probes
	news    []detector.News
	due     []ring.NodeID
}

func newHealth(self ring.NodeID) health {
	var h health
	for w := range h.seen {
		extra := time.Duration(0)
		if want(w) == coordinating {
			extra = forwardExtra
		}
		h.seen[w] = detector.New(extra)
		h.seen[w].Link(self, true)
	}
	return h
}

// wanted says what an operation wants of whom it asks.
func wanted(v replica.Verb, relaxed bool) want {
	switch {
	case v != replica.Write && v != replica.Join:
		return reading
	case relaxed:
		return receiving
	}
	return storing
}

func (h *health) link(peer ring.NodeID, up bool) {
	for _, d := range h.seen {
		d.Link(peer, up)
	}
}

// asked notes that somebody was sent an operation that is to be answered.
func (h *health) asked(now clock.Now, to ring.NodeID, op *replica.Op) {
	if op.Silent {
		return
	}
	h.part = op.Partition
	w := wanted(op.Verb, op.Relaxed)
	h.relaxed = h.relaxed || w == receiving
	h.seen[w].Asked(now.Mono, to)
}

// answered notes an answer to an operation; took is 0 where it is not known. That
// something is received and not yet durable is no answer of a disk, but it is one of
// who was to receive it.
func (h *health) answered(now clock.Now, from ring.NodeID, a *replica.Answer, took time.Duration) {
	w := wanted(a.Verb, a.Relaxed)
	if w == storing && h.relaxed { // which of the two it was asked for, the answer does not say
		h.seen[receiving].Answered(now.Mono, from, 0)
	}
	if w != storing || a.Durable || a.Status == replica.Failed {
		h.seen[w].Answered(now.Mono, from, took)
	}
}

// of is how a node looks to who wants something of it. Who does not answer reads
// stores and coordinates nothing either, and who stores nothing is given nothing for
// its buffer.
func (h *health) of(now clock.Now, id ring.NodeID, w want) detector.Health {
	r := h.seen[w].Health(now.Mono, id)
	switch {
	case w == reading:
		return r
	case w == storing && h.relaxed:
		r.Suspected = r.Suspected || h.seen[receiving].Health(now.Mono, id).Suspected
	case w == receiving: // as many as dw are to store it all the same
		s := h.seen[storing].Health(now.Mono, id)
		r.Suspected, r.Patience = r.Suspected || s.Suspected, max(r.Patience, s.Patience)
	}
	r.Suspected = r.Suspected || h.seen[reading].Health(now.Mono, id).Suspected
	return r
}

// trial says that a node which does not store is to be asked to all the same, to see
// whether it does again.
func (h *health) trial(now clock.Now, id ring.NodeID) bool {
	return h.seen[storing].Trial(now.Mono, id) || h.seen[receiving].Trial(now.Mono, id)
}

// deadline is when a probe is due, and whether one is.
func (h *health) deadline() (time.Duration, bool) {
	at, ok := h.seen[reading].Deadline()
	if t, also := h.seen[coordinating].Deadline(); also && (!ok || t < at) {
		return t, true
	}
	return at, ok
}

// toStore is what a write wants of its replicas.
func toStore(c *coord.Common) want {
	if c.Numbers.Relaxed {
		return receiving
	}
	return storing
}

// replica says which node to ask, and how it looks to a request that stores or
// only reads.
func (n *Node) replica(now clock.Now, id ring.NodeID, w want) coord.Replica {
	h := n.health.of(now, id, w)
	return coord.Replica{
		ID: id, Up: id == n.view.Self || n.up[id], Doubt: h.Suspected, Late: h.Late,
		Patience: h.Patience, Mean: h.Mean, P95: h.P95,
	}
}

// usable says whether a node is expected to do what is wanted of it.
func (n *Node) usable(now clock.Now, id ring.NodeID, w want) bool {
	r := n.replica(now, id, w)
	return r.Up && !r.Doubt
}

// sick says that this node's own disk stores nothing, or slowly for long.
func (n *Node) sick(now clock.Now) bool {
	h := n.health.of(now, n.view.Self, storing)
	return h.Suspected || h.Late
}

// overslept forgets the silence of others where this node stood still itself: what
// they answered may lie unread.
func (n *Node) overslept(now clock.Now) {
	if at, ok := n.Deadline(); ok && now.Mono > at+oversleep {
		for _, d := range n.health.seen {
			d.Late()
		}
	}
}

// watch probes the suspects that are due, and tells who was suspected and who
// answers again. What is kept for these may be handed over, and what was forgotten
// be had from them.
func (n *Node) watch(now clock.Now, out *Out) {
	h := &n.health
	if at, ok := h.deadline(); ok && at <= now.Mono {
		h.due = h.seen[reading].Probes(now.Mono, h.due[:0])
		h.due = h.seen[coordinating].Probes(now.Mono, h.due)
		for _, id := range h.due {
			n.probe(out, id)
		}
	}
	for w, d := range h.seen {
		h.news = d.News(h.news[:0])
		for _, c := range h.news {
			f := fact.Fact{Kind: fact.Trusted, At: now.Mono, Lasted: c.Lasted, Peer: string(c.ID), Note: want(w).String()}
			if c.Suspected {
				f.Kind = fact.Suspected
			} else if c.ID != n.view.Self {
				n.handoff.Back(c.ID)
				n.recovery.Back(now)
				n.transferBack(now, c.ID, out)
			}
			out.Facts = append(out.Facts, f)
		}
	}
}

// probe asks a node for the digest of a record that nobody needs. The own disk
// needs none: it answers in the end, or the process is over.
func (n *Node) probe(out *Out, id ring.NodeID) {
	if id == n.view.Self {
		return
	}
	n.health.probes++
	op := replica.Op{
		ID: byProbe.mark(n.health.probes), Verb: replica.Read, Partition: n.health.part, Key: ring.NewKey("ouro", "probe"),
	}
	n.send(out, id, Message{Kind: KindAsk, Partition: op.Partition, Op: op})
}

// probed takes the answer to a probe: its process is there.
func (n *Node) probed(now clock.Now, from ring.NodeID) {
	n.health.seen[reading].Answered(now.Mono, from, 0)
	n.health.seen[coordinating].Answered(now.Mono, from, 0)
}

// took is how long an answer was under way, 0 where its request did not wait for
// it any more.
func took(s *slot, taken bool) time.Duration {
	if m, ok := s.machine.(interface{ Took() time.Duration }); ok && taken {
		return max(m.Took(), 1) // the own disk may answer within a turn
	}
	return 0
}

// keepWatch forgets who has left.
func (n *Node) keepWatch(v *View) {
	for _, d := range n.health.seen {
		if v.Ring != nil {
			d.Keep(v.Ring.Nodes())
		}
	}
}

// Peer is what this node knows of another, or of its own disk, by what it asked.
type Peer struct {
	ID        ring.NodeID
	Suspected []string // of leaving "reads", "writes", "buffered writes" or "forwards" unanswered
	Late      bool     // slow for long in any of these
	Reads     time.Duration
	Writes    time.Duration // 95th percentiles of recent answers; 0: too few
}

// Peers appends to dst how this node's peers and its own disk look now, by id.
func (n *Node) Peers(now clock.Now, dst []Peer) []Peer {
	for _, p := range n.health.seen[reading].Peers(now.Mono, nil) {
		peer := Peer{ID: p.ID, Reads: p.P95}
		for w, d := range n.health.seen {
			h := d.Health(now.Mono, p.ID)
			if h.Suspected {
				peer.Suspected = append(peer.Suspected, want(w).String())
			}
			peer.Late = peer.Late || h.Late
			if want(w) == storing {
				peer.Writes = h.P95
			}
		}
		dst = append(dst, peer)
	}
	return dst
}
