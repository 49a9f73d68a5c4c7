//go:build unix

package transport

import (
	"errors"
	"net"
	"syscall"
)

// tryWriter returns a function that writes as much as the socket takes without
// waiting, or nil where the connection is no plain socket.
func tryWriter(conn net.Conn) func([]byte) (int, error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	w := &rawWriter{raw: raw}
	w.once = w.attempt
	return w.write
}

// rawWriter makes one attempt to write. Its state lives here so that an attempt
// allocates nothing; whoever owns the outbox uses it alone.
type rawWriter struct {
	raw  syscall.RawConn
	once func(fd uintptr) bool
	buf  []byte
	n    int
	err  error
}

func (w *rawWriter) attempt(fd uintptr) bool {
	w.n, w.err = syscall.Write(int(fd), w.buf)
	return true // never wait for room
}

func (w *rawWriter) write(b []byte) (int, error) {
	w.buf = b
	err := w.raw.Write(w.once)
	n := max(w.n, 0)
	w.buf, w.n = nil, 0
	if err != nil {
		return 0, err
	}
	if w.err != nil && !errors.Is(w.err, syscall.EAGAIN) && !errors.Is(w.err, syscall.EINTR) {
		return n, w.err
	}
	return n, nil
}
