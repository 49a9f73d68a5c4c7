package sim

import (
	"cmp"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/sim/history"
)

// DefaultOps is how many operations a run does unless told otherwise.
const DefaultOps = 2000

// Options say what one run is to do.
type Options struct {
	Seed  uint64
	Ops   int  // operations of clients; default [DefaultOps]
	Nodes int  // how many nodes; 0: the seed draws it
	Calm  bool // no faults
	Ring  Ring // whether the ring changes
	Types bool // besides, clients of a bucket of data types
	Lists bool // keys are listed while clients work
	Own   bool // clients coordinate half of the reads themselves
	// Durable has every acknowledgement wait for the disk, in all buckets.
	Durable bool
	// Trace is written a line for everything that happens; TraceKey limits it
	// to one key, in the form bucket/name.
	Trace    io.Writer
	TraceKey string
}

// Report is what one run found.
type Report struct {
	Seed      uint64
	Ops       int
	Shape     string
	Hash      uint64 // of everything that happened
	Stats     Stats
	Violation *history.Violation // nil: every promise was kept
}

// Run lets a seed draw a cluster, a load and faults, runs it to the end and
// checks every promise. Equal options give equal reports.
func Run(o Options) Report {
	if o.Ops == 0 {
		o.Ops = DefaultOps
	}
	s := draw(&o)
	s.cfg.Trace, s.cfg.TraceKey = o.Trace, o.TraceKey
	rep := Report{Seed: o.Seed, Ops: o.Ops, Shape: s.String()}
	w, err := New(s.cfg)
	if err != nil {
		rep.Violation = &history.Violation{Promise: history.Panicked, Detail: err.Error()}
		return rep
	}
	w.protect(func() { w.play(&s, o.Ops) })
	rep.Violation, rep.Hash = w.broken, w.hash
	w.stats.Virtual = cmp.Or(w.healed, w.now).Seconds()
	w.stats.History = w.hist.Stats
	if w.hist.Loose {
		w.stats.Loose = 1
	}
	w.stats.Quorums = w.stats.Quorums.runs()
	rep.Stats = w.stats
	return rep
}

// protect turns a panic into a broken promise.
func (w *World) protect(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			w.violatef(history.Panicked, "", "%v\n%s", p, stack())
		}
	}()
	fn()
}

// stack returns where a panic came from.
func stack() string {
	s := string(debug.Stack())
	if _, after, ok := strings.Cut(s, "panic("); ok {
		s = after
	}
	return s
}

// play runs the clients among faults, then heals everything and judges.
func (w *World) play(s *shape, ops int) {
	w.tracef("%s", s)
	n := w.unleash(s)
	op := w.employ(s, n)
	w.stats.Governed, w.stats.HotKeys = one(s.cfg.Admit), one(s.cfg.Node.MaxPerKey > 0)
	w.hist.Moves = w.cfg.Changes
	l := w.engage(s, ops)
	t := w.employTypists(s, ops/2)
	lists := w.lists(s)
	w.RunUntil(func() bool { return l.working+t.working == 0 })
	lists.ended = true
	op.end()
	n.end()
	w.healed = w.now
	if w.broken != nil {
		return
	}
	if s.calm {
		w.checkCalm()
	}
	w.settle(s)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// checkCalm: where nothing went wrong, nothing may fail but what the client
// asked for too much of.
func (w *World) checkCalm() {
	for _, op := range w.hist.Ops() {
		if op.Outcome != history.OK && !op.Limited {
			w.violatef(history.Unavailable, op.Key, "%v ended %v with nothing being wrong", op, op.Outcome)
		}
	}
}

// settle heals everything, lets the replicas agree and judges the history.
func (w *World) settle(s *shape) {
	w.net.cfg.Loss, w.net.cfg.Duplicate = 0, 0
	w.comparing(false)
	w.scrubbing(false)
	w.emptyFormer()
	for _, m := range w.nodes {
		w.restart(m)
	}
	w.RunFor(w.net.cfg.Detect + w.net.cfg.Reconnect + 3*time.Second)
	w.ungovern()
	w.settleRing()
	w.findRotten()
	w.scrubAll()
	w.recoverAll()
	if s.alone {
		w.agree(s)
	}
	w.idle("before reading everything")
	if s.alone {
		w.equal("nodes compared themselves")
	}
	w.tracef("HEALED: reading every key with r=n")
	w.repairAll()
	w.unreaped()
	w.readAll("the second reading", len(w.serving()))
	w.typists.judge("the reading")
	for _, m := range w.nodes {
		w.kill(m, 0)
		w.restart(m)
	}
	w.RunFor(w.net.cfg.Detect + w.net.cfg.Reconnect + time.Second)
	w.recoverAll() // what was in write buffers
	w.readAll("the reading after a power cut", 1)
	w.typists.judge("the reading after a power cut")
	if w.broken == nil {
		w.violate(w.hist.Judge())
	}
	if w.broken == nil {
		w.listAll(s.buckets)
	}
	// Disks that may have only so few batches under way refuse what comes then, as
	// they should; that says nothing of how a node that hangs is dealt with.
	// Where nobody keeps hints only the primaries are left to take a write.
	if w.broken == nil && w.cfg.Runner.MaxBatches == 0 && !s.unhinted {
		w.hang()
	}
}

// repairAll reads every key once, after which its replicas must be equal, whatever
// was pruned.
func (w *World) repairAll() {
	w.readAll("the first reading", 1)
	w.idle("after the first reading")
	w.equal("a read of all replicas")
}

// idle lets everything that is under way end, and checks that nothing is left
// of it.
func (w *World) idle(when string) {
	w.rest()
	if w.broken != nil {
		return
	}
	for _, m := range w.nodes {
		if requests, foreign := m.core.Held(); requests != 0 || foreign != 0 {
			w.violatef(history.Grown, "", "%s: %s holds %d requests and %d operations of peers, and nothing is under way", when, m.id, requests, foreign)
		}
		w.addUp(m, when)
		if len(m.open) != 0 {
			w.violatef(history.Answers, m.open[0].key, "%s: %s has not answered %d requests, and nothing is under way", when, m.id, len(m.open))
		}
		if bytes := m.runner.PendingBytes(); bytes != 0 {
			w.violatef(history.Diverged, "", "%s: %s still keeps %d bytes for others, though everybody can be reached", when, m.id, bytes)
		}
		if w.broken == nil && !w.cfg.Changes && m.disk.Pending() != 0 {
			w.bug("%s: %s has %d batches unsynced, and nothing is under way", when, m.id, m.disk.Pending())
		}
	}
}

// unreaped checks that no tombstone is left: everybody can be reached, and the
// world came to rest.
func (w *World) unreaped() {
	if !w.cfg.Reap || w.broken != nil {
		return
	}
	v := w.tombstone()
	for end := w.now + reapWithin; w.cfg.Changes && v != nil && w.broken == nil && w.now < end; v = w.tombstone() {
		w.RunFor(time.Second)
	}
	w.violate(v)
}

// reapWithin is how long tombstones may take to go where the ring changes: there a
// world never comes to rest.
const reapWithin = 10 * time.Minute

// tombstone finds one that is left; nil: there is none.
func (w *World) tombstone() *history.Violation {
	for _, name := range w.hist.Keys() {
		bucket, rest, _ := strings.Cut(name, "/")
		for _, m := range w.nodes {
			if s, _, found := w.state(m, keyIn(bucket, rest)); found && len(s.Versions) == 0 {
				return history.Broken(history.Unreaped, name, "%s still holds %s; it waits: %+v, %+v", m.id, tell(&s), m.core.Reaping(), m.steward.core.Epochs())
			}
		}
	}
	return nil
}

// readAll reads every key with r = n through some of the nodes. Few keys are
// read through each of them.
func (w *World) readAll(when string, through int) {
	nodes := w.serving()
	for i, name := range w.hist.Keys() {
		bucket, rest, _ := strings.Cut(name, "/")
		if through > 1 && i > 50 {
			through = 1
		}
		for j := range through {
			m := nodes[(i+j)%len(nodes)]
			w.readOne(m, bucket, rest, fmt.Sprintf("%s through %s", when, m.id))
			w.rest() // a repair that meets a full queue is dropped
			if w.broken != nil {
				return
			}
		}
	}
}
