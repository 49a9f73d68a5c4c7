package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// allowed asks Config.Auth about the token of a call.
func (s *Server) allowed(ctx context.Context) error {
	token := ""
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if given := md.Get("authorization"); len(given) == 1 {
			token, _ = strings.CutPrefix(given[0], "Bearer ")
		}
	}
	if err := s.cfg.Auth(token); err != nil {
		return status.Error(codes.Unauthenticated, err.Error())
	}
	return nil
}

func (s *Server) authUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := s.allowed(ctx); err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

func (s *Server) authStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if err := s.allowed(stream.Context()); err != nil {
		return err
	}
	return handle(srv, stream)
}
