package sim

import (
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/sim/workload"
)

// load is the clients of a world.
type load struct {
	w       *World
	rand    *rand.Rand
	own     *rand.Rand // for reads that clients coordinate; nil: none are
	retry   float64
	left    int // operations to be begun
	working int // clients that are not done
}

// client does one operation after the other. Its place is its number among the
// clients of its workload.
type client struct {
	load  *load
	id    int
	place int
	work  workload.Workload
	op    workload.Op
	rec   *history.Op
	req   node.Request
	doubt bool       // an attempt at the operation may have had an effect
	guide *node.View // what it knows of the ring, which may be old
}

func keyIn(bucket, name string) ouro.Key { return ouro.Key{Bucket: bucket, Name: name} }

// engage starts the clients of a shape, which do so many operations in all.
func (w *World) engage(s *shape, ops int) *load {
	l := &load{w: w, rand: stream(s.cfg.Seed, streamLoad), retry: s.retry, left: ops}
	if s.own {
		l.own = stream(s.cfg.Seed, streamOwn)
	}
	w.eyes.plain = false
	for _, a := range s.loads {
		a.work.Setup(a.clients)
		if a.lone {
			for _, k := range a.work.Lone() {
				w.hist.Exclusive(k.String())
			}
		}
		for i := range a.clients {
			c := &client{load: l, id: l.working, place: i, work: a.work}
			l.working++
			c.next()
		}
	}
	return l
}

// next draws an operation and begins it after its pause.
func (c *client) next() {
	l := c.load
	if l.left == 0 {
		l.working--
		return
	}
	l.left--
	c.op = c.work.Next(c.place, l.rand)
	l.w.after(c.op.Pause, c.begin)
}

// begin records the operation and sends it for the first time.
func (c *client) begin() {
	w, op := c.load.w, &c.op
	b := w.cfg.Buckets.Of(op.Key.Bucket)
	promise := b.Promise()
	c.rec = &history.Op{
		Client: c.id, Verb: history.Verb(op.Verb), Key: op.Key.Bucket + "/" + op.Key.Name,
		N: b.N, R: op.R.Or(b.R), W: op.W.Or(b.W), PR: op.PR.Or(b.PR), PW: op.PW.Or(b.PW), Promised: promise.W, Rests: promise.R, Sloppy: len(w.nodes) > b.N,
		Relaxed: b.Durability != member.All, Durable: op.DW.Or(b.DW),
	}
	if b.Durability == member.One {
		c.rec.Durable = max(c.rec.Durable, 1)
	}
	c.req = node.Request{
		Verb: node.Verb(op.Verb + 1), Key: ring.NewKey(op.Key.Bucket, op.Key.Name),
		R: op.R, W: op.W, PR: op.PR, PW: op.PW, DW: op.DW,
	}
	if op.Context != nil && op.Context.Ref != nil {
		c.rec.Context = op.Context.Ref.(*history.Response)
		c.req.Context, c.req.HasContext = op.Context.Context, true
	}
	w.hist.Invoke(c.rec, w.now)
	w.stats.Quorums.asked(c.rec)
	if op.Verb != workload.Get {
		c.req.Token = c.rec.ID*0x9e3779b97f4a7c15 ^ w.cfg.Seed | 1<<63
		w.eyes.tokens[c.req.Token] = c.rec
	}
	if op.Verb == workload.Put {
		c.req.Value = history.Value(c.rec.ID, c.rec.Key, op.Size)
		c.req.ContentType = "application/x-ouro-sim"
	}
	c.doubt = false
	w.traceKey(c.rec.Key, "CLIENT %d begins %v", c.id, c.rec)
	c.send()
}

// send sends the operation to a node that is up, once there is one. Some gets the
// client coordinates itself.
func (c *client) send() {
	if c.op.Verb != workload.Get || !c.itself() {
		c.submit()
	}
}

// submit has a node coordinate the operation.
func (c *client) submit() {
	w := c.load.w
	m := pick(c.load.rand, w.asks()...)
	if !m.alive || m.unheard {
		w.after(time.Millisecond+spread(c.load.rand, 5*time.Millisecond), c.submit)
		return
	}
	c.rec.Attempts++
	req := c.req // a node keeps it
	w.traceKey(c.rec.Key, "CLIENT %d sends op %d to %s, attempt %d", c.id, c.rec.ID, m.id, c.rec.Attempts)
	w.request(m, &req, func(r *node.Reply) {
		c.rec.Resent = c.rec.Resent || c.rec.Passed && r != nil && r.Coordinator == m.id
		c.replied(r)
	})
}

// replied takes the answer of an attempt; nil: there is none.
func (c *client) replied(r *node.Reply) {
	w := c.load.w
	switch {
	case r == nil:
		w.traceKey(c.rec.Key, "CLIENT %d has no answer to op %d", c.id, c.rec.ID)
		c.failed(ouro.Unknown)
		return
	case r.Err != nil && !(r.Err.Code == ouro.NotFound && c.op.Verb == workload.Get):
		w.traceKey(c.rec.Key, "CLIENT %d: op %d failed: %v", c.id, c.rec.ID, r.Err)
		c.rec.Limited = r.Err.Code == ouro.TooManySiblings
		c.failed(r.Err.Outcome)
		return
	}
	res := history.Result{
		Outcome: history.OK, Context: r.Context, Settled: !r.Quorum.Unsettled,
		StandIns: r.Quorum.Acks - r.Quorum.Primaries,
	}
	if c.op.Verb != workload.Put {
		for i := range r.Siblings {
			res.Values = append(res.Values, r.Siblings[i].Data)
		}
	}
	c.end(res)
}

// failed ends an attempt without success: the client may try again.
func (c *client) failed(o ouro.Outcome) {
	c.doubt = c.doubt || o != ouro.NotDone
	if c.op.Verb != workload.Get && !c.rec.Bare() && c.doubt && c.rec.Attempts < 3 && c.load.rand.Float64() < c.load.retry {
		c.req.Retry = true
		c.load.w.after(spread(c.load.rand, 20*time.Millisecond), c.send)
		return
	}
	res := history.Result{Outcome: history.Fail}
	if c.doubt {
		res.Outcome = history.Info
	}
	c.end(res)
}

// end records what came of the operation.
func (c *client) end(res history.Result) {
	w := c.load.w
	resp, broken := w.hist.Return(c.rec, res, w.now)
	w.mix(uint64(res.Outcome)<<32 ^ uint64(len(res.Values)))
	if w.trace.wants(c.rec.Key) {
		w.traceKey(c.rec.Key, "CLIENT %d ends op %d: %v, %s", c.id, c.rec.ID, res.Outcome, c.rec.Shown())
	}
	w.violate(broken)
	var seen *workload.Seen
	if resp != nil {
		w.honest(resp, c.op.Key.Bucket, c.op.Key.Name)
		seen = &workload.Seen{Context: resp.Context, Siblings: len(resp.Sees), Ref: resp}
	}
	op := c.op
	c.work.Done(c.place, &op, seen, res.Outcome == history.OK)
	if res.Outcome != history.OK { // a client that fails comes back later
		w.after(spread(c.load.rand, 50*time.Millisecond), c.next)
		return
	}
	c.next()
}
