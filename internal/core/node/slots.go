package node

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// machine is what node needs of the machines of package coord.
type machine interface {
	Answer(now clock.Now, from ring.NodeID, a *replica.Answer, e *coord.Effects) bool
	Down(now clock.Now, peer ring.NodeID, e *coord.Effects)
	Tick(now clock.Now, e *coord.Effects)
	Deadline() time.Duration
	Done() bool
	Outdated(e *coord.Effects)
}

// origin is where a request came from and its reply goes to.
type origin struct {
	from     ring.NodeID // "": this node's own client
	id       uint64
	part     uint32
	internal bool // nobody waits for the reply: a purge
}

// slot is one request under way: a machine with its memory, which the next
// request in the slot uses again.
type slot struct {
	id       uint64
	machine  machine // nil: free
	put      *coord.Put
	get      *coord.Get
	forward  *coord.Forward
	origin   origin
	request  *Request
	common   coord.Common
	seen     causal.Context // the client's, opened
	removed  []ouro.Sibling // what the read before a delete without context showed
	began    time.Duration  // that read
	ends     time.Duration  // the time of the request
	answered bool
	reading  bool // it is such a read
	explain  []fact.Fact
	deadline time.Duration // as the heap knows it
	at       int           // place in the heap
}

// An operation's id names the slot that asked, the slot's turn, and below it
// what the machine wants to tell apart. Turns count from the run id, so that an
// answer to an earlier process of this node meets no slot.
const (
	slotBits  = 20
	maxSlots  = 1 << slotBits
	turnBits  = 63 - slotBits - coord.AskBits
	turnShift = slotBits + coord.AskBits
)

// slots is the table of requests under way. It grows to its bound and never
// moves a slot.
type slots struct {
	all  []*slot
	free []int
	turn uint64
	heap []*slot // by deadline, the earliest first
}

func (t *slots) take() *slot {
	t.turn = (t.turn + 1) & (1<<turnBits - 1)
	if len(t.free) == 0 {
		t.free = append(t.free, len(t.all))
		t.all = append(t.all, &slot{})
	}
	i := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	s := t.all[i]
	s.id = t.turn<<turnShift | uint64(i)<<coord.AskBits
	s.at = -1
	return s
}

// renew gives a slot another id, so that answers to what was asked under the one
// before meet nobody.
func (t *slots) renew(s *slot) {
	t.unschedule(s)
	t.turn = (t.turn + 1) & (1<<turnBits - 1)
	s.id = t.turn<<turnShift | s.id&(1<<turnShift-1)
}

func (t *slots) release(s *slot) {
	t.unschedule(s)
	s.clear()
	t.free = append(t.free, int(s.id>>coord.AskBits&(maxSlots-1)))
}

// clear lets go of everything but the memory of the machines.
func (s *slot) clear() {
	switch m := s.machine.(type) {
	case *coord.Put:
		*m = coord.Put{}
	case *coord.Get:
		*m = coord.Get{}
	case *coord.Forward:
		*m = coord.Forward{}
	}
	clear(s.explain)
	*s = slot{id: s.id, put: s.put, get: s.get, forward: s.forward, explain: s.explain[:0], at: -1}
}

// find returns the slot that an operation's id names, or nil.
func (t *slots) find(id uint64) *slot {
	i := int(id >> coord.AskBits & (maxSlots - 1))
	if askerOf(id) >= byPeer || i >= len(t.all) {
		return nil
	}
	if s := t.all[i]; s.machine != nil && s.id>>coord.AskBits == id>>coord.AskBits {
		return s
	}
	return nil
}
