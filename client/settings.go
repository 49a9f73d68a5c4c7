package client

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// settings are what options set.
type settings struct {
	http     *http.Client
	maxReply int64
	cluster  string
	maxConns int
	every    time.Duration
	attempt  time.Duration
	patience time.Duration
	answer   time.Duration
	hedge    bool
	reads    Reads
}

// Option sets something in a client.
type Option func(*settings)

// WithHTTPClient makes the client use h, with its transport and timeout.
func WithHTTPClient(h *http.Client) Option { return func(s *settings) { s.http = h } }

// MaxReply bounds the answers that the client takes, in bytes; default 256 MiB,
// which holds a hundred siblings of a mebibyte.
func MaxReply(n int64) Option { return func(s *settings) { s.maxReply = n } }

// MaxConns bounds the connections to each node, default 256; less than 1: none is. A
// request that finds all of them in use waits for one as long as its context lets it;
// of a [Cluster], as long as it would for an answer, and then for one to another node.
// With [WithHTTPClient] they are bounded as that is.
func MaxConns(n int) Option { return func(s *settings) { s.maxConns = max(n, 0) } }

// ClusterID says which cluster is meant, as 'ouro status' shows it: nodes of others
// refuse the requests. A [Cluster] that is not told takes the one it meets first.
func ClusterID(id string) Option { return func(s *settings) { s.cluster = id } }

// RefreshEvery sets how often a [Cluster] asks for the ring without a reason,
// default 10 s (paper, section 6.4).
func RefreshEvery(d time.Duration) Option { return func(s *settings) { s.every = d } }

// AttemptTimeout sets how long a [Cluster] waits for one node before it tries
// another, default 3 s: longer than the timeout of most buckets, so that it is the
// node that gives up. Where the context ends sooner that is half of the time left, or
// four times what the node usually takes. A request with [ouro.Timeout] is waited for
// a second longer than that says, whatever the context leaves to other nodes.
func AttemptTimeout(d time.Duration) Option { return func(s *settings) { s.attempt = d } }

// Patience sets for how long a [Cluster] tries a request whose context has no
// deadline, default 10 s.
func Patience(d time.Duration) Option { return func(s *settings) { s.patience = d } }

// AnswerWithin sets after what time a client gives up on a node that has not begun to
// answer a request, default never: that is what the context of the call is for. It
// counts from when the request is sent, and not where there is a [WithHTTPClient].
func AnswerWithin(d time.Duration) Option { return func(s *settings) { s.answer = d } }

// Hedge says whether a [Cluster] sends a read to a second node where the first takes
// longer than most reads did, default true; at most one read in ten is.
func Hedge(yes bool) Option { return func(s *settings) { s.hedge = yes } }

// Reads says who coordinates the reads of a [Cluster].
type Reads int

const (
	// WhereFaster has the client coordinate a read itself where that has been quicker of
	// late, by a tenth at least, since it costs the nodes more.
	WhereFaster Reads = iota
	// AtNodes places each read at a replica, which coordinates it.
	AtNodes
	// Itself has the client coordinate each read that it can.
	Itself
)

// CoordinateReads says who coordinates reads, default [WhereFaster] (paper, section
// 6.4). A client that does so asks as many replicas as must answer for their own
// copies, at once; where these are not the same, or one of them does not count, a
// replica coordinates the read after all. Reads that one replica answers, that are to
// be explained, and those of several keys are never the client's.
func CoordinateReads(who Reads) Option { return func(s *settings) { s.reads = who } }

func newSettings(opts []Option) *settings {
	s := &settings{
		maxReply: 256 << 20, maxConns: 256,
		every: 10 * time.Second, attempt: 3 * time.Second, patience: 10 * time.Second, hedge: true,
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.http != nil {
		s.maxConns = 0 // as its transport has it
	} else {
		s.http = &http.Client{Transport: newTransport(s.maxConns, s.answer), CheckRedirect: noRedirect}
	}
	return s
}

// clusterID is where the id of the cluster is kept.
func (s *settings) clusterID() *atomic.Pointer[string] {
	id := new(atomic.Pointer[string])
	if s.cluster != "" {
		id.Store(&s.cluster)
	}
	return id
}

func newTransport(maxConns int, answer time.Duration) *http.Transport {
	return &http.Transport{
		ResponseHeaderTimeout: answer,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxConnsPerHost:       maxConns,
		MaxIdleConnsPerHost:   maxConns,
		IdleConnTimeout:       time.Minute, // less than the server's, so that it is not the one to close
		DisableCompression:    true,        // values are bytes, not text
	}
}

// noRedirect hands a redirect to the caller: a node never sends one.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
