package sim

import (
	"math/rand/v2"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/wire"
)

// machine is one computer: a disk, clocks, and, while it is up, one process
// with a node in it. It does what package host does, on virtual time: inputs
// queue, a turn works through all of them, the storage operations of a turn are
// one batch.
type machine struct {
	index int
	id    ring.NodeID
	disk  *platter
	rand  *rand.Rand

	alive  bool
	life   uint64        // counts the starts
	run    uint64        // the run id
	born   time.Duration // when the process started
	folder folder
	rotten [][]byte            // engine keys of records that were damaged
	leaves map[string][][]byte // likewise of leaves, and what became of them
	first  *image              // its disk as it was before its first epoch

	forgot     bool          // the links know another disk of it, and this one does not say so
	failed     bool          // a sync of what the steward wants kept has failed
	reaped     time.Duration // on its clock, when it dropped a tombstone last
	former     bool          // its disk was replaced after it had left the cluster for ever
	empty      bool          // or when it was to leave, and had handed on all that it held
	recovering bool          // something was, when the process started
	lost       int           // partitions in which the write buffer of the process before is gone
	rolledBack bool          // its data is older than what the others have reaped
	unheard    bool          // it was restored, and no other node has told it so yet: clients leave it alone
	skew       int64         // wall clock minus true time, in ms
	paused     int           // reasons for which it stands still
	full       int           // reasons for which its disk has no room
	rested     time.Duration // when it last stood still

	core    *node.Node
	replica *replica.Replica
	runner  *disk.Runner
	steward *keeper       // nil: nothing is reaped, and the ring does not change
	view    *node.View    // that it goes by
	dials   []ring.NodeID // to whom there are to be links, where the ring changes

	busy    time.Duration // until when it reads its disk
	sample  admit.Sample  // what its clients saw since its core was told
	inbox   []item
	turning bool          // a turn is scheduled
	tickAt  time.Duration // when the next tick is scheduled; 0: none
	open    []*attempt    // requests of clients that this process has not answered

	spare    []item
	out      node.Out
	ops      []replica.Op
	answers  []replica.Answer
	delivery node.Delivery
	complete node.Completion
}

// item is something in an inbox.
type item struct {
	request *node.Request
	input   node.Input
	from    *machine // frames
	session uint64
	body    []byte
	synced  bool
	seq     uint64
	err     error
	steward steward.Input
	queued  time.Duration
}

// clock reads both clocks of a machine.
func (w *World) clock(m *machine) clock.Now {
	return clock.Now{Mono: w.now - m.born, Wall: w.wall() + m.skew}
}

// take puts something into a machine's inbox; a turn follows.
func (w *World) take(m *machine, it item) {
	it.queued = w.now
	m.inbox = append(m.inbox, it)
	w.wake(m)
}

// wake schedules a turn.
func (w *World) wake(m *machine) {
	if m.turning || m.paused > 0 || !m.alive {
		return
	}
	m.turning = true
	w.queue.push(event{at: max(w.now+w.cfg.Turn, m.busy), what: evTurn, node: m.index, life: m.life})
}

// turn works through the inbox.
func (w *World) turn(m *machine) {
	m.turning = false
	if m.busy > w.now { // the turn before has read meanwhile
		w.wake(m)
		return
	}
	now := w.clock(m)
	items := m.inbox
	m.inbox = m.spare[:0]
	if len(items) > 0 {
		w.waited(m, &items[0])
	}
	for i := range items {
		w.step(m, now, &items[i])
	}
	clear(items)
	m.spare = items[:0]
	if at, ok := m.core.Deadline(); ok && at <= now.Mono {
		m.core.Step(now, node.Tick{}, &m.out)
	}
	w.work(m, now)
	w.scan(m)
	w.survey(m, now)
	w.read(m)
	if m.runner.Err() != nil || m.failed {
		w.crash(m) // the process ends itself: the engine can't be trusted any more
		return
	}
	if m.rolledBack {
		w.startOver(m)
		return
	}
	if m.forgot {
		w.refused(m, m)
		w.comeBack(m)
		return
	}
	w.flush(m)
	w.sync(m)
	w.schedule(m)
}

// step gives the core one input.
func (w *World) step(m *machine, now clock.Now, it *item) {
	switch {
	case it.request != nil:
		m.core.Step(now, it.request, &m.out)
	case it.input != nil:
		if l, ok := it.input.(*node.Link); ok {
			w.tellSteward(m, now, &steward.Link{Peer: l.Peer, Up: l.Up, Disk: w.mustID(l.Peer).folder.disk})
		}
		m.core.Step(now, it.input, &m.out)
	case it.steward != nil:
		w.tellSteward(m, now, it.steward)
	case it.synced:
		m.answers = m.answers[:0]
		m.runner.Synced(it.seq, it.err, &m.answers)
		w.completions(m, now)
		w.founds(m)
	default:
		msg, err := wire.DecodeMessage(it.body)
		if err != nil {
			w.bug("%s cannot decode a frame from %s: %v", m.id, it.from.id, err)
			return
		}
		if steward.Takes(msg.Kind) {
			w.tellSteward(m, now, &steward.Told{From: it.from.id, Message: &msg})
			return
		}
		if !steward.Admits(w.view(m), it.from.id, msg.Kind) {
			return
		}
		m.delivery = node.Delivery{From: it.from.id, Session: it.session, Message: msg}
		m.core.Step(now, &m.delivery, &m.out)
	}
}

// work runs the storage operations and the steward until neither brings the
// other anything more to do.
func (w *World) work(m *machine, now clock.Now) {
	for {
		w.store(m, now)
		w.attend(m, now)
		if len(m.out.Ops) == 0 && m.out.Want == 0 && len(m.out.Proven) == 0 && len(m.out.Fetches) == 0 && m.out.Clean == nil {
			return
		}
	}
}

// store runs the storage operations, each round in one batch, until their
// answers bring no more of them.
func (w *World) store(m *machine, now clock.Now) {
	for len(m.out.Ops) > 0 {
		m.ops, m.out.Ops = m.out.Ops, m.ops[:0]
		w.asked(m)
		m.answers = m.answers[:0]
		if err := m.runner.Run(now, m.ops, &m.answers, &m.out.Facts); err != nil {
			w.tracef("%s: %v", m.id, err)
		}
		if found := m.runner.Mortals(); m.steward != nil && len(found) > 0 {
			m.core.Step(now, &node.Mortals{Found: found}, &m.out)
		}
		clear(m.ops)
		w.completions(m, now)
	}
}

// scan looks for pending records; what it finds comes with the next turn.
func (w *World) scan(m *machine) {
	for i := range m.out.Scans {
		s := &m.out.Scans[i]
		w.take(m, item{input: &node.Page{Page: m.runner.Scan(s.From, s.Limit)}})
	}
	clear(m.out.Scans)
	m.out.Scans = m.out.Scans[:0]
	for i := range m.out.Sweeps {
		s := &m.out.Sweeps[i]
		w.take(m, item{input: &node.Swept{Sweep: m.runner.Sweep(s.From, s.Limit)}})
	}
	clear(m.out.Sweeps)
	m.out.Sweeps = m.out.Sweeps[:0]
	for i := range m.out.Scrubs {
		s := &m.out.Scrubs[i]
		w.take(m, item{input: &node.Scrubbed{Scrubbed: m.runner.Scrub(w.clock(m), s.From, s.Limit, s.Note, &m.out.Facts)}})
	}
	clear(m.out.Scrubs)
	m.out.Scrubs = m.out.Scrubs[:0]
}

// survey looks at what is stored of partitions, for a comparison.
func (w *World) survey(m *machine, now clock.Now) {
	for i := range m.out.Surveys {
		m.runner.Survey(now, &m.out.Surveys[i], &m.out.Facts)
	}
	clear(m.out.Surveys)
	m.out.Surveys = m.out.Surveys[:0]
	w.founds(m)
}

// founds passes on what was found and may be shown, with the next turn.
func (w *World) founds(m *machine) {
	var found []replica.Found
	m.runner.Founds(&found)
	for i := range found {
		w.take(m, item{input: &node.Found{Found: found[i]}})
	}
}

func (w *World) completions(m *machine, now clock.Now) {
	for i := range m.answers {
		m.complete.Answer = m.answers[i]
		m.core.Step(now, &m.complete, &m.out)
	}
	clear(m.answers)
}

// flush carries out the other effects.
func (w *World) flush(m *machine) {
	for i := range m.out.Facts {
		w.observe(m, &m.out.Facts[i])
	}
	for i := range m.out.Sends {
		s := &m.out.Sends[i]
		to := w.byID(s.To)
		if to == nil {
			w.bug("%s sends to %q, which is no node", m.id, s.To)
			continue
		}
		w.noteSend(&s.Message)
		w.noteSurvey(m, to, &s.Message)
		w.knows(m, &s.Message)
		body := wire.AppendMessage(nil, &s.Message)
		w.trace.frame(w.now, "sends", m, to, body)
		w.look(s.Message.Kind, len(body))
		w.send(m, to, body)
	}
	for i := range m.out.Compared {
		w.compared(m, &m.out.Compared[i])
	}
	for i := range m.out.Listed {
		w.paged(m, &m.out.Listed[i])
	}
	for i := range m.out.Replies {
		w.reply(m, &m.out.Replies[i])
	}
	m.out.Reset()
}

// schedule makes sure that a tick comes at the core's deadline. A tick that is
// scheduled earlier looks again when it comes.
func (w *World) schedule(m *machine) {
	at, ok := m.deadline()
	if !ok {
		return
	}
	at = max(at+m.born, w.now)
	if m.tickAt != 0 && m.tickAt <= at {
		return
	}
	m.tickAt = at
	w.queue.push(event{at: at, what: evTick, node: m.index, life: m.life})
}

// deadline is when the node, or its steward, has something to do.
func (m *machine) deadline() (time.Duration, bool) {
	at, ok := m.core.Deadline()
	if m.steward == nil {
		return at, ok
	}
	if due := m.steward.core.Deadline(); due < 1<<63-1 && (!ok || due < at) {
		return due, true
	}
	return at, ok
}

// tick wakes a machine whose deadline has come.
func (w *World) tick(m *machine, at time.Duration) {
	if m.tickAt != at {
		return // another one was scheduled before it
	}
	m.tickAt = 0
	if due, ok := m.deadline(); ok && due+m.born <= w.now {
		w.wake(m)
	} else {
		w.schedule(m)
	}
}

// tell tells the sending end of a link whether it is up.
func (w *World) tell(l *link, up bool) {
	if !l.from.alive {
		return
	}
	w.tracef("link %s -> %s up=%v", l.from.id, l.to.id, up)
	w.take(l.from, item{input: &node.Link{Peer: l.to.id, Up: up}})
}

// start starts a process on a machine.
func (w *World) start(m *machine) {
	m.alive, m.born, m.turning, m.tickAt, m.dials = true, w.now, false, 0, nil
	m.failed, m.forgot = false, false
	m.life++
	w.begin(m)
	w.open(m)
	m.inbox, m.spare, m.out = nil, nil, node.Out{}
	rc := w.cfg.Replica
	rc.Run = m.run
	m.replica = replica.New(rc)
	life := m.life
	dc := w.cfg.Runner
	if n := len(w.cfg.LeafKeys); n > 0 {
		dc.LeafKeys = w.cfg.LeafKeys[m.index%n]
	}
	if w.cfg.Admit {
		dc.Read, dc.Clock = m.sample.Reads.Note, func() time.Duration { return w.diskClock(m) }
		m.sample = admit.Sample{}
		w.govern(m)
	}
	m.busy, m.disk.spent = 0, 0
	m.runner = disk.New(dc, m.disk, m.replica, func(seq uint64, err error) {
		if m.life == life {
			w.take(m, item{synced: true, seq: seq, err: err})
		}
	})
	m.tellFull()
	nc := w.cfg.Node
	nc.Run, nc.Marks = m.run, m.runner.Marks()
	nc.Transfer.Held = m.runner.Holdings()
	nc.Repair.Off = !w.cfg.Compare
	nc.Handoff.Found = m.runner.Owing()
	nc.Reap.Off = !w.cfg.Reap
	nc.Scrub.Off, nc.Scrub.Note = !w.cfg.Scrub, m.runner.ScrubNote()
	m.view = w.view(m)
	m.core = node.New(nc, m.view)
	w.recall(m)
	w.tracef("%s starts, run %016x", m.id, m.run)
	w.begins(m)
	for i := range w.nodes {
		if i != m.index {
			w.mend(w.net.link(m.index, i))
			w.fall(w.net.link(i, m.index)) // whoever has not noticed yet does now
			w.mend(w.net.link(i, m.index))
		}
	}
}

// begin draws a run id.
func (w *World) begin(m *machine) {
	m.run = xxh3.HashSeed([]byte(m.id), m.rand.Uint64()) | 1
	w.runs[m.run] = m.id
}

// crash ends the process on a machine as a power failure would: of what was not
// synced, a part that is drawn is lost.
func (w *World) crash(m *machine) {
	if !m.alive {
		return
	}
	pending := m.disk.Pending()
	keep := 0
	if pending > 0 {
		keep = m.rand.IntN(pending + 1)
	}
	w.kill(m, keep)
}

// kill ends the process on a machine; of the batches that were not synced the
// first keep are left.
func (w *World) kill(m *machine, keep int) {
	w.tracef("%s crashes; %d batches were not synced, %d of them are kept", m.id, m.disk.Pending(), keep)
	m.alive, m.folder.alive = false, w.clock(m).Wall
	if since, any := m.disk.unsynced(keep); any {
		w.hist.Lost(history.Loss{Node: m.index, From: since, To: w.now})
	}
	m.disk.crash(keep)
	w.addUp(m, "after a crash")
	m.core, m.runner, m.replica, m.steward, m.inbox = nil, nil, nil, nil, nil
	m.out = node.Out{}
	for i := range w.nodes {
		if i == m.index {
			continue
		}
		w.orphan(w.net.link(m.index, i))
		w.fallLate(w.net.link(i, m.index))
	}
	open := m.open
	m.open = nil
	for _, a := range open {
		w.disconnect(a)
	}
}

// observe looks at what the core states.
func (w *World) observe(m *machine, f *fact.Fact) {
	w.stats.fact(f)
	switch f.Kind {
	case fact.Pruned, fact.ExceptionDropped:
		w.hist.Loose = true
	case fact.NotHandedOver:
		// A disk that is new hands over before it knows the epoch it was born in.
		if f.Note == replica.Stale.String() && !m.recovering {
			w.violatef(history.Unreaped, "", "%s keeps for %s what is too old to be handed over", m.id, f.Peer)
		}
	case fact.DotReused:
		w.brokenDot(m, f)
	case fact.Reaped:
		m.reaped = f.At
	}
	w.trace.fact(w.now, m, f)
}
