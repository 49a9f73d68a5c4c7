package transport

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// slowConn carries rate bytes a second, as a line between data centres does.
type slowConn struct {
	net.Conn
	rate int
}

func (c slowConn) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		piece := b[:min(len(b), c.rate/10)]
		time.Sleep(time.Duration(len(piece)) * time.Second / time.Duration(c.rate))
		n, err := c.Conn.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		b = b[len(piece):]
	}
	return written, nil
}

// A line that is slow is not one that is dead: what takes longer to carry than the
// link timeout, in one frame or in many, arrives on one link.
func TestSlowLinesAreNotSilent(t *testing.T) {
	const rate, total = 1 << 20, 12 << 20
	for name, size := range map[string]int{"many frames": 512 << 10, "one frame": total} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newNetwork()
				a := start(t, n, "a", func(c *Config) {
					c.MaxFrame = total
					c.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
						conn, err := n.dial(ctx, addr)
						return slowConn{conn, rate}, err
					}
				})
				b := start(t, n, "b", func(c *Config) { c.MaxFrame = total })
				a.SetPeers(map[string]string{"b": "b"})
				settle(time.Second)
				for range total / size {
					mustSend(t, a, "b", AppendFrame(nil, []byte(strings.Repeat("x", size))))
				}
				settle(20 * time.Second)
				if turns := a.turns("b"); turns != "up" {
					t.Errorf("the link: %s; last: %v", turns, a.last("down").err)
				}
				if got := len(b.bodies()); got < total {
					t.Errorf("%d of %d bytes came", got, total)
				}
			})
		})
	}
}
