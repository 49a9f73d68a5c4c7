package sim

import (
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/local"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// ownRead is a get that its client coordinates: it asks as many replicas as must
// answer for their own copies, and where they do not agree a node coordinates it.
type ownRead struct {
	client *client
	began  time.Duration
	want   int
	said   []local.Said
	first  node.Reply
	over   bool
	old    bool // by a map that is not of now
}

// itself begins such a read, by what the client knows of the ring, which it seldom
// looks for; false: a node is to coordinate this one.
func (c *client) itself() bool {
	w, r := c.load.w, c.load.own
	if r == nil || r.IntN(2) == 0 {
		return false
	}
	if c.guide == nil || r.IntN(20) == 0 {
		m := pick(r, w.asks()...)
		if !m.alive || m.view == nil || m.view.Ring == nil || m.view.Ring.Q() == 0 {
			return false
		}
		c.guide = m.view
	}
	part := c.guide.Ring.Partition(c.req.Key.Pos)
	list := slices.Clone(c.guide.Primaries(part, c.rec.N))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	o := &ownRead{client: c, began: w.now, want: max(c.rec.R, c.rec.PR)}
	if len(list) < o.want {
		return false
	}
	w.stats.Own.Begun++
	for _, id := range list[:o.want] {
		o.ask(id)
	}
	return true
}

// ask asks one replica.
func (o *ownRead) ask(id ring.NodeID) {
	c, w := o.client, o.client.load.w
	m := w.byID(id)
	req := c.req
	req.Local = true
	c.rec.Attempts++
	w.traceKey(c.rec.Key, "CLIENT %d asks %s for its own copy, op %d", c.id, id, c.rec.ID)
	if m == nil || !w.request(m, &req, o.take) {
		o.leave()
		return
	}
	o.old = o.old || m.view != nil && m.view.Number(o.part()) != c.guide.Number(o.part())
}

func (o *ownRead) part() uint32 { return o.client.guide.Ring.Partition(o.client.req.Key.Pos) }

// take takes what a replica says; nil: nothing.
func (o *ownRead) take(r *node.Reply) {
	c, w := o.client, o.client.load.w
	switch {
	case o.over:
		return
	case r == nil || r.Local == nil || r.Err != nil && r.Err.Code != ouro.NotFound:
		o.leave()
		return
	}
	if o.said = append(o.said, local.Said{Node: string(r.Coordinator), Word: *r.Local}); len(o.said) == 1 {
		o.first = *r // what it points to is used again
	}
	switch {
	case len(o.said) < o.want:
	case !local.Agree(o.said) || w.now-o.began > w.bucketTimeout(c.req.Key.Bucket):
		o.leave()
	default:
		o.over = true
		w.stats.Own.Agreed++
		if o.old {
			w.stats.Own.Old++
		}
		o.first.Quorum.Acks, o.first.Quorum.Primaries = len(o.said), len(o.said)
		c.replied(&o.first)
	}
}

// leave leaves the read to a node.
func (o *ownRead) leave() {
	if !o.over {
		o.over = true
		o.client.load.w.after(0, o.client.submit)
	}
}
