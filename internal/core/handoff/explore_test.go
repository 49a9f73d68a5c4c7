package handoff_test

import (
	"fmt"
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

// world is a holder with one key, its targets, and everything between them,
// with real replicas at both ends. Whoever drives it chooses what happens next.
type world struct {
	t        testing.TB
	now      clock.Now
	machine  *handoff.Handoff
	holder   *replica.Replica
	pending  []byte // as stored at the holder
	targets  []*node
	asks     []handoff.Ask // on their way
	answers  []answer      // on their way back
	payments []replica.Op  // not carried out yet
	scans    int           // asked for and not done
	owed     map[ring.NodeID]causal.Claims
	writes   int
	effects  handoff.Effects
}

type node struct {
	id      ring.NodeID
	replica *replica.Replica
	stored  []byte
}

type answer struct {
	from ring.NodeID
	replica.Answer
}

func (w *world) Usable(ring.NodeID) bool { return true }

func newWorld(t testing.TB, targets int) *world {
	w := &world{
		t: t, machine: handoff.New(handoff.Config{}), holder: replica.New(replica.Config{Run: 1}),
		owed: map[ring.NodeID]causal.Claims{},
	}
	for i := range targets {
		id := ring.NodeID(fmt.Sprintf("t%d", i))
		w.targets = append(w.targets, &node{id: id, replica: replica.New(replica.Config{Run: uint64(10 + i)})})
	}
	w.write()
	w.tick(0)
	return w
}

// write has the holder take another version in the stead of all targets.
func (w *world) write() {
	w.writes++
	op := replica.Op{
		Verb: replica.Write, Key: key, Pending: true,
		Mint: &replica.Mint{Value: []byte{byte(w.writes)}},
	}
	for _, n := range w.targets {
		op.Targets = append(op.Targets, n.id)
	}
	res := w.holder.Do(w.now, w.pending, &op, nil)
	if res.Answer.Status != replica.Have {
		w.t.Fatalf("write: %+v", res.Answer)
	}
	w.pending = res.Record
	dot := causal.Claims{Exceptions: []causal.Dot{res.Answer.Dot}}
	for _, n := range w.targets {
		w.owed[n.id] = w.owed[n.id].Union(dot)
	}
}

func (w *world) tick(after time.Duration) {
	w.now.Mono += after
	w.now.Wall += after.Milliseconds()
	w.machine.Tick(w.now, w, &w.effects)
	w.drain()
}

func (w *world) drain() {
	w.asks = append(w.asks, w.effects.Asks...)
	w.payments = append(w.payments, w.effects.Ops...)
	w.scans += len(w.effects.Scans)
	w.effects.Reset()
}

func (w *world) scan() {
	w.scans--
	var page replica.Page
	if w.pending != nil {
		h, err := w.holder.Hold(w.pending)
		if err != nil {
			w.t.Fatal(err)
		}
		h.Key = key
		page.Held = []replica.Held{h}
	}
	w.machine.Page(w.now, &page, w, &w.effects)
	w.drain()
}

// deliver carries out an ask; its answer is on its way then.
func (w *world) deliver(i int) {
	ask := w.asks[i]
	for _, n := range w.targets {
		if n.id == ask.To {
			res := n.replica.Do(w.now, n.stored, &ask.Op, nil)
			if res.Record != nil {
				n.stored = res.Record
			}
			res.Answer.Durable = true
			w.answers = append(w.answers, answer{n.id, res.Answer})
		}
	}
}

func (w *world) answer(i int) {
	a := w.answers[i]
	w.machine.Answer(w.now, a.from, &a.Answer, w, &w.effects)
	w.drain()
}

func (w *world) pay() {
	op := w.payments[0]
	w.payments = w.payments[1:]
	res := w.holder.Do(w.now, w.pending, &op, nil)
	switch {
	case res.Drop:
		w.pending = nil
	case res.Record != nil:
		w.pending = res.Record
	}
	w.machine.Complete(w.now, &res.Answer, w, &w.effects)
	w.drain()
}

// check fails where a target lacks what it is not owed any more.
func (w *world) check(how []int) {
	var owed []replica.Owed
	if w.pending != nil {
		var err error
		if owed, _, err = replica.DecodePending(w.pending); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, n := range w.targets {
		if slices.ContainsFunc(owed, func(o replica.Owed) bool { return o.Target == n.id }) {
			continue
		}
		var has causal.State
		if n.stored != nil {
			var err error
			if has, err = replica.DecodeRecord(n.stored); err != nil {
				w.t.Fatal(err)
			}
		}
		for _, d := range w.owed[n.id].Exceptions {
			if !has.Covers(d) {
				w.t.Fatalf("after %v: %s is owed nothing and lacks %v", how, n.id, d)
			}
		}
	}
}

// choices lists what may happen next.
func (w *world) choices() []func() {
	var c []func()
	if w.scans > 0 {
		c = append(c, w.scan)
	}
	if w.writes < 2 {
		c = append(c, w.write)
	}
	for i := range w.asks {
		c = append(c,
			func() { w.deliver(i); w.asks = slices.Delete(w.asks, i, i+1) },
			func() { w.deliver(i) }, // and again later
			func() { w.asks = slices.Delete(w.asks, i, i+1) })
	}
	for i := range w.answers {
		c = append(c,
			func() { w.answer(i); w.answers = slices.Delete(w.answers, i, i+1) },
			func() { w.answer(i) })
	}
	if len(w.payments) > 0 {
		c = append(c, w.pay)
	}
	return append(c, func() { w.tick(11 * time.Second) })
}

// explore runs every history of up to depth events, each from the beginning,
// and then lets all go well.
func explore(t *testing.T, targets, depth int) int {
	histories := 0
	var how []int
	for {
		w := newWorld(t, targets)
		width := make([]int, 0, depth)
		for i := range depth {
			c := w.choices()
			width = append(width, len(c))
			if i == len(how) {
				how = append(how, 0)
			}
			c[how[i]]()
			w.check(how[:i+1])
		}
		w.settle(how)
		histories++
		i := depth - 1
		for ; i >= 0 && how[i]+1 == width[i]; i-- {
			how = how[:i]
		}
		if i < 0 {
			return histories
		}
		how[i]++
	}
}

// settle lets everything arrive; in the end nothing may be owed.
func (w *world) settle(how []int) {
	for range 40 {
		for w.scans > 0 {
			w.scan()
		}
		for len(w.asks) > 0 {
			w.deliver(0)
			w.asks = w.asks[1:]
		}
		for len(w.answers) > 0 {
			w.answer(0)
			w.answers = w.answers[1:]
		}
		for len(w.payments) > 0 {
			w.pay()
		}
		w.check(how)
		if w.pending == nil {
			return
		}
		w.tick(11 * time.Second)
	}
	w.t.Fatalf("after %v: what is owed is not handed over, though all goes well", how)
}

// TestEveryOrder: whatever is lost, late, duplicated or written meanwhile, a
// target is owed a record until it has it, and gets it in the end.
func TestEveryOrder(t *testing.T) {
	for targets, depth := range []int{1: 7, 2: 5} {
		if targets > 0 {
			t.Logf("%d targets, %d events: %d histories", targets, depth, explore(t, targets, depth))
		}
	}
}
