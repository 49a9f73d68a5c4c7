package rpc

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// listener wraps connections, and closes those that are too many.
type listener struct {
	net.Listener
	server *Server
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.server.opened() {
			return &conn{Conn: nc, server: l.server, drained: make(chan struct{}, 1)}, nil
		}
		l.server.cfg.Dropped("connections")
		_ = nc.Close()
	}
}

// conn is a connection that knows how much waits to be written to its client.
// gRPC queues answers, as long as the client does not make room for them by
// HTTP/2's windows: without end, and for ever.
type conn struct {
	net.Conn
	server  *Server
	closing sync.Once
	gone    atomic.Bool
	waiting atomic.Int64  // bytes of answers handed over, neither written nor given up
	written atomic.Int64  // bytes in all
	watched atomic.Bool   // a look at it is due
	drained chan struct{} // told when less than MaxOutput waits
}

// hand waits until there is room for an answer of n bytes, and counts it. An error
// means that the client is gone.
func (c *conn) hand(ctx context.Context, n int) error {
	if c == nil { // not of a listener of this package
		return nil
	}
	most := c.server.cfg.MaxOutput
	for {
		before := c.waiting.Load()
		if before > most {
			select {
			case <-c.drained:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		after := before + int64(n)
		if !c.waiting.CompareAndSwap(before, after) {
			continue
		}
		if after <= most {
			c.tell() // another may wait for the room that is left
		}
		if after > streamWindow && c.watched.CompareAndSwap(false, true) {
			c.watch()
		}
		return nil
	}
}

func (c *conn) tell() {
	select {
	case c.drained <- struct{}{}:
	default:
	}
}

// leastProgress is how many bytes a client has to read in ReplyTimeout while some
// wait: more than what answers to pings come to.
const leastProgress = 4 << 10

// watch looks after ReplyTimeout whether the client has read anything. One of whom
// less waits than fills a window is found out by its not answering pings.
func (c *conn) watch() {
	before := c.written.Load()
	time.AfterFunc(c.server.cfg.ReplyTimeout, func() {
		switch {
		case c.gone.Load():
		case c.waiting.Load() <= streamWindow:
			c.watched.Store(false)
		case c.written.Load()-before < leastProgress:
			c.server.cfg.Dropped("slow_reader")
			_ = c.Close()
		default:
			c.watch()
		}
	})
}

// took says that an answer of n bytes does not wait any more.
func (c *conn) took(n int) {
	after := c.waiting.Add(int64(-n))
	if most := c.server.cfg.MaxOutput; after+int64(n) > most && after <= most {
		c.tell()
	}
}

// Write implements [net.Conn].
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	c.gone.Store(true)
	c.closing.Do(c.server.closed)
	return c.Conn.Close()
}

// AuthType implements [credentials.AuthInfo].
func (c *conn) AuthType() string { return "none" }

// connOf returns the connection of a call.
func connOf(ctx context.Context) *conn {
	if p, ok := peer.FromContext(ctx); ok {
		if c, ok := p.AuthInfo.(*conn); ok {
			return c
		}
	}
	return nil
}

// plain is a handshake without any: it only hands the conn on to the handlers.
type plain struct{}

// ServerHandshake implements [credentials.TransportCredentials].
func (plain) ServerHandshake(nc net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, ok := nc.(*conn)
	if !ok {
		return nil, nil, errors.New("a connection that no listener of this package took")
	}
	return c, c, nil
}

// ClientHandshake implements [credentials.TransportCredentials].
func (plain) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("a server is no client")
}

// Info implements [credentials.TransportCredentials].
func (plain) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "none"}
}

// Clone implements [credentials.TransportCredentials].
func (plain) Clone() credentials.TransportCredentials { return plain{} }

// OverrideServerName implements [credentials.TransportCredentials].
func (plain) OverrideServerName(string) error { return nil }
