package paper

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// farTransport is one whose connections take so long each way; 0: as long as they do.
func farTransport(way time.Duration) *http.Transport {
	d := &net.Dialer{Timeout: 5 * time.Second}
	t := &http.Transport{MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil || way == 0 {
			return c, err
		}
		return newFar(c, way), nil
	}
	return t
}

// far is a connection on which everything takes so much longer each way, in the order
// in which it was sent.
type far struct {
	net.Conn
	way       time.Duration
	out, in   chan parcel
	rest      []byte // of what came, not read yet
	end       chan struct{}
	closeOnce sync.Once
	failed    error
}

// parcel is what goes at once, or the error after all that went.
type parcel struct {
	due time.Time
	b   []byte
	err error
}

// parcels is how many may be on their way.
const parcels = 256

func newFar(c net.Conn, way time.Duration) *far {
	f := &far{Conn: c, way: way, out: make(chan parcel, parcels), in: make(chan parcel, parcels), end: make(chan struct{})}
	go f.send()
	go f.receive()
	return f
}

func (f *far) send() {
	for {
		select {
		case <-f.end:
			return
		case p := <-f.out:
			time.Sleep(time.Until(p.due))
			if _, err := f.Conn.Write(p.b); err != nil {
				_ = f.Conn.Close() // whoever reads learns of it
				return
			}
		}
	}
}

func (f *far) receive() {
	for {
		b := make([]byte, 8<<10)
		n, err := f.Conn.Read(b)
		select {
		case <-f.end:
			return
		case f.in <- parcel{time.Now().Add(f.way), b[:n], err}:
		}
		if err != nil {
			return
		}
	}
}

// Write implements [net.Conn]. What can't be sent later is known to who reads.
func (f *far) Write(b []byte) (int, error) {
	select {
	case <-f.end:
		return 0, net.ErrClosed
	case f.out <- parcel{due: time.Now().Add(f.way), b: append([]byte(nil), b...)}:
		return len(b), nil
	}
}

// Read implements [net.Conn].
func (f *far) Read(b []byte) (int, error) {
	if len(f.rest) == 0 && f.failed == nil {
		select {
		case <-f.end:
			return 0, net.ErrClosed
		case p := <-f.in:
			time.Sleep(time.Until(p.due))
			f.rest, f.failed = p.b, p.err
		}
	}
	if len(f.rest) == 0 {
		return 0, f.failed
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Close implements [net.Conn].
func (f *far) Close() error {
	f.closeOnce.Do(func() { close(f.end) })
	return f.Conn.Close()
}
