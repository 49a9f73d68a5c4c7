package coord

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The explorer walks every history of a machine: every order of answers, each
// of every kind that its ask may get, or none; links that fall; the deadline at
// any point; at most one duplicate and one stranger's answer anywhere; one
// answer after the end. Histories that lead to the same state of machine and
// world share their future, which is walked once and counted as often. Replicas
// in the same state count as one.

const most = 4 // replicas

// phase is how far the answer to an ask has come.
type phase uint8

const (
	unasked phase = iota
	open
	half // answered once, more is to come
	closed
)

// world is what surrounds a machine, seen without the machine's own books. It
// is comparable.
type world struct {
	asked     [rounds][most]phase
	said      [rounds][most]uint8 // the last answer to each ask, by number from 1
	full      [most]bool          // firstRound: asked for the state
	down      set
	replied   bool
	duplicate bool // spent
	stranger  bool
	now       time.Duration
	durable   set  // acknowledged durably
	applied   bool // the own disk has stored
	failed    bool // the own disk has failed
	spread    bool // a state was sent to others
	decided   int8 // get: the state merged when a strict one was decided, by number from 1
	repairs   [most]uint8
	has       [most]int8 // get: state at the replica, by number
	knows     [most]int8 // get: state that its last countable answer told of, from 1; 0: none
	bodies    [most]bool // get: that state came with it
	confirmed set
	first     int8                // get: who was the first that could be counted, from 1
	answered  bool                // get: with content
	doubt     set                 // in doubt from the start, silent for too long, or no use for a read
	refused   set                 // put: could not store
	since     [most]time.Duration // when each was asked last
	moved     bool                // the lists have changed, and the machine was told
	again     bool                // and has begun again, under another ticket
	minted    bool                // put: a disk was asked to mint
	received  set                 // put: acknowledged, from the write buffer
	lax       [rounds]set         // put: were asked so that they may
}

// books is the state of a machine, as far as it decides what it does next. It
// is comparable.
type books struct {
	lost, counted, absent, body, acked, sent set
	synced, firm                             set
	chosen, doubt                            set
	owes                                     [most]uint8
	more, hedge                              bool
	patient, hedgeAt                         time.Duration
	waiting                                  [rounds]set
	answered, done, flagA, flagB, flagC      bool
	outdated                                 bool
	deadline                                 time.Duration
	small                                    [most + 4]int8
}

// subject is a machine under exploration.
type subject interface {
	Answer(now clock.Now, from ring.NodeID, a *replica.Answer, e *Effects) bool
	Down(now clock.Now, peer ring.NodeID, e *Effects)
	Tick(now clock.Now, e *Effects)
	Extend(now clock.Now, replicas []Replica, e *Effects)
	Outdated(e *Effects)
	Deadline() time.Duration
	Done() bool
}

// scenario is one setting of numbers and what is particular to its machine.
type scenario interface {
	// clone makes dst, if any, a copy of src.
	clone(dst, src subject) subject
	books(s subject) books
	// answers lists what replica i may answer to an ask in a phase, and
	// the phase after each.
	answers(w *world, r round, i int) []reaction
	// heard notes an answer that was delivered.
	heard(w *world, r round, i int, a *replica.Answer)
	// serves are those that have done what they were asked, or may yet, and
	// all is whether the machine is at the point where it asks everybody.
	serves(w *world) (done, asked set, all bool)
	// strict is how many primaries there must be in the list in force, and in the
	// one that the partition is on its way to.
	strict() [2]int
	// again begins again at the lists in force, as the owner of a machine does.
	again(s subject, now clock.Now, replicas []Replica, e *Effects)
	// saw checks effects against the world.
	saw(w *world, e *Effects)
	// ended checks the world when the machine is done.
	ended(w *world)
	// over says that the machine has gone past a round: what still comes of it
	// must have no effect.
	over(b *books, r round) bool
	name() string
}

type reaction struct {
	answer replica.Answer
	next   phase
}

type explorer struct {
	t  *testing.T
	sc scenario
	cast
	memo map[state]uint64
	path []step
	pool [64]struct { // by length of path
		s subject
		e Effects
	}
}

// step is one event of a history.
type step struct {
	what   string
	who    ring.NodeID
	answer replica.Answer
}

func (s step) String() string {
	if s.answer.Status == 0 {
		return fmt.Sprint(s.what, " ", s.who)
	}
	return fmt.Sprintf("%s %s: %s", s.what, s.who, note(&s.answer))
}

// state is what the future of a history depends on: what holds for all, and
// for each replica, in an order of their own, since replicas in the same state
// count as one.
type state struct {
	world    globals
	books    books
	replicas [most]sign
}

// globals are the parts of a world that belong to no replica.
type globals struct {
	duplicate, stranger, replied, answered, applied, failed, spread, more, hedge bool
	moved, again, minted                                                         bool
	decided                                                                      int8
	now, patient, hedgeAt                                                        time.Duration
}

func (x *explorer) state(w *world, b books) state {
	st := state{world: globals{w.duplicate, w.stranger, w.replied, w.answered, w.applied, w.failed, w.spread, b.more, b.hedge, w.moved, w.again, w.minted, w.decided, w.now, b.patient, b.hedgeAt}}
	for i := range x.n {
		st.replicas[i] = x.sign(w, &b, i)
	}
	slices.SortFunc(st.replicas[:x.n], func(a, b sign) int { return bytes.Compare(a[:], b[:]) })
	st.books = books{answered: b.answered, done: b.done, flagA: b.flagA, flagB: b.flagB, flagC: b.flagC, outdated: b.outdated, deadline: b.deadline}
	copy(st.books.small[most:], b.small[most:])
	return st
}

func (r round) String() string {
	return [rounds]string{"", "recall", "fetch", "write", "join", "read", "read again", "settle", "alone", "whole", "sync"}[r]
}

func nodeName(i int) ring.NodeID { return ring.NodeID('a' + rune(i)) }

func (x *explorer) failf(format string, args ...any) {
	x.t.Helper()
	x.t.Logf("%s: history %v", x.sc.name(), x.path)
	x.t.Fatalf(format, args...)
}

// explore starts a machine and counts its histories.
func explore(t *testing.T, sc scenario, c cast, start func(now clock.Now, replicas []Replica, e *Effects) subject, w world) uint64 {
	t.Helper()
	x := &explorer{t: t, sc: sc, cast: c, memo: map[state]uint64{}}
	w.now, w.down, w.doubt = time.Second, c.down, c.doubt
	list := x.list(&w)
	if c.more {
		list = list[:c.prim]
	}
	var e Effects
	s := start(w.clock(), list, &e)
	x.effects(&w, s, &e)
	return x.walk(w, s)
}

func (w *world) clock() clock.Now { return clock.Now{Mono: w.now, Wall: 1000} }

// effects takes what the machine wants into the world.
func (x *explorer) effects(w *world, s subject, e *Effects) {
	for _, a := range e.Asks {
		if a.Op.Silent {
			continue
		}
		low := a.Op.ID & (1<<AskBits - 1)
		r, i := round(low>>placeBits), int(low&(1<<placeBits-1))
		switch {
		case w.moved && !w.again && !w.replied:
			x.failf("%s is asked under lists that are out of date", a.To)
		case a.To != nodeName(i):
			x.failf("ask %x goes to %s", a.Op.ID, a.To)
		case w.asked[r][i] != unasked:
			x.failf("replica %d is asked twice in round %d", i, r)
		case w.down.has(i):
			x.failf("replica %d is asked over a lost link", i)
		}
		x.called(w, &a, i)
		w.asked[r][i], w.since[i] = open, w.now
		if a.Op.Relaxed {
			w.lax[r].add(i)
		}
		if r == firstRound {
			w.full[i] = a.Op.Full
		}
	}
	if e.Replied {
		if w.replied {
			x.failf("replied twice")
		}
		w.replied = true
	}
	x.sc.saw(w, e)
	if e.More && !s.Done() {
		e.Reset()
		s.Extend(w.clock(), x.list(w), e)
		x.effects(w, s, e)
		return
	}
	if e.Again && !s.Done() {
		if !w.moved || w.again {
			x.failf("begins again and nothing has changed")
		}
		w.restart(x.doubt)
		e.Reset()
		x.sc.again(s, w.clock(), x.list(w), e)
		x.effects(w, s, e)
		return
	}
	if e.Hedge && !s.Done() {
		e.Reset()
		s.(*Get).Hedge(w.clock(), x.hedge, e)
		x.effects(w, s, e)
		return
	}
	x.staffed(w, s)
}

// walk returns how many histories lead on from here.
func (x *explorer) walk(w world, s subject) uint64 {
	if len(x.path) > 60 {
		x.failf("no end in sight")
	}
	b := x.sc.books(s)
	if s.Done() {
		if !w.replied {
			x.failf("ended without a reply")
		}
		x.sc.ended(&w)
		return x.late(&w, s)
	}
	if s.Deadline() <= w.now {
		x.failf("deadline %v has passed, it is %v", s.Deadline(), w.now)
	}
	key := x.state(&w, b)
	if n, ok := x.memo[key]; ok {
		return n
	}
	var total uint64
	next := func(what step, act func(w *world, s subject, e *Effects)) {
		w2 := w
		s2, e := x.fork(s)
		x.path = append(x.path, what)
		act(&w2, s2, e)
		x.effects(&w2, s2, e)
		total += x.walk(w2, s2)
		x.path = x.path[:len(x.path)-1]
	}
	next(step{what: "deadline"}, func(w *world, s subject, e *Effects) {
		w.now = s.Deadline()
		x.lose(w, &b)
		s.Tick(w.clock(), e)
	})
	if x.moves && !w.moved {
		next(step{what: "lists change"}, func(w *world, s subject, e *Effects) {
			w.moved = true
			s.Outdated(e)
		})
	}
	var seen [most]sign
	for i := range x.n {
		g := x.sign(&w, &b, i)
		if slices.Contains(seen[:i], g) {
			continue
		}
		seen[i] = g
		for r := round(1); r < rounds; r++ {
			if !x.sc.over(&b, r) {
				x.answers(&w, r, i, next)
			}
		}
		if i != x.self && !w.down.has(i) && (i < x.prim || !b.more) { // places are names
			next(step{what: "link lost", who: nodeName(i)}, func(w *world, s subject, e *Effects) {
				w.down.add(i)
				s.Down(w.clock(), nodeName(i), e)
			})
		}
	}
	total += x.intruders(&w, s, b)
	x.memo[key] = total
	return total
}

// answers walks what follows each answer of replica i in a round. A lost link
// brings no answers.
func (x *explorer) answers(w *world, r round, i int, next func(step, func(*world, subject, *Effects))) {
	if p := w.asked[r][i]; w.down.has(i) || p != open && p != half {
		return
	}
	for k, re := range x.sc.answers(w, r, i) {
		next(step{r.String(), nodeName(i), re.answer}, func(w *world, s subject, e *Effects) {
			a := re.answer
			a.ID, a.Verb = w.op(r, i), r.asks()
			w.asked[r][i], w.said[r][i] = re.next, uint8(k+1)
			x.sc.heard(w, r, i, &a)
			if !s.Answer(w.clock(), nodeName(i), &a, e) && r != settleRound {
				x.failf("an answer that was asked for is not taken")
			}
		})
	}
}

// restart forgets what was said under the lists before; what was stored is.
func (w *world) restart(doubt set) {
	*w = world{
		down: w.down, doubt: doubt, has: w.has, now: w.now, duplicate: w.duplicate, stranger: w.stranger,
		moved: true, again: true, minted: w.minted, applied: w.applied, spread: w.spread,
	}
}

// op is the id of an ask, by the ticket that the machine has now.
func (w *world) op(r round, i int) uint64 {
	if w.again {
		return opID(r, i) + 1<<AskBits
	}
	return opID(r, i)
}

func opID(r round, i int) uint64 { return testTicket | uint64(r)<<placeBits | uint64(i) }

const testTicket = 5 << AskBits

// fork copies a machine, into memory that the next fork at this length of path
// takes again.
func (x *explorer) fork(s subject) (subject, *Effects) {
	p := &x.pool[len(x.path)]
	p.s = x.sc.clone(p.s, s)
	p.e.Reset()
	return p.s, &p.e
}

// intruders walks what follows one duplicate and one stranger's answer: what
// would have followed without.
func (x *explorer) intruders(w *world, s subject, b books) uint64 {
	var total uint64
	strange := false
	try := func(what string, from ring.NodeID, a replica.Answer, mark func(*world) bool) {
		s2, e := x.fork(s)
		x.path = append(x.path, step{what, from, a})
		s2.Answer(w.clock(), from, &a, e)
		if len(e.Asks) > 0 || e.Replied || x.sc.books(s2) != b {
			x.failf("%s had an effect", what)
		}
		w2 := *w
		if !x.walks() && mark(&w2) { // else the future is the same: the books are
			total += x.walk(w2, s2)
		}
		x.path = x.path[:len(x.path)-1]
	}
	for r := round(1); r < rounds; r++ {
		for i := range x.n {
			if w.asked[r][i] == unasked {
				continue
			}
			if k := w.said[r][i]; k != 0 && !w.duplicate && w.asked[r][i] == closed && w.last(i) == r {
				a := x.same(w, r, i, k)
				try("duplicate", nodeName(i), a, func(w *world) bool { w.duplicate = true; return true })
			}
			if w.stranger || w.asked[r][i] == closed {
				continue
			}
			a := x.sc.answers(w, r, i)[0].answer
			a.ID, a.Verb = w.op(r, i), r.asks()
			once := func(w *world) bool {
				again := w.stranger || strange
				w.stranger, strange = true, true
				return !again
			}
			try("stranger", "z", a, once)
			if x.sc.over(&b, r) && !w.down.has(i) {
				try("answer to what is over", nodeName(i), a, once)
			}
			a.ID += 1 << AskBits
			try("answer to another request", nodeName(i), a, once)
			a.ID -= 2 << AskBits
			try("answer to what was asked under the lists before", nodeName(i), a, once)
		}
	}
	return total
}

// last is the latest round in which replica i has answered.
func (w *world) last(i int) round {
	for r := rounds - 1; r > 0; r-- {
		if w.said[r][i] != 0 {
			return r
		}
	}
	return 0
}

// same is the answer that replica i gave before.
func (x *explorer) same(w *world, r round, i int, k uint8) replica.Answer {
	w2 := *w
	w2.asked[r][i] = open
	all := x.sc.answers(&w2, r, i)
	a := all[min(int(k), len(all))-1].answer
	a.ID, a.Verb = w.op(r, i), r.asks()
	return a
}

// late counts what may still arrive when the machine is done, and checks that
// nothing comes of it.
func (x *explorer) late(w *world, s subject) uint64 {
	total := uint64(1)
	for r := round(1); r < rounds; r++ {
		for i := range x.n {
			if w.down.has(i) || w.asked[r][i] != open && w.asked[r][i] != half {
				continue
			}
			for _, re := range x.sc.answers(w, r, i) {
				s2, e := x.fork(s)
				a := re.answer
				a.ID, a.Verb = w.op(r, i), r.asks()
				s2.Answer(w.clock(), nodeName(i), &a, e)
				s2.Down(w.clock(), nodeName(i), e)
				s2.Tick(clock.Now{Mono: w.now + time.Hour}, e)
				if len(e.Asks) > 0 || e.Replied {
					x.failf("an effect after the end")
				}
				total++
			}
		}
	}
	return total
}

// sign is what tells one replica from another.
type sign [24]byte

func (x *explorer) sign(w *world, b *books, i int) (g sign) {
	bit := func(at int, on bool) {
		if on {
			g[at/8] |= 1 << (at % 8)
		}
	}
	for k, on := range [...]bool{
		b.lost.has(i), b.counted.has(i), b.absent.has(i), b.body.has(i), b.acked.has(i), b.sent.has(i),
		w.down.has(i), w.durable.has(i), w.full[i], w.bodies[i], w.confirmed.has(i), i == x.self, w.first == int8(i+1),
		b.chosen.has(i), b.doubt.has(i), w.refused.has(i),
	} {
		bit(k, on)
	}
	for k, on := range [...]bool{
		b.synced.has(i), b.firm.has(i), w.received.has(i), w.lax[joinRound].has(i), w.lax[writeRound].has(i),
		w.said[syncRound][i] == 2,
	} {
		bit(184+k, on)
	}
	last := round(0)
	for r := round(1); r < rounds; r++ {
		bit(136+int(r), b.waiting[r].has(i))
		if x.sc.over(b, r) {
			continue
		}
		bit(152+int(r), w.asked[r][i] == open || w.asked[r][i] == half)
		bit(168+int(r), w.asked[r][i] == closed || w.asked[r][i] == half)
		if w.said[r][i] != 0 {
			last = r
		}
	}
	g[5], g[6], g[7], g[8] = byte(last), w.said[last][i], byte(w.has[i]), byte(w.knows[i])
	g[9], g[10] = w.repairs[i], byte(b.small[i])
	g[11], g[12] = w.said[fetchRound][i], w.said[joinRound][i]
	g[16] = x.listsOf(i)
	x.signWalk(&g, w, b, i)
	return g
}
