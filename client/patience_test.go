package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// TestHangingNodeIsGivenUp: a node that takes requests and answers none is given up
// after the time that was set, or when the context ends. The error says that it hangs,
// and that a write may have happened.
func TestHangingNodeIsGivenUp(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	says := func(t *testing.T, err error, outcome ouro.Outcome) {
		t.Helper()
		var e *ouro.Error
		if !errors.As(err, &e) || e.Code != ouro.QuorumUnavailable || e.Outcome != outcome || !strings.HasSuffix(err.Error(), "gave no answer in time: it hangs, or is cut off") || strings.Contains(err.Error(), "deadline") {
			t.Errorf("%v", err)
		}
	}
	c := serve(t, hang, client.AnswerWithin(20*time.Millisecond))
	_, err := c.Get(t.Context(), key)
	says(t, err, ouro.NotDone)
	_, err = c.Put(t.Context(), key, ouro.Value{}, ouro.Blind())
	says(t, err, ouro.Unknown)
	_, err = c.Keys(t.Context(), "b", ouro.KeysQuery{})
	says(t, err, ouro.NotDone)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = serve(t, hang).Get(ctx, key)
	says(t, err, ouro.NotDone)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not the end of its context", err)
	}
}
