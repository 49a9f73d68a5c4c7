package coord

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Effects is what a machine wants done. No order is promised among them. The
// owner of the machine drains them after each call and calls Reset.
type Effects struct {
	Asks    []Ask
	Passes  []Pass
	Facts   []fact.Fact
	Replied bool // Reply counts; true exactly once in the life of a request
	Reply   Reply
	// Hedge asks whether another replica may be asked for its state, by Get.Hedge.
	Hedge bool
	// More asks for nodes further down the walk, by Extend, at once: the machine
	// may be waiting for nothing else.
	More bool
	// Again asks to be begun again at the lists in force: a put that has Stored
	// something by Again, any other machine by its Start.
	Again bool
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Asks)
	clear(e.Passes)
	clear(e.Facts)
	e.Asks, e.Passes, e.Facts = e.Asks[:0], e.Passes[:0], e.Facts[:0]
	e.More, e.Hedge, e.Again = false, false, false
	if e.Replied {
		e.Replied, e.Reply = false, Reply{}
	}
}

// Ask is an operation on the storage of a replica, this node's own included.
type Ask struct {
	To ring.NodeID
	Op replica.Op
}

// Reply is the answer to the client, its context not yet sealed.
type Reply struct {
	Err        *ouro.Error // nil: it is done
	Siblings   []ouro.Sibling
	Context    causal.Context
	HasContext bool
	Known      bool   // an earlier attempt stored it; this one did nothing
	Changed    int    // of an update of a data type
	Record     []byte // of a get that asks for the whole of it: the merged state
	Quorum     ouro.Quorum
	// Elsewhere is what is left of the request's time where Err is only that this
	// node's own disk does not do it: another may coordinate, as a retry unless
	// the outcome is "not done". 0: the reply is the last word.
	Elsewhere time.Duration
}

func (e *Effects) ask(to ring.NodeID, op replica.Op) {
	e.Asks = append(e.Asks, Ask{To: to, Op: op})
}

func (e *Effects) fact(f fact.Fact) { e.Facts = append(e.Facts, f) }

func (e *Effects) reply(r Reply) { e.Replied, e.Reply = true, r }
