package host

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/canary"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
)

var (
	_ ouro.Store   = (*Host)(nil)
	_ ouro.Updater = (*Host)(nil)

	_ ouro.LocalReader = (*Host)(nil)
)

// call is a client's request while a shard has it.
type call struct {
	request *node.Request
	reply   chan node.Reply
	gone    atomic.Bool // nobody waits for the reply any more
}

// Get implements [ouro.Store].
func (h *Host) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return h.do(ctx, key, &node.Request{Verb: node.Get}, ouro.Apply(opts...))
}

// Put implements [ouro.Store]. The value is copied: the caller may reuse its
// memory as soon as Put returns, even if ctx ended first.
func (h *Host) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	if len(value.Data) > h.cfg.MaxValue {
		return ouro.Result{}, ouro.Errorf(ouro.TooLarge, ouro.NotDone,
			"the value has %d bytes: this node takes up to %d", len(value.Data), h.cfg.MaxValue)
	}
	return h.do(ctx, key, &node.Request{
		Verb: node.Put, Value: slices.Clone(value.Data), ContentType: value.ContentType,
	}, ouro.Apply(opts...))
}

// Delete implements [ouro.Store].
func (h *Host) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return h.do(ctx, key, &node.Request{Verb: node.Delete}, ouro.Apply(opts...))
}

// Update implements [ouro.Updater]. What u carries is copied.
func (h *Host) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	size := 0
	for i := range u.Elements {
		size += len(u.Elements[i].Name) + len(u.Elements[i].Value)
	}
	if size > h.cfg.MaxValue {
		return ouro.Result{}, ouro.Errorf(ouro.TooLarge, ouro.NotDone,
			"the update has %d bytes: this node takes up to %d", size, h.cfg.MaxValue)
	}
	u.Elements = slices.Clone(u.Elements)
	for i := range u.Elements {
		u.Elements[i].Value = slices.Clone(u.Elements[i].Value)
	}
	res, err := h.do(ctx, key, &node.Request{Verb: node.Update, Update: &u}, ouro.Apply(opts...))
	if err == nil && res.Typed == nil && u.Kind != ouro.Register && u.Act != ouro.Expire {
		res.Typed = &ouro.Typed{Kind: u.Kind} // nothing is left of what it names
	}
	return res, err
}

// GetLocal implements [ouro.LocalReader].
func (h *Host) GetLocal(ctx context.Context, key ouro.Key, opts ...ouro.Option) (res ouro.Result, by string, err error) {
	id, r, err := h.ask(ctx, key, &node.Request{Verb: node.Get, Local: true}, ouro.Apply(opts...))
	if err != nil {
		return ouro.Result{RequestID: id}, "", err
	}
	if r.Local != nil {
		by = r.Local.String()
	}
	res, err = result(id, &r)
	return res, by, err
}

// do has a request answered.
func (h *Host) do(ctx context.Context, key ouro.Key, req *node.Request, opts ouro.Options) (ouro.Result, error) {
	id, r, err := h.ask(ctx, key, req, opts)
	if err != nil {
		return ouro.Result{RequestID: id}, err
	}
	return result(id, &r)
}

// ask passes a request to the shard of its key and waits for the reply. It returns the
// id that the request has.
func (h *Host) ask(ctx context.Context, key ouro.Key, req *node.Request, opts ouro.Options) (id string, r node.Reply, err error) {
	start := time.Now()
	if err := prepare(ctx, key, req, opts); err != nil {
		return opts.RequestID, r, err
	}
	if id = opts.RequestID; id == "" {
		id = strconv.FormatUint(rand.Uint64(), 36)
	}
	req.Token = h.token(id, req.Key.Pos)
	c := &call{request: req, reply: make(chan node.Reply, 1)}
	if err := h.submit(c); err != nil {
		h.cfg.Observer.Request(verbName(req), string(err.Code), time.Since(start))
		return id, r, err
	}
	r, ok := h.wait(ctx, c, start)
	if !ok {
		h.cfg.Observer.Request(verbName(req), "abandoned", time.Since(start))
		return id, r, ctx.Err()
	}
	return id, r, nil
}

// wait waits for the reply to a call that was let in, and counts it; false: ctx ended
// before.
func (h *Host) wait(ctx context.Context, c *call, start time.Time) (node.Reply, bool) {
	defer h.flight.Add(-1)
	select {
	case r := <-c.reply:
		h.cfg.Observer.Request(verbName(c.request), outcomeName(r.Err), time.Since(start))
		return r, true
	case <-ctx.Done():
		c.gone.Store(true)
		return node.Reply{}, false
	}
}

// prepare checks a request and fills in what its options say.
func prepare(ctx context.Context, key ouro.Key, req *node.Request, opts ouro.Options) error {
	if err := key.Validate(); err != nil {
		return err
	}
	if err := checkTimeout(opts.Timeout); err != nil {
		return err
	}
	req.Key = ring.NewKey(key.Bucket, key.Name)
	req.Context, req.HasContext = opts.Context, opts.Context != nil
	req.R, req.W, req.PR, req.PW, req.DW = opts.R, opts.W, opts.PR, opts.PW, opts.DW
	req.Timeout, req.TTL, req.Explain = opts.Timeout, opts.TTL, opts.Explain
	req.Retry = opts.RequestID != "" && !opts.First && req.Verb != node.Get // RULES R30
	if deadline, ok := ctx.Deadline(); ok && req.Timeout == 0 {
		if req.Timeout = time.Until(deadline); req.Timeout <= 0 {
			return context.DeadlineExceeded
		}
		req.Timeout = min(req.Timeout, member.MaxTimeout)
	}
	return ctx.Err()
}

// checkTimeout returns an error unless a request may take so long; 0 is as long as its
// bucket says.
func checkTimeout(d time.Duration) error {
	if d < 0 || d > member.MaxTimeout {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the timeout is %v: it is more than 0 and at most %v", d, member.MaxTimeout)
	}
	return nil
}

// submit puts a call into the inbox of its key's shard and counts it as under way, or
// returns why that can't be.
func (h *Host) submit(c *call) *ouro.Error {
	h.flight.Add(1)
	s := h.shardOf(h.view.Load().Ring.Partition(c.request.Key.Pos))
	v := full
	if !h.closing.Load() {
		v = s.in.request(item{call: c, queued: time.Since(h.started)})
	}
	if v == taken {
		return nil
	}
	h.flight.Add(-1)
	if v == full {
		h.cfg.Observer.Refused("inbox")
	}
	return h.refusal(c.request, v, s.in.most)
}

// refusal is the answer to a request that was not let in. What an earlier attempt
// did is not known here (RULES R31).
func (h *Host) refusal(req *node.Request, v verdict, most int) *ouro.Error {
	var err *ouro.Error
	switch {
	case h.closing.Load():
		err = ouro.Errorf(ouro.Overloaded, ouro.NotDone, "the node is stopping: use another")
	case v == tooHot:
		err = ouro.HotKeyError(ouro.Key{Bucket: req.Key.Bucket, Name: req.Key.Name}, string(h.view.Load().Self), most)
	default:
		err = ouro.Errorf(ouro.Overloaded, ouro.NotDone, "the node's queue is full: come back later")
	}
	if req.Retry {
		err.Outcome = ouro.Unknown
	}
	err.RetryAfter = time.Second
	return err
}

// stopping is the reply to a request that was under way when the node stopped.
func stopping(req *node.Request) node.Reply {
	outcome := ouro.Unknown
	if req.Verb == node.Get {
		outcome = ouro.NotDone
	}
	return node.Reply{ID: req.ID, Err: ouro.Errorf(ouro.Overloaded, outcome, "the node stopped before the request was decided: use another")}
}

// token hashes a request id together with the key it is about: clients that
// number their requests may use one id for two keys. Zero means none and is
// avoided.
func (h *Host) token(id string, pos ring.Position) uint64 {
	return max(xxh3.HashStringSeed(id, h.cfg.TokenKey^pos.Lo), 1)
}

func result(id string, r *node.Reply) (ouro.Result, error) {
	view, siblings := typed.View(r.Siblings)
	res := ouro.Result{
		Siblings:    siblings,
		Typed:       view,
		Changed:     r.Changed,
		Context:     r.Context,
		RequestID:   id,
		Coordinator: string(r.Coordinator),
		Quorum:      r.Quorum,
	}
	for _, f := range r.Explain {
		res.Explain = append(res.Explain, f.String())
	}
	if r.Err != nil {
		return res, r.Err
	}
	return res, nil
}

// verbName is what a request is counted as. Canaries are no client's.
func verbName(r *node.Request) string {
	if r.Key.Bucket == canary.Bucket {
		return "canary"
	}
	switch r.Verb {
	case node.Get:
		if r.Local {
			return "local"
		}
		return "get"
	case node.Put:
		return "put"
	case node.Update:
		return "update"
	default:
		return "delete"
	}
}

func outcomeName(err *ouro.Error) string {
	if err == nil {
		return "done"
	}
	return string(err.Code)
}
