package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// kept is one write that was acknowledged.
type kept struct {
	key ouro.Key
	at  time.Time // when its client knew
}

// writeAndKill writes new keys to a bucket, from many clients at all nodes, for a while,
// and kills all nodes at once in the midst of it. It returns what was acknowledged.
func (c *cluster) writeAndKill(bucket string, during time.Duration) (all []kept) {
	c.t.Helper()
	const writers = 24
	var mu sync.Mutex
	var group sync.WaitGroup
	var over atomic.Bool
	for w := range writers {
		store, err := client.New(c.Nodes[w%len(c.Nodes)].Client)
		if err != nil {
			c.t.Fatal(err)
		}
		group.Go(func() {
			defer store.Close()
			for i := 0; !over.Load(); i++ {
				ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
				key := ouro.Key{Bucket: bucket, Name: fmt.Sprintf("%d-%d", w, i)}
				_, err := store.Put(ctx, key, ouro.Value{Data: []byte(key.Name)}, ouro.Blind())
				cancel()
				if err == nil {
					mu.Lock()
					all = append(all, kept{key, time.Now()})
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(during)
	c.dev("kill", "1", "2", "3")
	over.Store(true)
	group.Wait()
	c.dev("start", "1", "2", "3")
	return all
}

// last is when the last of some writes was acknowledged.
func last(all []kept) (at time.Time) {
	for _, w := range all {
		if w.at.After(at) {
			at = w.at
		}
	}
	return at
}

// allCurrent waits until no node recovers.
func (c *cluster) allCurrent() {
	c.t.Helper()
	for range 300 {
		busy := false
		for i := range c.Nodes {
			busy = busy || !c.current(i+1)
		}
		if !busy {
			return
		}
		time.Sleep(time.Second)
	}
	c.t.Fatal("nodes are still recovering")
}

// lost reads what was acknowledged and returns what is not there.
func (c *cluster) lost(all []kept) (gone []kept) {
	c.t.Helper()
	store, err := client.New(c.Nodes[1].Client)
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	for _, w := range all {
		res, err := store.Get(c.t.Context(), w.key)
		switch {
		case err == nil && len(res.Siblings) == 1 && string(res.Siblings[0].Data) == w.key.Name:
		case ouro.CodeOf(err) == ouro.NotFound:
			gone = append(gone, w)
		default:
			c.t.Fatalf("%v: %+v, %v", w.key, res.Siblings, err)
		}
	}
	return gone
}

// TestWindowOfLoss: all nodes of a cluster are killed at once while it is written to, in
// each durability mode. With all and one nothing that was acknowledged is gone; with
// buffered only what is younger than the flush window (paper, section 6.1).
func TestWindowOfLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("waits out the longest request")
	}
	t.Parallel()
	for _, mode := range []string{"all", "one", "buffered"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			windowOfLoss(t, mode)
		})
	}
}

func windowOfLoss(t *testing.T, mode string) {
	const window = time.Second   // the default of flush-window
	const late = 5 * time.Second // a machine under load writes and tells that much later
	c := start(t, "", 3)
	must(t, "bucket", "set", mode, "--durability", mode, "--admin", c.Nodes[0].Admin)
	all := c.writeAndKill(mode, 8*time.Second)
	c.allCurrent()
	gone := c.lost(all)
	oldest := time.Duration(0) // before the last acknowledgement
	for _, w := range gone {
		oldest = max(oldest, last(all).Sub(w.at))
	}
	t.Logf("%-8s  %d writes were acknowledged in 8 s, %d of them were lost; the oldest %v before the last acknowledgement", mode, len(all), len(gone), oldest.Round(time.Millisecond))
	switch {
	case len(all) == 0:
		t.Errorf("%s: nothing was acknowledged", mode)
	case mode != "buffered" && len(gone) > 0:
		t.Errorf("%s: %d acknowledged writes are lost", mode, len(gone))
	case mode == "buffered" && oldest > window+late:
		t.Errorf("a write was lost that had been acknowledged %v before", oldest)
	}
}
