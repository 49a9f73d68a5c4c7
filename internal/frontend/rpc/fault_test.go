package rpc

import (
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ourodb/ouro/internal/frontend/fault/faulttest"
	"github.com/ourodb/ouro/internal/oracle"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// A fault ends the call, or the stream of which it met one item, and nothing else.
func TestAFaultIsAnswered(t *testing.T) {
	var told atomic.Int32
	cfg := Config{Faulted: func(any, []byte) { told.Add(1) }}
	c := dial(t, start(t, cfg, faulttest.Store{Store: oracle.New(oracle.Config{})}))
	get := func(name string) *ourov1.GetRequest {
		return &ourov1.GetRequest{Key: &ourov1.Key{Bucket: "b", Name: []byte(name)}}
	}
	if _, err := c.Get(t.Context(), get("odd")); status.Code(err) != codes.Internal {
		t.Errorf("a call: %v", err)
	}
	stream, err := c.MultiGet(t.Context())
	if err == nil {
		err = stream.Send(&ourov1.MultiGetRequest{Tag: 1, Get: get("odd")})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Internal {
		t.Errorf("a stream: %v", err)
	}
	if _, err := c.Get(t.Context(), get("even")); status.Code(err) != codes.NotFound || told.Load() != 2 {
		t.Errorf("after that %v; %d were told", err, told.Load())
	}
}
