package transport

import (
	"net"
	"sync"
)

// keepBuffer bounds the memory that an idle outbox keeps, in bytes.
const keepBuffer = 1 << 20

// writeSize is how much is handed to the socket at a time: between two it is seen
// that the other side takes it.
const writeSize = 256 << 10

// outbox is what waits to be written on one link. Senders append to a buffer; a
// writer goroutine swaps it for an empty one and writes it whole, so under load
// many frames go out in one system call. When nothing waits and the socket has
// room a sender writes its frames itself, which spares waking the writer.
//
// Exactly one of them writes at a time: whoever set busy.
type outbox struct {
	conn  net.Conn
	try   func([]byte) (int, error) // writes what the socket takes now; nil: not possible
	limit int                       // bytes
	wake  chan struct{}             // for the writer: there is something, or the box is closed

	mu      sync.Mutex
	busy    bool
	closed  bool
	first   []byte // left over by a sender: goes before pending
	pending []byte
	spare   []byte
	writing int // bytes taken out and not written yet

	written uint64 // by the writer, ever
	seen    uint64 // written, at the last beat
	behind  bool   // something waited at the last beat
}

func newOutbox(conn net.Conn, limit int, try func([]byte) (int, error)) *outbox {
	return &outbox{conn: conn, try: try, limit: limit, wake: make(chan struct{}, 1)}
}

// send takes a copy of frames, unless the box is closed or full. One send is
// always taken when nothing waits, whatever its size; no frames ask only whether
// the box is closed. An error other than
// ErrDown and ErrFull is the connection's.
func (o *outbox) send(frames []byte) error {
	o.mu.Lock()
	waiting := o.waiting()
	switch {
	case o.closed:
		o.mu.Unlock()
		return ErrDown
	case len(frames) == 0:
		o.mu.Unlock()
		return nil
	case waiting > 0 && waiting+len(frames) > o.limit:
		o.mu.Unlock()
		return ErrFull
	case o.busy || o.try == nil:
		o.pending = append(o.pending, frames...)
		o.start()
		o.mu.Unlock()
		return nil
	}
	o.busy, o.writing = true, len(frames)
	o.mu.Unlock()
	n, err := o.try(frames)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy, o.writing = false, 0
	if err != nil {
		return err
	}
	if n < len(frames) {
		o.first = append(o.first, frames[n:]...)
	}
	if o.waiting() > 0 {
		o.start()
	}
	return nil
}

// waiting returns the bytes not written yet; mu is held.
func (o *outbox) waiting() int { return len(o.first) + len(o.pending) + o.writing }

// start hands the box to the writer unless somebody has it; mu is held.
func (o *outbox) start() {
	if !o.busy && !o.closed {
		o.busy = true
		o.wake <- struct{}{} // never blocks: only the owner of the box is woken
	}
}

// run is the writer. It ends when the box is closed or the connection fails.
func (o *outbox) run() error {
	for range o.wake {
		for {
			buf, more := o.take()
			if !more {
				break
			}
			if err := o.write(buf); err != nil {
				return err
			}
			o.giveBack(buf)
		}
	}
	return nil
}

func (o *outbox) write(buf []byte) error {
	for len(buf) > 0 {
		n, err := o.conn.Write(buf[:min(len(buf), writeSize)])
		if err != nil {
			return err
		}
		buf = buf[n:]
		o.mu.Lock()
		o.writing = len(buf)
		o.written += uint64(n)
		o.mu.Unlock()
	}
	return nil
}

// moving is asked once a beat: does a backlog get shorter? What waits at one beat and
// the next does so because the socket is full, and a full socket takes more only where
// the other side has read: it is alive, though what asks it for a sign of life waits at
// the end of the backlog.
func (o *outbox) moving() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	behind, moved := o.waiting() > 0, o.written != o.seen
	alive := o.behind && behind && moved
	o.behind, o.seen = behind, o.written
	return alive
}

// take swaps the buffers, or gives the box up where nothing waits.
func (o *outbox) take() ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var buf []byte
	switch {
	case o.closed || len(o.first)+len(o.pending) == 0:
		o.busy = false
		return nil, false
	case len(o.first) > 0:
		buf, o.first = o.first, nil
	default:
		buf, o.pending, o.spare = o.pending, o.spare, nil
	}
	o.writing = len(buf)
	return buf, true
}

// giveBack keeps the memory of what was written for later.
func (o *outbox) giveBack(buf []byte) {
	o.mu.Lock()
	if cap(buf) <= keepBuffer {
		o.spare = buf[:0]
	}
	o.mu.Unlock()
}

// close refuses everything from now on and returns how many bytes are lost.
func (o *outbox) close() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0
	}
	o.closed = true
	lost := o.waiting()
	o.first, o.pending, o.spare = nil, nil, nil
	close(o.wake)
	return lost
}

// size returns the bytes that wait.
func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting()
}
