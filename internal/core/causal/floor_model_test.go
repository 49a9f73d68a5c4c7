package causal_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/effort"
)

// The model of prune floors and exceptions together (RULES R4, R7) on the code
// that runs in production: two replicas and a copy in flight; puts that are blind,
// under all that is shown or under one earlier put alone, which is how a context
// that is stale or of a reply brings exceptions; deletes likewise; room for so few
// exceptions that they fall; and at any time a floor at any time that a record
// knows of, so that floors of several replicas meet. [pruneExplorer] has other
// clocks and fewer contexts.

// floorScope is how many of each there are.
type floorScope struct {
	puts, deletes, floors uint8
	exceptions, actors    uint8 // limits of a record; no actors: any number
	stopped               bool  // the second replica's clock stands at 1
}

// floorWorld is one state of the model; see [world].
type floorWorld struct {
	record                              [replicas]int32
	live                                [replicas]int8
	flying                              int32
	event                               [maxPuts]event
	puts, deletes, floors, clock, lives uint8
	gone                                uint8 // puts that another put or a delete replaced
	marked                              bool  // something was pruned: what was replaced may come back
}

// floorStep is an operation on one record, to look up what it gave before.
type floorStep struct {
	record int32
	now    uint8
	actor  int8 // of a put, -1: a delete, -2: a floor
	put    uint8
	ctx    event // the one event that the context covers
	all    bool  // it covers all that the record has seen
}

type floorDone struct {
	record int32
	n      int8
	marked bool
}

type floorExplorer struct {
	*explorer
	scope floorScope
	steps map[floorStep]floorDone
}

func (e *floorExplorer) limits() causal.Limits {
	actors := int(e.scope.actors)
	return causal.Limits{Exceptions: int(e.scope.exceptions), Prune: actors, PruneHard: actors}
}

// do carries out a step, a context without event covering nothing.
func (e *floorExplorer) do(s floorStep) floorDone {
	if d, ok := e.steps[s]; ok {
		return d
	}
	old, ctx := e.records[s.record], causal.Claims{}
	switch {
	case s.all:
		ctx = untimed(old.Claims)
	case s.ctx.n > 0:
		ctx = ctx.With(causal.Dot{Actor: actorOf(s.ctx.actor), N: uint64(s.ctx.n)})
	}
	var next causal.State
	var report causal.MintReport
	switch s.actor {
	case -2:
		next = old.At(int64(s.now))
	case -1:
		report = next.SetRemove(&old, ctx, int64(s.now), e.limits())
	default:
		v := causal.Version{Value: []byte{s.put}, Sum: causal.Sum{Lo: uint64(s.put) + 1}}
		report = next.SetMint(&old, ctx, v, actorOf(s.actor), int64(s.now), e.limits())
		for i := range next.Versions {
			next.Versions[i].Stamp = 0
		}
	}
	if loose := len(next.Exceptions) - len(next.Versions); s.actor != -2 && loose > max(int(e.scope.exceptions), report.Removed) {
		e.t.Fatalf("%d exceptions after a write: %+v", loose, next)
	}
	d := floorDone{e.number(next), int8(report.Dot.N), s.actor == -2 || report.Pruned > 0 || report.Exceptions > 0}
	e.steps[s] = d
	return d
}

// set stores what a step gave; an actor of whose events some fell has ended.
func (e *floorExplorer) set(w *floorWorld, x int, d floorDone) {
	w.record[x] = d.record
	w.marked = w.marked || d.marked
	for i := range w.puts {
		if ev := w.event[i]; ev.actor == w.live[x] && e.records[d.record].N(actorOf(ev.actor)) < uint64(ev.n) {
			w.live[x] = -1
		}
	}
}

func (e *floorExplorer) successors(w floorWorld, out func(next floorWorld, step string)) {
	for x := range replicas {
		e.puts(w, x, out)
		e.deletes(w, x, out)
		e.floors(w, x, out)
		n := w
		e.set(&n, 1-x, floorDone{record: e.join(w.record[1-x], w.record[x])})
		out(n, "a state is joined at the other")
		if w.flying < 0 && len(e.records[w.record[x]].Vector) > 0 {
			n := w
			n.flying = w.record[x]
			out(n, "a copy stays in flight")
		}
		if w.flying >= 0 {
			n := w
			e.set(&n, x, floorDone{record: e.join(w.record[x], w.flying)})
			out(n, "the copy in flight is joined")
		}
	}
}

// now is what a replica's clock shows at its next event.
func (e *floorExplorer) now(w *floorWorld, x int) uint8 {
	if e.scope.stopped && x == 1 {
		return 1
	}
	return w.clock + 1
}

// contexts calls do with every context that a client may have, and the puts that
// it covers.
func (e *floorExplorer) contexts(w *floorWorld, x int, do func(s floorStep, covers uint8)) {
	s := floorStep{record: w.record[x], now: e.now(w, x), put: w.puts}
	for i := range w.puts {
		one := s
		one.ctx = w.event[i]
		do(one, 1<<i)
	}
	if held := e.held[w.record[x]]; held != 0 {
		s.all = true
		do(s, held)
	}
}

func (e *floorExplorer) puts(w floorWorld, x int, out func(next floorWorld, step string)) {
	put := func(s floorStep, covers uint8) {
		n := w
		if n.live[x] < 0 {
			if n.lives == maxLives {
				return
			}
			n.live[x] = int8(n.lives)
			n.lives++
		}
		s.actor = n.live[x]
		d := e.do(s)
		n.event[w.puts] = event{actor: s.actor, n: d.n}
		n.puts++
		n.clock++
		n.gone |= covers
		e.set(&n, x, d)
		out(n, fmt.Sprintf("w%d is put at %c over %03b: dot (%d,%d)", w.puts, 'A'+x, covers, s.actor, d.n))
	}
	if w.puts < e.scope.puts {
		put(floorStep{record: w.record[x], now: e.now(&w, x), put: w.puts}, 0)
		e.contexts(&w, x, put)
	}
}

func (e *floorExplorer) deletes(w floorWorld, x int, out func(next floorWorld, step string)) {
	if w.deletes == e.scope.deletes {
		return
	}
	e.contexts(&w, x, func(s floorStep, covers uint8) {
		n := w
		s.actor, s.put = -1, 0
		n.deletes++
		n.clock++
		n.gone |= covers
		e.set(&n, x, e.do(s))
		out(n, fmt.Sprintf("%03b is deleted at %c", covers, 'A'+x))
	})
}

func (e *floorExplorer) floors(w floorWorld, x int, out func(next floorWorld, step string)) {
	if w.floors == e.scope.floors {
		return
	}
	for _, entry := range e.records[w.record[x]].Vector {
		d := e.do(floorStep{record: w.record[x], now: uint8(entry.Time), actor: -2})
		if d.record == w.record[x] {
			continue
		}
		n := w
		n.floors++
		e.set(&n, x, d)
		out(n, fmt.Sprintf("%c prunes to floor %d", 'A'+x, entry.Time))
	}
}

func (e *floorExplorer) broken(w *floorWorld) string {
	for i := range w.puts {
		for j := range i {
			if w.event[i].actor == w.event[j].actor && w.event[i].n == w.event[j].n {
				return fmt.Sprintf("one dot for w%d and w%d", j, i)
			}
		}
	}
	held := e.held[e.join(w.record[0], w.record[1])]
	for i := range w.puts {
		switch in, gone := held>>i&1 == 1, w.gone>>i&1 == 1; {
		case !in && !gone:
			return fmt.Sprintf("w%d is lost", i)
		case in && gone && !w.marked:
			return fmt.Sprintf("w%d is back and nothing was pruned", i)
		}
	}
	if why := e.unlawful([]int32{w.record[0], w.record[1], max(w.flying, 0)}); why != "" {
		return why
	}
	return e.sticks(w)
}

// unlawful checks the laws of the join, and that all who have heard of everything
// hold the same.
func (e *floorExplorer) unlawful(states []int32) string {
	floor := int64(0)
	for _, a := range states {
		for _, b := range states {
			ab := e.join(a, b)
			switch {
			case ab != e.join(b, a):
				return "the join depends on its side"
			case e.join(ab, a) != ab:
				return fmt.Sprintf("a join does not contain one that it was made of: %+v and %+v", e.records[a], e.records[b])
			}
		}
		floor = max(floor, e.records[a].Floor)
	}
	at := func(i int) int32 { return e.do(floorStep{record: states[i], now: uint8(floor), actor: -2}).record }
	a, b, c := at(0), at(1), at(2)
	all := e.join(e.join(a, b), c)
	if all != e.join(a, e.join(b, c)) || all != e.join(e.join(a, c), b) {
		return fmt.Sprintf("of states at one floor the order matters: %+v, %+v, %+v", e.records[a], e.records[b], e.records[c])
	}
	for _, s := range states {
		if e.join(s, all) != all {
			return fmt.Sprintf("who hears of everything differs from it: %+v and %+v", e.records[s], e.records[all])
		}
	}
	return ""
}

// sticks checks that what is shown can be deleted, all of it or one version.
func (e *floorExplorer) sticks(w *floorWorld) string {
	shown := e.join(w.record[0], w.record[1])
	for x, other := range w.record {
		for i := range w.puts {
			if e.held[shown]>>i&1 == 0 {
				continue
			}
			one := e.do(floorStep{record: shown, now: e.now(w, x), actor: -1, ctx: w.event[i]})
			all := e.do(floorStep{record: shown, now: e.now(w, x), actor: -1, all: true})
			if (e.held[e.join(one.record, other)]|e.held[e.join(all.record, other)])>>i&1 == 1 {
				return fmt.Sprintf("w%d can't be deleted", i)
			}
		}
	}
	return ""
}

// explore visits every world and returns their number, and the first broken one.
func (e *floorExplorer) explore() (worlds, pruned int, violation string) {
	start := floorWorld{flying: -1, live: [replicas]int8{-1, -1}}
	visited := map[floorWorld]struct{}{start: {}}
	queue := []floorWorld{start}
	for i := 0; i < len(queue) && violation == ""; i++ {
		e.successors(queue[i], func(n floorWorld, step string) {
			if _, ok := visited[n]; ok || violation != "" {
				return
			}
			visited[n] = struct{}{}
			queue = append(queue, n)
			if n.marked {
				pruned++
			}
			if why := e.broken(&n); why != "" {
				violation = fmt.Sprintf("%s, after %s in %+v with %+v", why, step, n, e.tell(&n))
			}
		})
	}
	return len(queue), pruned, violation
}

func (e *floorExplorer) tell(w *floorWorld) (states []causal.State) {
	for _, r := range append(slices.Clone(w.record[:]), max(w.flying, 0)) {
		states = append(states, e.records[r])
	}
	return states
}

// TestFloorModelHolds: OURO_EXHAUSTIVE=1 adds the larger scopes.
func TestFloorModelHolds(t *testing.T) {
	scopes := []floorScope{
		{puts: 2, deletes: 1, floors: 1, exceptions: 1},
		{puts: 2, deletes: 1, floors: 1, actors: 1, stopped: true},
	}
	if !effort.Small() {
		scopes = append(scopes, floorScope{puts: 2, deletes: 2, floors: 2, stopped: true}, floorScope{puts: 3, deletes: 1, floors: 1, exceptions: 1, actors: 2})
	}
	if os.Getenv("OURO_EXHAUSTIVE") == "1" {
		scopes = append(scopes, floorScope{puts: 3, deletes: 1, floors: 1, exceptions: 1, actors: 1, stopped: true}, floorScope{puts: 3, deletes: 2, floors: 1, exceptions: 1})
	}
	for _, scope := range scopes {
		e := &floorExplorer{explorer: newExplorer(t, policy{}, 0, 0), scope: scope, steps: map[floorStep]floorDone{}}
		worlds, pruned, violation := e.explore()
		if violation != "" {
			t.Errorf("%+v: %s", scope, violation)
		}
		t.Logf("%+v: all %d worlds hold, %d of them pruned, %d records", scope, worlds, pruned, len(e.records))
	}
}
