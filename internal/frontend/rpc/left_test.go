package rpc

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// leaver is a client that leaves its calls when their answers begin to come.
type leaver struct{ stats.Handler }

type leaves struct{}

func (leaver) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (leaver) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (leaver) HandleConn(context.Context, stats.ConnStats)                       {}
func (leaver) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if leave, ok := ctx.Value(leaves{}).(context.CancelFunc); ok {
		if _, begun := s.(*stats.InHeader); begun {
			leave()
		}
	}
}

// What a call that was given up has not been sent does not wait for its client any more:
// the calls after it on its connection are answered.
func TestAnswersOfCallsThatWereLeftMakeRoom(t *testing.T) {
	var n counter
	const size = 1 << 20
	big := &canned{res: ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: make([]byte, size)}}}}}
	addr := start(t, n.config(Config{MaxOutput: 2 * size, ReplyTimeout: time.Hour}), big)
	c := dial(t, addr, grpc.WithStatsHandler(leaver{}), grpc.WithStaticStreamWindowSize(64<<10))
	for i := range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := c.Get(context.WithValue(ctx, leaves{}, cancel), &ourov1.GetRequest{Key: keyPB(key)})
		cancel()
		if status.Code(err) != codes.Canceled {
			t.Fatalf("call %d: %v, want that it was given up", i, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if res, err := c.Get(ctx, &ourov1.GetRequest{Key: keyPB(key)}); err != nil || len(res.GetSiblings()) != 1 {
		t.Errorf("after calls that were given up: %v", err)
	}
}

// What was written waits no more, however small it is.
func TestAnswersThatWereReadMakeRoom(t *testing.T) {
	c := dial(t, start(t, Config{MaxOutput: 100}, &canned{res: ouro.Result{Context: make([]byte, 60)}}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range 50 {
		if _, err := c.Put(ctx, &ourov1.PutRequest{Key: keyPB(key)}); err != nil {
			t.Fatalf("put %d: %v", i, err)
		}
	}
}
