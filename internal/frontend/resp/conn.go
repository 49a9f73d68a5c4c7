package resp

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
)

// conn is a connection and what its client has chosen. Only commands that run
// alone change it.
type conn struct {
	*Server
	nc  net.Conn
	id  int64
	in  decoder
	out []byte

	ctx      context.Context
	cancel   context.CancelFunc
	db       int // of the bucket; less than 0: it was chosen by name
	bucket   string
	v3       bool
	known    bool // to Config.Auth, or there is none
	chosen   ouro.Options
	ending   bool // once what waits is written
	reserved int64
	frame    time.Time // when a part of the command that has not arrived whole was first there

	mu    sync.Mutex // guards what CLIENT LIST shows
	shown about
	since time.Time
	last  atomic.Int64 // when a command came last, in nanoseconds since since
	quit  atomic.Bool  // told to end: by another client, or since the node stops
}

// about is what a client said of itself.
type about struct {
	name, lib, libVersion, user string
	db, proto                   int
}

func newConn(s *Server, nc net.Conn, id int64) *conn {
	c := &conn{Server: s, nc: nc, id: id, since: time.Now()}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	c.in.limits = limits{args: s.cfg.MaxArgs, bulk: s.cfg.longestBulk(), line: s.cfg.MaxInline, command: s.cfg.MaxCommand}
	c.reset()
	return c
}

// reset is how a connection begins, and what RESET makes of it.
func (c *conn) reset() {
	c.db, c.bucket, c.v3, c.chosen = 0, c.cfg.Buckets[0], false, ouro.Options{}
	c.known = c.cfg.Auth == nil
	c.in.limits.stranger = !c.known
	c.describe(func(a *about) { *a = about{lib: a.lib, libVersion: a.libVersion, user: "default", proto: 2} })
}

// describe changes what CLIENT LIST shows.
func (c *conn) describe(change func(*about)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.shown)
}

// interrupt makes a connection end as soon as it has answered what it has begun.
func (c *conn) interrupt() {
	c.quit.Store(true)
	_ = c.nc.SetReadDeadline(time.Now())
}

// serve reads and answers until the client or something else ends it.
func (c *conn) serve() {
	defer func() {
		c.cancel()
		_ = c.nc.Close()
		c.buffered.Add(-c.reserved)
	}()
	for !c.ending && !c.quit.Load() {
		if !c.read() {
			return
		}
		if err := c.answer(); err != nil {
			return
		}
		c.in.compact()
		if !c.afford() {
			return
		}
	}
}

// read waits for more bytes. It returns false where none come.
func (c *conn) read() bool {
	deadline, why := c.patience()
	_ = c.nc.SetReadDeadline(deadline)
	if c.quit.Load() { // it may have been told so just before
		return false
	}
	room := c.in.room()
	if !c.afford() {
		return false
	}
	n, err := c.nc.Read(room)
	c.in.took(n)
	if n > 0 {
		return true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.quit.Load() {
		c.cfg.Dropped(why)
	}
	return false
}

// patience returns until when the client may leave the connection as it is, and why it is
// dropped then. All of a command has one time, or who sends it byte by byte would keep for
// ever what all share.
func (c *conn) patience() (until time.Time, why string) {
	if c.in.begun() {
		if c.frame.IsZero() {
			c.frame = time.Now()
		}
		return c.frame.Add(c.cfg.FrameTimeout), "slow_frame"
	}
	if c.frame = (time.Time{}); c.cfg.IdleTimeout > 0 {
		return time.Now().Add(c.cfg.IdleTimeout), "idle"
	}
	return time.Time{}, "idle"
}

// afford pays for the buffer out of what all connections may hold, or tells the
// client that there is no more.
func (c *conn) afford() bool {
	want := int64(max(cap(c.in.buf)-16*leastBuffer, 0))
	if want == c.reserved {
		return true
	}
	if total := c.buffered.Add(want - c.reserved); want > c.reserved && total > c.cfg.MaxBuffered {
		c.buffered.Add(c.reserved - want)
		c.cfg.Dropped("memory")
		c.cfg.Rejected(ouro.Overloaded)
		c.out = append(c.out, "-ERR overloaded not_done: the commands of all clients take more memory than this node has for them: come back later\r\n"...)
		_ = c.flush()
		return false
	}
	c.reserved = want
	return true
}

// answer carries out the commands that have arrived whole and writes what they
// answer. An error means that the connection is of no use any more.
func (c *conn) answer() error {
	for !c.ending {
		batch, err := c.batch()
		if len(batch) > 0 {
			c.last.Store(int64(time.Since(c.since)))
			c.frame = time.Time{}
			if failed := c.run(batch); failed != nil {
				return failed
			}
		}
		if err != nil {
			c.cfg.Dropped("protocol")
			c.out = append(append(append(c.out, "-ERR "...), err.Error()...), '\r', '\n')
			c.ending = true
		}
		if len(batch) == 0 || err != nil {
			break
		}
	}
	if err := c.flush(); err != nil {
		return err
	}
	if cap(c.out) > 16*leastBuffer {
		c.out = nil
	}
	return nil
}

// batch takes commands that have arrived, as many as may be under way at once.
func (c *conn) batch() ([]*call, error) {
	var batch []*call
	for len(batch) < c.cfg.MaxPipeline {
		args, ok, err := c.in.command()
		if err != nil || !ok {
			return batch, err
		}
		batch = append(batch, newCall(c, args))
		if c.in.limits.stranger {
			break // the next one may be known, and have other limits
		}
	}
	return batch, nil
}

// run carries out a batch, commands without a common key side by side, and
// appends the answers in order.
func (c *conn) run(batch []*call) error {
	begun := 0
	for i, x := range batch {
		for begun = max(begun, i); begun < len(batch) && waiting(batch[i:begun]) < c.cfg.MaxOutput && free(batch[i:begun], batch[begun]); begun++ {
			if begun > i || len(batch) > 1 && batch[begun].apart() {
				batch[begun].start()
			} else {
				c.out = batch[begun].run(c.out) // alone: nothing is gained by another goroutine
			}
		}
		if x.wait(); x.again {
			c.out = x.run(c.out)
		}
		c.commands.Add(1)
		c.out = append(c.out, x.reply.b...)
		x.reply.b = nil
		if len(c.out) >= c.cfg.MaxOutput {
			if err := c.flush(); err != nil {
				return err
			}
		}
		if c.ending {
			return nil
		}
	}
	return nil
}

// waiting returns how many bytes of answers wait for the first of these calls.
func waiting(calls []*call) int {
	n := 0
	for _, x := range calls {
		if x.done() {
			n += len(x.reply.b)
		}
	}
	return n
}

// free says whether next may run beside calls that may be under way: none of them
// has its key, and all are of those that change nothing of the connection.
func free(calls []*call, next *call) bool {
	if len(calls) == 0 {
		return true
	}
	if !next.apart() {
		return false
	}
	for _, x := range calls {
		if !x.apart() || string(x.args[1]) == string(next.args[1]) && (x.command.writes() || next.command.writes()) {
			return false
		}
	}
	return true
}

// flush writes what waits. Who does not take it in time is dropped.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_ = c.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout))
	_, err := c.nc.Write(c.out)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.cfg.Dropped("slow_reader")
	}
	if c.out = c.out[:0]; err != nil {
		c.ending = true
	}
	return err
}
