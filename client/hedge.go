package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
)

// What a read is hedged by: after twice the time in which 95 of 100 reads were
// answered lately, within bounds, and at most one in hedgeOneIn.
const (
	hedgeFirst   = 50 * time.Millisecond // before anything is known
	hedgeLeast   = 2 * time.Millisecond
	hedgeMost    = time.Second
	hedgeOneIn   = 10
	hedgeSamples = 128
	hedgeBurst   = 10
)

// pace is how fast reads are answered, and how many may be hedged.
type pace struct {
	mu    sync.Mutex
	took  [hedgeSamples]time.Duration
	n     int
	after time.Duration
	spent int // on hedges, of hedgeBurst*hedgeOneIn; each read gives back one
}

// note counts a read that was answered.
func (p *pace) note(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took[p.n%hedgeSamples] = took
	p.n++
	p.spent = max(p.spent-1, 0)
	if p.n%(hedgeSamples/4) == 0 && p.n >= hedgeSamples {
		sorted := p.took
		slices.Sort(sorted[:])
		p.after = min(max(2*sorted[hedgeSamples*95/100], hedgeLeast), hedgeMost)
	}
}

// wait is how long the first node is waited for.
func (p *pace) wait() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.after == 0 {
		return hedgeFirst
	}
	return p.after
}

// take says whether one more read may be hedged.
func (p *pace) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spent+hedgeOneIn > hedgeBurst*hedgeOneIn {
		return false
	}
	p.spent += hedgeOneIn
	return true
}

// answer is what one node said to a read.
type answer struct {
	res ouro.Result
	err error
}

// hedged sends a read, and where the first node takes long to a second one too, if that
// is wanted: the first answer counts.
func (c *Cluster) hedged(ctx context.Context, r *call, a *attempts) (res ouro.Result, err error) {
	began := time.Now()
	err = c.try(ctx, a, func(ctx context.Context, s *server) error {
		if c.settings.hedge {
			res, err = c.race(ctx, r, s, a)
		} else {
			a := c.read(ctx, r, s)
			res, err = a.res, a.err
		}
		return err
	})
	if shown(err) {
		c.pace.note(time.Since(began))
	}
	return res, err
}

// shown says whether a read told what there is.
func shown(err error) bool { return err == nil || ouro.CodeOf(err) == ouro.NotFound }

// race asks a node, and another one where that takes long.
func (c *Cluster) race(ctx context.Context, r *call, s *server, a *attempts) (ouro.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	first := make(chan answer, 1)
	go func() { first <- c.read(ctx, r, s) }()
	late := time.NewTimer(c.pace.wait())
	defer late.Stop()
	select {
	case one := <-first:
		return one.res, one.err
	case <-late.C:
	}
	second := c.second(r, s)
	if second == nil || !c.pace.take() {
		one := <-first
		return one.res, one.err
	}
	other := make(chan answer, 1)
	go func() {
		if err := second.begin(ctx, 0); err != nil {
			other <- answer{err: err}
			return
		}
		defer second.conns.free()
		began := time.Now()
		two := c.read(ctx, r, second)
		c.judge(ctx, second, two.err, time.Since(began))
		other <- two
	}()
	select {
	case one := <-first:
		if goesOn(one.err) {
			c.judge(ctx, s, one.err, time.Since(began))
			a.judged = true
			one = <-other
		}
		return one.res, one.err
	case two := <-other:
		if goesOn(two.err) {
			two = <-first
			return two.res, two.err
		}
		s.state.late(time.Since(began), time.Now())
		a.judged = true
		return two.res, two.err
	}
}

// second is whom to ask besides; nil: nobody.
func (c *Cluster) second(r *call, first *server) *server {
	for _, s := range c.nodesFor(r.key, "") {
		if s != first {
			return s
		}
	}
	return nil
}

func (c *Cluster) read(ctx context.Context, r *call, s *server) answer {
	var a answer
	a.res, a.err = s.client.send(ctx, r)
	if c.stale(s, r, &a.res) {
		c.kick()
	}
	return a
}
