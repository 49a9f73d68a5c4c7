package transport

import (
	"net"
	"sync"
	"sync/atomic"
)

// link is one connection after its handshake, made or accepted.
type link struct {
	conn    net.Conn
	other   Hello
	session uint64
	dialled bool        // keep-alives are sent here; they are answered on the other side
	deaf    func() bool // a fault swallows keep-alives; nil: never
	out     *outbox
	count   *counters

	heard  atomic.Bool // bytes came since the last beat
	silent int         // beats in a row without; of the beating goroutine

	once sync.Once
	err  error // why it ended; set before the connection is closed
}

func newLink(conn net.Conn, other Hello, session uint64, dialled bool, pending int, count *counters) *link {
	return &link{
		conn: conn, other: other, session: session, dialled: dialled,
		out: newOutbox(conn, pending, tryWriter(conn)), count: count,
	}
}

// run moves frames until the link breaks or is closed, and returns why. Every
// run of bodies goes to deliver. All that it started has ended when it returns.
func (l *link) run(limit int, deliver func([][]byte) error) error {
	written := make(chan struct{})
	go func() {
		defer close(written)
		if err := l.out.run(); err != nil {
			l.close(err)
		}
	}()
	l.close(l.read(limit, deliver))
	<-written
	return l.err
}

func (l *link) read(limit int, deliver func([][]byte) error) error {
	frames := frameReader{src: heardReader{l}, limit: limit}
	for {
		bodies, keepAlives, err := frames.next()
		if len(bodies) > 0 {
			l.count.received(bodies)
			if err := deliver(bodies); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if keepAlives > 0 && !l.dialled && (l.deaf == nil || !l.deaf()) {
			_ = l.out.send(keepAlive) // where it is full the link is alive anyway
		}
	}
}

// heardReader notes that bytes came: a frame may take longer than the link timeout.
type heardReader struct{ link *link }

func (r heardReader) Read(b []byte) (int, error) {
	n, err := r.link.conn.Read(b)
	if n > 0 {
		r.link.heard.Store(true)
	}
	return n, err
}

// send writes frames, or breaks the link.
func (l *link) send(frames []byte, n int) error {
	switch err := l.out.send(frames); err {
	case nil:
		l.count.sent(n, len(frames))
		return nil
	case ErrFull:
		l.count.dropped.Add(uint64(n))
		return ErrFull
	case ErrDown:
		return ErrDown
	default:
		l.close(err)
		return ErrDown
	}
}

// beat is called once per keep-alive interval. It asks the other side for a sign
// of life, unless a fault mutes this side, and ends the link after limit beats
// in which nothing came and no backlog moved.
func (l *link) beat(limit int, mute bool) {
	l.silent++
	moving := l.out.moving()
	if l.heard.Swap(false) || moving {
		l.silent = 0
	}
	if l.silent >= limit {
		l.close(ErrSilent)
		return
	}
	if l.dialled && !mute {
		_ = l.out.send(keepAlive) // where it is full the other side has bytes to answer for
	}
}

// close ends the link for the reason given, if it has not ended yet.
func (l *link) close(err error) {
	l.once.Do(func() {
		l.err = err
		l.count.lost.Add(uint64(l.out.close()))
		_ = l.conn.Close() // nothing is owed to it any more
	})
}

// keepAlive is an empty frame.
var keepAlive = AppendFrame(nil, nil)
