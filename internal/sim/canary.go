package sim

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/canary"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/stale"
)

// Canaries are canaries at all nodes. Here all clocks agree, and the times of messages
// are known, so that what is predicted and what is measured can be compared.
type Canaries struct {
	w   *World
	all []*canary.Canary // by machine
}

// Canaries lets every node write canaries from now on, for ever. They outlive the
// processes of their nodes.
func (w *World) Canaries(cfg canary.Config) *Canaries {
	c := &Canaries{w: w}
	for i, m := range w.nodes {
		one := canary.New(cfg, m.id, stream(w.cfg.Seed, streamCanary+uint64(i)))
		c.all = append(c.all, one)
		c.wait(m, one)
	}
	return c
}

// wait waits until a canary has something to do.
func (c *Canaries) wait(m *machine, one *canary.Canary) {
	c.w.after(max(one.Deadline()-c.w.now, 0), func() { c.step(m, one) })
}

func (c *Canaries) step(m *machine, one *canary.Canary) {
	w := c.w
	holders := func(ring.Key) []ring.NodeID { return nil } // of one that is down
	if m.alive {
		holders = w.view(m).Holders
	}
	a := one.Step(clock.Now{Mono: w.now}, holders)
	if a.Kind == canary.None {
		c.wait(m, one)
		return
	}
	done := func(r *node.Reply) {
		one.Done(clock.Now{Mono: w.now}, resultOf(r))
		c.wait(m, one)
	}
	if !w.request(w.mustID(a.At), canaryRequest(&a), done) {
		done(nil)
	}
}

func canaryRequest(a *canary.Act) *node.Request {
	r := &node.Request{Verb: node.Get, Key: a.Key, Context: a.Context, HasContext: len(a.Context) > 0, Value: a.Value}
	count := ouro.Count{N: a.Count, Set: true}
	switch a.Kind {
	case canary.Write:
		r.Verb, r.W = node.Put, count
	case canary.Read:
		r.R = count
	}
	return r
}

// resultOf is what came of a request; nil: there is no answer.
func resultOf(r *node.Reply) canary.Result {
	if r == nil || r.Err != nil && r.Err.Code != ouro.NotFound {
		return canary.Result{Failed: true}
	}
	res := canary.Result{Context: r.Context, Primaries: r.Quorum.Primaries}
	for i := range r.Siblings {
		res.Values = append(res.Values, r.Siblings[i].Data)
	}
	return res
}

// Counts returns what the canaries of all nodes have measured, of one r and w: by
// delay, and of those in which others stood in.
func (c *Canaries) Counts(r, w int) (sum canary.Count) {
	sum.R, sum.W = r, w
	for _, one := range c.all {
		for _, n := range one.Counts().Pairs {
			if n.R != r || n.W != w {
				continue
			}
			for i := range n.Reads {
				sum.Reads[i] += n.Reads[i]
				sum.Stale[i] += n.Stale[i]
			}
			sum.StoodIn += n.StoodIn
			sum.StoodInStale += n.StoodInStale
		}
	}
	return sum
}

// Predicted is what the nodes predict of reads of r that begin so long after a write of
// w, from what each has measured: their mean. False: one of them knows too little.
func (c *Canaries) Predicted(n int) (func(r, w int, after time.Duration) float64, bool) {
	var all []*stale.Prediction
	for i, m := range c.w.nodes {
		if !m.alive {
			continue
		}
		by := node.Measured(m.id, m.core.Took(nil))
		if !by.Known() {
			return nil, false
		}
		all = append(all, stale.Predict(stream(c.w.cfg.Seed, streamPredicted+uint64(i)), n, stale.Trials, by.Draw()))
	}
	return func(r, w int, after time.Duration) float64 {
		sum := 0.0
		for _, p := range all {
			sum += p.Stale(r, w, after)
		}
		return sum / float64(len(all))
	}, true
}
