package server

import (
	"context"
	"fmt"
	"time"

	"github.com/ourodb/ouro/internal/frontend/resp"
)

// serveRedis serves Redis clients, where the node has a port for them.
func (n *node) serveRedis() {
	l := n.listeners.redis
	if l == nil {
		return
	}
	idle := n.cfg.Limits.RESPIdleTimeout
	if idle == 0 {
		idle = -1
	}
	n.redis = resp.New(resp.Config{
		Buckets: n.cfg.RESPBuckets, Mode: n.modeOf, MaxValue: int(n.cfg.Limits.MaxValue), MaxClients: n.places.redis, IdleTimeout: idle,
		Version: n.built.Version, Dropped: n.metrics.DroppedClient, Rejected: n.metrics.RejectedCommand, Opened: n.metrics.RedisClients,
		Faulted: n.metrics.Faulted,
	}, n.host)
	go func() {
		if err := n.redis.Serve(l); err != nil {
			n.failed <- fmt.Errorf("the port for Redis clients: %w", err)
		}
	}()
}

// modeOf is the mode of a bucket; of a node that is in no cluster yet, any.
func (n *node) modeOf(bucket string) string {
	info, err := n.host.Bucket(context.Background(), bucket)
	if err != nil {
		return ""
	}
	return info.Mode
}

// stopClients takes no further requests of clients, and waits for those under way
// as long as ctx lasts.
func (n *node) stopClients(ctx context.Context) {
	if n.redis != nil {
		n.listeners.redis.Close()
		defer waitFor(ctx, func() { n.redis.Shutdown(ctx) })()
	}
	if n.remote != nil {
		defer waitFor(ctx, func() { n.remote.Shutdown(ctx) })()
	}
	if n.clients != nil && n.clients.Shutdown(ctx) != nil {
		n.clients.Close()
	}
}

// waitFor begins to stop something that ends with ctx. What it returns waits for
// that, and a second more at most: a store that does not answer ends with the
// process.
func waitFor(ctx context.Context, stop func()) func() {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	return func() {
		select {
		case <-stopped:
			return
		case <-ctx.Done():
		}
		select {
		case <-stopped:
		case <-time.After(time.Second):
		}
	}
}
