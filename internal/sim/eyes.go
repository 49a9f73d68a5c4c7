package sim

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
)

// eyes see into the nodes: every state that was ever stored anywhere, and which
// dot names which operation's value.
type eyes struct {
	dots   map[causal.Dot]sighting
	byOp   [][]causal.Dot // dots of each operation, by its id
	tokens map[uint64]*history.Op
	plain  bool // values do not describe themselves: a test's own
	state  causal.State
	name   []byte
}

// sighting is the first time that a dot was stored.
type sighting struct {
	sum causal.Sum
	op  uint64
}

func newEyes() eyes {
	return eyes{dots: map[causal.Dot]sighting{}, tokens: map[uint64]*history.Op{}, plain: true}
}

// stored looks at a record that a node stores.
func (w *World) stored(m *machine, key, value []byte) {
	if !store.IsRecord(key) && !store.IsPending(key) && !store.IsSide(key) {
		return
	}
	e := &w.eyes
	var err error
	if store.IsPending(key) {
		_, _, value, err = replica.DecodePending(value)
	}
	var canonical []byte
	if err == nil {
		canonical, err = replica.StateOf(value)
	}
	if err == nil {
		err = e.state.Decode(canonical)
	}
	e.name = appendName(e.name[:0], key)
	if err != nil {
		w.violatef(history.Invented, string(e.name), "%s stores a record that cannot be read: %v", m.id, err)
		return
	}
	for i := range e.state.Versions {
		w.sight(m, &e.state.Versions[i])
	}
	if w.trace != nil {
		w.traceKey(string(e.name), "%s stores %s", m.id, tell(&e.state))
	}
}

// sight looks at one version.
func (w *World) sight(m *machine, v *causal.Version) {
	e := &w.eyes
	seen, ok := e.dots[v.Dot]
	switch {
	case ok && seen.sum == v.Sum:
		return
	case ok:
		w.violatef(history.DotReused, string(e.name), "%s stores under dot %v something else than what it named before (the value of op %d)", m.id, v.Dot, seen.op)
		return
	}
	var id uint64
	if !e.plain && !isTyped(string(e.name)) {
		var err error
		if id, err = history.ParseValue(v.Value, string(e.name)); err != nil {
			w.violatef(history.Invented, string(e.name), "%s stores under dot %v what nobody wrote: %v", m.id, v.Dot, err)
			return
		}
		for uint64(len(e.byOp)) <= id {
			e.byOp = append(e.byOp, nil)
		}
		e.byOp[id] = append(e.byOp[id], v.Dot)
		w.violate(w.hist.Stored(id))
	}
	e.dots[v.Dot] = sighting{v.Sum, id}
}

// appendName appends the bucket/name in an engine key of a record.
func appendName(dst, key []byte) []byte {
	n := int(key[5])
	dst = append(append(dst, key[6:6+n]...), '/')
	return append(dst, key[6+n+8:]...)
}

// honest checks that the context of a response covers no more than it may.
func (w *World) honest(r *history.Response, bucket, name string) {
	c, err := w.sealer.Open(bucket, name, r.Context)
	if err != nil {
		w.violatef(history.Context, r.Op.Key, "the context in the answer to %v cannot be opened: %v", r.Op, err)
		return
	}
	w.violate(w.hist.Honest(r, func(id uint64) bool {
		for _, d := range w.eyes.byOp[id] {
			if c.Covers(d) {
				return true
			}
		}
		return false
	}))
}

// asked looks at the storage operations of a turn: one that asks whether a
// request was stored means that it was sent on a second time.
func (w *World) asked(m *machine) {
	for i := range m.ops {
		if op := &m.ops[i]; op.Verb == replica.Recall {
			w.resent(op.Request)
		}
		w.trace.asked(m, &m.ops[i])
	}
}

// noteSend looks at a message that a node sends.
func (w *World) noteSend(m *node.Message) {
	if m.Kind != node.KindForward {
		return
	}
	if m.Request.Retry {
		w.resent(m.Request.Token)
	}
	if op := w.eyes.tokens[m.Request.Token]; op != nil {
		op.Passed = true
	}
}

func (w *World) resent(token uint64) {
	if op := w.eyes.tokens[token]; op != nil {
		op.Resent = true
	}
}

// brokenDot is the core's own alarm.
func (w *World) brokenDot(m *machine, f *fact.Fact) {
	w.violatef(history.DotReused, "", "%s: %v", m.id, f)
}
