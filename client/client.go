package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ourodb/ouro"
)

// Client is a [ouro.Store] behind the address of one node, which it asks whatever
// the key. It is safe for concurrent use and keeps its connections open between
// requests. See [Cluster] for a client of all nodes.
type Client struct {
	base     *url.URL
	cluster  *atomic.Pointer[string] // its id, where that is known
	http     *http.Client
	maxReply int64
}

var (
	_ ouro.Store   = (*Client)(nil)
	_ ouro.Updater = (*Client)(nil)
	_ ouro.Batcher = (*Client)(nil)
)

// New returns a client of the node at addr: host:port, or a URL with http or
// https. It does not connect yet.
func New(addr string, opts ...Option) (*Client, error) {
	base, err := parseAddr(addr)
	if err != nil {
		return nil, err
	}
	s := newSettings(opts)
	return &Client{base: base, cluster: s.clusterID(), http: s.http, maxReply: s.maxReply}, nil
}

// Close drops the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func parseAddr(addr string) (*url.URL, error) {
	bare := !strings.Contains(addr, "://")
	text := addr
	if bare {
		text = "http://" + addr
	}
	u, err := url.Parse(text)
	if err != nil || !isNode(u) || bare && u.Port() == "" {
		return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the address %q of the node is not host:port or a URL such as http://127.0.0.1:7070", addr)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// isNode says whether a URL can be that of a node.
func isNode(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && (u.Port() == "" || isPort(u.Port())) &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == ""
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// Get implements [ouro.Store].
func (c *Client) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return c.do(ctx, &call{method: http.MethodGet, key: key, opt: ouro.Apply(opts...)})
}

// Put implements [ouro.Store]. Without a context it reads first, unless the
// options say [ouro.Blind].
func (c *Client) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	return put(ctx, c, key, value, ouro.Apply(opts...))
}

// Delete implements [ouro.Store]. Without a context it reads first, deletes what
// it read and lists that in the Result. With [ouro.Blind] it leaves the reading
// to the node, which lists what it removed only where the options also say
// [ouro.Explain].
func (c *Client) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return remove(ctx, c, key, ouro.Apply(opts...))
}

// Update implements [ouro.Updater].
func (c *Client) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	return update(ctx, c, key, u, ouro.Apply(opts...))
}
