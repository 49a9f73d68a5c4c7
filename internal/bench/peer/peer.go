// Package peer drives the data path of a cluster without its front end: it sends
// requests as a node sends them that is no replica of the key, as forwarded
// requests over node links, straight to a replica.
package peer

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/bench"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/transport"
	"github.com/ourodb/ouro/internal/wire"
)

// Cluster is what has to be known of a cluster to speak to its nodes.
type Cluster struct {
	Name  string
	Ring  ouro.RingInfo
	Peers map[string]string // addresses of the nodes' peer ports, by id
}

// Driver sends requests to the first node of each key's preference list.
type Driver struct {
	bucket string
	ring   *ring.Ring
	links  map[ring.NodeID]*link
}

var _ bench.Driver = (*Driver)(nil)

// Dial connects to every node of the cluster.
func Dial(ctx context.Context, c Cluster, bucket string) (*Driver, error) {
	r, err := equalRing(c.Ring)
	if err != nil {
		return nil, err
	}
	d := &Driver{bucket: bucket, ring: r, links: map[ring.NodeID]*link{}}
	for id, addr := range c.Peers {
		l := newLink()
		cfg := transport.Config{
			Self: transport.Hello{Cluster: c.Name, Node: "bench", Client: true},
			Log:  slog.New(slog.DiscardHandler),
		}
		if l.client, err = transport.DialClient(ctx, cfg, addr, l.frames); err != nil {
			close(l.wake)
			d.Close()
			return nil, fmt.Errorf("no link to node %s at %s: %w", id, addr, err)
		}
		go l.flush()
		d.links[ring.NodeID(id)] = l
	}
	return d, nil
}

// equalRing rebuilds a ring of equal partitions from what a node tells of it.
func equalRing(info ouro.RingInfo) (*ring.Ring, error) {
	tokens, err := ring.EqualTokens(info.Q)
	if err != nil {
		return nil, err
	}
	var nodes []ring.Node
	for _, n := range info.Nodes {
		id := ring.NodeID(n.ID)
		nodes = append(nodes, ring.Node{ID: id, Weight: n.Weight, Zone: n.Zone, DC: n.DC})
		for _, t := range n.Tokens {
			if int(t) >= info.Q {
				return nil, fmt.Errorf("the ring of %d partitions has a number %d", info.Q, t)
			}
			tokens[t].Owner = id
		}
	}
	return ring.New(nodes, tokens)
}

// Close ends the links.
func (d *Driver) Close() {
	for _, l := range d.links {
		l.client.Close()
		close(l.wake)
	}
}

// Get implements bench.Driver.
func (d *Driver) Get(ctx context.Context, key string) (bench.Seen, error) {
	r, err := d.do(ctx, &node.Request{Verb: node.Get}, key)
	if err != nil {
		return bench.Seen{}, err
	}
	return bench.Seen{Siblings: len(r.Siblings), Context: r.Context}, refusal(r)
}

// Put implements bench.Driver.
func (d *Driver) Put(ctx context.Context, key string, value []byte, seen ouro.Context) (ouro.Context, error) {
	r, err := d.do(ctx, &node.Request{Verb: node.Put, Value: value, Context: seen, HasContext: len(seen) > 0}, key)
	if err != nil {
		return nil, err
	}
	return r.Context, refusal(r)
}

// refusal is the error of a reply, as an interface that is nil where there is
// none.
func refusal(r *node.Reply) error {
	if r.Err != nil {
		return r.Err
	}
	return nil
}

func (d *Driver) do(ctx context.Context, r *node.Request, key string) (*node.Reply, error) {
	r.Key = ring.NewKey(d.bucket, key)
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = time.Until(deadline)
	}
	partition := d.ring.Partition(r.Key.Pos)
	to := d.ring.Preference(partition, 1)[0]
	return d.links[to].ask(ctx, partition, r)
}

// link is a connection to one node on which many requests are under way. What
// is asked at one time goes out together, as from a node, which flushes what it
// has for a peer once a turn.
type link struct {
	client *transport.Client
	ids    atomic.Uint64
	wake   chan struct{} // there are frames to send

	mu      sync.Mutex
	waiting map[uint64]chan *node.Reply
	pending []byte
}

func newLink() *link {
	return &link{waiting: map[uint64]chan *node.Reply{}, wake: make(chan struct{}, 1)}
}

// ask sends a request and waits for its reply.
func (l *link) ask(ctx context.Context, partition uint32, r *node.Request) (*node.Reply, error) {
	r.ID = l.ids.Add(1)
	got := make(chan *node.Reply, 1)
	l.queue(&node.Message{Kind: node.KindForward, Partition: partition, Request: r}, got)
	defer func() {
		l.mu.Lock()
		delete(l.waiting, r.ID)
		l.mu.Unlock()
	}()
	select {
	case reply := <-got:
		return reply, nil
	case <-l.client.Done():
		return nil, l.client.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// queue appends a request to what is sent next.
func (l *link) queue(m *node.Message, got chan *node.Reply) {
	l.mu.Lock()
	l.waiting[m.Request.ID] = got
	first := len(l.pending) == 0
	var at int
	l.pending, at = transport.BeginFrame(l.pending)
	l.pending = transport.EndFrame(wire.AppendMessage(l.pending, m), at)
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// flush sends what is pending until the link is closed. A link that has failed
// ends the asks of its own accord.
func (l *link) flush() {
	var spare []byte
	for range l.wake {
		runtime.Gosched() // let all workers that are ready ask first
		l.mu.Lock()
		frames := l.pending
		l.pending = spare[:0]
		l.mu.Unlock()
		_ = l.client.Send(frames)
		spare = frames
	}
}

// frames hands replies to those who wait for them.
func (l *link) frames(bodies [][]byte) {
	for _, body := range bodies {
		m, err := wire.DecodeMessage(body)
		if err != nil || m.Kind != node.KindReturn {
			continue // nothing else is sent to a client
		}
		l.mu.Lock()
		got := l.waiting[m.Reply.ID]
		l.mu.Unlock()
		if got != nil {
			got <- m.Reply
		}
	}
}
