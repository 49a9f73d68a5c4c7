package host

import (
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/core/hot"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// item is one thing a shard has to look at. Exactly one of its parts is set.
type item struct {
	call   *call         // a client's request
	frames *frames       // messages from a peer
	input  node.Input    // a view or a link change
	synced *synced       // the engine has synced a batch
	do     func(*shard)  // run on the shard's goroutine
	lost   func()        // with do, where set: it will not run, since the shard stops
	queued time.Duration // when it was put here
}

// frames is a run of messages from one link.
type frames struct {
	from    ring.NodeID
	session uint64
	bodies  [][]byte
}

// messageUnit is how many bytes of a message count as one more: so an inbox of 4,096
// holds no more than 256 MiB, and messages that are not large count as themselves.
const messageUnit = 64 << 10

// messageMost is which part of an inbox one message counts as at most: where objects
// are huge, those of a few clients find room at once.
const messageMost = 16

// weight is as how many messages the frames count before a bound.
func (f *frames) weight(bound int) int {
	n := len(f.bodies)
	for _, body := range f.bodies {
		n += min(len(body)/messageUnit, bound/messageMost)
	}
	return n
}

// synced tells that everything up to a batch is on stable storage, or never
// will be.
type synced struct {
	seq uint64
	err error
}

// inbox is the queue before a shard. What asks for new work is bounded and
// refused when the bound is reached; what finishes work under way is always
// taken, since the work itself was bounded when it was let in.
type inbox struct {
	mu     sync.Mutex
	items  []item
	weight int // messages and requests among items, large ones counted as several
	closed bool
	bound  int
	wake   chan struct{}

	// Of one key at most most requests wait. They are counted only while there are so
	// many of all keys that it matters.
	most    int
	waiting map[ring.Position]int // nil: not counted
	shed    []node.Shed           // refused since the last take: only of keys that have as many as they may
}

func newInbox(bound int) *inbox {
	return &inbox{bound: bound, most: hot.Most(bound), wake: make(chan struct{}, 1)}
}

// verdict is what became of a request.
type verdict uint8

const (
	taken  verdict = iota
	full           // or closed
	tooHot         // as many of its key wait as may
)

// request adds a client's request, unless the inbox is full or closed, or its key has as
// many there as it may.
func (b *inbox) request(it item) verdict {
	key := &it.call.request.Key
	b.mu.Lock()
	switch {
	case b.closed:
	case b.crowded(key.Pos):
		b.refuse(key)
		b.mu.Unlock()
		return tooHot
	case b.weight == 0 || b.weight < b.bound:
		if b.waiting != nil {
			b.waiting[key.Pos]++
		}
		b.put(it, 1)
		return taken
	}
	b.mu.Unlock()
	return full
}

// crowded says whether a key has as many requests there as it may.
func (b *inbox) crowded(at ring.Position) bool {
	if b.weight < b.most {
		return false
	}
	if b.waiting == nil {
		b.waiting = map[ring.Position]int{}
		for i := range b.items {
			if c := b.items[i].call; c != nil {
				b.waiting[c.request.Key.Pos]++
			}
		}
	}
	return b.waiting[at] >= b.most
}

// refuse notes that a request of a key was refused, for the shard to know.
func (b *inbox) refuse(key *ring.Key) {
	for i := range b.shed {
		if b.shed[i].Key.Pos == key.Pos {
			b.shed[i].N++
			return
		}
	}
	b.shed = append(b.shed, node.Shed{Key: *key, N: 1})
}

// offer adds an item that weighs as many new requests, unless the inbox is full
// or closed.
func (b *inbox) offer(it item, weight int) bool {
	b.mu.Lock()
	if b.closed || b.weight > 0 && b.weight+weight > b.bound {
		b.mu.Unlock()
		return false
	}
	b.put(it, weight)
	return true
}

// force adds an item whatever the bound.
func (b *inbox) force(it item) {
	b.mu.Lock()
	b.put(it, 0)
}

// put appends and unlocks; only the first item of an empty inbox has anyone to
// wake.
func (b *inbox) put(it item, weight int) {
	b.items = append(b.items, it)
	b.weight += weight
	first := len(b.items) == 1
	b.mu.Unlock()
	if first {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

// take swaps what is queued against an empty slice whose memory is reused.
func (b *inbox) take(empty []item) []item {
	b.mu.Lock()
	items, shed := b.items, b.shed
	b.items, b.shed = empty[:0], nil
	b.weight, b.waiting = 0, nil
	b.mu.Unlock()
	for i := range shed {
		items = append(items, item{input: &shed[i]})
	}
	return items
}

// len returns the number of requests and messages waiting.
func (b *inbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.weight
}

// close makes every later offer fail. What is queued stays.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
}
