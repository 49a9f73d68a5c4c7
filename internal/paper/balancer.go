package paper

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// balancer is a load balancer as in front of any web server: it takes connections and
// passes their bytes to the nodes in turn, whatever they ask for.
type balancer struct {
	nodes    []string
	listener net.Listener
	next     atomic.Uint64
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	ended bool
}

func newBalancer(nodes []string) (*balancer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{nodes: nodes, listener: l, conns: map[net.Conn]struct{}{}}
	b.running.Go(b.accept)
	return b, nil
}

func (b *balancer) addr() string { return b.listener.Addr().String() }

func (b *balancer) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		node := b.nodes[b.next.Add(1)%uint64(len(b.nodes))]
		b.running.Go(func() { b.pass(conn, node) })
	}
}

// pass passes bytes both ways until either side ends.
func (b *balancer) pass(conn net.Conn, node string) {
	up, err := net.Dial("tcp", node)
	if err != nil {
		_ = conn.Close() // the client sees that
		return
	}
	if !b.keep(conn, up) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{up, conn}, {conn, up}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close() // the other way ends too
			_ = way[1].Close()
		})
	}
	both.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, conn)
	delete(b.conns, up)
}

// keep remembers connections, so that close ends them.
func (b *balancer) keep(conns ...net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range conns {
		if b.ended {
			_ = c.Close()
			continue
		}
		b.conns[c] = struct{}{}
	}
	return !b.ended
}

func (b *balancer) close() {
	_ = b.listener.Close()
	b.mu.Lock()
	b.ended = true
	for c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.running.Wait()
}

// inTurn is a store of nodes that are asked one after the other.
type inTurn struct {
	nodes []*client.Client
	next  atomic.Uint64
}

func (t *inTurn) node() *client.Client { return t.nodes[t.next.Add(1)%uint64(len(t.nodes))] }

func (t *inTurn) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return t.node().Get(ctx, key, opts...)
}

func (t *inTurn) Put(ctx context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	return t.node().Put(ctx, key, v, opts...)
}

func (t *inTurn) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return t.node().Delete(ctx, key, opts...)
}

func (t *inTurn) close() {
	for _, c := range t.nodes {
		c.Close()
	}
}
