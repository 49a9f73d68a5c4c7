package client

import (
	"math/bits"
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// maxPartitions bounds the ring that is taken.
const maxPartitions = 1 << 20

// server is a node at one address. What is known of how it does lasts as long as it
// has that address.
type server struct {
	id     string // "": a seed
	addr   string
	client *Client
	conns  connections
	state  state
}

func (c *Cluster) newServer(id, addr string) (*server, error) {
	base, err := parseAddr(addr)
	if err != nil {
		return nil, err
	}
	return &server{
		id: id, addr: addr, conns: newConnections(c.settings.maxConns),
		client: &Client{base: base, cluster: c.id, http: c.settings.http, maxReply: c.settings.maxReply},
	}, nil
}

// table is a ring with its servers; it is replaced whole.
type table struct {
	routes  ouro.Routes
	tag     string // of what the node told
	shift   uint
	servers []*server // by the places of routes.Nodes; nil: nobody knows where it is
}

// newTable makes a table of what a node told. A node whose address that one does not
// know is where it was.
func (c *Cluster) newTable(r ouro.Routes, tag string) (*table, error) {
	if err := checkRoutes(&r); err != nil {
		return nil, err
	}
	if id := c.id.Load(); id != nil && *id != r.ClusterID {
		return nil, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "the node is of the cluster with id %s, not of %s", r.ClusterID, *id)
	}
	t := &table{routes: r, tag: tag, shift: uint(64 - bits.TrailingZeros(uint(r.Q)))}
	before := c.table.Load()
	for i := range r.Nodes {
		n := &r.Nodes[i]
		old := before.server(n.ID)
		if old != nil && (n.Clients == "" || n.Clients == old.addr) {
			t.servers = append(t.servers, old)
			continue
		}
		s, err := c.newServer(n.ID, n.Clients)
		if err != nil {
			s = nil
		}
		t.servers = append(t.servers, s)
	}
	return t, nil
}

// checkRoutes refuses what no node would tell.
func checkRoutes(r *ouro.Routes) error {
	switch {
	case r.Q == 0:
		return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "the node is in no cluster yet")
	case r.Q < 0 || r.Q > maxPartitions || r.Q&(r.Q-1) != 0 || len(r.Lists) != r.Q || r.N < 1:
		return ouro.Errorf(ouro.Internal, ouro.NotDone, "a ring of %d partitions, %d lists and n=%d is none", r.Q, len(r.Lists), r.N)
	}
	for _, list := range r.Lists {
		if slices.ContainsFunc(list, func(at int) bool { return at < 0 || at >= len(r.Nodes) }) {
			return ouro.Errorf(ouro.Internal, ouro.NotDone, "a ring whose lists name nodes that it does not have")
		}
	}
	return nil
}

// server returns the server of a node; nil: it is not known.
func (t *table) server(id string) *server {
	if t == nil || id == "" {
		return nil
	}
	for i := range t.routes.Nodes {
		if t.routes.Nodes[i].ID == id {
			return t.servers[i]
		}
	}
	return nil
}

// partition returns the number of a key's partition.
func (t *table) partition(key ouro.Key) int {
	return int(ring.NewKey(key.Bucket, key.Name).Pos.Hi >> t.shift) // a shift by 64 gives 0
}

// replicas appends the servers of those that hold a key.
func (t *table) replicas(dst []*server, key ouro.Key) []*server {
	list := t.routes.Lists[t.partition(key)]
	n, ok := t.routes.Buckets[key.Bucket]
	if !ok {
		n = t.routes.N
	}
	for _, at := range list[:min(n, len(list))] {
		if s := t.servers[at]; s != nil {
			dst = append(dst, s)
		}
	}
	return dst
}

// answers is how many replicas must answer a read; 0: that is not known.
func (t *table) answers(r *call) int {
	n, ok := t.routes.Reads[r.key.Bucket]
	if !ok {
		n = t.routes.R
	}
	if r.opt.R.Set || r.opt.PR.Set { // the bucket's other number is not known
		return max(r.opt.R.Or(n), r.opt.PR.Or(n))
	}
	return n
}

// holds says whether a node holds a key by this table.
func (t *table) holds(key ouro.Key, id string) bool {
	for _, at := range t.routes.Lists[t.partition(key)] {
		if t.routes.Nodes[at].ID == id {
			return true
		}
	}
	return false
}
