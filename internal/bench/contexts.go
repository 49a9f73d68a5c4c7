package bench

import (
	"slices"
	"sync/atomic"

	"github.com/ourodb/ouro"
)

// maxParts bounds the sealed contexts that are sent as one: a node opens at most
// 16.
const maxParts = 16

// known is what is known of the versions of a key: the contexts of the replies
// that no later reply has covered. It is never changed.
type known struct{ parts []ouro.Context }

// context returns what to send: the newest parts one after another, which the
// node that opens them joins.
func (k *known) context() ouro.Context {
	if k == nil {
		return nil
	}
	return slices.Concat(k.parts[max(0, len(k.parts)-maxParts):]...)
}

// contexts holds what is known of each key, shared by all workers.
type contexts []atomic.Pointer[known]

// told notes the context of a reply to a request that was made when before was
// known. The reply covers that: a put was sent it, and a get came after it. What
// other workers were told meanwhile is kept beside it.
func (c contexts) told(i int, before *known, now ouro.Context) {
	if len(now) == 0 {
		return
	}
	for {
		current := c[i].Load()
		next := &known{}
		if current != nil {
			for _, p := range current.parts {
				if !before.has(p) {
					next.parts = append(next.parts, p)
				}
			}
		}
		next.parts = append(next.parts, now)
		if c[i].CompareAndSwap(current, next) {
			return
		}
	}
}

// has reports whether p, the very same bytes in memory, is a part.
func (k *known) has(p ouro.Context) bool {
	return k != nil && slices.ContainsFunc(k.parts, func(q ouro.Context) bool { return &q[0] == &p[0] })
}

// forget makes the next put of key i a blind one.
func (c contexts) forget(i int, before *known) { c[i].CompareAndSwap(before, nil) }
