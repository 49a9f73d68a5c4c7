package client

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
)

// Cluster is a [ouro.Store] of all nodes of a cluster (paper, section 6.4). It
// learns the ring from a random node every ten seconds, and at once when an answer
// or a refused connection shows that it has changed; so it survives that every
// address of the cluster changes while it runs. It sends each request to a replica
// of the key, the one that answers soonest, and where none can be reached to any
// node, which passes it on. Reads it coordinates itself where that is quicker; see
// [CoordinateReads].
//
// A request is tried until its context ends: again and elsewhere, with pauses that
// grow and vary, for as long as it may succeed. A write that may have been carried
// out is repeated under its own request id, so that it is not stored twice as far as
// RULES R31 promises; reads are sent to a second node where the first takes
// unusually long. No node keeps anything of its clients.
//
// It is safe for concurrent use.
type Cluster struct {
	settings *settings
	seeds    []*server
	table    atomic.Pointer[table]
	id       *atomic.Pointer[string] // of the cluster, once it is known
	pace     pace                    // of reads that nodes coordinate
	copied   pace                    // of replicas' own copies

	kicked chan struct{}
	end    context.CancelFunc
	ended  sync.WaitGroup
}

var (
	_ ouro.Store   = (*Cluster)(nil)
	_ ouro.Updater = (*Cluster)(nil)
	_ ouro.Lister  = (*Cluster)(nil)
	_ ouro.Batcher = (*Cluster)(nil)
)

// Connect returns a client of the cluster to which the nodes at seeds belong, each
// host:port or a URL with http or https. They are asked for the ring, and tried for
// ever where no other node that is known can be reached; one suffices, and it need not
// be up yet. [Cluster.Close] ends it.
func Connect(seeds []string, opts ...Option) (*Cluster, error) {
	if len(seeds) == 0 {
		return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "there is no address of a node: give one or more, host:port")
	}
	c := &Cluster{settings: newSettings(opts), kicked: make(chan struct{}, 1)}
	c.id = c.settings.clusterID()
	for _, addr := range seeds {
		s, err := c.newServer("", addr)
		if err != nil {
			return nil, err
		}
		c.seeds = append(c.seeds, s)
	}
	var ctx context.Context
	ctx, c.end = context.WithCancel(context.Background())
	c.ended.Go(func() { c.follow(ctx) })
	return c, nil
}

// Close ends what runs in the background and drops the connections that are not in
// use. Requests under way go on.
func (c *Cluster) Close() {
	c.end()
	c.ended.Wait()
	c.settings.http.CloseIdleConnections()
}

// Get implements [ouro.Store].
func (c *Cluster) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return c.do(ctx, &call{method: http.MethodGet, key: key, opt: ouro.Apply(opts...)})
}

// Put implements [ouro.Store]. Without a context it reads first, unless the options
// say [ouro.Blind].
func (c *Cluster) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	return put(ctx, c, key, value, ouro.Apply(opts...))
}

// Delete implements [ouro.Store], as [Client.Delete] does.
func (c *Cluster) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return remove(ctx, c, key, ouro.Apply(opts...))
}

// Update implements [ouro.Updater]. For values that the program merges see [Update].
func (c *Cluster) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	return update(ctx, c, key, u, ouro.Apply(opts...))
}

// Keys implements [ouro.Lister]: any node can tell.
func (c *Cluster) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (page ouro.KeysPage, err error) {
	err = c.try(ctx, &attempts{nodes: c.anyNode, wait: max(c.settings.attempt, time.Minute)}, func(ctx context.Context, s *server) error {
		page, err = s.client.Keys(ctx, bucket, q)
		return err
	})
	return page, err
}

// Ring returns the ring as the client knows it, and whether it knows one yet.
func (c *Cluster) Ring() (ouro.Routes, bool) {
	if t := c.table.Load(); t != nil {
		return t.routes, true
	}
	return ouro.Routes{}, false
}
