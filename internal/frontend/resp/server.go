package resp

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// Server serves Redis clients of a store. Its methods may be called from any
// goroutine.
type Server struct {
	cfg      Config
	store    ouro.Store
	started  time.Time
	buffered atomic.Int64 // bytes of commands held, beyond a small buffer for each connection
	commands atomic.Int64 // carried out
	accepted atomic.Int64

	mu      sync.Mutex
	conns   map[int64]*conn
	lastID  int64
	closing bool
	serving sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

// New returns a server of store. Where store is an [ouro.Lister] too, its keys can
// be listed.
func New(cfg Config, store ouro.Store) *Server {
	cfg.setDefaults()
	s := &Server{cfg: cfg, store: store, started: time.Now(), conns: map[int64]*conn{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve takes connections from l until it is closed, and returns nil after
// [Server.Shutdown].
func (s *Server) Serve(l net.Listener) error {
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.take(nc)
		case s.isClosing():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // such as no file descriptors left: others are served on
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
			case <-s.ctx.Done():
			}
		}
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// take serves a connection, or says that there are too many.
func (s *Server) take(nc net.Conn) {
	s.mu.Lock()
	if s.closing || len(s.conns) >= s.cfg.MaxClients {
		full := !s.closing
		s.mu.Unlock()
		if full {
			s.cfg.Dropped("clients")
			_ = nc.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = nc.Write([]byte("-ERR max number of clients reached\r\n"))
		}
		_ = nc.Close()
		return
	}
	s.lastID++
	c := newConn(s, nc, s.lastID)
	s.conns[c.id] = c
	s.accepted.Add(1)
	s.cfg.Opened(len(s.conns))
	s.mu.Unlock()
	s.serving.Go(func() {
		defer s.gone(c)
		defer fault.Catch(s.cfg.Faulted, func(*ouro.Error) {}) // it is closed
		c.serve()
	})
}

func (s *Server) gone(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.id)
	s.cfg.Opened(len(s.conns))
}

// clients returns the connections, by id.
func (s *Server) clients() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *conn) int { return int(a.id - b.id) })
	return all
}

// Shutdown takes no further connection or command, lets what is under way end for
// as long as ctx lasts, and then closes every connection. The listener is the
// caller's to close, before.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closing = true
	for _, c := range s.conns {
		c.interrupt()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	s.cancel()
	for _, c := range s.clients() {
		_ = c.nc.Close()
	}
	<-ended
}
