package coord

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/effort"
)

// lattice holds the states that replicas may have, by number, and their joins.
// Number 0 is "absent".
type lattice struct {
	states []causal.State
	raw    []string
	join   [][]int8
}

// base states: x and y are concurrent, the tombstone has seen x.
const (
	absent int8 = iota
	hasX
	hasY
	tombstone
	baseStates
)

func newLattice() *lattice {
	x := causal.Version{Dot: causal.Dot{Actor: causal.Actor{Run: 1, Life: 1}, N: 1}, Stamp: 1 << 20, Value: []byte("x")}
	y := causal.Version{Dot: causal.Dot{Actor: causal.Actor{Run: 2, Life: 1}, N: 1}, Stamp: 2 << 20, Value: []byte("y")}
	seen := func(v causal.Version) causal.Claims {
		return causal.Claims{Vector: []causal.Entry{{Actor: v.Dot.Actor, N: 1, Time: 5}}}
	}
	l := &lattice{}
	for _, s := range []causal.State{
		{},
		{Claims: seen(x), Versions: []causal.Version{x}},
		{Claims: seen(y), Versions: []causal.Version{y}},
		{Claims: seen(x)},
	} {
		l.add(s)
	}
	for i := 0; i < len(l.states); i++ {
		for j := range l.states[:i] {
			s, _ := causal.JoinStates(l.states[i], l.states[j])
			l.add(s)
		}
	}
	l.join = make([][]int8, len(l.states))
	for i := range l.states {
		for j := range l.states {
			s, _ := causal.JoinStates(l.states[i], l.states[j])
			l.join[i] = append(l.join[i], l.find(string(s.Append(nil))))
		}
	}
	return l
}

func (l *lattice) add(s causal.State) {
	if raw := string(s.Append(nil)); l.find(raw) < 0 {
		l.states, l.raw = append(l.states, s), append(l.raw, raw)
	}
}

func (l *lattice) find(raw string) int8 { return int8(slices.Index(l.raw, raw)) }

func sumOf(id int8) causal.Sum { return causal.Sum{Hi: 1, Lo: uint64(id)} }

// getScenario explores one setting of the Get machine.
type getScenario struct {
	*lattice
	t       *testing.T
	numbers Numbers
	later   Numbers // in the list that the partition is on its way to
	has     [most]int8
	cast
}

func (g *getScenario) name() string {
	return fmt.Sprintf("get %+v %+v states=%v %+v", g.numbers, g.later, g.has, g.cast)
}

func (g *getScenario) clone(dst, src subject) subject {
	c, ok := dst.(*Get)
	if !ok {
		c = new(Get)
	}
	*c = *src.(*Get)
	return c
}

func (g *getScenario) over(b *books, r round) bool { return false }

func (g *getScenario) books(s subject) books {
	m := s.(*Get)
	b := books{
		lost: m.lost, counted: m.counted, absent: m.absent, body: m.body, acked: m.acked, sent: m.sent,
		waiting: m.waiting, answered: m.answered, done: m.done, flagA: m.settle, flagB: m.fresh.known, deadline: m.deadline,
	}
	b.walk(&m.common)
	b.hedge, b.hedgeAt = m.hedge, m.hedgeAt
	for i := range m.n {
		if m.counted.has(i) {
			b.small[i] = int8(m.sums[i].Lo)
		}
		if m.fastest == i {
			b.small[i] |= 64
		}
	}
	b.small[most] = g.find(string(m.bytes))
	b.small[most+1] = int8(m.usable.len())
	b.small[most+2] = int8(m.fresh.sum.Lo)
	return b
}

func (g *getScenario) answers(w *world, r round, i int) []reaction {
	if r == settleRound {
		return []reaction{{replica.Answer{Status: replica.Have, Durable: true}, closed}, failed(replica.DiskFull)}
	}
	full := r == againRound || w.full[i]
	all := []reaction{{g.reply(w.has[i], full), closed}}
	if r == firstRound {
		all = append(all, reaction{replica.Answer{Status: replica.DontKnow}, closed})
	}
	if w.applied {
		return all // one oddity in a history is enough
	}
	if full {
		all = append(all, reaction{replica.Answer{Status: replica.Have, State: []byte("damaged"), Digest: sumOf(w.has[i])}, closed})
	}
	if r == againRound { // it may have taken a write since its digest was sent
		all = append(all, reaction{g.reply(g.join[w.has[i]][hasY], true), closed})
	}
	return all
}

func (g *getScenario) reply(id int8, full bool) replica.Answer {
	if id == absent {
		return replica.Answer{Status: replica.Absent}
	}
	a := replica.Answer{Status: replica.Have, Digest: sumOf(id)}
	if full {
		a.State = []byte(g.raw[id])
	}
	return a
}

func (g *getScenario) heard(w *world, r round, i int, a *replica.Answer) {
	if r == settleRound {
		if a.Status == replica.Have {
			w.confirmed.add(i)
		}
		return
	}
	w.knows[i], w.bodies[i] = 0, false
	switch {
	case a.Status == replica.Absent, a.Status == replica.DontKnow && g.newcomer(i):
		w.knows[i] = 1
	case a.Status == replica.Have && string(a.State) != "damaged":
		id := int8(a.Digest.Lo)
		if id != w.has[i] {
			w.has[i], w.applied = id, true
		}
		w.knows[i], w.bodies[i] = id+1, a.State != nil
	case a.Status == replica.Have:
		w.applied = true
		w.doubt.add(i)
		return
	default:
		w.doubt.add(i)
		return
	}
	if w.first == 0 {
		w.first = int8(i + 1)
	}
}

// merged is the join of all states in hand.
func (g *getScenario) merged(w *world) int8 {
	m := absent
	for i := range g.n {
		if w.bodies[i] {
			m = g.join[m][w.knows[i]-1]
		}
	}
	return m
}

// firm is the join of those in hand that are shown: a newcomer's only where one of the
// list in force has told of the same (RULES R14).
func (g *getScenario) firm(w *world) int8 {
	m, newcomers := absent, g.primaries()&^g.lists()[0]
	for i := range g.n {
		backed := !newcomers.has(i)
		for j := range g.n {
			backed = backed || !newcomers.has(j) && w.knows[j] == w.knows[i]
		}
		if w.bodies[i] && backed {
			m = g.join[m][w.knows[i]-1]
		}
	}
	return m
}

func (g *getScenario) saw(w *world, e *Effects) {
	for _, a := range e.Asks {
		if a.Op.Verb != replica.Join {
			g.hedged(w, &a)
			continue
		}
		i, id := int(a.Op.ID&(1<<placeBits-1)), g.find(string(a.Op.State))
		want := g.merged(w)
		if !a.Op.Silent {
			want = g.firm(w)
		}
		if w.decided != 0 && !a.Op.Silent {
			want = w.decided - 1
		}
		switch {
		case id != want:
			g.t.Fatalf("%s: sends state %d, merged is %d, world %+v", g.name(), id, want, *w)
		case a.Op.Silent && (w.knows[i] == 0 || w.knows[i]-1 == id):
			g.t.Fatalf("%s: repairs %d, which told of state %d, with %d", g.name(), i, w.knows[i]-1, id)
		case !a.Op.Silent && g.numbers.PR == 0:
			g.t.Fatalf("%s: repairs before the answer", g.name())
		}
		if !a.Op.Silent {
			w.decided = id + 1
		}
		w.repairs[i]++
	}
	if e.Replied {
		g.judge(w, &e.Reply)
	}
}

// explained says that replica i has said "absent", or told of a state that is
// in hand.
func (g *getScenario) explained(w *world, i int) bool {
	if w.knows[i] == 1 {
		return true
	}
	for j := range g.n {
		if w.knows[i] != 0 && w.bodies[j] && w.knows[j] == w.knows[i] {
			return true
		}
	}
	return false
}

// hidden says that nobody is left to ask for the state that i has told of.
func (g *getScenario) hidden(w *world, i int) bool {
	for j := range g.n {
		if w.knows[j] == w.knows[i] && !w.down.has(j) && w.asked[againRound][j] != closed {
			return false
		}
	}
	return true
}

// judge holds the reply against what the replicas have really said.
func (g *getScenario) judge(w *world, r *Reply) {
	fail := func(format string, args ...any) {
		g.t.Helper()
		g.t.Fatalf("%s: reply %+v in world %+v: %s", g.name(), *r, *w, fmt.Sprintf(format, args...))
	}
	var counts, can, told set
	for i := range g.n {
		switch {
		case w.knows[i] == 0:
			if w.asked[firstRound][i] == open && !w.down.has(i) {
				can.add(i)
			}
			continue
		case g.explained(w, i):
			counts.add(i)
			can.add(i)
		case !g.hidden(w, i):
			can.add(i)
			if w.decided == 0 && (r.Err == nil || r.Err.Code == ouro.NotFound) {
				fail("state %d, told of by %d, was not asked for", w.knows[i]-1, i)
			}
		}
		told.add(i)
	}
	if r.Err != nil && r.Err.Outcome != ouro.NotDone {
		fail("a read has no effect")
	}
	switch {
	case r.Err == nil || r.Err.Code == ouro.NotFound:
		q := &r.Quorum
		switch {
		case !g.enough(counts) && w.decided == 0:
			fail("the replies of %b count", counts)
		case !g.numbers.reads(q.Acks, q.Primaries), w.decided == 0 && (q.Acks > told.len() || q.Primaries > (told&g.lists()[0]).len()):
			fail("%d replies are reported, of %d primaries", q.Acks, q.Primaries)
		case w.decided == 0 && len(r.Siblings) == 0 && !r.HasContext:
			g.judgeAbsence(w, told, fail)
		}
		g.judgeContent(w, r, fail)
	case r.Err.Code == ouro.QuorumUnavailable:
		for i := range g.n {
			if w.asked[firstRound][i] == unasked && !w.down.has(i) {
				can.add(i)
			}
		}
		if g.enough(can) {
			fail("gave up though %b can answer", can)
		}
	case r.Err.Code == ouro.TimedOut:
		if w.now < time.Second+g.numbers.Timeout {
			fail("timed out before the time")
		}
	default:
		fail("unexpected")
	}
}

func (g *getScenario) enough(s set) bool {
	return g.met(s, need{g.numbers.R, g.numbers.PR}, need{g.later.R, g.later.PR})
}

// judgeAbsence: nobody takes the word of stand-ins that nothing is there while a
// primary that is expected to answer has not.
func (g *getScenario) judgeAbsence(w *world, told set, fail func(string, ...any)) {
	if g.enough(told & g.primaries()) {
		return
	}
	for i := range g.prim {
		if w.asked[firstRound][i] == open && !w.down.has(i) && !w.doubt.has(i) {
			fail("not found, by the word of stand-ins, while %d is awaited", i)
		}
	}
}

// serves are those whose reply counts or may count, and those that were asked.
func (g *getScenario) serves(w *world) (done, asked set, all bool) {
	for i := range g.n {
		if w.knows[i] == 1 || w.bodies[i] || w.knows[i] != 0 && !w.down.has(i) {
			done.add(i)
		}
		if w.asked[firstRound][i] != unasked {
			asked.add(i)
		}
	}
	if all = !w.replied && w.decided == 0; all {
		g.asks(w)
	}
	return done, asked, all
}

func (g *getScenario) strict() [2]int { return [2]int{g.numbers.PR, g.later.PR} }

// held says whether a write that was acknowledged at so many that no read misses it
// has left a value, and at whom.
func (g *getScenario) held(id int8) bool {
	var s set
	for i := range g.prim {
		if g.has[i] == id {
			s.add(i)
		}
	}
	all, _ := g.count(s, g.lists()[0])
	return all > g.numbers.N-g.numbers.R
}

func (g *getScenario) judgeContent(w *world, r *Reply, fail func(string, ...any)) {
	id := g.firm(w)
	if w.decided != 0 {
		id = w.decided - 1
	}
	for want := hasX; want <= hasY; want++ {
		if g.n == g.prim && g.held(want) && g.join[id][want] != id {
			fail("what was acknowledged in the list in force is not seen: %d", want)
		}
	}
	s := g.states[id]
	if len(s.Versions) != len(r.Siblings) || (r.Err == nil) != (len(s.Versions) > 0) || r.HasContext != (id != absent) {
		fail("the merged state is %d", id)
	}
	for i := range s.Versions {
		if string(s.Versions[i].Value) != string(r.Siblings[i].Data) {
			fail("sibling %d is not that of state %d", i, id)
		}
	}
	if r.HasContext {
		if c := r.Context.Claims; !c.Contains(s.Claims) || !s.Contains(c) {
			fail("the context covers something else than state %d", id)
		}
		if r.Context.Fastest != string(nodeName(int(w.first-1))) {
			fail("the fastest was %d", w.first-1)
		}
	}
	differ, have := false, w.confirmed
	for i := range g.n {
		switch w.knows[i] {
		case 0:
		case id + 1:
			have.add(i)
		default:
			differ = differ || i < g.prim
		}
	}
	have &= g.primaries()
	enough := g.met(have, need{strict: max(g.numbers.N-g.numbers.PR+1, g.numbers.PR)}, need{strict: max(g.later.N-g.later.PR+1, g.later.PR)})
	switch {
	case r.Quorum.Unsettled && (g.numbers.PR == 0 || enough):
		fail("unsettled, though %d have it", have.len())
	case !r.Quorum.Unsettled && g.numbers.PR > 0 && differ && !enough && w.decided != 0:
		fail("settled, though %d have it", have.len())
	case w.decided == 0 && g.numbers.PR > 0 && differ && id != absent && !enough && !r.Quorum.Unsettled:
		fail("replicas differ and nothing was settled")
	}
	w.answered = true
}

func (g *getScenario) ended(w *world) {
	final := g.merged(w)
	for i := range g.n {
		n, stale := w.repairs[i], i < g.prim && w.knows[i] != 0 && w.knows[i]-1 != final && final != absent
		switch {
		case !w.answered && w.decided == 0 && n > 0, n > 2, n > 1 && g.numbers.PR == 0:
			g.t.Fatalf("%s: %d repairs of %d, world %+v", g.name(), n, i, *w)
		case w.answered && stale && n == 0 && !w.down.has(i):
			g.t.Fatalf("%s: %d is stale and was not repaired, world %+v", g.name(), i, *w)
		case !stale && n > 0 && g.numbers.PR == 0:
			g.t.Fatalf("%s: %d was repaired and is not stale, world %+v", g.name(), i, *w)
		}
	}
}

// run explores one setting, and returns how many histories it has.
func (g getScenario) run(t *testing.T) uint64 {
	g.t, g.numbers.Timeout = t, time.Minute
	return explore(t, &g, g.cast, func(now clock.Now, replicas []Replica, e *Effects) subject {
		m := new(Get)
		m.Start(now, g.request(testTicket, time.Minute), replicas, e)
		return m
	}, world{has: g.has})
}

func (g *getScenario) request(ticket uint64, left time.Duration) *GetRequest {
	return &GetRequest{Common: g.common(ticket, left, g.numbers, g.later), RepairWait: time.Second}
}

func (g *getScenario) again(s subject, now clock.Now, replicas []Replica, e *Effects) {
	r := g.request(testTicket+1<<AskBits, time.Second+time.Minute-now.Mono)
	r.Common.More = false
	s.(*Get).Start(now, r, replicas, e)
}

func TestGetHistories(t *testing.T) {
	began := time.Now()
	l := newLattice()
	var histories uint64
	settings := 0
	run := func(numbers Numbers, has [most]int8, down, self int) {
		histories += getScenario{lattice: l, numbers: numbers, has: has, cast: primariesOnly(numbers.N, down, self)}.run(t)
		settings++
	}
	all := 2 // all of them at n=3 take half a minute
	if os.Getenv("OURO_EXHAUSTIVE") != "" {
		all = 3
	}
	for n := 1; n <= all; n++ {
		each(n, func(has [most]int8) {
			for r := 1; r <= n; r++ {
				run(Numbers{N: n, R: r, W: 1}, has, 0, 0)
				run(Numbers{N: n, R: 1, W: 1, PR: r}, has, 0, 0)
			}
			run(Numbers{N: n, R: 1, W: 1}, has, n/2, n-1)
		})
	}
	for i, some := range [][][most]int8{
		{{hasX, hasX, hasX}, {hasX, hasX}, {absent, hasX, hasY}, {hasX, hasY, hasY}, {tombstone, hasX, hasY}},
		{{hasX, hasX, hasX, hasX}, {absent, hasX, hasX, hasX}, {hasX, hasX, hasX, tombstone}, {hasX, hasY, hasY, hasY}},
	} {
		n := i + 3
		if n > 3 && effort.Small() {
			break
		}
		for _, has := range some {
			for r := 1; r <= n; r++ {
				run(Numbers{N: n, R: r, W: 1}, has, 0, 0)
			}
			run(Numbers{N: n, R: 1, W: 1}, has, n/2, n-1)
			if n == 3 {
				run(Numbers{N: n, R: 1, W: 1, PR: 2}, has, 0, 0)
			}
		}
	}
	run(Numbers{N: 3, R: 2, W: 1, PR: 1}, [most]int8{hasX, absent, hasY}, 0, 0)
	if effort.Small() {
		t.Logf("%d histories of the Get machine up to n=3, %v", histories, time.Since(began).Round(time.Millisecond))
		return
	}
	run(Numbers{N: 4, R: 2, W: 1, PR: 3}, [most]int8{hasX, hasX, hasX, hasY}, 1, 0)
	for r := 1; r <= 4; r++ {
		run(Numbers{N: 4, R: r, W: 1}, [most]int8{hasX, hasX, hasY, tombstone}, 1, 0)
	}
	t.Logf("%d histories of the Get machine in %d settings, %v", histories, settings, time.Since(began).Round(time.Millisecond))
}

// each calls f with every way in which n replicas can have up to three
// different states; the order among those that are not the coordinator, which
// is the first, does not count.
func each(n int, f func(has [most]int8)) {
	var has [most]int8
	var fill func(i int)
	fill = func(i int) {
		if i == n {
			if distinct(has[:n]) <= 3 {
				f(has)
			}
			return
		}
		from := absent
		if i > 1 {
			from = has[i-1]
		}
		for s := from; s < baseStates; s++ {
			has[i] = s
			fill(i + 1)
		}
	}
	fill(0)
}

func distinct(ids []int8) int {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return len(slices.Compact(ids))
}
