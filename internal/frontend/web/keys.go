package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// keysPage is the body of an answer to GET /kv/{bucket}.
type keysPage struct {
	Keys     []string        `json:"keys"` // percent-encoded as in a path: a key is any bytes
	Next     string          `json:"next"` // the cursor of the next page; "0": this was the last
	Complete bool            `json:"complete"`
	Missing  []ouro.KeyRange `json:"missing"`
	Covered  float64         `json:"covered"` // share of the ring that the page is about
}

// list answers with a page of the keys of a bucket.
func (x *exchange) list(raw string) {
	lister, ok := x.store.(ouro.Lister)
	switch {
	case x.r.Method != http.MethodGet && x.r.Method != http.MethodHead:
		x.w.Header().Set("Allow", "GET, HEAD")
		x.rejectAs(http.StatusMethodNotAllowed, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.20q is no method of a bucket: use GET to list its keys", x.r.Method))
		return
	case !ok:
		x.reject(ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this store can't list keys"))
		return
	}
	bucket, err := url.PathUnescape(raw)
	if err == nil {
		err = ouro.ValidateBucket(bucket)
	}
	if err != nil {
		x.reject(ouro.Errorf(ouro.BadRequest, ouro.NotDone, "keys are listed at /kv/{bucket}: %v", err))
		return
	}
	query, err := x.keysQuery()
	if err != nil {
		x.reject(err)
		return
	}
	page, err := lister.Keys(x.r.Context(), bucket, query)
	if err != nil {
		x.fail(&ouro.Result{}, err)
		return
	}
	x.writePage(&page)
}

// keysQuery reads the parameters of a list.
func (x *exchange) keysQuery() (q ouro.KeysQuery, err error) {
	values, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return q, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the query is not percent-encoded: %v", err)
	}
	for name, given := range values {
		value := given[0]
		switch {
		case len(given) > 1:
			return q, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the query parameter %.40s is given twice", name)
		case name == "prefix":
			q.Prefix = value
		case name == "cursor" && value != "":
			q.Cursor, err = ouro.ParseCursor(value)
		case name == "limit":
			n, bad := strconv.Atoi(value)
			if bad != nil || n < 1 || n > ouro.MaxKeysLimit {
				err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "limit=%.40s: it is a whole number from 1 to %d", value, ouro.MaxKeysLimit)
			}
			q.Limit = n
		case name == "r":
			err = setCount(&q.R, name, value, 1)
		case name == "timeout":
			d, bad := time.ParseDuration(value)
			if bad != nil || d < time.Millisecond || d > x.cfg.MaxTimeout {
				err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "timeout=%.40s: it is a duration such as 500ms or 2s, from 1ms to %v", value, x.cfg.MaxTimeout)
			}
			q.Timeout = d
		default:
			err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the query parameter %.40q is unknown: known are prefix, cursor, limit, r and timeout", name)
		}
		if err != nil {
			return q, err
		}
	}
	return q, nil
}

func (x *exchange) writePage(page *ouro.KeysPage) {
	body := keysPage{Keys: make([]string, len(page.Keys)), Next: page.Next.String(), Complete: page.Complete(), Missing: page.Missing, Covered: page.Covered}
	for i, k := range page.Keys {
		body.Keys[i] = keypath.Escape(k)
	}
	if body.Missing == nil {
		body.Missing = []ouro.KeyRange{}
	}
	x.set("Content-Type", "application/json")
	x.writeHeader(http.StatusOK)
	if x.r.Method != http.MethodHead {
		enc := json.NewEncoder(x.w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(body) // an error means that the client is gone
	}
}
