package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ourodb/ouro"
)

// Client is a [ouro.Store] behind an address. It is safe for concurrent use and
// keeps its connections open between requests.
type Client struct {
	base     *url.URL
	http     *http.Client
	maxReply int64
}

var _ ouro.Store = (*Client)(nil)

// Option sets something in a client.
type Option func(*Client)

// WithHTTPClient makes the client use h, with its transport and timeout.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// MaxReply bounds the answers that the client takes, in bytes; default 256 MiB,
// which holds a hundred siblings of a mebibyte.
func MaxReply(n int64) Option { return func(c *Client) { c.maxReply = n } }

// Connections that stay open for the next request.
const maxIdleConns = 1024

// New returns a client of the node at addr: host:port, or a URL with http or
// https. It does not connect yet.
func New(addr string, opts ...Option) (*Client, error) {
	base, err := parseAddr(addr)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, maxReply: 256 << 20}
	for _, opt := range opts {
		opt(c)
	}
	if c.http == nil {
		c.http = &http.Client{Transport: newTransport(), CheckRedirect: noRedirect}
	}
	return c, nil
}

// Close drops the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func parseAddr(addr string) (*url.URL, error) {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the address %q of the node is not host:port or a URL such as http://127.0.0.1:7070", addr)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        maxIdleConns,
		MaxIdleConnsPerHost: maxIdleConns,
		IdleConnTimeout:     time.Minute, // less than the server's, so that it is not the one to close
		DisableCompression:  true,        // values are bytes, not text
	}
}

// noRedirect hands a redirect to the caller: a node never sends one.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Get implements [ouro.Store].
func (c *Client) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return c.do(ctx, http.MethodGet, key, ouro.Value{}, ouro.Apply(opts...))
}

// Put implements [ouro.Store]. Without a context it reads first, unless the
// options say [ouro.Blind].
func (c *Client) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	opt := ouro.Apply(opts...)
	if read, err := c.readFirst(ctx, key, &opt); err != nil {
		return ouro.Result{RequestID: opt.RequestID, Coordinator: read.Coordinator}, err
	}
	return c.do(ctx, http.MethodPut, key, value, opt)
}

// Delete implements [ouro.Store]. Without a context it reads first, deletes what
// it read and lists that in the Result. With [ouro.Blind] it leaves the reading
// to the node, which lists what it removed only where the options also say
// [ouro.Explain].
func (c *Client) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	opt := ouro.Apply(opts...)
	read, err := c.readFirst(ctx, key, &opt)
	if err != nil {
		return ouro.Result{RequestID: opt.RequestID, Coordinator: read.Coordinator}, err
	}
	res, err := c.do(ctx, http.MethodDelete, key, ouro.Value{}, opt)
	if err == nil && res.Siblings == nil {
		res.Siblings = read.Siblings
	}
	return res, err
}

// readFirst gives a write without a context the one of what is there now, and
// returns that. Where it fails, the result says who answered.
func (c *Client) readFirst(ctx context.Context, key ouro.Key, opt *ouro.Options) (ouro.Result, error) {
	if opt.RequestID == "" {
		opt.RequestID, opt.First = rand.Text(), true
	}
	if opt.Context != nil || opt.Blind {
		return ouro.Result{}, nil
	}
	res, err := c.do(ctx, http.MethodGet, key, ouro.Value{}, ouro.Options{R: opt.R, PR: opt.PR, Timeout: opt.Timeout})
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return res, fmt.Errorf("reading the key before writing it (Blind writes without): %w", err)
	}
	if len(res.Context) > 0 {
		opt.Context = res.Context
	}
	return res, nil
}
