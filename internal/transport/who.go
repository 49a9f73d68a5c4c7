package transport

import (
	"context"
	"time"
)

// Who finds out which node lives at an address: it shows itself as a client, and
// makes no link. Nothing is told to the [Handler].
func (t *Transport) Who(ctx context.Context, addr string) (Hello, error) {
	self := t.cfg.Self
	self.Client = true
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.HandshakeTimeout)
	defer cancel()
	conn, err := t.cfg.Dial(ctx, addr)
	if err != nil {
		return Hello{}, err
	}
	defer func() { _ = conn.Close() }() // that was all
	stop := context.AfterFunc(t.ctx, func() { _ = conn.Close() })
	defer stop()
	return bounded(conn, began.Add(t.cfg.HandshakeTimeout), func() (Hello, error) {
		return handshakeOut(conn, self, "", func(Hello) ([]uint64, error) { return nil, nil })
	})
}
