package rpc

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// Server serves gRPC clients of a store. Its methods may be called from any
// goroutine.
type Server struct {
	cfg     Config
	grpc    *grpc.Server
	closing chan struct{} // closed when no further request is begun
	close   sync.Once

	mu    sync.Mutex
	conns int
}

// New returns a server of store. Where store is an [ouro.Updater] or an
// [ouro.Lister] too, it has data types, or its keys can be listed.
func New(cfg Config, store ouro.Store) *Server {
	cfg.setDefaults()
	s := &Server{cfg: cfg, closing: make(chan struct{})}
	idle := cfg.IdleTimeout
	if idle < 0 {
		idle = 0 // for ever, to gRPC
	}
	options := []grpc.ServerOption{
		grpc.Creds(plain{}),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(cfg.maxMessage()),
		grpc.MaxConcurrentStreams(cfg.MaxStreams),
		grpc.MaxHeaderListSize(cfg.MaxHeader),
		grpc.ConnectionTimeout(cfg.ConnectTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idle, Time: cfg.KeepAlive, Timeout: cfg.KeepAliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: cfg.MinPing, PermitWithoutStream: true}),
		grpc.ReadBufferSize(readBuffer),
		// Fixed windows: those that grow with the line would let each of a hundred
		// calls fill up to 16 MiB that nobody reads.
		grpc.StaticStreamWindowSize(streamWindow), grpc.StaticConnWindowSize(connWindow),
	}
	options = append(options, grpc.ChainUnaryInterceptor(s.catchUnary), grpc.ChainStreamInterceptor(s.catchStream))
	if cfg.Auth != nil {
		options = append(options, grpc.ChainUnaryInterceptor(s.authUnary), grpc.ChainStreamInterceptor(s.authStream))
	}
	options = append(options, grpc.ChainUnaryInterceptor(handUnary), grpc.ChainStreamInterceptor(handStream))
	s.grpc = grpc.NewServer(options...)
	ourov1.RegisterStoreServiceServer(s.grpc, &service{Server: s, store: store})
	grpc_health_v1.RegisterHealthServer(s.grpc, &health{Server: s})
	reflection.Register(s.grpc)
	return s
}

// The windows of HTTP/2: what a client may send of one call, and of all, before
// it hears that some of it was taken.
const (
	streamWindow = 256 << 10
	connWindow   = 1 << 20
)

// readBuffer is what a connection keeps to read into; gRPC's own 32 KiB are most of
// what an idle one takes.
const readBuffer = 8 << 10

// Serve takes connections from l until it is closed, and returns nil after
// [Server.Shutdown].
func (s *Server) Serve(l net.Listener) error {
	err := s.grpc.Serve(&listener{Listener: l, server: s})
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// Shutdown takes no further connection or call, lets what is under way end for as
// long as ctx lasts, and then closes every connection. It closes the listener.
func (s *Server) Shutdown(ctx context.Context) {
	s.close.Do(func() { close(s.closing) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.grpc.GracefulStop()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.grpc.Stop()
		<-ended
	}
}

// opened counts a connection in, or says that there are too many.
func (s *Server) opened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns >= s.cfg.MaxConns {
		return false
	}
	s.conns++
	s.cfg.Opened(s.conns)
	return true
}

func (s *Server) closed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns--
	s.cfg.Opened(s.conns)
}

// stopping is what calls are told that can't be carried on.
func (s *Server) stopping(format string, args ...any) *failure {
	err := ouro.Errorf(ouro.Overloaded, ouro.NotDone, "the node is stopping: "+format, args...)
	err.RetryAfter = time.Second
	return &failure{err: err}
}
