package bench

import (
	"sync/atomic"

	"github.com/ourodb/ouro"
)

// maxParts bounds the sealed contexts that are sent as one; a node opens at
// most 16.
const maxParts = 8

// known is what is known of the versions of a key: the contexts of one reply or
// of several after one another, which the node that opens them joins.
type known struct {
	context ouro.Context
	parts   int
}

// contexts holds what is known of each key, shared by all workers.
type contexts []atomic.Pointer[known]

// before returns what is known of key i and the context to send.
func (c contexts) before(i int) (*known, ouro.Context) {
	k := c[i].Load()
	if k == nil {
		return nil, nil
	}
	return k, k.context
}

// read notes the context of a get, unless a put has told more meanwhile.
func (c contexts) read(i int, before *known, now ouro.Context) {
	c[i].CompareAndSwap(before, &known{now, 1})
}

// wrote notes the context of a put beside what other puts have told meanwhile:
// each covers a version that the other does not.
func (c contexts) wrote(i int, before *known, now ouro.Context) {
	next := &known{now, 1}
	for !c[i].CompareAndSwap(before, next) {
		if before = c[i].Load(); before == nil || before.parts >= maxParts {
			next = &known{now, 1} // what is lost shows up as a sibling in the next get
			continue
		}
		both := append(append(ouro.Context(nil), before.context...), now...)
		next = &known{both, before.parts + 1}
	}
}

// forget makes the next put of key i a blind one.
func (c contexts) forget(i int, before *known) { c[i].CompareAndSwap(before, nil) }
