package host

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
)

func TestPortionsOfATurn(t *testing.T) {
	get := item{call: &call{request: &node.Request{}}}
	put := item{call: &call{request: &node.Request{Value: make([]byte, turnBytes/4)}}}
	told := item{frames: &frames{bodies: [][]byte{make([]byte, turnBytes), make([]byte, turnBytes)}}}
	for name, c := range map[string]struct {
		items []item
		want  int
	}{
		"few small ones":  {[]item{get, get, get}, 3},
		"large ones":      {[]item{put, put, put, put, put}, 4},
		"one too large":   {[]item{told, get}, 1},
		"large at last":   {[]item{get, get, told, get}, 3},
		"many small ones": {slices.Repeat([]item{get}, 2*turnBytes/itemBytes), turnBytes / itemBytes},
	} {
		if got := portion(c.items); got != c.want {
			t.Errorf("%s: %d of %d, want %d", name, got, len(c.items), c.want)
		}
	}
}

// measured is a link that keeps how much it was given, in all and at most at once.
type measured struct {
	link
	all, most *atomic.Int64
}

func (m measured) Send(peer string, frames []byte) error {
	n := int64(len(frames))
	m.all.Add(n)
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
	return m.link.Send(peer, frames)
}

// TestManyLargeValuesAtOnce: what waits before a shard that stood still goes on in
// portions. As one, a few hundred clients that put 100 KB each cost a node gigabytes, and
// a link takes or refuses as a whole what it is given.
func TestManyLargeValuesAtOnce(t *testing.T) {
	const puts, size = 200, 100_000
	var all, most atomic.Int64
	c := startCluster(t, three, func(cfg *Config) {
		if l := cfg.Links.(link); l.from == "a" {
			cfg.Links = measured{l, &all, &most}
		}
	})
	h := c.hosts["a"]
	hold, held := make(chan struct{}), make(chan struct{})
	h.shards[0].in.force(item{do: func(*shard) { close(held); <-hold }})
	<-held
	var wait sync.WaitGroup
	for i := range puts {
		wait.Go(func() {
			key := ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)}
			if _, err := h.Put(t.Context(), key, ouro.Value{Data: make([]byte, size)}, ouro.Timeout(time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	for h.shards[0].in.len() < puts {
		time.Sleep(time.Millisecond)
	}
	var before int64 // what was sent before the last of what waited
	h.shards[0].in.force(item{do: func(*shard) { before = all.Load() }})
	close(hold)
	wait.Wait()
	if before < puts*size/2 {
		t.Errorf("a turn had all that waited: %d bytes were sent before it ended", before)
	}
	if got := most.Load(); got > outboxKeep+2*size {
		t.Errorf("a link was given %d bytes at once", got)
	}
}
