package host

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/frontend/web"
)

// TestConformance holds hosts to what every body of the store has to do: a
// cluster of three, one in which most nodes hold no replica of a key and forward,
// and a node that is alone.
// TestContextsOfAnotherCluster: what one cluster has sealed another does not open.
func TestContextsOfAnotherCluster(t *testing.T) {
	one := startCluster(t, []string{"a", "b", "c"}, nil)
	other := startCluster(t, []string{"a", "b", "c"}, func(cfg *Config) { cfg.ContextKey = []byte("another key of as many bytes ...") })
	conformance.RunForeign(t, one.hosts["a"], other.hosts["a"])
}

func TestConformance(t *testing.T) {
	for name, ids := range map[string][]string{
		"three nodes": {"a", "b", "c"},
		"five nodes":  {"a", "b", "c", "d", "e"},
		"one node":    {"a"},
	} {
		t.Run(name, func(t *testing.T) {
			c := startCluster(t, ids, nil)
			conformance.Run(t, c.hosts["a"], conformance.Limits{Value: 1 << 20, Siblings: 100})
			if len(ids) > 1 { // they write to three
				conformance.RunKeys(t, c.hosts["a"], conformance.Limits{})
				conformance.RunTypes(t, c.hosts["a"])
			}
		})
	}
}

// TestConformanceByClients: reads that clients coordinate at real nodes are reads.
func TestConformanceByClients(t *testing.T) {
	ids := []string{"a", "b", "c", "d"}
	c := startCluster(t, ids, nil)
	var copies atomic.Int64
	var addrs []string
	for _, id := range ids {
		front := web.New(web.Config{}, c.hosts[id])
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("local") != "" {
				copies.Add(1)
			}
			front.ServeHTTP(w, r)
		}))
		t.Cleanup(srv.Close)
		addrs = append(addrs, srv.Listener.Addr().String())
	}
	for _, id := range ids {
		for i, peer := range ids {
			c.hosts[id].Serves(peer, addrs[i])
		}
		c.hosts[id].cfg.Clients = addrs[slices.Index(ids, id)]
	}
	store, err := client.Connect(addrs, client.CoordinateReads(client.Itself))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	conformance.Run(t, store, conformance.Limits{Value: 1 << 20, Siblings: 100})
	conformance.RunTypes(t, store)
	if n := copies.Load(); n < 50 {
		t.Errorf("nodes were asked %d times for their own copies", n)
	}
}
