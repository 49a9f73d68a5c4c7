package server

import (
	"fmt"
	"net"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/frontend/rpc"
)

// serveGRPC serves gRPC clients, where the node has a port for them.
func (n *node) serveGRPC() {
	l := n.listeners.grpc
	if l == nil {
		return
	}
	n.remote = rpc.New(rpc.Config{
		MaxValue: int(n.cfg.Limits.MaxValue), MaxConns: n.places.grpc, Ready: drainable{n.host, &n.stopping}.Ready,
		Dropped: n.metrics.DroppedConnection, Rejected: n.metrics.RejectedCall, Opened: n.metrics.GRPCConnections,
		Faulted: n.metrics.Faulted,
	}, n.host)
	go func() {
		if err := n.remote.Serve(l); err != nil {
			n.failed <- fmt.Errorf("the port for gRPC clients: %w", err)
		}
	}()
}

// addrOf is where a listener listens, for the log.
func addrOf(l net.Listener) string {
	if l == nil {
		return config.Off
	}
	return l.Addr().String()
}
