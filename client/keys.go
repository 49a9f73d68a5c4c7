package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ourodb/ouro"
)

var _ ouro.Lister = (*Client)(nil)

// Keys implements [ouro.Lister].
func (c *Client) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	if err := ouro.ValidateBucket(bucket); err != nil {
		return ouro.KeysPage{}, err
	}
	v := url.Values{"cursor": {q.Cursor.String()}}
	if q.Prefix != "" {
		v.Set("prefix", q.Prefix)
	}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.R.Set {
		v.Set("r", strconv.Itoa(q.R.N))
	}
	if q.Timeout != 0 {
		v.Set("timeout", q.Timeout.String())
	}
	u := *c.base
	u.Path, u.RawQuery = "/kv/"+bucket, v.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return ouro.KeysPage{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%v", err)
	}
	c.means(req)
	resp, err := c.roundTrip(req)
	if err != nil {
		return ouro.KeysPage{}, c.unanswered(ctx, http.MethodGet, err)
	}
	defer resp.Body.Close()
	return readKeys(resp, c.maxReply)
}

// readKeys reads a page, or the error that came instead.
func readKeys(resp *http.Response, most int64) (ouro.KeysPage, error) {
	body := io.LimitReader(resp.Body, most)
	if resp.StatusCode != http.StatusOK {
		var e struct {
			Code      ouro.Code `json:"code"`
			Message   string    `json:"message"`
			Outcome   string    `json:"outcome"`
			Retryable bool      `json:"retryable"`
		}
		if err := json.NewDecoder(body).Decode(&e); err != nil || e.Code == "" {
			return ouro.KeysPage{}, ouro.Errorf(ouro.Internal, ouro.NotDone, "the answer to a list of keys is status %d without a reason", resp.StatusCode)
		}
		return ouro.KeysPage{}, &ouro.Error{Code: e.Code, Message: e.Message, Outcome: ouro.ParseOutcome(e.Outcome), Retryable: e.Retryable}
	}
	var told struct {
		Keys    []string        `json:"keys"`
		Next    string          `json:"next"`
		Missing []ouro.KeyRange `json:"missing"`
		Covered float64         `json:"covered"`
	}
	if err := json.NewDecoder(body).Decode(&told); err != nil {
		return ouro.KeysPage{}, fmt.Errorf("a page of keys can't be read: %w", err)
	}
	page := ouro.KeysPage{Keys: make([]string, len(told.Keys)), Missing: told.Missing, Covered: told.Covered}
	var err error
	for i, k := range told.Keys {
		if page.Keys[i], err = url.PathUnescape(k); err != nil {
			return ouro.KeysPage{}, fmt.Errorf("a page of keys can't be read: %w", err)
		}
	}
	page.Next, err = ouro.ParseCursor(told.Next)
	return page, err
}
