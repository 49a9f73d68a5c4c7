package paper

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// newBalancer starts a load balancer as in front of any web server: it passes each
// request to the next node, whatever it asks for.
func newBalancer(nodes []string) *httptest.Server {
	var next atomic.Uint64
	return httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: nodes[next.Add(1)%uint64(len(nodes))]})
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0), // the client tells what failed
	})
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
