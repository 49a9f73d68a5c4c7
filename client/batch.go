package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// sentItem is a line of a request with several.
type sentItem struct {
	Op          string `json:"op"`
	Bucket      string `json:"bucket"`
	Key         string `json:"key"`
	Value       []byte `json:"value,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Context     string `json:"context,omitempty"`
	RequestID   string `json:"request_id,omitempty"`
	Attempt     int    `json:"attempt,omitempty"`
}

// gotItem is a line of its answer.
type gotItem struct {
	Index       int       `json:"index"`
	RequestID   string    `json:"request_id"`
	Coordinator string    `json:"coordinator"`
	Quorum      string    `json:"quorum"`
	Context     string    `json:"context"`
	Siblings    []sibling `json:"siblings"`
	Typed       *typed    `json:"typed"`
	Explain     []string  `json:"explain"`
	Code        ouro.Code `json:"code"`
	Message     string    `json:"message"`
	Outcome     string    `json:"outcome"`
	Retryable   bool      `json:"retryable"`
	RetryAfter  int       `json:"retry_after"` // seconds
}

// sendMany sends the calls at these places in one request, and fills in their
// answers. Those that don't come are errors that say so. Where a node takes none because
// of one of them each is sent alone.
func (c *Client) sendMany(ctx context.Context, calls []*call, at []int, answers []ouro.Answer) {
	var sent []int
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for _, i := range at {
		answers[i].Result.RequestID = calls[i].opt.RequestID
		if err := fit(calls[i]); err != nil {
			answers[i].Err = err
			continue
		}
		sent = append(sent, i)
		_ = enc.Encode(itemOf(calls[i])) // strings and bytes always can be
	}
	if len(sent) == 0 {
		return
	}
	err := c.exchangeMany(ctx, calls, sent, &body, answers)
	if err == nil {
		err = errors.New("the answer ended early")
	}
	if e := errorOf(err); e != nil && !e.Retryable && len(sent) > 1 { // one of them is not taken: which?
		each(len(sent), singles, func(j int) {
			answers[sent[j]].Result, answers[sent[j]].Err = c.send(ctx, calls[sent[j]])
		})
		return
	}
	for _, i := range sent {
		if answers[i].Err == errPending { //nolint:errorlint // it is put there as it is
			answers[i].Err = noAnswer{c.unanswered(ctx, calls[i].method, err)}
			if e := errorOf(err); e != nil {
				answers[i].Err = err // of the whole, which did nothing
			}
		}
	}
}

// errPending marks a call whose answer has not come.
var errPending = errors.New("pending")

// fit says why a call can't be sent.
func fit(r *call) error {
	return r.key.Validate()
}

func itemOf(r *call) sentItem {
	it := sentItem{
		Op: "get", Bucket: r.key.Bucket, Key: keypath.Escape(r.key.Name), Value: r.value.Data, ContentType: r.value.ContentType,
		RequestID: r.opt.RequestID,
	}
	if r.method == http.MethodPut {
		it.Op = "put"
	}
	if r.opt.Context != nil {
		it.Context = r.opt.Context.String()
	}
	if r.opt.First {
		it.Attempt = 1
	}
	return it
}

// exchangeMany sends a body of items and reads answers as they come. All calls have
// the options of the first.
func (c *Client) exchangeMany(ctx context.Context, calls []*call, sent []int, body *bytes.Buffer, answers []ouro.Answer) error {
	for _, i := range sent {
		answers[i].Err = errPending
	}
	u := *c.base
	u.Path, u.RawQuery = "/many", query(calls[sent[0]].opt)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	c.means(req)
	resp, err := c.roundTrip(req)
	if err != nil {
		return err
	}
	defer closeBody(resp.Body)
	if resp.StatusCode != http.StatusOK {
		b, err := readAll(resp, c.maxReply)
		if err != nil {
			return err
		}
		_, err = readFailure(resp, b, http.MethodPost, ouro.Result{})
		return err
	}
	d := json.NewDecoder(io.LimitReader(resp.Body, c.maxReply))
	for {
		var g gotItem
		if err := d.Decode(&g); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if g.Index < 0 || g.Index >= len(sent) {
			return errors.New("the answer has an item that was not asked for")
		}
		answers[sent[g.Index]] = g.read()
	}
}

// read makes an answer of a line.
func (g *gotItem) read() ouro.Answer {
	a := ouro.Answer{Result: ouro.Result{RequestID: g.RequestID, Coordinator: g.Coordinator, Quorum: parseQuorum(g.Quorum), Typed: g.Typed.read(), Explain: g.Explain}}
	if g.Context != "" {
		seen, err := ouro.ParseContext(g.Context)
		if err != nil {
			a.Err = err
			return a
		}
		a.Result.Context = seen
	}
	for _, s := range g.Siblings {
		a.Result.Siblings = append(a.Result.Siblings, s.read())
	}
	if g.Code != "" {
		a.Err = &ouro.Error{
			Code: g.Code, Message: g.Message, Outcome: ouro.ParseOutcome(g.Outcome), Retryable: g.Retryable,
			RetryAfter: time.Duration(g.RetryAfter) * time.Second,
		}
	}
	return a
}
