package rpc

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// Config bounds what clients may ask of the front end. A field left zero means
// its default.
type Config struct {
	// MaxValue is the size of a value in bytes, default 1 MiB; the store refuses a
	// larger one with too_large. A message of more than a mebibyte beyond that is
	// refused by gRPC itself, with RESOURCE_EXHAUSTED.
	MaxValue int
	// MaxBodies is how many bytes of values may be on their way into the store at
	// once over all connections, default 64 MiB. What comes on top is refused with
	// overloaded.
	MaxBodies int64
	// MaxReply is how many bytes of versions one answer has at most, default
	// 256 MiB. A get of more is refused with too_large.
	MaxReply int
	// MaxOutput is how many bytes of answers may wait for a client to read them,
	// default 4 MiB for each connection. Then further answers wait where they are.
	MaxOutput int64
	// MaxConns is how many connections are open at once, default 4,096; further ones
	// are closed. MaxStreams is how many calls each may have under way, default 100;
	// a client that keeps to the protocol waits with more.
	MaxConns   int
	MaxStreams uint32
	// MaxInFlight is how many items of one MultiGet or MultiPut are under way at
	// once, default 16. Then no further item is read.
	MaxInFlight int
	// MaxContentType and MaxRequestID bound those in bytes, default 256 and 128, and
	// MaxHeader all headers of a call, default 16 KiB.
	MaxContentType int
	MaxRequestID   int
	MaxHeader      uint32
	// MaxTimeout is the longest timeout that a request may ask for, default one
	// minute.
	MaxTimeout time.Duration
	// A client may take ConnectTimeout (default 10 s) to begin to speak HTTP/2,
	// ReplyTimeout (30 s) to read something of what waits for it, and leave a
	// connection without a call for IdleTimeout (30 min; less than 0: for ever).
	// Then the connection is closed.
	ConnectTimeout, ReplyTimeout, IdleTimeout time.Duration
	// A connection on which nothing came for KeepAlive (default 1 min) is asked
	// whether it lives, and closed where no answer comes within KeepAliveTimeout
	// (20 s). A client that asks so more often than each MinPing (10 s) is cut off.
	KeepAlive, KeepAliveTimeout, MinPing time.Duration

	// Auth, where set, is asked whether the token of a call's metadata
	// "authorization: Bearer TOKEN" is right; it is "" where there is none.
	Auth func(token string) error
	// Ready, where set, says why the node can't serve; the health service answers
	// with it.
	Ready func() error
	// Dropped, where set, is told why a connection was closed by this side:
	// "slow_reader" or "connections".
	Dropped func(why string)
	// Rejected, where set, is told the code of each request that was refused
	// before the store heard of it.
	Rejected func(code ouro.Code)
	// Faulted, where set, is told of a request that met a fault of this package, or of
	// what the store does for its caller, and the client has an error; else the process
	// ends.
	Faulted fault.Told
	// Opened, where set, is told how many connections are open whenever that
	// changes.
	Opened func(conns int)
}

func (c *Config) setDefaults() {
	setDefault(&c.MaxValue, 1<<20)
	setDefault(&c.MaxBodies, 64<<20)
	setDefault(&c.MaxReply, 256<<20)
	setDefault(&c.MaxOutput, 4<<20)
	setDefault(&c.MaxConns, 4096)
	setDefault(&c.MaxStreams, 100)
	setDefault(&c.MaxInFlight, 16)
	setDefault(&c.MaxContentType, 256)
	setDefault(&c.MaxRequestID, 128)
	setDefault(&c.MaxHeader, 16<<10)
	setDefault(&c.MaxTimeout, time.Minute)
	setDefault(&c.ConnectTimeout, 10*time.Second)
	setDefault(&c.ReplyTimeout, 30*time.Second)
	setDefault(&c.IdleTimeout, 30*time.Minute)
	setDefault(&c.KeepAlive, time.Minute)
	setDefault(&c.KeepAliveTimeout, 20*time.Second)
	setDefault(&c.MinPing, 10*time.Second)
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	if c.Dropped == nil {
		c.Dropped = func(string) {}
	}
	if c.Rejected == nil {
		c.Rejected = func(ouro.Code) {}
	}
	if c.Opened == nil {
		c.Opened = func(int) {}
	}
}

// maxMessage is the size of the largest message that is read: an update has up to
// ten thousand elements, each with a few bytes around what counts as a value.
func (c *Config) maxMessage() int { return c.MaxValue + 1<<20 }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
