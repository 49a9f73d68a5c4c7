package workload

import (
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
)

// Clash is clients that write one key in turn, each under the context of its
// own last write, so that none ever sees what the others do (PAPER 9.3). With
// plain version vectors their writes would pile up as siblings, or silence each
// other.
type Clash struct {
	Key   ouro.Key
	Size  int
	Think time.Duration

	last []*Seen // by client
}

var _ Workload = (*Clash)(nil)

// Setup implements [Workload].
func (c *Clash) Setup(clients int) { c.last = make([]*Seen, clients) }

// Lone implements [Workload].
func (c *Clash) Lone() []ouro.Key { return nil }

// Next implements [Workload].
func (c *Clash) Next(client int, r *rand.Rand) Op {
	verb := Put
	if r.IntN(4) == 0 {
		verb = Get
	}
	op := Op{Verb: verb, Key: c.Key, Size: r.IntN(c.Size + 1), Pause: pause(r, c.Think)}
	if verb == Put {
		op.Context = c.last[client]
	}
	return op
}

// Done implements [Workload].
func (c *Clash) Done(client int, op *Op, seen *Seen, _ bool) {
	if op.Verb == Put && seen != nil {
		c.last[client] = seen
	}
}
