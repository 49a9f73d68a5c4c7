package coord

import (
	"math/bits"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Replica is a node that may be asked for a key, and how it looks now.
type Replica struct {
	ID       ring.NodeID
	Up       bool          // it can be reached
	Doubt    bool          // it did not answer of late: it is asked where no other is left
	Late     bool          // it answers, but slowly for long: it is asked for a state where no other is left
	Probe    bool          // one in doubt that a write asks besides, to see whether it answers again
	Patience time.Duration // how long it may be silent before another is asked; 0: for ever
	Mean     time.Duration // of its recent answers; 0: not known
	P95      time.Duration // of these, the 95th percentile; 0: not known
}

// set is a set of places in the list of replicas.
type set uint16

func (s set) has(i int) bool { return s>>i&1 != 0 }
func (s set) len() int       { return bits.OnesCount16(uint16(s)) }
func (s set) first() int     { return bits.TrailingZeros16(uint16(s)) }
func (s *set) add(i int)     { *s |= 1 << i }
func (s *set) remove(i int)  { *s &^= 1 << i }

// common is what the machines that ask replicas share: whom, and who has not
// answered yet.
type common struct {
	ticket   uint64
	part     uint32
	key      ring.Key
	numbers  Numbers
	explain  bool
	aside    bool
	verb     string // for facts
	ids      [MaxSlots]ring.NodeID
	self     int // place of this node in ids; -1: none
	n        int
	prim     int                     // the first so many are the primaries, the others may stand in
	old, new set                     // of the primaries, by list; new: while the partition moves
	next     *Next                   // nil: it does not move
	lost     set                     // failed, or its link fell: no further ask makes sense
	doubt    set                     // silent for too long, now or of late, or no use for a read
	chosen   set                     // take part
	slow     set                     // answer, but late
	tried    set                     // of those in doubt, asked besides
	mean     [MaxSlots]time.Duration // how long each took of late; 0: not known
	p95      [MaxSlots]time.Duration // likewise
	more     bool                    // the walk goes on beyond n
	owes     [MaxSlots]uint8         // the primary that a stand-in stands in for
	at       [MaxSlots]time.Duration // when each was asked last
	waiting  [rounds]set
	started  time.Duration
	deadline time.Duration
	patience time.Duration // with those that nobody doubts
	doubted  time.Duration // with the others
	patient  time.Duration // when to look for the silent; 0: never
	took     time.Duration // from ask to answer, of the last answer taken
	replied  time.Duration // when; counts once answered is set
	answered bool          // the reply is out
	done     bool
}

// Common is what every request that asks replicas has.
type Common struct {
	Ticket    uint64 // id of the request within this node, its low [AskBits] bits zero
	Partition uint32
	Key       ring.Key
	Self      ring.NodeID
	Numbers   Numbers // in force, in the list in force
	Number    uint64  // of the lists, for who asks for the machine (RULES R15)
	Next      *Next   // nil: the partition does not move
	Explain   bool    // state every fact, not only those that are counted
	Aside     bool    // what it asks of replicas is background work
	More      bool    // the walk has more nodes than are in the list: see Effects.More
}

func (c *common) start(now clock.Now, r *Common, replicas []Replica, verb string) {
	c.ticket, c.part, c.key, c.numbers = r.Ticket, r.Partition, r.Key, r.Numbers
	c.explain, c.aside, c.verb = r.Explain, r.Aside, verb
	c.self, c.more = -1, r.More
	for i := range replicas {
		c.add(&replicas[i], r.Self)
	}
	c.enterLists(r)
	c.started, c.deadline = now.Mono, now.Mono+r.Numbers.Timeout
	if c.patience > 0 {
		c.patient = now.Mono + c.patience
	}
}

// add takes a node into the list, while there is room.
func (c *common) add(p *Replica, self ring.NodeID) {
	if c.n == MaxSlots {
		return
	}
	i := c.n
	c.n++
	c.ids[i], c.mean[i], c.p95[i] = p.ID, p.Mean, p.P95
	if p.Late {
		c.slow.add(i)
	}
	if p.Probe && p.Up {
		c.tried.add(i)
	}
	if p.ID == self {
		c.self = i
	}
	switch {
	case !p.Up:
		c.lost.add(i)
	case p.Doubt:
		c.doubt.add(i)
		c.doubted = max(c.doubted, p.Patience)
	default:
		c.patience = max(c.patience, p.Patience)
	}
}

// Done says that the machine has nothing left to do and may be recycled.
func (c *common) Done() bool { return c.done }

// Deadline returns when Tick is to be called.
func (c *common) Deadline() time.Duration {
	if c.patient != 0 && c.patient < c.deadline {
		return c.patient
	}
	return c.deadline
}

// Took returns how long the last answer that was taken was under way.
func (c *common) Took() time.Duration { return c.took }

// place returns where a node stands in the list, or -1.
func (c *common) place(id ring.NodeID) int {
	for i := range c.n {
		if c.ids[i] == id {
			return i
		}
	}
	return -1
}

// drop notes that replica i will not answer what it was asked.
func (c *common) drop(i int) {
	c.lost.add(i)
	for r := range c.waiting {
		c.waiting[r].remove(i)
	}
}

// outstanding are the replicas that have not answered something.
func (c *common) outstanding() set {
	var s set
	for _, w := range c.waiting {
		s |= w
	}
	return s
}

func (c *common) state(e *Effects, k fact.Kind, now clock.Now, i, n int, note string) {
	f := fact.Fact{Kind: k, Ticket: c.ticket, At: now.Mono, Lasted: now.Mono - c.started, N: n, Note: note}
	if i >= 0 {
		f.Peer = string(c.ids[i])
	}
	e.fact(f)
}

// silence states who did not answer in time.
func (c *common) silence(e *Effects, now clock.Now) {
	out := c.outstanding()
	for i := range c.n {
		if out.has(i) && !c.doubt.has(i) {
			c.state(e, fact.Silent, now, i, 0, c.verb)
		}
	}
}
