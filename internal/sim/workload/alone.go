package workload

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
)

// Alone is clients with a key each, that nobody else uses: each reads and then
// writes under what it read, again and again. It must never see siblings.
type Alone struct {
	Bucket string
	Size   int
	Think  time.Duration

	last []*Seen // by client: what it just read
}

var _ Workload = (*Alone)(nil)

// Setup implements [Workload].
func (a *Alone) Setup(clients int) { a.last = make([]*Seen, clients) }

func (a *Alone) key(client int) ouro.Key {
	return ouro.Key{Bucket: a.Bucket, Name: fmt.Sprintf("a%d", client)}
}

// Lone implements [Workload].
func (a *Alone) Lone() []ouro.Key {
	keys := make([]ouro.Key, len(a.last))
	for i := range keys {
		keys[i] = a.key(i)
	}
	return keys
}

// Next implements [Workload].
func (a *Alone) Next(client int, r *rand.Rand) Op {
	op := Op{Verb: Get, Key: a.key(client), Pause: pause(r, a.Think)}
	if a.last[client] != nil {
		op.Verb, op.Context, op.Size = Put, a.last[client], r.IntN(a.Size+1)
	}
	return op
}

// Done implements [Workload].
func (a *Alone) Done(client int, op *Op, seen *Seen, ok bool) {
	a.last[client] = nil
	if op.Verb == Get && ok {
		a.last[client] = seen
		if seen == nil {
			a.last[client] = &Seen{} // there is nothing yet: the first write is blind
		}
	}
}
