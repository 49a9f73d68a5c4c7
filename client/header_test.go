package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// What no header takes is a fault of the request: it is refused at once and not tried
// until time is up, and no node is left alone for it.
func TestWhatNoHeaderTakesIsRefused(t *testing.T) {
	f := newFleet(t, 1)
	c := f.connect([]string{"a"})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for what, put := range map[string]func() (ouro.Result, error){
		"a content type": func() (ouro.Result, error) {
			return c.Put(ctx, f.key(1), ouro.Value{ContentType: "text/plain\r\nX: y"}, ouro.Blind())
		},
		"a request id": func() (ouro.Result, error) {
			return c.Put(ctx, f.key(1), ouro.Value{}, ouro.Blind(), ouro.RequestID("a\x00"))
		},
	} {
		var e *ouro.Error
		if _, err := put(); !errors.As(err, &e) || e.Code != ouro.BadRequest || e.Outcome != ouro.NotDone || ctx.Err() != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if client.Resting(c) {
		t.Error("the node is left alone")
	}
}
