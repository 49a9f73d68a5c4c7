package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/ourodb/ouro"
)

// unsent marks the error of a request that never left this machine: it got no
// connection.
type unsent struct{ error }

func (e unsent) Unwrap() error { return e.error }

// roundTrip sends a request and returns the answer, whose body is to be read. A
// transport that does not tell of its connections is taken to have sent it.
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, unsent{err}
	}
	var wanted, got atomic.Bool
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	})))
	if err != nil && wanted.Load() && !got.Load() {
		return nil, unsent{err}
	}
	return resp, err
}

// unanswered is the error of a request whose answer did not arrive: a write that
// left this machine may have been carried out.
func (c *Client) unanswered(ctx context.Context, method string, err error) error {
	var never unsent
	outcome, stayed := ouro.Unknown, errors.As(err, &never)
	if stayed {
		err = never.error
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address, which is said below
	}
	var op *net.OpError
	dialing := errors.As(err, &op) && op.Op == "dial"
	if dialing || stayed || method == http.MethodGet {
		outcome = ouro.NotDone
	}
	if op != nil {
		err = op.Err // likewise
	}
	var e *ouro.Error
	var slow net.Error
	switch {
	case dialing:
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "no node can be reached at %s: %v", c.base.Host, err)
	case stayed:
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "there was no connection to the node at %s in time: %v", c.base.Host, err)
	case strings.Contains(err.Error(), "malformed HTTP"): // net/http has no value for it
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "what answers at %s does not speak HTTP: is it the port for clients?", c.base.Host)
	case errors.As(err, &slow) && slow.Timeout():
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "the node at %s gave no answer in time: it hangs, or is cut off", c.base.Host)
	default:
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "the node at %s did not answer to the end: %v", c.base.Host, err)
	}
	if ctx.Err() != nil {
		return givenUp{ctx.Err(), e}
	}
	return e
}

// givenUp is the error of a request that ended because its context did.
type givenUp struct {
	ended error
	err   *ouro.Error
}

func (g givenUp) Error() string   { return g.err.Error() }
func (g givenUp) Unwrap() []error { return []error{g.ended, g.err} }
