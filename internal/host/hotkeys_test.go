package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// callOf is a request of a key that nobody waits for.
func callOf(name string) item {
	return item{call: &call{request: &node.Request{Key: ring.NewKey("b", name)}, reply: make(chan node.Reply, 1)}}
}

// TestInboxShedsOneKeyAlone: of one key as many requests wait as may, whatever waits
// besides; others are taken until the inbox is full; and the shard is told what was shed.
func TestInboxShedsOneKeyAlone(t *testing.T) {
	in := newInbox(256) // 32 of one key
	for range 20 {      // before anything is counted
		in.request(callOf("hot"))
		in.request(callOf("warm"))
	}
	for i := range 200 {
		want := taken
		if i >= 12 {
			want = tooHot
		}
		if got := in.request(callOf("hot")); got != want {
			t.Fatalf("request %d of the hot key: %d, not %d", 20+i, got, want)
		}
	}
	for i := range 256 - 52 {
		if got := in.request(callOf(fmt.Sprint(i))); got != taken {
			t.Fatalf("another key: %d with %d waiting", got, in.len())
		}
	}
	if in.request(callOf("one too many")) != full || in.request(callOf("hot")) != tooHot {
		t.Fatal("a full inbox")
	}
	items := in.take(nil)
	shed, ok := items[len(items)-1].input.(*node.Shed)
	if len(items) != 257 || !ok || shed.Key.Name != "hot" || shed.N != 189 {
		t.Fatalf("%d items, shed %+v", len(items), shed)
	}
	if in.waiting != nil || in.shed != nil || in.request(callOf("hot")) != taken {
		t.Fatal("something is left of what was taken")
	}
	in.close()
	if in.request(callOf("hot")) != full {
		t.Fatal("taken by a closed inbox")
	}
}

// TestFloodOfOneKey: while clients ask for one key as fast as they can, far more of them
// than may, every request for another key is answered; the hot key is served, too, is
// named in what is refused and in the status, and nothing is left of the flood.
func TestFloodOfOneKey(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) { cfg.Inbox, cfg.Core.MaxInFlight = 256, 256 })
	h := c.hosts["a"]
	for _, name := range []string{"hot", "other"} {
		if _, err := h.Put(t.Context(), ouro.Key{Bucket: "b", Name: name}, ouro.Value{Data: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	patient := ouro.Timeout(time.Minute) // how long the machine takes is not asked here
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	var mu sync.Mutex
	served, refused := 0, 0
	for range 400 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for ctx.Err() == nil {
				_, err := h.Get(context.Background(), ouro.Key{Bucket: "b", Name: "hot"}, patient)
				mu.Lock()
				switch e, _ := err.(*ouro.Error); {
				case err == nil:
					served++
				case e != nil && e.Code == ouro.HotKey && e.Outcome == ouro.NotDone && e.RetryAfter > 0 && strings.Contains(e.Message, "b/hot is a hot key"):
					refused++
				default:
					t.Errorf("the hot key: %v", err)
				}
				mu.Unlock()
			}
		}()
	}
	enough := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return served > 100 && refused > 100
	}
	for answered := 0; answered < 100 || !enough(); answered++ {
		if _, err := h.Get(t.Context(), ouro.Key{Bucket: "b", Name: "other"}, patient); err != nil {
			t.Errorf("the other key: %v", err)
			break
		}
	}
	stop()
	wait.Wait()
	h.tellLoad()
	for info := h.HotKeys(); len(info.Keys) == 0 || info.Refused < uint64(refused); info = h.HotKeys() {
		h.tellLoad()
		time.Sleep(time.Millisecond)
	}
	if k := h.HotKeys().Keys[0]; k.Key != "b/hot" || k.Refused == 0 || k.Rate < k.Refused {
		t.Errorf("%+v", k)
	}
}
