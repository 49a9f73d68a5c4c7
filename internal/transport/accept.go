package transport

import (
	"errors"
	"net"
	"time"
)

// Serve accepts links until the transport is closed, and then returns nil. The
// listener is closed when it returns.
func (t *Transport) Serve(ln net.Listener) error {
	defer func() { _ = ln.Close() }() // closed already where Close ended it
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.listeners[ln] = struct{}{}
	t.running.Add(1)
	t.mu.Unlock()
	defer t.running.Done()
	pause := time.Duration(0)
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			t.receive(conn)
		case t.ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of file descriptors, say
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			t.notices.warn("cannot accept links", "accept", err)
			if !t.pause(pause) {
				return nil
			}
		}
	}
}

// pause waits, or returns false where the transport is closed meanwhile.
func (t *Transport) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// receive serves one accepted connection in its own goroutine, unless too many
// are being judged already.
func (t *Transport) receive(conn net.Conn) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		_ = conn.Close() // too late
		return
	}
	in, out := t.lobby.enter(conn)
	if in != nil {
		t.running.Add(1)
	}
	t.mu.Unlock()
	if out != nil {
		_ = out.conn.Close() // its handshake fails
	}
	if in == nil {
		t.refused.Add(1)
		t.notices.warn("link refused", "shaking", refuse(TooManyLinks, "%d connections are being judged", t.cfg.MaxHandshakes))
		_ = conn.Close() // refused
		return
	}
	go func() {
		defer t.running.Done()
		l, h, err := t.shake(in)
		t.mu.Lock()
		t.lobby.leave(in)
		if in.ousted {
			err = refuse(TooManyLinks, "it said nothing while %d connections were to say who they are, so it made room for another", t.cfg.MaxHandshakes)
		}
		t.mu.Unlock()
		if err != nil {
			t.refused.Add(1)
			_ = conn.Close() // refused
			if t.ctx.Err() == nil {
				t.denied(conn.RemoteAddr().String(), h, err)
			}
			return
		}
		t.serve(l)
	}()
}

// denied tells that a connection from an address was refused.
func (t *Transport) denied(addr string, h Hello, err error) {
	t.notices.refused(addr, err)
	var r *RefusedError
	if errors.As(err, &r) {
		t.handler.Denied(h.Node, addr, r)
	}
}

// shake makes a link of an accepted connection, and returns who is there.
func (t *Transport) shake(g *guest) (*link, Hello, error) {
	h, err := bounded(g.conn, time.Now().Add(t.cfg.HandshakeTimeout), func() (Hello, error) {
		return handshakeIn(g.conn, t.cfg.Self, func(h Hello) ([]uint64, error) { return t.admit(g, h) })
	})
	if err != nil {
		return nil, h, err
	}
	count := &t.clients
	if !h.Client {
		t.mu.Lock()
		count = t.counterOf(h.Node)
		t.mu.Unlock()
	}
	return newLink(g.conn, h, t.sessions.Add(1), false, t.cfg.MaxPending, count), h, nil
}

// admit is the last word on a dialler. Members have a place whatever the bound: of
// each there is one link, so that others can't keep them out.
func (t *Transport) admit(g *guest, h Hello) ([]uint64, error) {
	if t.faultOf(h.Node).DropIn {
		return nil, ErrFault
	}
	member := !h.Client && (*t.peers.Load())[h.Node] != nil
	t.mu.Lock()
	g.known = true
	full := t.accepted >= t.cfg.MaxLinks
	t.mu.Unlock()
	if full && !member {
		return nil, refuse(TooManyLinks, "%d links are open", t.cfg.MaxLinks)
	}
	return t.check(h)
}

// check asks the handler about whoever is at the other end, with what other
// process of the same node there is a link to.
func (t *Transport) check(h Hello) ([]uint64, error) {
	return t.handler.Check(h, t.otherRun(h))
}

// otherRun returns the run of another process of the node that h is of, to which
// a link is open and which is not known to be silent; 0: none.
func (t *Transport) otherRun(h Hello) uint64 {
	if h.Client {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for l := range t.links {
		if !l.other.Client && l.other.Node == h.Node && l.other.run() != h.run() {
			return l.other.run()
		}
	}
	return 0
}

// serve delivers what comes on an accepted link until it ends.
func (t *Transport) serve(l *link) {
	if !t.open(l) {
		return
	}
	defer t.forget(l)
	l.deaf = func() bool { return t.fault(l).DropIn }
	var reply func([]byte) error
	if l.other.Client {
		reply = func(frames []byte) error { return t.reply(l, frames) }
	} else if p := (*t.peers.Load())[l.other.Node]; p != nil {
		p.dialNow() // it is there, so that is worth while
	}
	err := l.run(t.cfg.MaxFrame, func(bodies [][]byte) error {
		if t.fault(l).DropIn {
			l.count.dropped.Add(uint64(len(bodies)))
			return nil
		}
		t.handler.Frames(l.other.Node, l.session, bodies, reply)
		return nil
	})
	t.cfg.Log.Debug("incoming link ended", "peer", l.other.Node, "session", l.session, "err", err)
	if errors.Is(err, ErrChecksum) || errors.Is(err, ErrTooLarge) {
		t.notices.warn("what a peer sent can't be taken, so its link was ended", "sent "+l.other.Node, err, "peer", l.other.Node)
	}
}

func (t *Transport) reply(l *link, frames []byte) error {
	n, err := checkFrames(frames, t.cfg.MaxFrame)
	if err != nil {
		return err
	}
	return l.send(frames, n) // nothing at all is a question: is the link still there?
}

// open enters a link among those that are open. The newest link from a member
// ends an older one: the older is half dead, or the member would not have
// dialled.
func (t *Transport) open(l *link) bool {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		l.close(ErrClosed)
		return false
	}
	t.links[l] = struct{}{}
	var older *link
	if !l.dialled {
		t.accepted++
		if !l.other.Client {
			older = t.incoming[l.other.Node]
			t.incoming[l.other.Node] = l
		}
	}
	t.mu.Unlock()
	if older != nil {
		older.close(ErrReplaced)
	}
	if t.isOut(l) { // asked anew, now that the next Expel meets this link
		l.close(ErrExpelled)
	}
	return true
}

func (t *Transport) forget(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.links, l)
	if l.dialled {
		return
	}
	t.accepted--
	if t.incoming[l.other.Node] == l {
		delete(t.incoming, l.other.Node)
		t.forgetStranger(l.other.Node)
	}
}

// forgetStranger drops the counters of a node that left and was never dialled, so no
// member: others may come under a new name each time. mu is held.
func (t *Transport) forgetStranger(id string) {
	c := t.counts[id]
	if (*t.peers.Load())[id] == nil && c != nil && c.connects.Load()+c.failures.Load() == 0 {
		delete(t.counts, id)
	}
}
