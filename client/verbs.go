package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/ourodb/ouro"
)

// call is one request.
type call struct {
	method string
	key    ouro.Key
	value  ouro.Value
	opt    ouro.Options
	local  string // of a get: "true", what the node's own copy shows; "digest", what is said of that
	prefer string // the node that answered the read before it (paper, section 5)
}

// doer sends requests: to one node, or to whichever can take them.
type doer interface {
	do(ctx context.Context, r *call) (ouro.Result, error)
}

func put(ctx context.Context, d doer, key ouro.Key, value ouro.Value, opt ouro.Options) (ouro.Result, error) {
	read, err := readFirst(ctx, d, key, &opt)
	if err != nil {
		return ouro.Result{RequestID: opt.RequestID, Coordinator: read.Coordinator}, err
	}
	return d.do(ctx, &call{method: http.MethodPut, key: key, value: value, opt: opt, prefer: read.Coordinator})
}

func remove(ctx context.Context, d doer, key ouro.Key, opt ouro.Options) (ouro.Result, error) {
	read, err := readFirst(ctx, d, key, &opt)
	if err != nil {
		return ouro.Result{RequestID: opt.RequestID, Coordinator: read.Coordinator}, err
	}
	res, err := d.do(ctx, &call{method: http.MethodDelete, key: key, opt: opt, prefer: read.Coordinator})
	if err == nil && res.Siblings == nil {
		res.Siblings = read.Siblings
	}
	return res, err
}

// named names a request that has no name yet, so that it may be repeated.
func named(opt *ouro.Options) {
	if opt.RequestID == "" {
		opt.RequestID, opt.First = rand.Text(), true
	}
}

// readFirst gives a write without a context the one of what is there now, and
// returns that. Where it fails, the result says who answered.
func readFirst(ctx context.Context, d doer, key ouro.Key, opt *ouro.Options) (ouro.Result, error) {
	named(opt)
	if opt.Context != nil || opt.Blind {
		return ouro.Result{}, nil
	}
	res, err := d.do(ctx, &call{method: http.MethodGet, key: key, opt: ouro.Options{R: opt.R, PR: opt.PR, Timeout: opt.Timeout}})
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return res, fmt.Errorf("reading the key before writing it: %w", err)
	}
	if len(res.Context) > 0 {
		opt.Context = res.Context
	}
	return res, nil
}

// update sends an operation on a data type.
func update(ctx context.Context, d doer, key ouro.Key, u ouro.Update, opt ouro.Options) (ouro.Result, error) {
	named(&opt)
	body, err := json.Marshal(newUpdate(&u))
	if err != nil {
		return ouro.Result{RequestID: opt.RequestID}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the update can't be sent: %v", err)
	}
	return d.do(ctx, &call{method: http.MethodPost, key: key, value: ouro.Value{Data: body, ContentType: "application/json"}, opt: opt})
}
