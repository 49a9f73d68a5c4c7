package rpc

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// MultiGet implements [ourov1.StoreServiceServer].
func (s *service) MultiGet(stream grpc.BidiStreamingServer[ourov1.MultiGetRequest, ourov1.MultiGetResponse]) error {
	return serveItems(s, stream, func(ctx context.Context, in *ourov1.MultiGetRequest) *ourov1.MultiGetResponse {
		shown, failed := s.get(ctx, in.GetGet())
		if failed != nil {
			return &ourov1.MultiGetResponse{Tag: in.GetTag(), Outcome: &ourov1.MultiGetResponse_Failure{Failure: failed.message()}}
		}
		return &ourov1.MultiGetResponse{Tag: in.GetTag(), Outcome: &ourov1.MultiGetResponse_Shown{Shown: shown}}
	})
}

// MultiPut implements [ourov1.StoreServiceServer].
func (s *service) MultiPut(stream grpc.BidiStreamingServer[ourov1.MultiPutRequest, ourov1.MultiPutResponse]) error {
	return serveItems(s, stream, func(ctx context.Context, in *ourov1.MultiPutRequest) *ourov1.MultiPutResponse {
		stored, failed := s.put(ctx, in.GetPut())
		if failed != nil {
			return &ourov1.MultiPutResponse{Tag: in.GetTag(), Outcome: &ourov1.MultiPutResponse_Failure{Failure: failed.message()}}
		}
		return &ourov1.MultiPutResponse{Tag: in.GetTag(), Outcome: &ourov1.MultiPutResponse_Stored{Stored: stored}}
	})
}

// items are those of one stream.
type items[In, Out any] struct {
	*service
	stream  grpc.BidiStreamingServer[In, Out]
	arrived chan *In
	ended   error         // why no more arrive; read once arrived is closed
	slots   chan struct{} // one for each item under way
	under   sync.WaitGroup

	sending sync.Mutex
	broken  error         // sending failed
	failed  chan struct{} // closed then
}

// serveItems carries out the items of a stream, several at once, and answers each
// as it is done. It reads no item before there is a place for it, so HTTP/2's
// window makes a client wait. A node that stops answers what it has begun.
func serveItems[In, Out any](s *service, stream grpc.BidiStreamingServer[In, Out], do func(context.Context, *In) *Out) error {
	t := &items[In, Out]{service: s, stream: stream, arrived: make(chan *In), slots: make(chan struct{}, s.cfg.MaxInFlight), failed: make(chan struct{})}
	go t.receive()
	err := t.carryOut(do)
	t.under.Wait()
	if t.broken != nil {
		return t.broken
	}
	return err
}

// receive takes what arrives until the stream ends, at the latest when its handler
// has returned.
func (t *items[In, Out]) receive() {
	defer close(t.arrived)
	for {
		in, err := t.stream.Recv()
		if err != nil {
			t.ended = err
			return
		}
		select {
		case t.arrived <- in:
		case <-t.stream.Context().Done():
			t.ended = t.stream.Context().Err()
			return
		}
	}
}

func (t *items[In, Out]) carryOut(do func(context.Context, *In) *Out) error {
	for {
		select {
		case t.slots <- struct{}{}:
		case <-t.failed:
			return nil // it is told what failed
		case <-t.closing:
			return t.stopped()
		}
		select {
		case in, ok := <-t.arrived:
			if !ok {
				if t.ended == io.EOF {
					return nil
				}
				return t.ended
			}
			t.under.Go(func() {
				defer func() { <-t.slots }()
				defer fault.Catch(t.cfg.Faulted, func(err *ouro.Error) { t.fail((&failure{err: err}).status()) })
				t.answer(do(t.stream.Context(), in))
			})
		case <-t.failed:
			return nil
		case <-t.closing:
			return t.stopped()
		}
	}
}

func (t *items[In, Out]) stopped() error {
	return t.Server.stopping("items without an answer were not begun, send them to another").status()
}

// answer sends one answer. What can't be sent ends the stream.
func (t *items[In, Out]) answer(out *Out) {
	t.sending.Lock()
	defer t.sending.Unlock()
	if t.broken != nil {
		return
	}
	if err := t.stream.Send(out); err != nil {
		t.brokenBy(err)
	}
}

// fail ends the stream.
func (t *items[In, Out]) fail(err error) {
	t.sending.Lock()
	defer t.sending.Unlock()
	t.brokenBy(err)
}

func (t *items[In, Out]) brokenBy(err error) {
	if t.broken == nil {
		t.broken = err
		close(t.failed)
	}
}
