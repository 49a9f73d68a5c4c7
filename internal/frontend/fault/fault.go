// Package fault keeps one request from ending the node. A front end makes requests of what
// strangers send; where it meets bytes that it was not written for, whoever sent them has
// an error, and all others have their node. What lies behind the store is not kept: a shard
// that may be in the wrong state ends its process.
package fault

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/ourodb/ouro"
)

// Told is told what panicked, and the stack of where.
type Told func(what any, stack []byte)

// Catch is to be deferred by whatever carries out a request. Where that panics it is told,
// and answer has the error for the client; what became of the request is unknown. Where
// nobody is there to be told, the panic goes on.
func Catch(told Told, answer func(*ouro.Error)) {
	if told == nil {
		return
	}
	what := recover()
	if what == nil {
		return
	}
	stack := debug.Stack()
	if c, ok := what.(carried); ok {
		what, stack = c.what, c.stack
	}
	told(what, stack)
	answer(ouro.Errorf(ouro.Internal, ouro.Unknown, "the request met a fault of this program, which the log of the node has: %v", what))
}

// Group are goroutines of one request. The zero value is ready.
type Group struct {
	under sync.WaitGroup
	mu    sync.Mutex
	first *carried
}

// carried is a panic on its way to the goroutine that waits.
type carried struct {
	what  any
	stack []byte
}

func (c carried) String() string { return fmt.Sprintf("%v\n\n%s", c.what, c.stack) }

// Go runs a function in a goroutine of its own.
func (g *Group) Go(do func()) {
	g.under.Go(func() {
		defer func() {
			if what := recover(); what != nil {
				g.mu.Lock()
				defer g.mu.Unlock()
				if g.first == nil {
					g.first = &carried{what, debug.Stack()}
				}
			}
		}()
		do()
	})
}

// Wait waits for all of them. Where one has panicked, it does.
func (g *Group) Wait() {
	g.under.Wait()
	if g.first != nil {
		panic(*g.first)
	}
}
