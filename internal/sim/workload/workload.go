// Package workload holds what clients do, written once for the simulator and
// for measurements: a workload draws the next operation of a client and is told
// what became of it. It knows neither time nor nodes.
package workload

import (
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
)

// Verb is what a client asks.
type Verb uint8

// The verbs.
const (
	Get Verb = iota
	Put
	Delete
)

// Op is one operation to be done.
type Op struct {
	Verb    Verb
	Key     ouro.Key
	Context *Seen // what the client goes on from; nil: no context
	Size    int   // put: bytes of the value
	// R, W, PR, PW and DW are as in [ouro.Options].
	R, W, PR, PW, DW ouro.Count
	Pause            time.Duration // before it
}

// Seen is the answer to an earlier operation on the same key.
type Seen struct {
	Context  ouro.Context
	Siblings int
	Ref      any // whoever runs the workload may keep something here
}

// Workload draws the operations of a number of clients. It belongs to one
// goroutine.
type Workload interface {
	// Setup is called once, before everything else.
	Setup(clients int)
	// Next draws what a client does next, when it has nothing under way.
	Next(client int, r *rand.Rand) Op
	// Done tells what came of it: seen is nil where there is no context to go on
	// from, ok says whether it succeeded.
	Done(client int, op *Op, seen *Seen, ok bool)
	// Lone returns the keys that one client alone uses, reading before each
	// write: it must see one version of each, always.
	Lone() []ouro.Key
}
