package client_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/frontend/web"
	"github.com/ourodb/ouro/internal/oracle"
)

// fleet is a cluster as its clients see it: servers that share one store, and one of data
// types, and say who coordinated as nodes do.
type fleet struct {
	t       *testing.T
	store   *oracle.Oracle
	types   *oracle.Types // of the bucket [conformance.TypesBucket]
	cluster string
	more    atomic.Int64 // replicas that must answer a read than the ring says

	mu     sync.Mutex
	routes ouro.Routes
	nodes  map[string]*fake
}

// fake is a node of it.
type fake struct {
	*oracle.Oracle
	fleet *fleet
	id    string
	srv   *httptest.Server
	asked atomic.Int64 // for keys
	rings atomic.Int64 // for the ring
	sends []string     // request ids and attempts of writes
	// before, where set, handles a request instead, or returns false.
	before atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]

	own    atomic.Pointer[ownCopy] // nil: it answers for its own copy as it should
	copied atomic.Int64            // asked for its own copy
	placed atomic.Int64            // for another read
}

const fleetQ = 8

// newFleet starts nodes a, b, c, …; each partition is held by three in a row.
func newFleet(t *testing.T, n int) *fleet {
	f := &fleet{t: t, store: oracle.New(oracle.Config{}), types: oracle.NewTypes(), cluster: "00000000000000f1", nodes: map[string]*fake{}}
	f.routes = ouro.Routes{Cluster: "test", ClusterID: f.cluster, Q: fleetQ, N: min(3, n), Lists: make([][]int, fleetQ)}
	for i := range n {
		node := &fake{Oracle: f.store, fleet: f, id: string(rune('a' + i))}
		f.nodes[node.id] = node
		f.routes.Nodes = append(f.routes.Nodes, ouro.RouteNode{ID: node.id})
		node.listen()
		t.Cleanup(func() { node.srv.Close() })
	}
	for p := range f.routes.Lists {
		for i := range min(3, n) {
			f.routes.Lists[p] = append(f.routes.Lists[p], (p+i)%n)
		}
	}
	return f
}

// listen starts the node at a new address, and tells it.
func (n *fake) listen() {
	n.srv = httptest.NewServer(n)
	n.fleet.mu.Lock()
	defer n.fleet.mu.Unlock()
	for i := range n.fleet.routes.Nodes {
		if n.fleet.routes.Nodes[i].ID == n.id {
			n.fleet.routes.Nodes[i].Clients = n.srv.Listener.Addr().String()
		}
	}
}

func (n *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ring" {
		n.rings.Add(1)
	} else {
		n.asked.Add(1)
	}
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		n.fleet.mu.Lock()
		n.sends = append(n.sends, r.Header.Get("Ouro-Request-Id")+" "+r.Header.Get("Ouro-Attempt"))
		n.fleet.mu.Unlock()
	}
	if f := n.before.Load(); f != nil && (*f)(w, r) {
		return
	}
	web.New(web.Config{Cluster: n.fleet.cluster}, n).ServeHTTP(w, r)
}

// does makes a node do something else first, or instead; nil: no more.
func (n *fake) does(f func(w http.ResponseWriter, r *http.Request) bool) {
	if f == nil {
		n.before.Store(nil)
		return
	}
	n.before.Store(&f)
}

func (n *fake) Routes() ouro.Routes {
	n.fleet.mu.Lock()
	defer n.fleet.mu.Unlock()
	r := n.fleet.routes
	r.Nodes, r.Lists = slices.Clone(r.Nodes), slices.Clone(r.Lists)
	return r
}

func (n *fake) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	if bucket != "b" {
		return n.Oracle.Keys(ctx, bucket, q)
	}
	return ouro.KeysPage{Keys: []string{"told by " + n.id}, Covered: 1}, nil
}

// hangs has a node leave some requests unanswered, and counts them.
func (n *fake) hangs(which func(r *http.Request) bool) *atomic.Int64 {
	hung := new(atomic.Int64)
	n.does(func(_ http.ResponseWriter, r *http.Request) bool {
		if !which(r) {
			return false
		}
		hung.Add(1)
		<-r.Context().Done()
		return true
	})
	return hung
}

// holder is the store that holds a key.
func (n *fake) holder(key ouro.Key) ouro.Store {
	if key.Bucket == conformance.TypesBucket {
		return n.fleet.types
	}
	return n.Oracle
}

func (n *fake) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	n.placed.Add(1)
	res, err := n.holder(key).Get(ctx, key, opts...)
	res.Coordinator = n.coordinator(key)
	return res, err
}

func (n *fake) Put(ctx context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	res, err := n.holder(key).Put(ctx, key, v, opts...)
	res.Coordinator = n.coordinator(key)
	return res, err
}

func (n *fake) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	res, err := n.holder(key).Delete(ctx, key, opts...)
	res.Coordinator = n.coordinator(key)
	return res, err
}

func (n *fake) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	res, err := n.fleet.types.Update(ctx, key, u, opts...)
	res.Coordinator = n.coordinator(key)
	return res, err
}

// replicas are the nodes that hold a key.
func (f *fleet) replicas(key ouro.Key) (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.routes.Lists[ring.NewKey(key.Bucket, key.Name).Pos.Hi>>61] {
		ids = append(ids, f.routes.Nodes[at].ID)
	}
	return ids
}

// coordinator is the node itself where it holds the key, else who does.
func (n *fake) coordinator(key ouro.Key) string {
	ids := n.fleet.replicas(key)
	if slices.Contains(ids, n.id) {
		return n.id
	}
	return ids[0]
}

// connect returns a client that knows the ring, by its seeds' ids.
func (f *fleet) connect(seeds []string, opts ...client.Option) *client.Cluster {
	f.t.Helper()
	var addrs []string
	for _, id := range seeds {
		addrs = append(addrs, f.nodes[id].srv.URL)
	}
	c, err := client.Connect(addrs, append([]client.Option{client.AttemptTimeout(time.Second)}, opts...)...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	f.await("the ring is known", func() bool { _, ok := c.Ring(); return ok })
	return c
}

// moveAll puts every key elsewhere, by another placement.
func (f *fleet) moveAll(placement uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.routes.Lists {
		for i := range f.routes.Lists[p] {
			f.routes.Lists[p][i] = (f.routes.Lists[p][i] + 3) % 5
		}
	}
	f.routes.Placement = placement
}

// await waits for something that will be.
func (f *fleet) await(what string, is func() bool) {
	f.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("never: %s", what)
		}
	}
}

func (f *fleet) key(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint("key", i)} }

// relisten listens at an address that was in use.
func relisten(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip("the port was taken meanwhile: ", err)
	}
	return l
}
