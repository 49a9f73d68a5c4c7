package host

import (
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/hot"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/wire"
)

// gap is how far the wall clock may move against the monotonic one between two
// turns before the run id is drawn anew: the process may have been suspended and
// cloned (RULES R1). A new run costs one vector entry per record written later.
const gap = 2 * time.Second

// shard is one goroutine's share of a node. Only its own goroutine touches it,
// the inbox apart.
type shard struct {
	host    *Host
	index   int
	in      *inbox
	core    *node.Node
	disk    *disk.Runner
	replica *replica.Replica
	out     node.Out
	calls   map[uint64]*call
	lists   map[uint64]*listCall
	peeks   map[uint64]*peek
	ticket  uint64
	peers   []outbox
	stopped bool

	delivery   node.Delivery // reused: the core keeps no input
	completion node.Completion
	answers    []replica.Answer
	ops        []replica.Op
	found      []replica.Found
	oldest     atomic.Int64  // since when the oldest hint is kept, for other goroutines
	drift      time.Duration // wall minus monotonic clock at the last turn
	slept      time.Duration // by how much the monotonic clock is behind

	sample    admit.Sample  // what clients saw of this shard since the last time it was added up
	sampledAt time.Duration // when that was
	due       admit.Sample  // what the core is to be told; see load
	told      bool          // it will be
	admission atomic.Pointer[admit.Status]
	hot       atomic.Pointer[hot.Status]

	shown  atomic.Pointer[shown]
	scrubs atomic.Pointer[scrubs]
	moving atomic.Pointer[transfers]
}

// outbox is what one turn has for one peer.
type outbox struct {
	to  ring.NodeID
	buf []byte
}

func newShard(h *Host, index int, view *node.View) *shard {
	s := &shard{host: h, index: index, in: newInbox(h.cfg.Inbox), calls: map[uint64]*call{}, lists: map[uint64]*listCall{}, peeks: map[uint64]*peek{}}
	rc := h.cfg.Replica
	rc.Run = newRun()
	s.replica = replica.New(rc)
	s.replica.SetDoubt(h.cfg.Doubt)
	dc := h.diskOf(index)
	dc.Read, dc.Clock = s.sample.Reads.Note, func() time.Duration { return time.Since(h.started) }
	s.disk = disk.New(dc, h.engine, s.replica, func(seq uint64, err error) {
		s.in.force(item{synced: &synced{seq, err}, queued: time.Since(h.started)})
	})
	cc := h.cfg.Core
	cc.Run, cc.Sealer = newRun(), causal.NewSealer(h.cfg.ContextKey)
	cc.Handoff.Found = s.disk.Owing()
	if cc.Recovery.Wait == 0 {
		cc.Recovery.Wait = member.MaxTimeout
	}
	cc.Shard, cc.Shards, cc.Marks = index, h.cfg.Shards, s.disk.Marks()
	cc.Transfer.Held = s.disk.Holdings()
	cc.Scrub.Note, cc.Scrub.Shards = s.disk.ScrubNote(), h.cfg.Shards
	s.core = node.New(cc, view)
	s.oldest.Store(s.core.OldestHint())
	return s
}

// run is the loop of the package's documentation.
func (s *shard) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var items []item
	for !s.stopped {
		// Links that have something to read come first: the more is taken in one
		// turn, the fewer batches, syncs and system calls there are.
		runtime.Gosched()
		items = s.in.take(items)
		if len(items) == 0 {
			s.sleep(timer)
			if items = s.in.take(items); len(items) == 0 {
				s.turn(nil)
				continue
			}
		}
		for rest := items; len(rest) > 0; {
			n := portion(rest)
			s.turn(rest[:n])
			clear(rest[:n])
			rest = rest[n:]
		}
	}
	s.abandon()
}

// sleep waits for an item or for the core's deadline.
func (s *shard) sleep(timer *time.Timer) {
	at, ok := s.core.Deadline()
	if !ok {
		<-s.in.wake
		return
	}
	wait := at - s.now().Mono
	if wait <= 0 {
		return
	}
	timer.Reset(wait)
	select {
	case <-s.in.wake:
	case <-timer.C:
	}
}

// turn steps the core on the items, runs the storage operations that come of
// it, and delivers all effects.
func (s *shard) turn(items []item) {
	now := s.watchClock(s.now())
	inputs := 0
	for i := range items {
		inputs += s.take(now, &items[i])
	}
	if at, ok := s.core.Deadline(); ok && at <= now.Mono {
		s.core.Step(now, node.Tick{}, &s.out)
	}
	s.store(now)
	s.scan()
	s.sweep()
	s.scrub(now)
	s.want()
	s.survey(now)
	s.flush(now)
	s.reply()
	s.listed()
	s.peeked()
	s.tell()
	s.oldest.Store(s.core.OldestHint())
	s.show(now)
	s.showScrub(now)
	s.showTransfers(now)
	if len(items) > 0 {
		waited := now.Mono - s.slept - items[0].queued
		s.host.cfg.Observer.Turn("shard", inputs, waited)
		s.sample.Waits.Took(waited)
	}
	s.addUp(now.Mono)
}

// take steps the core on one item and returns how many inputs that was.
func (s *shard) take(now clock.Now, it *item) int {
	switch {
	case it.call != nil:
		s.begin(now, it.call)
	case it.frames != nil:
		s.deliver(now, it.frames)
		return len(it.frames.bodies)
	case it.synced != nil:
		s.sync(now, it.synced)
	case it.input != nil:
		s.core.Step(now, it.input, &s.out)
	case it.do != nil:
		it.do(s)
	}
	return 1
}

// begin steps the core on a client's request, unless the client has gone meanwhile: under
// overload that is work for nobody, and makes the others wait until they go, too.
func (s *shard) begin(now clock.Now, c *call) {
	if c.gone.Load() {
		return
	}
	s.ticket++
	c.request.ID = s.ticket
	s.calls[s.ticket] = c
	s.core.Step(now, c.request, &s.out)
}

// deliver steps the core on every message of a run of frames. One that does not
// decode is dropped: its checksum held, so the sender is of another make.
func (s *shard) deliver(now clock.Now, f *frames) {
	s.delivery.From, s.delivery.Session = f.from, f.session
	for _, body := range f.bodies {
		m, err := wire.DecodeMessage(body)
		if err != nil {
			s.out.Facts = append(s.out.Facts, fact.Fact{
				Kind: fact.Dropped, At: now.Mono, Peer: string(f.from), Note: err.Error(),
			})
			continue
		}
		s.delivery.Message = m
		s.core.Step(now, &s.delivery, &s.out)
	}
	s.delivery.Message = node.Message{}
}

// sync hands the core the answers that waited for a batch to be synced.
func (s *shard) sync(now clock.Now, y *synced) {
	s.answers = s.answers[:0]
	s.disk.Synced(y.seq, y.err, &s.answers)
	if err := s.disk.Err(); err != nil {
		s.host.fail(err)
	}
	s.complete(now)
	s.founds()
}

// store runs the storage operations of this turn, each round in one batch, until
// the answers bring no more of them.
func (s *shard) store(now clock.Now) {
	for len(s.out.Ops) > 0 {
		s.ops, s.out.Ops = s.out.Ops, s.ops[:0]
		s.answers = s.answers[:0]
		if err := s.disk.Run(now, s.ops, &s.answers, &s.out.Facts); err != nil {
			s.host.fail(err)
		}
		if found := s.disk.Mortals(); len(found) > 0 {
			s.core.Step(now, &node.Mortals{Found: found}, &s.out)
		}
		clear(s.ops)
		s.complete(now)
	}
}

func (s *shard) complete(now clock.Now) {
	for i := range s.answers {
		s.completion.Answer = s.answers[i]
		s.core.Step(now, &s.completion, &s.out)
	}
	clear(s.answers)
}

// flush encodes what is to be sent into one buffer per peer and passes each on
// once. What can't be sent is lost: the core counts silence.
func (s *shard) flush(now clock.Now) {
	for i := range s.out.Sends {
		send := &s.out.Sends[i]
		box := s.outbox(send.To)
		before := len(box.buf)
		box.buf = appendFrame(box.buf, &send.Message)
		if size := len(box.buf) - before; size > s.host.cfg.MaxFrame {
			box.buf = box.buf[:before]
			s.out.Facts = append(s.out.Facts, fact.Fact{
				Kind: fact.Dropped, At: now.Mono, Peer: string(send.To), N: size,
				Note: "larger than max-frame: raise it, or merge the siblings of the key",
			})
		}
		if len(box.buf) >= outboxKeep { // a link that can't take all of it may take some
			s.pass(box)
		}
	}
	for i := range s.peers {
		s.pass(&s.peers[i])
	}
}

// pass passes on what an outbox holds.
func (s *shard) pass(box *outbox) {
	if len(box.buf) == 0 {
		return
	}
	if err := s.host.send(box.to, box.buf); err != nil {
		s.host.cfg.Observer.Refused("link")
	}
	box.buf = trim(box.buf)
}

// outbox returns the buffer for a peer. A node has few peers, and the ones it
// talks to most come to the front.
func (s *shard) outbox(to ring.NodeID) *outbox {
	i := slices.IndexFunc(s.peers, func(b outbox) bool { return b.to == to })
	if i < 0 {
		i = s.vacant(to)
	}
	return &s.peers[i]
}

// vacant makes room for a peer: an idle buffer of one that is no member any more
// is taken over, so that passing clients leave nothing behind.
func (s *shard) vacant(to ring.NodeID) int {
	i := slices.IndexFunc(s.peers, func(b outbox) bool { return len(b.buf) == 0 && isClient(b.to) })
	if i < 0 {
		s.peers = append(s.peers, outbox{})
		i = len(s.peers) - 1
	}
	s.peers[i].to = to
	return i
}

// outboxKeep is how much memory an outbox keeps between turns, in bytes.
const outboxKeep = 256 << 10

func trim(buf []byte) []byte {
	if cap(buf) > outboxKeep {
		return nil
	}
	return buf[:0]
}

// reply answers clients.
func (s *shard) reply() {
	for i := range s.out.Replies {
		r := &s.out.Replies[i]
		if c, ok := s.calls[r.ID]; ok {
			delete(s.calls, r.ID)
			c.reply <- *r
		}
	}
}

// tell passes the facts on and empties out.
func (s *shard) tell() {
	if len(s.out.Facts) > 0 {
		s.host.cfg.Observer.Observe(s.out.Facts)
	}
	s.out.Reset()
}

// now reads both clocks. Time in which the machine was suspended counts: others
// did not wait for it.
func (s *shard) now() clock.Now {
	now := s.host.now()
	now.Mono += s.slept
	return now
}

// watchClock ends all lives of records where the clocks came apart, and lets the
// time pass that the monotonic one may have missed: whoever waited for requests
// of this node to end has waited so long (RULES R1, R10; hole H25). It returns
// the time as it then is.
func (s *shard) watchClock(now clock.Now) clock.Now {
	drift := time.Duration(now.Wall)*time.Millisecond - now.Mono
	if s.drift != 0 && (drift-s.drift).Abs() > gap {
		by := drift - s.drift
		s.replica.NewRun(newRun())
		s.host.cfg.Log.Warn("the wall clock moved against the monotonic clock: a new run begins",
			"by", by.Round(time.Millisecond).String())
		if by > 0 {
			s.slept += by
			now.Mono += by
			drift -= by
		}
	}
	s.drift = drift
	return now
}

// abandon answers the clients whose requests were under way when the shard
// stopped.
func (s *shard) abandon() {
	for _, c := range s.calls {
		c.reply <- stopping(c.request)
	}
	for _, l := range s.lists {
		l.lose()
	}
	for _, p := range s.peeks {
		p.lose()
	}
	for _, it := range s.in.take(nil) {
		if it.call != nil {
			it.call.reply <- stopping(it.call.request)
		}
		if it.lost != nil {
			it.lost()
		}
	}
}
