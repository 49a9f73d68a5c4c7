package client

import (
	"context"
	"encoding/json"
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
	defer closeBody(resp.Body)
	body, err := readAll(resp, c.maxReply)
	if err != nil {
		return ouro.KeysPage{}, c.unanswered(ctx, http.MethodGet, err)
	}
	return readKeys(resp, body)
}

// readKeys reads a page, or the error that came instead.
func readKeys(resp *http.Response, body []byte) (ouro.KeysPage, error) {
	if resp.StatusCode != http.StatusOK {
		_, err := readFailure(resp, body, http.MethodGet, ouro.Result{})
		return ouro.KeysPage{}, err
	}
	var told struct {
		Keys    []string        `json:"keys"`
		Next    string          `json:"next"`
		Missing []ouro.KeyRange `json:"missing"`
		Covered float64         `json:"covered"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		return ouro.KeysPage{}, strange(resp, http.MethodGet, "its page of keys can't be read: "+err.Error())
	}
	page := ouro.KeysPage{Keys: make([]string, len(told.Keys)), Missing: told.Missing, Covered: told.Covered}
	var err error
	for i, k := range told.Keys {
		if page.Keys[i], err = url.PathUnescape(k); err != nil {
			return ouro.KeysPage{}, strange(resp, http.MethodGet, "its page of keys can't be read: "+err.Error())
		}
	}
	if page.Next, err = ouro.ParseCursor(told.Next); err != nil {
		return ouro.KeysPage{}, strange(resp, http.MethodGet, "its page of keys does not say where to go on")
	}
	return page, nil
}
