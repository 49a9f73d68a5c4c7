package handoff_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

var key = ring.NewKey("b", "k")

// world is a holder with one key, the nodes that are or become its primaries, and
// everything between them, with real replicas at all ends. Whoever drives it
// chooses what happens next.
type world struct {
	t        testing.TB
	scope    *scope
	now      clock.Now
	machine  *handoff.Handoff
	runs     uint64
	holder   *node
	pending  []byte // as stored at the holder
	nodes    map[ring.NodeID]*node
	lists    [][]ring.NodeID // of primaries: all that were in force, the present one last
	asks     []handoff.Ask   // on their way
	answers  []answer        // on their way back
	ops      []replica.Op    // at the holder's storage, not carried out yet
	scans    int             // asked for and not done
	writes   int
	turns    int // of each kind of event there may be only so many
	restarts int
	effects  handoff.Effects
}

// node is a node and what it stores of the key as its own.
type node struct {
	id      ring.NodeID
	down    bool
	replica *replica.Replica
	stored  []byte
	told    []told
}

// told is that a node was told who missed a state, and what it had then.
type told struct {
	missed ring.NodeID
	had    causal.Claims
}

type answer struct {
	from ring.NodeID
	replica.Answer
}

func (w *world) Self() ring.NodeID { return self }

func (w *world) Usable(id ring.NodeID) bool { return id != self && !w.nodes[id].down }

func (w *world) primaries() []ring.NodeID { return w.lists[len(w.lists)-1] }

func (w *world) Primaries(uint32, string) []ring.NodeID { return w.primaries() }

func newWorld(t testing.TB, s *scope) *world {
	w := &world{t: t, scope: s, nodes: map[ring.NodeID]*node{}, lists: [][]ring.NodeID{{"a", "b", "c"}}}
	for i, id := range []ring.NodeID{"a", "b", "c", "x", self} {
		w.nodes[id] = &node{id: id, replica: replica.New(replica.Config{Run: uint64(10 + i)})}
	}
	for _, id := range s.down {
		w.nodes[id].down = true
	}
	w.holder = w.nodes[self]
	w.start()
	w.write()
	w.now.Wall += s.aged.Milliseconds()
	w.tick(0)
	return w
}

// start begins a run of the holder. Nothing is left of the last one but what is
// on its way, and on the disk.
func (w *world) start() {
	w.runs++
	w.machine = handoff.New(handoff.Config{First: w.runs << 32})
	w.ops, w.scans = nil, 0
	w.effects.Reset()
}

// write has the holder take another version in the stead of all targets.
func (w *world) write() {
	w.writes++
	op := replica.Op{
		Verb: replica.Write, Key: key, Pending: true, Targets: w.scope.targets,
		Mint: &replica.Mint{Value: []byte{byte(w.writes)}},
	}
	res := w.holder.replica.Do(w.now, w.pending, &op, nil)
	if res.Answer.Status != replica.Have {
		w.t.Fatalf("write: %+v", res.Answer)
	}
	w.pending = res.Record
	w.machine.Kept(w.now)
}

func (w *world) tick(after time.Duration) {
	w.now.Mono += after
	w.now.Wall += after.Milliseconds()
	w.machine.Tick(w.now, w, &w.effects)
	w.drain()
}

func (w *world) drain() {
	w.asks = append(w.asks, w.effects.Asks...)
	w.ops = append(w.ops, w.effects.Ops...)
	w.scans += len(w.effects.Scans)
	w.effects.Reset()
}

func (w *world) scan() {
	w.scans--
	var page replica.Page
	if w.pending != nil {
		h, err := w.holder.replica.Hold(w.pending)
		if err != nil {
			w.t.Fatal(err)
		}
		h.Key = key
		page.Held = []replica.Held{h}
	}
	w.machine.Page(w.now, &page, w, &w.effects)
	w.drain()
}

// deliver carries out an ask as a node does; its answer is on its way then. What
// is not synced is lost at once, and the answer says that it is not.
func (w *world) deliver(i int, synced bool) {
	ask := w.asks[i]
	n, op := w.nodes[ask.To], ask.Op
	serves := slices.Contains(w.primaries(), n.id)
	switch {
	case serves:
		op.Pending, op.Targets = false, nil
	case op.Pending && slices.Equal(op.Targets, []ring.NodeID{n.id}):
		w.answers = append(w.answers, answer{n.id, replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Failed, Reason: replica.NotPrimary}})
		return
	}
	a := w.join(n, op, synced)
	a.Durable = synced
	w.answers = append(w.answers, answer{n.id, a})
}

// join merges a state into a node's own record.
func (w *world) join(n *node, op replica.Op, synced bool) replica.Answer {
	res := n.replica.Do(w.now, n.stored, &op, nil)
	if !synced {
		return res.Answer
	}
	if res.Record != nil {
		n.stored = res.Record
	}
	if op.Missed != "" {
		n.told = append(n.told, told{op.Missed, w.has(n)})
	}
	return res.Answer
}

// shelve answers an ask as a node that keeps it in the stead of others would.
func (w *world) shelve(i int) {
	ask := w.asks[i]
	w.answers = append(w.answers, answer{ask.To, replica.Answer{
		ID: ask.Op.ID, Verb: ask.Op.Verb, Status: replica.Have, Durable: true, Pending: true,
	}})
}

func (w *world) answer(i int) {
	a := w.answers[i]
	w.machine.Answer(w.now, a.from, &a.Answer, w, &w.effects)
	w.drain()
}

// do carries out the first operation at the holder's storage.
func (w *world) do() {
	op := w.ops[0]
	w.ops = w.ops[1:]
	var a replica.Answer
	if op.Pending {
		before := w.owed()
		res := w.holder.replica.Do(w.now, w.pending, &op, nil)
		had := w.kept()
		switch a = res.Answer; {
		case res.Drop:
			w.pending = nil
		case res.Record != nil:
			w.pending = res.Record
		}
		w.checkPaid(before, had)
	} else {
		a = w.join(w.holder, op, true)
	}
	a.Durable = op.Verb != replica.Paid
	w.machine.Complete(w.now, &a, w, &w.effects)
	w.drain()
}

// owed returns to whom the pending record is owed.
func (w *world) owed() []ring.NodeID {
	if w.pending == nil {
		return nil
	}
	owed, _, _, err := replica.DecodePending(w.pending)
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []ring.NodeID
	for _, o := range owed {
		ids = append(ids, o.Target)
	}
	return ids
}

// kept returns what the pending record holds.
func (w *world) kept() causal.Claims {
	if w.pending == nil {
		return causal.Claims{}
	}
	_, _, record, err := replica.DecodePending(w.pending)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := replica.DecodeRecord(record)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Claims
}

// has returns what a node holds as its own.
func (w *world) has(n *node) causal.Claims {
	if n.stored == nil {
		return causal.Claims{}
	}
	s, err := replica.DecodeRecord(n.stored)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Claims
}
