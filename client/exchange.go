package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// do sends one request and reads its answer.
func (c *Client) do(ctx context.Context, method string, key ouro.Key, value ouro.Value, opt ouro.Options) (ouro.Result, error) {
	res := ouro.Result{RequestID: opt.RequestID}
	if err := key.Validate(); err != nil {
		return res, err
	}
	req, err := c.request(ctx, method, key, value, opt)
	if err != nil {
		return res, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return res, c.unanswered(ctx, method, err)
	}
	defer closeBody(resp.Body)
	body, err := readAll(resp, c.maxReply)
	if err != nil {
		return res, c.unanswered(ctx, method, err)
	}
	return readAnswer(resp, body, method, res)
}

// closeBody reads what is left, a few bytes if anything, so that the connection
// can be used again.
func closeBody(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

func (c *Client) request(ctx context.Context, method string, key ouro.Key, value ouro.Value, opt ouro.Options) (*http.Request, error) {
	if opt.TTL != 0 {
		return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "HTTP carries no ttl: set it on the bucket")
	}
	var body io.Reader = http.NoBody
	if len(value.Data) > 0 {
		body = bytes.NewReader(value.Data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.String(), body)
	if err != nil {
		return nil, err
	}
	raw := string(keypath.Append([]byte("/kv/"), key))
	u := *c.base
	u.Path, u.RawPath = "/kv/"+key.Bucket+"/"+key.Name, raw
	u.RawQuery = query(opt)
	req.URL = &u
	if method == http.MethodPut && value.ContentType != "" {
		req.Header.Set("Content-Type", value.ContentType)
	}
	if opt.Context != nil {
		req.Header.Set("Ouro-Context", opt.Context.String())
	}
	if opt.RequestID != "" {
		req.Header.Set("Ouro-Request-Id", opt.RequestID)
		if opt.First {
			req.Header.Set("Ouro-Attempt", "1")
		}
	}
	return req, nil
}

func query(opt ouro.Options) string {
	q := url.Values{}
	for _, c := range []struct {
		name  string
		count ouro.Count
	}{{"r", opt.R}, {"w", opt.W}, {"pr", opt.PR}, {"pw", opt.PW}, {"dw", opt.DW}} {
		if c.count.Set {
			q.Set(c.name, strconv.Itoa(c.count.N))
		}
	}
	if opt.Timeout != 0 {
		q.Set("timeout", opt.Timeout.String())
	}
	if opt.Explain {
		q.Set("explain", "true")
	}
	return q.Encode()
}

func readAll(resp *http.Response, most int64) ([]byte, error) {
	if resp.ContentLength > most {
		return nil, fmt.Errorf("the answer has %d bytes, the client takes up to %d", resp.ContentLength, most)
	}
	if n := resp.ContentLength; n >= 0 {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("the answer has more than the %d bytes that the client takes", most)
	}
	return body, err
}

// unanswered is the error of a request whose answer did not arrive: a write that
// left this machine may have been carried out.
func (c *Client) unanswered(ctx context.Context, method string, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address, which is said below
	}
	var op *net.OpError
	dialing := errors.As(err, &op) && op.Op == "dial"
	outcome := ouro.Unknown
	if dialing || method == http.MethodGet {
		outcome = ouro.NotDone
	}
	var e *ouro.Error
	if dialing {
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "no node can be reached at %s: %v", c.base.Host, op.Err)
	} else {
		e = ouro.Errorf(ouro.QuorumUnavailable, outcome, "the node at %s did not answer to the end: %v", c.base.Host, err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), e)
	}
	return e
}
