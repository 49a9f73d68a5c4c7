package rpc

import (
	"context"

	"google.golang.org/grpc"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// catchUnary and catchStream make an error of a fault.
func (s *Server) catchUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
	defer fault.Catch(s.cfg.Faulted, func(e *ouro.Error) { answer, err = nil, (&failure{err: e}).status() })
	return handle(ctx, req)
}

func (s *Server) catchStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer fault.Catch(s.cfg.Faulted, func(e *ouro.Error) { err = (&failure{err: e}).status() })
	return handle(srv, stream)
}
