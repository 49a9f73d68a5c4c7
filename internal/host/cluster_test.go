package host

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
)

// cluster is a set of hosts in one process whose links are function calls.
type cluster struct {
	t     testing.TB
	mu    sync.Mutex
	hosts map[string]*Host
	cut   map[string]bool
	seen  *observer
}

// observer counts what hosts tell.
type observer struct {
	mu       sync.Mutex
	facts    map[fact.Kind]int
	requests map[string]int
	refused  map[string]int
}

func (o *observer) Observe(facts []fact.Fact) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range facts {
		o.facts[f.Kind]++
	}
}

func (o *observer) count(k fact.Kind) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.facts[k]
}

func (o *observer) Request(verb, outcome string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests[verb+" "+outcome]++
}

func (o *observer) Turn(string, int, time.Duration) {}

func (o *observer) Refused(stage string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused[stage]++
}

// link carries frames from one host of a cluster to the others.
type link struct {
	c    *cluster
	from string
}

func (l link) Send(peer string, frames []byte) error {
	l.c.mu.Lock()
	to, cut := l.c.hosts[peer], l.c.cut[peer] || l.c.cut[l.from]
	l.c.mu.Unlock()
	if to == nil || cut {
		return errors.New("no such peer")
	}
	to.Frames(l.from, 1, split(slices.Clone(frames)), nil)
	return nil
}

// split cuts whole frames into bodies.
func split(frames []byte) [][]byte {
	var bodies [][]byte
	for len(frames) > 0 {
		n := binary.LittleEndian.Uint32(frames)
		bodies = append(bodies, frames[8:8+n])
		frames = frames[8+n:]
	}
	return bodies
}

func startCluster(t testing.TB, ids []string, tune func(*Config)) *cluster {
	t.Helper()
	c := &cluster{t: t, hosts: map[string]*Host{}, cut: map[string]bool{}, seen: &observer{
		facts: map[fact.Kind]int{}, requests: map[string]int{}, refused: map[string]int{},
	}}
	var nodes []ring.Node
	var members []Member
	for _, id := range ids {
		n := ring.Node{ID: ring.NodeID(id), Weight: 1}
		nodes = append(nodes, n)
		members = append(members, Member{Node: n, Peer: id + ":0"})
	}
	tokens, err := ring.Assign(16, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		c.start(id, r, members, memory.New(memory.Options{}), tune)
	}
	for _, id := range ids {
		for _, peer := range ids {
			if id != peer {
				c.hosts[id].Up(peer, 1)
			}
		}
	}
	return c
}

func (c *cluster) start(id string, r *ring.Ring, members []Member, engine store.Engine, tune func(*Config)) {
	c.t.Helper()
	cfg := Config{
		Cluster: "test", Members: members, Links: link{c, id}, Observer: c.seen,
		Log:     slog.New(slog.DiscardHandler),
		Replica: replica.Config{Seed: 7}, ContextKey: []byte("0123456789abcdef0123456789abcdef"),
		Fatal: func(err error) { c.t.Error(err) },
	}
	if tune != nil {
		tune(&cfg)
	}
	bucket := node.Bucket{N: 3, R: 2, W: 2, Timeout: 2 * time.Second}
	ofTypes := bucket
	ofTypes.Types = true
	cfg.Steward.Self = ring.NodeID(id)
	cfg.Steward.Fixed = &node.View{Self: ring.NodeID(id), Ring: r, Buckets: node.Buckets{Default: bucket, Named: map[string]node.Bucket{"typed": ofTypes}}}
	h, err := New(cfg, engine)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.hosts[id] = h
	c.mu.Unlock()
	h.Start()
	c.t.Cleanup(func() {
		h.Close(time.Second)
		if err := engine.Close(); err != nil {
			c.t.Error(err)
		}
	})
}
