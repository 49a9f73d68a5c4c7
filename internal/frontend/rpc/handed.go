package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// handed is an answer that counts as waiting for its client. gRPC frees the bytes that it
// becomes once they are written, and also where the client has given up the call: in
// either case they wait no more.
type handed struct {
	message proto.Message
	conn    *conn
	size    int
}

// handOver waits until there is room for an answer, and counts it. What is no message, or
// of no connection of this package, is left as it is.
func handOver(ctx context.Context, answer any) (any, error) {
	m, ok := answer.(proto.Message)
	c := connOf(ctx)
	if !ok || c == nil {
		return answer, nil
	}
	size := proto.Size(m)
	if err := c.hand(ctx, size); err != nil {
		return nil, err
	}
	return &handed{m, c, size}, nil
}

func handUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	answer, err := handle(ctx, req)
	if err != nil {
		return nil, err
	}
	return handOver(ctx, answer)
}

func handStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return handle(srv, &handing{stream})
}

// handing is a stream whose answers count.
type handing struct{ grpc.ServerStream }

// SendMsg implements [grpc.ServerStream].
func (h *handing) SendMsg(answer any) error {
	answer, err := handOver(h.Context(), answer)
	if err != nil {
		return err
	}
	return h.ServerStream.SendMsg(answer)
}

// leastTold is the capacity of the least bytes of which gRPC tells that it frees them.
const leastTold = 1<<10 + 1

// told returns the bytes of the answer so that the connection is told of their end.
func (h *handed) told(data mem.BufferSlice) mem.BufferSlice {
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	data.Free()
	raw := whole.ReadOnlyData()
	if mem.IsBelowBufferPoolingThreshold(cap(raw)) {
		raw = append(make([]byte, 0, leastTold), raw...)
	}
	return mem.BufferSlice{mem.NewBuffer(&raw, &ending{h, whole})}
}

// ending is where bytes of an answer go in the end.
type ending struct {
	*handed
	whole mem.Buffer
}

// Get implements [mem.BufferPool].
func (*ending) Get(n int) *[]byte { return mem.DefaultBufferPool().Get(n) }

// Put implements [mem.BufferPool].
func (e *ending) Put(*[]byte) {
	e.whole.Free()
	e.conn.took(e.size)
}
