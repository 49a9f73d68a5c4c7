package host

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/node"
)

// What waits before a shard that stands still is bounded in bytes too: large messages
// count as many, huge ones as a sixteenth, and the first is taken whatever its size.
func TestInboxIsBoundedInBytes(t *testing.T) {
	c := startCluster(t, three, nil)
	h := c.hosts["a"]
	in := h.shards[0].in
	hold, held := make(chan struct{}), make(chan struct{})
	in.force(item{do: func(*shard) { close(held); <-hold }})
	<-held
	defer close(hold)
	waiting := func() (n int) {
		in.mu.Lock()
		defer in.mu.Unlock()
		for i := range in.items {
			if f := in.items[i].frames; f != nil {
				for _, body := range f.bodies {
					n += len(body)
				}
			}
		}
		return n
	}
	flood := func(size int) {
		body := make([]byte, size) // one memory for all
		body[0] = byte(node.KindAsk)
		for range 2 * h.cfg.Inbox {
			h.Frames("b", 1, [][]byte{body}, nil)
		}
	}
	empty := func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.items, in.weight = nil, 0
	}
	flood(1 << 20)
	most := h.cfg.Inbox * messageUnit
	if got := waiting(); got < most/2 || got > most {
		t.Errorf("%d MiB wait in messages of one, of %d MiB at most", got>>20, most>>20)
	}
	empty()
	flood(1)
	if got := in.len(); got != h.cfg.Inbox {
		t.Errorf("%d small messages wait, not %d", got, h.cfg.Inbox)
	}
	empty()
	flood(64 << 20)
	if got := waiting() / (64 << 20); got != messageMost-1 {
		t.Errorf("%d huge messages wait, not %d", got, messageMost-1)
	}
	empty()
	if !in.offer(item{do: func(*shard) {}}, 2*h.cfg.Inbox) {
		t.Error("an empty inbox refuses a message for its size")
	}
}
