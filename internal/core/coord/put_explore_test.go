package coord

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/effort"
)

// putScenario explores one setting of the Put machine.
type putScenario struct {
	t       *testing.T
	numbers Numbers
	later   Numbers // in the list that the partition is on its way to
	retry   bool
	cast
}

var (
	testDot     = causal.Dot{Actor: causal.Actor{Run: 9, Life: 1}, N: 3}
	testContext = causal.Claims{Vector: []causal.Entry{{Actor: causal.Actor{Run: 2, Life: 1}, N: 4}}}
	testState   = []byte("a state")
)

func (p *putScenario) name() string {
	return fmt.Sprintf("put %+v %+v retry=%v %+v", p.numbers, p.later, p.retry, p.cast)
}

func (p *putScenario) clone(dst, src subject) subject {
	c, ok := dst.(*Put)
	if !ok {
		c = new(Put)
	}
	*c = *src.(*Put)
	return c
}

func (p *putScenario) books(s subject) books {
	m := s.(*Put)
	b := books{
		lost: m.lost, counted: m.knew, acked: m.acked, waiting: m.waiting, deadline: m.deadline,
		answered: m.answered, done: m.done, flagA: m.minting, flagB: m.applied, flagC: m.known,
		outdated: m.outdated, synced: m.synced, firm: m.firm,
	}
	b.walk(&m.common)
	if m.dot == testDot {
		b.small[most] = 1
	}
	return b
}

func failed(why replica.Reason) reaction {
	return reaction{replica.Answer{Status: replica.Failed, Reason: why}, closed}
}

func (p *putScenario) answers(w *world, r round, i int) []reaction {
	switch r {
	case recallRound:
		return []reaction{
			{replica.Answer{Status: replica.Absent}, closed},
			{replica.Answer{Status: replica.Have, Found: true, Dot: testDot}, closed},
			{replica.Answer{Status: replica.DontKnow}, closed},
		}
	case fetchRound:
		return []reaction{
			{replica.Answer{Status: replica.Have, State: testState, Durable: true}, closed},
			{replica.Answer{Status: replica.Absent}, closed},
			failed(replica.IOError),
		}
	case writeRound:
		if w.asked[r][i] == half {
			return []reaction{{replica.Answer{Status: replica.Have, Durable: true, Dot: testDot}, closed}, failed(replica.IOError)}
		}
		stored := replica.Answer{Status: replica.Have, State: testState, Dot: testDot}
		if w.lax[r].has(i) {
			buffered := stored
			buffered.Relaxed = true
			return []reaction{{buffered, closed}, {stored, half}, failed(replica.IOError), failed(replica.Overloaded)}
		}
		found, durable := stored, stored
		found.Found, durable.Durable = true, true
		return []reaction{{durable, closed}, {stored, half}, {found, half}, failed(replica.Overloaded), failed(replica.IOError)}
	default:
		all := []reaction{{replica.Answer{Status: replica.Have, Durable: true}, closed}, failed(replica.DiskFull)}
		if w.lax[r].has(i) && w.asked[r][i] == open {
			all = append(all, reaction{replica.Answer{Status: replica.Have, Relaxed: true}, closed})
		}
		if w.asked[r][i] == open {
			all = append(all, reaction{replica.Answer{Status: replica.Have}, half})
		}
		return all
	}
}

func (p *putScenario) heard(w *world, r round, i int, a *replica.Answer) {
	if r == writeRound {
		w.applied = w.applied || a.Status == replica.Have
		w.failed = w.failed || a.Status == replica.Failed
	}
	switch {
	case a.Status == replica.Have && a.Durable:
		w.durable.add(i)
	case a.Status == replica.Have && a.Relaxed:
		w.received.add(i)
	case r == joinRound && a.Status == replica.Failed:
		w.refused.add(i)
	}
}

// serves are those that have it durably, and those that were sent it.
func (p *putScenario) serves(w *world) (done, asked set, all bool) {
	for i := range p.n {
		if w.asked[joinRound][i] != unasked || i == p.self && w.asked[writeRound][i] != unasked {
			asked.add(i)
		}
	}
	return w.durable | w.received, asked &^ w.refused, w.spread && !w.replied
}

func (p *putScenario) strict() [2]int { return [2]int{p.numbers.PW, p.later.PW} }

// met says whether those that have it, and those that have it durably, are enough in
// each list.
func (p *putScenario) met(s, durable set) bool {
	if p.numbers.Relaxed {
		return p.cast.met(s, need{p.numbers.W, p.numbers.PW}, need{p.later.W, p.later.PW}) &&
			p.cast.met(durable, need{p.numbers.DW, 0}, need{p.later.DW, 0})
	}
	return p.cast.met(s, need{max(p.numbers.W, p.numbers.DW), p.numbers.PW}, need{max(p.later.W, p.later.DW), p.later.PW})
}

func (p *putScenario) saw(w *world, e *Effects) {
	for _, a := range e.Asks {
		switch a.Op.Verb {
		case replica.Join:
			w.spread = true
			if string(a.Op.State) != string(testState) {
				p.t.Fatalf("%s: joins %q", p.name(), a.Op.State)
			}
		case replica.Write:
			if w.minted {
				p.t.Fatalf("%s: mints twice", p.name())
			}
			w.minted = true
			if p.retry && w.asked[recallRound] == [most]phase{} {
				p.t.Fatalf("%s: mints and has asked nobody whether it was stored", p.name())
			}
			if !reflect.DeepEqual(a.Op.Mint.Context, testContext) {
				p.t.Fatalf("%s: mints under %v", p.name(), a.Op.Mint.Context)
			}
		}
	}
	if e.Replied {
		p.judge(w, &e.Reply)
	}
}

// judge holds the reply against what the replicas have really said.
func (p *putScenario) judge(w *world, r *Reply) {
	fail := func(format string, args ...any) {
		p.t.Helper()
		p.t.Fatalf("%s: reply %+v in world %+v: %s", p.name(), *r, *w, fmt.Sprintf(format, args...))
	}
	written := w.asked[writeRound][p.self] != unasked
	switch {
	case r.Err == nil:
		if !p.met(w.durable|w.received, w.durable) {
			fail("success with the durable copies of %b, and others of %b", w.durable, w.received)
		}
		if written && (!w.applied || w.failed) {
			fail("success without the own disk")
		}
		if want := testContext.With(testDot); !r.HasContext || !reflect.DeepEqual(r.Context.Claims, want) {
			fail("context is not the request's and the dot")
		}
		acks, primaries := p.count(w.durable|w.received, p.lists()[0])
		durable, _ := p.count(w.durable, p.lists()[0])
		if r.Quorum.Acks != acks || r.Quorum.Durable != durable || r.Quorum.Primaries != primaries {
			fail("%d acknowledgements are reported, %d durable, of %d primaries", r.Quorum.Acks, r.Quorum.Durable, r.Quorum.Primaries)
		}
	case r.Err.Outcome == ouro.NotDone:
		if w.spread || w.applied || p.retry {
			fail("not done, though it may be")
		}
		if written && w.said[writeRound][p.self] != 4 {
			fail("not done, though a disk was asked to mint")
		}
	case r.Err.Outcome == ouro.Done:
		fail("an error that is done")
	}
	if r.Err == nil {
		return
	}
	if r.Err.Code == ouro.TimedOut && w.now < time.Second+p.numbers.Timeout {
		fail("timed out before the time")
	}
	if r.Err.Code == ouro.QuorumUnavailable && !p.hopeless(w) {
		fail("gave up too early")
	}
}

// hopeless says that too few replicas are left for the quorum, or that the one
// that knows the request cannot show it.
func (p *putScenario) hopeless(w *world) bool {
	var can, durably set
	for i := range p.n {
		bad := w.down.has(i) || w.said[joinRound][i] == 2 && w.asked[joinRound][i] == closed || w.said[syncRound][i] == 2
		if w.durable.has(i) || w.received.has(i) || !bad {
			can.add(i)
		}
		if w.durable.has(i) || !bad {
			durably.add(i)
		}
		if w.said[fetchRound][i] > 1 || w.asked[fetchRound][i] == open && w.down.has(i) {
			return true
		}
	}
	return !p.met(can, durably)
}

func (p *putScenario) over(b *books, r round) bool { return r == recallRound && (b.flagA || b.flagC) }

func (p *putScenario) ended(*world) {}

// run explores one setting, and returns how many histories it has.
func (p putScenario) run(t *testing.T) uint64 {
	p.t, p.numbers.Timeout = t, time.Minute
	return explore(t, &p, p.cast, func(now clock.Now, replicas []Replica, e *Effects) subject {
		m := new(Put)
		m.Start(now, p.request(testTicket, time.Minute), replicas, e)
		return m
	}, world{})
}

func (p *putScenario) request(ticket uint64, left time.Duration) *PutRequest {
	return &PutRequest{
		Common:  p.common(ticket, left, p.numbers, p.later),
		Context: testContext, Value: []byte("v"), Token: 77, Retry: p.retry,
	}
}

func (p *putScenario) again(s subject, now clock.Now, replicas []Replica, e *Effects) {
	m := s.(*Put)
	r := p.request(testTicket+1<<AskBits, time.Second+time.Minute-now.Mono)
	if r.Common.More = false; m.Stored() {
		m.Again(now, &r.Common, replicas, e)
		return
	}
	m.Start(now, r, replicas, e)
}

func TestPutHistories(t *testing.T) {
	began := time.Now()
	var histories uint64
	settings := 0
	run := func(numbers Numbers, retry bool, down, self int) {
		histories += putScenario{numbers: numbers, retry: retry, cast: primariesOnly(numbers.N, down, self)}.run(t)
		settings++
	}
	largest := most
	if effort.Small() {
		largest = 3
	}
	for n := 1; n <= largest; n++ {
		for w := 1; w <= n; w++ {
			for down := range n {
				run(Numbers{N: n, R: 1, W: w}, false, down, 0)
			}
			run(Numbers{N: n, R: 1, W: 1, PW: w}, false, 0, 0)
			run(Numbers{N: n, R: 1, W: 1, DW: w}, false, 0, n-1)
			run(Numbers{N: n, R: 1, W: w}, true, 0, 0)
			run(Numbers{N: n, R: 1, W: w}, true, n/2, 0)
			for dw := 0; dw <= w && n <= 3; dw++ {
				run(Numbers{N: n, R: 1, W: w, DW: dw, Relaxed: true}, false, 0, 0)
			}
			if n <= 3 {
				run(Numbers{N: n, R: 1, W: w, DW: 1, Relaxed: true}, true, 0, 0)
			}
		}
	}
	t.Logf("%d histories of the Put machine in %d settings, %v", histories, settings, time.Since(began).Round(time.Millisecond))
}
