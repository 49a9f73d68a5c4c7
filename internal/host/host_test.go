package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/wire"
)

var three = []string{"a", "b", "c"}

func TestAnyNodeServesAnyKey(t *testing.T) {
	c := startCluster(t, []string{"a", "b", "c", "d", "e"}, nil)
	ctx := t.Context()
	for i := range 50 {
		key := ouro.Key{Bucket: "carts", Name: fmt.Sprint("k", i)}
		writer := c.hosts[string("abcde"[i%5])]
		if _, err := writer.Put(ctx, key, ouro.Value{Data: []byte(key.Name), ContentType: "text/x"}, ouro.W(3)); err != nil {
			t.Fatal(err)
		}
		for _, h := range c.hosts {
			res, err := h.Get(ctx, key)
			if err != nil {
				t.Fatalf("%v at %s: %v", key, h.view.Load().Self, err)
			}
			if len(res.Siblings) != 1 || string(res.Siblings[0].Data) != key.Name || res.Siblings[0].ContentType != "text/x" {
				t.Fatalf("%v: %+v", key, res.Siblings)
			}
			if res.Coordinator == "" || res.Quorum.N != 3 || res.Quorum.Acks < 2 {
				t.Fatalf("the reply says too little: %+v", res)
			}
		}
	}
}

func TestBlindPutsBecomeSiblingsAndAreMerged(t *testing.T) {
	c := startCluster(t, three, nil)
	key := ouro.Key{Bucket: "carts", Name: "alice"}
	for _, v := range []string{"milk", "bread"} {
		if _, err := c.hosts["a"].Put(t.Context(), key, ouro.Value{Data: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
	res, err := c.hosts["b"].Get(t.Context(), key)
	if err != nil || len(res.Siblings) != 2 {
		t.Fatalf("want two siblings: %+v, %v", res, err)
	}
	if _, err := c.hosts["c"].Put(t.Context(), key, ouro.Value{Data: []byte("both")}, ouro.WithContext(res.Context)); err != nil {
		t.Fatal(err)
	}
	res, err = c.hosts["b"].Get(t.Context(), key)
	if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "both" {
		t.Fatalf("want the merged version alone: %+v, %v", res, err)
	}
}

func TestTheCallersMemoryIsCopied(t *testing.T) {
	c := startCluster(t, three, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	data := []byte("first")
	if _, err := c.hosts["a"].Put(t.Context(), key, ouro.Value{Data: data}); err != nil {
		t.Fatal(err)
	}
	copy(data, "spoil")
	if res, err := c.hosts["a"].Get(t.Context(), key); err != nil || string(res.Siblings[0].Data) != "first" {
		t.Fatalf("%+v, %v", res, err)
	}
}

func TestSameRequestIDWritesOnce(t *testing.T) {
	c := startCluster(t, three, nil)
	for _, key := range []ouro.Key{{Bucket: "b", Name: "k1"}, {Bucket: "b", Name: "k2"}} {
		for range 3 {
			if _, err := c.hosts["a"].Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.RequestID("7")); err != nil {
				t.Fatal(err)
			}
		}
		if res, err := c.hosts["a"].Get(t.Context(), key); err != nil || len(res.Siblings) != 1 {
			t.Fatalf("%v: %+v, %v", key, res, err)
		}
	}
}

// TestRepetitionAtAnotherNode: a request that is sent again under its id, to a
// node that was cut off the first time, is recognised there too (RULES R30), and
// what fails of it is unknown.
func TestRepetitionAtAnotherNode(t *testing.T) {
	c := startCluster(t, three, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.isolate("b", true)
	put := func(at string, opts ...ouro.Option) error {
		_, err := c.hosts[at].Put(t.Context(), key, ouro.Value{Data: []byte("v")}, opts...)
		return err
	}
	if err := put("a", ouro.RequestID("r"), ouro.First()); err != nil {
		t.Fatal(err)
	}
	c.isolate("b", false)
	for _, at := range []string{"b", "c", "a"} {
		if err := put(at, ouro.RequestID("r")); err != nil {
			t.Fatal(err)
		}
	}
	c.hosts["a"].Get(t.Context(), key, ouro.R(3)) // repairs
	for _, id := range three {
		if r, err := c.hosts[id].Replica(t.Context(), key); err != nil || len(r.Versions) != 1 {
			t.Errorf("%s stores %+v, %v", id, r.Versions, err)
		}
	}
	for _, opts := range [][]ouro.Option{{ouro.RequestID("s")}, {ouro.RequestID("s"), ouro.First()}} {
		var e *ouro.Error
		err := put("b", append(opts, ouro.W(4))...)
		if errors.As(err, &e); e == nil || (e.Outcome == ouro.NotDone) != ouro.Apply(opts...).First {
			t.Errorf("%+v: a put that is refused: %+v", ouro.Apply(opts...), e)
		}
	}
}

// isolate cuts a node off from all others, or joins it again.
func (c *cluster) isolate(id string, cut bool) {
	c.mu.Lock()
	c.cut[id] = cut
	c.mu.Unlock()
	for _, other := range three {
		switch {
		case other == id:
		case cut:
			c.hosts[other].Down(id)
			c.hosts[id].Down(other)
		default:
			c.hosts[other].Up(id, 1)
			c.hosts[id].Up(other, 1)
		}
	}
}

func TestWithoutQuorumTheRequestIsRefusedAtOnce(t *testing.T) {
	c := startCluster(t, three, nil)
	for _, peer := range []string{"b", "c"} {
		c.mu.Lock()
		c.cut[peer] = true
		c.mu.Unlock()
		c.hosts["a"].Down(peer)
	}
	key := ouro.Key{Bucket: "b", Name: "k"}
	_, err := c.hosts["a"].Put(t.Context(), key, ouro.Value{Data: []byte("v")})
	if ouro.CodeOf(err) != ouro.QuorumUnavailable {
		t.Fatalf("want quorum_unavailable, got %v", err)
	}
	if _, err := c.hosts["a"].Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.W(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.hosts["a"].Get(t.Context(), key, ouro.R(1)); err != nil {
		t.Fatal(err)
	}
}

func TestBadRequestsAreRefusedBeforeAnyWork(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) { cfg.MaxValue = 10 })
	h := c.hosts["a"]
	good := ouro.Key{Bucket: "b", Name: "k"}
	cases := []struct {
		name string
		key  ouro.Key
		data string
		opts []ouro.Option
		want ouro.Code
	}{
		{"no bucket", ouro.Key{Name: "k"}, "v", nil, ouro.BadRequest},
		{"long key", ouro.Key{Bucket: "b", Name: strings.Repeat("x", ouro.MaxKeyLen+1)}, "v", nil, ouro.BadRequest},
		{"large value", good, "12345678901", nil, ouro.TooLarge},
		{"w over n", good, "v", []ouro.Option{ouro.W(4)}, ouro.BadRequest},
		{"no context at all", good, "v", []ouro.Option{ouro.WithContext([]byte("nonsense"))}, ouro.BadContext},
		{"endless", good, "v", []ouro.Option{ouro.Timeout(time.Hour)}, ouro.BadRequest},
	}
	for _, tc := range cases {
		_, err := h.Put(t.Context(), tc.key, ouro.Value{Data: []byte(tc.data)}, tc.opts...)
		if ouro.CodeOf(err) != tc.want {
			t.Errorf("%s: want %s, got %v", tc.name, tc.want, err)
		}
	}
	if _, err := h.Get(t.Context(), good); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("a refused put left something: %v", err)
	}
}

func TestFullInboxRefuses(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) {
		if cfg.Links.(link).from == "a" {
			cfg.Inbox = 2
		}
	})
	h := c.hosts["a"]
	hold, held := make(chan struct{}), make(chan struct{})
	h.shards[0].in.force(item{do: func(*shard) { close(held); <-hold }})
	<-held
	key := ouro.Key{Bucket: "b", Name: "k"}
	var wait sync.WaitGroup
	for range 2 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := h.Get(context.Background(), key); ouro.CodeOf(err) != ouro.NotFound {
				t.Error(err)
			}
		}()
	}
	for h.shards[0].in.len() < 2 {
		time.Sleep(time.Millisecond)
	}
	_, err := h.Get(t.Context(), key)
	if e, ok := err.(*ouro.Error); !ok || e.Code != ouro.Overloaded || e.RetryAfter == 0 {
		t.Errorf("want overloaded with a time to come back, got %v", err)
	}
	close(hold)
	wait.Wait()
	// Late answers to the two may still be in the inbox, so it may take a moment.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, err := h.Get(t.Context(), key)
		if ouro.CodeOf(err) == ouro.NotFound {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the inbox did not recover: %v", err)
		}
	}
}

// A request whose client has gone before the shard came to it is not begun.
func TestWhoHasGoneIsNotServed(t *testing.T) {
	c := startCluster(t, three, nil)
	h := c.hosts["a"]
	hold, held := make(chan struct{}), make(chan struct{})
	h.shards[0].in.force(item{do: func(*shard) { close(held); <-hold }})
	<-held
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := h.Put(ctx, ouro.Key{Bucket: "b", Name: "gone"}, ouro.Value{Data: []byte("v")})
		gone <- err
	}()
	for h.shards[0].in.len() < 1 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone is told %v", err)
	}
	close(hold)
	stays := ouro.Key{Bucket: "b", Name: "stays"}
	if _, err := h.Put(t.Context(), stays, ouro.Value{Data: []byte("v")}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Get(t.Context(), ouro.Key{Bucket: "b", Name: "gone"}, ouro.R(3)); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("what nobody waited for was done: %v", err)
	}
}

func TestShardsTogetherHoldEveryKey(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) { cfg.Shards = 3 })
	for i := range 60 {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
		if _, err := c.hosts["a"].Put(t.Context(), key, ouro.Value{Data: []byte(key.Name)}); err != nil {
			t.Fatal(err)
		}
		if res, err := c.hosts["b"].Get(t.Context(), key); err != nil || string(res.Siblings[0].Data) != key.Name {
			t.Fatalf("%+v, %v", res, err)
		}
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	c := startCluster(t, three, nil)
	h := c.hosts["a"]
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			_, err := h.Put(context.Background(), ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}, ouro.Value{})
			if err != nil && ouro.CodeOf(err) != ouro.Overloaded {
				t.Error(err)
			}
		}()
	}
	h.Close(time.Second)
	wait.Wait()
	if _, err := h.Get(t.Context(), ouro.Key{Bucket: "b", Name: "0"}); ouro.CodeOf(err) != ouro.Overloaded {
		t.Errorf("a closed host took a request: %v", err)
	}
	if h.Ready() == nil {
		t.Error("a closed host calls itself ready")
	}
}

func TestInspectorShowsTheRecord(t *testing.T) {
	c := startCluster(t, three, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	h := c.hosts["a"]
	if info, err := h.Replica(t.Context(), key); err != nil || info.Status != "absent" {
		t.Fatalf("%+v, %v", info, err)
	}
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	digests := map[string]bool{}
	for _, h := range c.hosts {
		info, err := h.Replica(t.Context(), key)
		if err != nil || info.Status != "have" || len(info.Versions) != 1 || string(info.Versions[0].Value) != "v" {
			t.Fatalf("%+v, %v", info, err)
		}
		digests[info.Digest] = true
	}
	if len(digests) != 1 {
		t.Errorf("replicas differ: %v", digests)
	}
	owners, err := h.Owners(key)
	if err != nil || len(owners.Primaries) != 3 || len(owners.Fallbacks) != 0 {
		t.Errorf("%+v, %v", owners, err)
	}
	if st := h.Status(); len(st.Members) != 3 || !st.Members[1].Up || st.Q != 16 {
		t.Errorf("%+v", st)
	}
	if a, b := c.hosts["a"].Ring(), c.hosts["b"].Ring(); a.Hash != b.Hash || len(a.Nodes) != 3 {
		t.Errorf("rings differ: %+v %+v", a, b)
	}
}

func TestClientLinksCarryForwardsOnly(t *testing.T) {
	c := startCluster(t, three, nil)
	h := c.hosts["a"]
	k := ring.NewKey("b", "k")
	read := node.Message{Kind: node.KindAsk, Op: replica.Op{ID: 1, Verb: replica.Read, Key: k, Full: true}}
	put := node.Message{Kind: node.KindForward, Request: &node.Request{ID: 2, Verb: node.Put, Key: k, Value: []byte("v")}}
	replies := make(chan node.Message, 4)
	reply := func(frames []byte) error {
		for _, body := range split(slices.Clone(frames)) {
			m, err := wire.DecodeMessage(body)
			if err != nil {
				t.Error(err)
			}
			replies <- m
		}
		return nil
	}
	h.Frames("bench", 9, split(appendFrame(appendFrame(nil, &read), &put)), reply)
	select {
	case m := <-replies:
		if m.Kind != node.KindReturn || m.Reply.ID != 2 || m.Reply.Err != nil {
			t.Errorf("the put was answered %+v", m)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the put was not answered")
	}
	if len(replies) != 0 {
		t.Errorf("a client's read of a replica was answered: %+v", <-replies)
	}
	if c.seen.refused["client link"] != 0 {
		t.Error("the put was refused with the read")
	}
	h.Frames("bench", 9, split(appendFrame(nil, &read)), reply)
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	if c.seen.refused["client link"] != 1 {
		t.Error("a read alone was let in")
	}
}

func TestAMessageTooLargeIsDroppedAlone(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) { cfg.MaxFrame = 2000 })
	h := c.hosts["a"]
	small, large := ouro.Key{Bucket: "b", Name: "small"}, ouro.Key{Bucket: "b", Name: "large"}
	if _, err := h.Put(t.Context(), large, ouro.Value{Data: make([]byte, 3000)}, ouro.Timeout(50*time.Millisecond)); ouro.CodeOf(err) != ouro.TimedOut {
		t.Errorf("want a timeout, got %v", err)
	}
	if _, err := h.Put(t.Context(), small, ouro.Value{Data: make([]byte, 1000)}); err != nil {
		t.Error(err)
	}
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	if c.seen.facts[fact.Dropped] < 2 {
		t.Error("nobody was told of the dropped messages")
	}
}
