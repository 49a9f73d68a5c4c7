package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
	"github.com/ourodb/ouro/internal/store"
)

// Call is a request that a test made.
type Call struct {
	world  *World
	verb   node.Verb
	began  time.Duration
	ended  time.Duration
	done   bool
	result ouro.Result
	err    error
}

// Done reports whether the call has ended.
func (c *Call) Done() bool { return c.done }

// Took returns how long the call took.
func (c *Call) Took() time.Duration { return c.ended - c.began }

// Result returns what came back.
func (c *Call) Result() (ouro.Result, error) { return c.result, c.err }

// Wait lets the world go on until the call has ended.
func (c *Call) Wait() (ouro.Result, error) {
	if !c.world.RunUntil(c.Done) {
		return ouro.Result{}, fmt.Errorf("sim: the call is not answered and nothing is left to happen")
	}
	return c.result, c.err
}

// Get begins a get at a node.
func (w *World) Get(at ring.NodeID, key ouro.Key, opts ...ouro.Option) *Call {
	return w.call(at, node.Get, key, ouro.Value{}, nil, opts)
}

// Put begins a put at a node.
func (w *World) Put(at ring.NodeID, key ouro.Key, value ouro.Value, opts ...ouro.Option) *Call {
	return w.call(at, node.Put, key, value, nil, opts)
}

// Delete begins a delete at a node.
func (w *World) Delete(at ring.NodeID, key ouro.Key, opts ...ouro.Option) *Call {
	return w.call(at, node.Delete, key, ouro.Value{}, nil, opts)
}

// Update begins an update of a data type at a node.
func (w *World) Update(at ring.NodeID, key ouro.Key, u ouro.Update, opts ...ouro.Option) *Call {
	return w.call(at, node.Update, key, ouro.Value{}, &u, opts)
}

func (w *World) call(at ring.NodeID, verb node.Verb, key ouro.Key, value ouro.Value, u *ouro.Update, opts []ouro.Option) *Call {
	o := ouro.Apply(opts...)
	c := &Call{world: w, verb: verb, began: w.now}
	r := &node.Request{
		Verb: verb, Key: ring.NewKey(key.Bucket, key.Name), Context: o.Context, HasContext: o.Context != nil,
		Value: value.Data, ContentType: value.ContentType, TTL: o.TTL, R: o.R, W: o.W, PR: o.PR, PW: o.PW, DW: o.DW,
		Timeout: o.Timeout, Explain: o.Explain, Update: u,
	}
	if o.RequestID != "" {
		r.Token = xxh3.HashString(o.RequestID)
		r.Retry = w.requested[r.Token] // it may have been at another coordinator (RULES R30)
		w.requested[r.Token] = true
	}
	if !w.request(w.mustID(at), r, c.end) {
		c.done, c.ended = true, w.now
		c.err = ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "node %s is down", at)
	}
	return c
}

// end takes the reply.
func (c *Call) end(r *node.Reply) {
	c.done, c.ended = true, c.world.now
	if r == nil {
		c.err = ouro.Errorf(ouro.TimedOut, ouro.Unknown, "the connection is lost")
		return
	}
	view, siblings := typed.View(r.Siblings)
	c.result = ouro.Result{
		Siblings: siblings, Typed: view, Changed: r.Changed, Context: r.Context, Coordinator: string(r.Coordinator), Quorum: r.Quorum,
		Explain: tellFacts(r.Explain),
	}
	if r.Err != nil {
		c.err = r.Err
	}
}

func tellFacts(facts []fact.Fact) []string {
	var lines []string
	for _, f := range facts {
		lines = append(lines, f.String())
	}
	return lines
}

// Store returns the cluster as seen through one node. Its calls let the world
// go on until they are answered, so it is as single-threaded as the world.
func (w *World) Store(at ring.NodeID) ouro.Store { return through{w, at} }

type through struct {
	w  *World
	at ring.NodeID
}

// do is what a host does before a request reaches the core, and after.
func (s through) do(ctx context.Context, key ouro.Key, opts []ouro.Option, begin func() *Call) (ouro.Result, error) {
	if err := key.Validate(); err != nil {
		return ouro.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return ouro.Result{}, err
	}
	res, err := begin().Wait()
	if res.RequestID = ouro.Apply(opts...).RequestID; res.RequestID == "" {
		res.RequestID = "none"
	}
	return res, err
}

func (s through) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.do(ctx, key, opts, func() *Call { return s.w.Get(s.at, key, opts...) })
}

func (s through) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	value.Data = slices.Clone(value.Data)
	return s.do(ctx, key, opts, func() *Call { return s.w.Put(s.at, key, value, opts...) })
}

func (s through) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	return s.do(ctx, key, opts, func() *Call { return s.w.Delete(s.at, key, opts...) })
}

func (s through) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (ouro.Result, error) {
	res, err := s.do(ctx, key, opts, func() *Call { return s.w.Update(s.at, key, u, opts...) })
	if err == nil && res.Typed == nil && u.Kind != ouro.Register && u.Act != ouro.Expire {
		res.Typed = &ouro.Typed{Kind: u.Kind}
	}
	return res, err
}

// mustID returns the machine of a node. A test that names none is wrong.
func (w *World) mustID(id ring.NodeID) *machine {
	m := w.byID(id)
	if m == nil {
		panic(fmt.Sprintf("sim: there is no node %q", id))
	}
	return m
}

// Preference returns the nodes responsible for a key, best first.
func (w *World) Preference(key ouro.Key) []ring.NodeID {
	p := w.ring.Partition(ring.NewKey(key.Bucket, key.Name).Pos)
	if !w.cfg.Changes {
		return w.ring.Preference(p, len(w.nodes))
	}
	v := w.newest()
	first := v.Primaries(p, v.Buckets.MostN())
	return v.StandIns(slices.Clone(first), p, first, len(w.nodes))
}

// Primaries returns the nodes that hold a key, by the newest placement.
func (w *World) Primaries(key ouro.Key) []ring.NodeID {
	return w.newest().Primaries(w.ring.Partition(ring.NewKey(key.Bucket, key.Name).Pos), w.cfg.Buckets.Of(key.Bucket).N)
}

// State returns what a node stores for a key, and whether it stores anything.
func (w *World) State(at ring.NodeID, key ouro.Key) (causal.State, bool) {
	s, _, ok := w.state(w.mustID(at), key)
	return s, ok
}

// state also returns the canonical bytes.
func (w *World) state(m *machine, key ouro.Key) (causal.State, []byte, bool) {
	var canonical []byte
	found, err := m.disk.Engine.Get(w.recordKey(key), func(record []byte) {
		b, err := replica.StateOf(record)
		if err != nil {
			w.bug("%s stores a record that cannot be read: %v", m.id, err)
		}
		canonical = append([]byte{}, b...)
	})
	if err != nil || !found {
		return causal.State{}, nil, false
	}
	s, err := causal.DecodeState(canonical)
	if err != nil {
		w.bug("%s stores a state that cannot be read: %v", m.id, err)
	}
	return s, canonical, true
}

func (w *World) recordKey(key ouro.Key) []byte {
	k := ring.NewKey(key.Bucket, key.Name)
	return store.AppendRecordKey(nil, w.ring.Partition(k.Pos), k.Bucket, k.Pos.Hi, k.Name)
}

// Forget makes a node lose one record while it runs, as it lawfully does when a
// hint is paid or a partition given away (RULES H1).
func (w *World) Forget(at ring.NodeID, key ouro.Key) {
	m := w.mustID(at)
	var b store.Batch
	b.Delete(w.recordKey(key))
	if err := m.disk.Engine.Apply(&b, func(error) {}); err != nil {
		w.bug("%s cannot forget: %v", at, err)
	}
	m.runner.Refresh()
	k := ring.NewKey(key.Bucket, key.Name)
	op := replica.Op{Partition: w.ring.Partition(k.Pos), Key: k}
	if err := m.runner.Doubt(&op); err != nil {
		w.bug("%s cannot forget: %v", at, err)
	}
	m.disk.Sync()
}

// KeptFor returns what a node keeps of a key in the stead of others, and whether it
// keeps anything.
func (w *World) KeptFor(at ring.NodeID, key ouro.Key) (causal.State, bool) {
	return w.keptFor(w.mustID(at), key)
}

// Seal returns a context that says something, as a node would seal it.
func (w *World) Seal(key ouro.Key, said causal.Context) ouro.Context {
	return w.sealer.Seal(key.Bucket, key.Name, said)
}

// Open returns what a context says.
func (w *World) Open(key ouro.Key, sealed ouro.Context) (causal.Context, error) {
	return w.sealer.Open(key.Bucket, key.Name, sealed)
}

// Clock tells claims as the paper writes a vector clock, "[(A,2) (B,1)]", by
// node and in the order of nodes. A node with several actors among them comes
// several times; exceptions follow as "+(A,3)".
func (w *World) Clock(c causal.Claims) string {
	var pairs []string
	for _, e := range c.Vector {
		if e.N == 0 { // exceptions alone
			continue
		}
		pairs = append(pairs, fmt.Sprintf("(%s,%d)", w.runs[e.Actor.Run], e.N))
	}
	for _, d := range c.Exceptions {
		pairs = append(pairs, fmt.Sprintf("+(%s,%d)", w.runs[d.Actor.Run], d.N))
	}
	slices.Sort(pairs)
	return "[" + strings.Join(pairs, " ") + "]"
}

// Writer returns the node that minted a dot.
func (w *World) Writer(d causal.Dot) ring.NodeID { return w.runs[d.Actor.Run] }
