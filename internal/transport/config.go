package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Config says who this node is and what bounds its links. Zero fields take the
// defaults given beside them.
type Config struct {
	Self Hello        // shown in every handshake
	Log  *slog.Logger // nil: slog.Default()
	Seed uint64       // of the jitter between attempts to connect

	// Dial connects to an address. Nil means TCP. TLS and tests plug in here and
	// in the listener given to [Transport.Serve].
	Dial func(ctx context.Context, addr string) (net.Conn, error)

	MaxFrame      int // bytes of a frame's body; 4 MiB
	MaxPending    int // bytes that wait on one link, beyond one frame; 16 MiB
	MaxLinks      int // accepted links at a time; those of peers are let in beyond it; 1024
	MaxHandshakes int // accepted connections whose handshake is under way; 64

	HandshakeTimeout time.Duration // from dialling, or accepting, to the end of the handshake; 5 s
	KeepAlive        time.Duration // between keep-alives; 1 s
	LinkTimeout      time.Duration // a link that was silent for so long is dropped; 5 s
	BackoffMin       time.Duration // first wait before dialling again; 50 ms
	BackoffMax       time.Duration // longest wait before dialling again; 2 s

	// Faults allows [Transport.SetFault]: dev clusters and tests only.
	Faults bool
}

// chunkSize is the memory that a link reads into at a time.
const chunkSize = 64 << 10

func (c Config) withDefaults() Config {
	setDefault(&c.MaxFrame, 4<<20)
	setDefault(&c.MaxPending, 16<<20)
	setDefault(&c.MaxLinks, 1024)
	setDefault(&c.MaxHandshakes, 64)
	setDefault(&c.HandshakeTimeout, 5*time.Second)
	setDefault(&c.KeepAlive, time.Second)
	setDefault(&c.LinkTimeout, 5*time.Second)
	setDefault(&c.BackoffMin, 50*time.Millisecond)
	setDefault(&c.BackoffMax, 2*time.Second)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	return c
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// validate refuses what cannot work.
func (c Config) validate() error {
	switch {
	case c.Self.Cluster == "" || len(c.Self.Cluster) > maxName:
		return fmt.Errorf("transport: the cluster name has %d bytes: it has 1 to %d", len(c.Self.Cluster), maxName)
	case c.Self.Node == "" || len(c.Self.Node) > maxName:
		return fmt.Errorf("transport: the node id has %d bytes: it has 1 to %d", len(c.Self.Node), maxName)
	case len(c.Self.Addr) > maxName, len(c.Self.Clients) > maxName:
		return fmt.Errorf("transport: the advertised addresses have %d and %d bytes: each has at most %d", len(c.Self.Addr), len(c.Self.Clients), maxName)
	case len(c.Self.Runs) > MaxRuns, len(c.Self.Replaced) > MaxRuns:
		return fmt.Errorf("transport: %d run ids and %d replaced disks: at most the last %d are shown", len(c.Self.Runs), len(c.Self.Replaced), MaxRuns)
	case c.MaxFrame < 0 || c.MaxFrame > 1<<30:
		return fmt.Errorf("transport: a frame limit of %d bytes: it is at most 1 GiB", c.MaxFrame)
	case c.LinkTimeout < 2*c.KeepAlive:
		return fmt.Errorf("transport: a link timeout of %v with keep-alives every %v: it is at least twice as long", c.LinkTimeout, c.KeepAlive)
	case c.MaxPending < 0 || c.MaxLinks < 0 || c.MaxHandshakes < 0 || c.KeepAlive < 0 || c.BackoffMin < 0 || c.BackoffMax < c.BackoffMin:
		return fmt.Errorf("transport: bounds and times are positive, and the longest back-off is no shorter than the first")
	}
	return nil
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}
