package transport

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// peer keeps an outgoing link to one member for as long as it is one.
type peer struct {
	t        *Transport
	id, addr string
	count    *counters
	before   *peer // of the same id, at another address or removed: ends first
	ctx      context.Context
	cancel   context.CancelFunc
	done     chan struct{}
	kick     chan struct{} // the peer is there: dial at once
	link     atomic.Pointer[link]
	late     delayLine
}

func newPeer(t *Transport, id, addr string, count *counters, before *peer) *peer {
	p := &peer{t: t, id: id, addr: addr, count: count, before: before, done: make(chan struct{}), kick: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(t.ctx)
	return p
}

func (p *peer) send(frames []byte, n int) error {
	l := p.link.Load()
	if l == nil {
		return ErrDown
	}
	return l.send(frames, n)
}

// refused tells the handler where the peer refused the link, or this side did.
func (p *peer) refused(err error) {
	var r *RefusedError
	switch {
	case p.ctx.Err() != nil || !errors.As(err, &r):
	case r.ByPeer:
		p.t.handler.Refused(p.id, r)
	default:
		p.t.handler.Denied(p.id, p.addr, r)
	}
}

// dialNow ends a wait between attempts.
func (p *peer) dialNow() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// run dials, uses the link until it breaks, waits and dials again.
func (p *peer) run() {
	defer close(p.done)
	defer p.cancel()
	if p.before != nil {
		<-p.before.done // so that Up and Down of one id stay in turn
		p.before = nil
	}
	wait := newBackoff(p.t.cfg, p.id)
	for p.ctx.Err() == nil {
		l, err := p.connect()
		if err == nil {
			began := time.Now()
			err = p.use(l)
			if time.Since(began) >= p.t.cfg.BackoffMax {
				wait.reset() // a link that lasts ends the trouble
			}
		} else {
			p.count.failures.Add(1)
			p.refused(err)
		}
		if p.ctx.Err() != nil {
			return
		}
		p.t.notices.warn("no link to peer", "out "+p.id, err, "peer", p.id, "addr", p.addr)
		wait.sleep(p.ctx, p.kick)
	}
}

// connect makes one attempt.
func (p *peer) connect() (*link, error) {
	t := p.t
	if f := t.faultOf(p.id); f.DropOut || f.DropIn {
		return nil, ErrFault
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(p.ctx, t.cfg.HandshakeTimeout)
	defer cancel()
	conn, err := t.cfg.Dial(ctx, p.addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(p.ctx, func() { _ = conn.Close() }) // the handshake then fails
	defer stop()
	h, err := bounded(conn, began.Add(t.cfg.HandshakeTimeout), func() (Hello, error) {
		return handshakeOut(conn, t.cfg.Self, p.id, t.check)
	})
	if err != nil {
		_ = conn.Close() // the handshake's error is the one to tell
		return nil, err
	}
	return newLink(conn, h, t.sessions.Add(1), true, t.cfg.MaxPending, p.count), nil
}

// use reports the link, reads it until it breaks and reports that.
func (p *peer) use(l *link) error {
	if !p.t.open(l) {
		return ErrClosed
	}
	defer p.t.forget(l)
	stop := context.AfterFunc(p.ctx, func() { l.close(ErrClosed) })
	defer stop()
	p.count.connects.Add(1)
	p.link.Store(l)
	p.t.notices.clear("out " + p.id)
	p.t.cfg.Log.Info("link up", "peer", p.id, "addr", p.addr, "session", l.session)
	p.t.handler.Up(p.id, l.session, l.other)
	err := l.run(p.t.cfg.MaxFrame, func([][]byte) error {
		return fmt.Errorf("%w: frames came on a link that has one direction", ErrFraming)
	})
	p.link.Store(nil)
	p.t.handler.Down(p.id, l.session, err)
	return err
}

// backoff are the waits between attempts: doubling, each shortened by up to a
// half at random, so that many nodes do not dial one in step.
type backoff struct {
	min, max, next time.Duration
	rand           *rand.Rand
}

func newBackoff(cfg Config, id string) *backoff {
	h := fnv.New64a()
	h.Write([]byte(id))
	return &backoff{min: cfg.BackoffMin, max: cfg.BackoffMax, next: cfg.BackoffMin, rand: rand.New(rand.NewPCG(cfg.Seed, h.Sum64()))}
}

func (b *backoff) reset() { b.next = b.min }

// sleep waits for the next time, or until the first wait is over where it is
// kicked, or for the end.
func (b *backoff) sleep(ctx context.Context, kick <-chan struct{}) {
	d := b.next - time.Duration(b.rand.Int64N(int64(b.next/2)+1))
	b.next = min(2*b.next, b.max)
	began := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-kick:
		timer.Reset(min(d, b.min) - time.Since(began))
	case <-ctx.Done():
		return
	}
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
