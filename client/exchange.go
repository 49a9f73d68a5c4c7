package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// noAnswer marks the error of a node that did not answer, or not to the end.
type noAnswer struct{ error }

func (e noAnswer) Unwrap() error { return e.error }

// do sends one request and reads its answer.
func (c *Client) do(ctx context.Context, r *call) (ouro.Result, error) {
	res, err := c.send(ctx, r)
	return res, plain(err)
}

// plain is an error without the mark.
func plain(err error) error {
	if none, ok := err.(noAnswer); ok { //nolint:errorlint // it is the outermost
		return none.error
	}
	return err
}

// send is do, and marks where there was no answer.
func (c *Client) send(ctx context.Context, r *call) (ouro.Result, error) {
	res, _, err := c.exchange(ctx, r)
	return res, err
}

// exchange is send, and returns by what right a node answered for its own copy, where
// it was asked for that.
func (c *Client) exchange(ctx context.Context, r *call) (res ouro.Result, by string, err error) {
	res.RequestID = r.opt.RequestID
	if err := r.key.Validate(); err != nil {
		return res, "", err
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return res, "", err
	}
	resp, err := c.roundTrip(req)
	if err != nil {
		return res, "", noAnswer{c.unanswered(ctx, r.method, err)}
	}
	defer closeBody(resp.Body)
	body, err := readAll(resp, c.maxReply)
	if err != nil {
		return res, "", noAnswer{c.unanswered(ctx, r.method, err)}
	}
	res, err = readAnswer(resp, body, r.method, res)
	return res, resp.Header.Get("Ouro-Local"), err
}

// closeBody reads what is left, a few bytes if anything, so that the connection
// can be used again.
func closeBody(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

func (c *Client) request(ctx context.Context, r *call) (*http.Request, error) {
	key, value, opt := r.key, r.value, &r.opt
	for _, text := range [...]string{value.ContentType, opt.RequestID} {
		if strings.ContainsFunc(text, isControl) {
			return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the content type or request id %.100q has a control character", text)
		}
	}
	var body io.Reader = http.NoBody
	if len(value.Data) > 0 {
		body = bytes.NewReader(value.Data)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base.String(), body)
	if err != nil {
		return nil, err
	}
	raw := string(keypath.Append([]byte("/kv/"), key))
	u := *c.base
	u.Path, u.RawPath = "/kv/"+key.Bucket+"/"+key.Name, raw
	if u.RawQuery = query(*opt); r.local != "" {
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&local="+r.local, "&")
	}
	req.URL = &u
	if r.method != http.MethodGet && value.ContentType != "" {
		req.Header.Set("Content-Type", value.ContentType)
	}
	c.means(req)
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

// isControl says whether no header takes a character.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// means says in a request which cluster is meant, as far as that is known.
func (c *Client) means(req *http.Request) {
	if id := c.cluster.Load(); id != nil {
		req.Header.Set("Ouro-Cluster", *id)
	}
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
	switch {
	case opt.TTL > 0:
		q.Set("ttl", opt.TTL.String())
	case opt.TTL < 0:
		q.Set("ttl", "never")
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
