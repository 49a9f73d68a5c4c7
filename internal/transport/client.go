package transport

import (
	"context"
	"time"
)

// Client is a client link: a connection to one node on which frames go both
// ways. It does not reconnect.
type Client struct {
	cfg  Config
	link *link
	done chan struct{}
}

// DialClient connects to the node at addr, whatever its id. cfg.Self says which
// cluster is meant (ClusterID 0: whichever of that name) and how the client is
// called. Every run of frame bodies that comes goes to frames, which owns them,
// one call at a time.
func DialClient(ctx context.Context, cfg Config, addr string, frames func(bodies [][]byte)) (*Client, error) {
	cfg.Self.Client = true
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, cfg.HandshakeTimeout)
	defer cancel()
	conn, err := cfg.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // the handshake then fails
	h, err := bounded(conn, began.Add(cfg.HandshakeTimeout), func() (Hello, error) {
		return handshakeOut(conn, cfg.Self, "", func(Hello) ([]uint64, error) { return nil, nil })
	})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close() // the handshake's error is the one to tell
		return nil, err
	}
	c := &Client{cfg: cfg, link: newLink(conn, h, 1, true, cfg.MaxPending, &counters{}), done: make(chan struct{})}
	go c.run(frames)
	return c, nil
}

func (c *Client) run(frames func([][]byte)) {
	defer close(c.done)
	ended := make(chan struct{})
	beaten := make(chan struct{})
	go func() {
		defer close(beaten)
		tick := time.NewTicker(c.cfg.KeepAlive)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				c.link.beat(int(c.cfg.LinkTimeout/c.cfg.KeepAlive), false)
			}
		}
	}()
	_ = c.link.run(c.cfg.MaxFrame, func(bodies [][]byte) error {
		frames(bodies)
		return nil
	}) // Err tells
	close(ended)
	<-beaten
}

// Peer says what is at the other end.
func (c *Client) Peer() Hello { return c.link.other }

// Send queues a copy of whole frames, with the errors of [Transport.Send].
func (c *Client) Send(frames []byte) error {
	n, err := checkFrames(frames, c.cfg.MaxFrame)
	if err != nil {
		return err
	}
	return c.link.send(frames, n)
}

// Done is closed when the link has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the link ended. It is valid once Done is closed.
func (c *Client) Err() error {
	<-c.done
	return c.link.err
}

// Close ends the link and waits until nothing of it runs.
func (c *Client) Close() error {
	c.link.close(ErrClosed)
	<-c.done
	return nil
}
