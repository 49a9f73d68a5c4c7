package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/ourodb/ouro"
)

// Pauses between rounds, in which every node that may help was tried once.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// attempts is one request's way through the nodes.
type attempts struct {
	nodes   func() []*server // whom to try next, in order
	wait    time.Duration    // for one node
	whole   bool             // it may be all the time that is left
	unknown bool             // an attempt may have been carried out
	sent    bool             // likewise, or may yet be
	again   bool             // the node of the last attempt may still be at it: it comes first once more
	judged  bool             // what the last attempt shows of its node is kept already
}

// How much of the time that is left one node gets: half, so that another can be tried,
// but some times what it usually takes, and leastWait.
const (
	usually   = 4
	leastWait = 20 * time.Millisecond
)

// attempts begins a request's way.
func (c *Cluster) attempts(r *call) *attempts {
	a := &attempts{nodes: func() []*server { return c.nodesFor(r.key, r.prefer) }, wait: c.settings.attempt}
	if r.opt.Timeout > 0 {
		a.wait, a.whole = r.opt.Timeout+time.Second, true
	}
	return a
}

// waitFor is how long to wait for a node.
func (a *attempts) waitFor(ctx context.Context, s *server) time.Duration {
	end, ok := ctx.Deadline()
	if a.whole || !ok {
		return a.wait
	}
	return min(a.wait, max(time.Until(end)/2, usually*s.state.usual(), leastWait))
}

// do sends a request until it is decided or ctx ends.
func (c *Cluster) do(ctx context.Context, r *call) (res ouro.Result, err error) {
	res.RequestID = r.opt.RequestID
	if err := r.key.Validate(); err != nil {
		return res, err
	}
	a := c.attempts(r)
	if r.method == http.MethodGet {
		return c.get(ctx, r, a)
	}
	first := r.opt.First
	err = c.try(ctx, a, func(ctx context.Context, s *server) error {
		attempt := *r
		attempt.opt.First = first && !a.sent // RULES R30: what was sent before is asked for first
		res, err = s.client.send(ctx, &attempt)
		if c.stale(s, r, &res) {
			c.kick()
		}
		return err
	})
	return res, err
}

// try makes attempts until one decides, or ctx ends.
func (c *Cluster) try(ctx context.Context, a *attempts, send func(ctx context.Context, s *server) error) error {
	outer := ctx
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.settings.patience)
		defer cancel()
	}
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var came time.Duration // the longest that a node asked to be left alone
		for list := a.nodes(); len(list) > 0; {
			if ctx.Err() != nil {
				return ended(outer, last, a)
			}
			s := list[0]
			err := c.attempt(ctx, s, a, send)
			if !goesOn(err) {
				return settled(err, a)
			}
			switch {
			case ctx.Err() == nil:
				last, came = err, max(came, retryAfter(err))
			case last == nil: // what the caller's end broke off says less than what a node said
				last = err
			}
			if !a.again {
				list = list[1:]
			}
		}
		if !sleep(ctx, max(pause/2+rand.N(pause/2+1), min(came, lastPause))) {
			return ended(outer, last, a)
		}
	}
}

// attempt asks one node once, and keeps what that shows of it.
func (c *Cluster) attempt(ctx context.Context, s *server, a *attempts, send func(ctx context.Context, s *server) error) error {
	if err := s.begin(ctx, a.waitFor(ctx, s)); err != nil {
		a.again = false
		return err
	}
	defer s.conns.free()
	bound, cancel := context.WithTimeout(ctx, a.waitFor(ctx, s))
	defer cancel()
	began := time.Now()
	a.judged = false
	err := send(bound, s)
	if !a.judged {
		c.judge(ctx, s, err, time.Since(began))
	}
	again := false
	if e := errorOf(err); e != nil && e.Outcome != ouro.NotDone {
		a.unknown, a.sent = true, true
		again = bound.Err() == nil && brokenOff(err) && !a.again
	}
	a.again = again
	return err
}

// judge keeps what an attempt shows of a node: little where it was the caller who ended
// it, nothing where the node has too many requests for that one key.
func (c *Cluster) judge(ctx context.Context, s *server, err error, took time.Duration) {
	now := time.Now()
	switch {
	case ctx.Err() != nil:
		s.state.late(took, now)
	case ouro.CodeOf(err) == ouro.HotKey: // of the key, not of the node
		s.state.drop()
	case goesOn(err):
		s.state.fail(now)
		switch errorOf(err).Code {
		case ouro.Overloaded, ouro.TimedOut, ouro.DiskFull:
		default:
			c.kick() // it may be gone, live elsewhere, or hold nothing any more
		}
	default:
		s.state.done(took, now)
	}
}

// brokenOff says whether a node did not answer.
func brokenOff(err error) bool {
	var none noAnswer
	return errors.As(err, &none)
}

func errorOf(err error) *ouro.Error {
	var e *ouro.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// goesOn says whether the request may succeed elsewhere, or later.
func goesOn(err error) bool {
	e := errorOf(err)
	return e != nil && e.Retryable
}

func retryAfter(err error) time.Duration {
	if e := errorOf(err); e != nil {
		return e.RetryAfter
	}
	return 0
}

// settled is the error of an attempt that decided. What an earlier one did stays
// unknown.
func settled(err error, a *attempts) error {
	e := errorOf(err)
	if e == nil || !a.unknown || e.Outcome != ouro.NotDone {
		return err
	}
	all := *e
	all.Outcome = ouro.Unknown
	return &all
}

// ended is the error of a request whose time is up.
func ended(ctx context.Context, last error, a *attempts) error {
	e := errorOf(settled(last, a))
	if e == nil {
		e = ouro.Errorf(ouro.TimedOut, ouro.NotDone, "no node was asked in time")
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), e)
	}
	return e
}

// sleep waits, or returns false where ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
