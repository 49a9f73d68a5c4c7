package causal_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
)

// The model of RULES R7 on the code that runs in production: two replicas, a
// copy in flight, three puts, two deletes and two prunings at any time (so the
// age rule is at its worst), with good clocks or with one that stands still.

// pruning is a way of pruning. The zero pruning is the rule with good clocks.
type pruning struct {
	stoppedClock bool // the second replica's clock stands at 0

	keepLife bool // a life goes on though its own entry fell
	keepDate bool // a removal does not date its entry
	atFloor  bool // times may be as low as the floor
}

const (
	maxLives  = 4
	maxPrunes = 2
)

// pruneWorld is one state of the model; see [world].
type pruneWorld struct {
	record                              [replicas]int32
	live                                [replicas]int8
	flying                              int32
	event                               [maxPuts]event
	puts, deletes, prunes, clock, lives uint8
	gone                                uint8 // puts that another put or a delete replaced
}

type pruneExplorer struct {
	*explorer
	way           pruning
	puts, deletes uint8
	steps         map[pruneStep]minted
}

// pruneStep is an operation on one record, to look up what it gave before.
type pruneStep struct {
	record int32
	now    uint8
	verb   byte // p put, b blind put, d delete, f prune
	actor  int8
	put    uint8
}

func (e *pruneExplorer) once(step pruneStep, do func(old causal.State) (causal.State, int8)) minted {
	if m, ok := e.steps[step]; ok {
		return m
	}
	s, n := do(e.records[step.record])
	s.Versions = slices.Clone(s.Versions)
	for i := range s.Versions {
		s.Versions[i].Stamp = 0
	}
	m := minted{record: e.number(s), n: n}
	e.steps[step] = m
	return m
}

// dated spoils the times of next, which was made of old, as a wrong way would.
func (e *pruneExplorer) dated(old, next causal.State, now int64) causal.State {
	next.Vector = slices.Clone(next.Vector)
	for i := range next.Vector {
		entry := &next.Vector[i]
		at := old.Index(entry.Actor)
		switch {
		case at >= 0 && e.way.keepDate && old.Vector[at].N == entry.N:
			entry.Time = old.Vector[at].Time
		case e.way.atFloor && entry.Time == old.Floor+1 && now <= old.Floor:
			entry.Time = old.Floor
		}
	}
	floor := next.Floor
	next.Floor = 0
	return next.At(floor) // lets fall what is at the floor now
}

func (e *pruneExplorer) put(record int32, blind bool, actor int8, put, now uint8) minted {
	verb := byte('p')
	if blind {
		verb = 'b'
	}
	return e.once(pruneStep{record, now, verb, actor, put}, func(old causal.State) (causal.State, int8) {
		ctx := old.Claims
		if blind {
			ctx = causal.Claims{}
		}
		v := causal.Version{Value: []byte{put}, Sum: causal.Sum{Lo: uint64(put) + 1}}
		next, report := old.Mint(ctx, v, actorOf(actor), int64(now), wide)
		return e.dated(old, next, int64(now)), int8(report.Dot.N)
	})
}

func (e *pruneExplorer) remove(record int32, now uint8) int32 {
	return e.once(pruneStep{record: record, now: now, verb: 'd'}, func(old causal.State) (causal.State, int8) {
		return e.dated(old, old.Remove(old.Claims, int64(now), wide), int64(now)), 0
	}).record
}

// prune raises the floor to the oldest entry that holds no version; the same
// record where there is none.
func (e *pruneExplorer) prune(record int32) int32 {
	return e.once(pruneStep{record: record, verb: 'f'}, func(old causal.State) (causal.State, int8) {
		oldest := int64(0)
		for _, entry := range old.Vector {
			if !holdsOf(old, entry.Actor) && (oldest == 0 || entry.Time < oldest) {
				oldest = entry.Time
			}
		}
		next, _ := causal.JoinStates(old, causal.State{Floor: oldest})
		return next, 0
	}).record
}

func holdsOf(s causal.State, a causal.Actor) bool {
	return slices.ContainsFunc(s.Versions, func(v causal.Version) bool { return v.Dot.Actor == a })
}

// set stores a record; a live actor of whose events some fell has ended.
func (e *pruneExplorer) set(w *pruneWorld, x int, record int32) {
	w.record[x] = record
	if w.live[x] < 0 || e.way.keepLife {
		return
	}
	own, minted := actorOf(w.live[x]), uint64(0)
	for i := range w.puts {
		if w.event[i].actor == w.live[x] {
			minted = max(minted, uint64(w.event[i].n))
		}
	}
	if e.records[record].N(own) < minted {
		w.live[x] = -1
	}
}

// now is what a replica's clock shows at its next event.
func (e *pruneExplorer) now(w *pruneWorld, x int) uint8 {
	if e.way.stoppedClock && x == 1 {
		return 1
	}
	return w.clock + 1
}

func (e *pruneExplorer) successors(w pruneWorld, out func(next pruneWorld, step func() string)) {
	for x := range replicas {
		e.putsAt(w, x, out)
		held := e.held[w.record[x]]
		if w.deletes < e.deletes && held != 0 {
			n := w
			n.deletes++
			n.clock++
			n.gone |= held
			e.set(&n, x, e.remove(w.record[x], e.now(&w, x)))
			out(n, func() string { return fmt.Sprintf("all that %c shows (%03b) is deleted", 'A'+x, held) })
		}
		if pruned := e.prune(w.record[x]); w.prunes < maxPrunes && pruned != w.record[x] {
			n := w
			n.prunes++
			e.set(&n, x, pruned)
			out(n, func() string { return fmt.Sprintf("%c prunes to floor %d", 'A'+x, e.records[pruned].Floor) })
		}
		n := w
		e.set(&n, 1-x, e.join(w.record[1-x], w.record[x]))
		out(n, func() string { return fmt.Sprintf("%c's state is joined at the other", 'A'+x) })
		if w.flying < 0 && len(e.records[w.record[x]].Vector) > 0 {
			n := w
			n.flying = w.record[x]
			out(n, func() string { return fmt.Sprintf("a copy of %c's state stays in flight", 'A'+x) })
		}
		if w.flying >= 0 {
			n := w
			e.set(&n, x, e.join(w.record[x], w.flying))
			out(n, func() string { return fmt.Sprintf("the copy in flight is joined at %c", 'A'+x) })
		}
	}
}

func (e *pruneExplorer) putsAt(w pruneWorld, x int, out func(next pruneWorld, step func() string)) {
	held := e.held[w.record[x]]
	for _, blind := range []bool{false, true} {
		if w.puts == e.puts || !blind && held == 0 {
			continue
		}
		n := w
		n.clock++
		if !blind {
			n.gone |= held
		}
		if n.live[x] < 0 {
			if n.lives == maxLives {
				continue
			}
			n.live[x] = int8(n.lives)
			n.lives++
		}
		m := e.put(w.record[x], blind, n.live[x], w.puts, e.now(&w, x))
		n.event[w.puts] = event{actor: n.live[x], n: m.n}
		n.puts++
		e.set(&n, x, m.record)
		out(n, func() string {
			return fmt.Sprintf("w%d is put at %c, blind: %v: dot (%d,%d)", w.puts, 'A'+x, blind, n.event[w.puts].actor, m.n)
		})
	}
}

func (e *pruneExplorer) broken(w *pruneWorld) string {
	for i := range w.puts {
		for j := range i {
			if w.event[i].actor == w.event[j].actor && w.event[i].n == w.event[j].n {
				return fmt.Sprintf("one dot for w%d and w%d", j, i)
			}
		}
	}
	joined := e.join(w.record[0], w.record[1])
	for i := range w.puts {
		switch in, gone := e.held[joined]>>i&1 == 1, w.gone>>i&1 == 1; {
		case !in && !gone:
			return fmt.Sprintf("w%d is lost", i)
		case in && gone && w.prunes == 0:
			return fmt.Sprintf("w%d is back without any pruning", i)
		}
	}
	if joined != e.join(w.record[1], w.record[0]) {
		return "the join depends on its side"
	}
	a, b := w.record[0], w.record[1]
	for range 3 {
		b = e.join(b, a)
		a = e.join(a, b)
	}
	if a != b {
		return "three exchanges do not converge"
	}
	for x := range replicas {
		shown := e.join(w.record[x], w.record[1-x])
		if e.held[shown] == 0 {
			continue
		}
		after := e.join(e.remove(shown, e.now(w, x)), w.record[1-x])
		if e.held[after]&e.held[shown] != 0 {
			return fmt.Sprintf("%c shows %03b and cannot delete it", 'A'+x, e.held[shown])
		}
	}
	return ""
}

// explore visits every world and returns their number and the first broken one.
func (e *pruneExplorer) explore() (worlds int, violation string) {
	start := pruneWorld{flying: -1, live: [replicas]int8{-1, -1}}
	visited := map[pruneWorld]struct{}{start: {}}
	queue := []pruneWorld{start}
	for i := 0; i < len(queue) && violation == ""; i++ {
		e.successors(queue[i], func(n pruneWorld, step func() string) {
			if _, ok := visited[n]; ok || violation != "" {
				return
			}
			visited[n] = struct{}{}
			queue = append(queue, n)
			if why := e.broken(&n); why != "" {
				violation = fmt.Sprintf("%s, after %s in %+v", why, step(), queue[i])
			}
		})
	}
	return len(queue), violation
}

func explorePruning(t *testing.T, way pruning, puts, deletes uint8) (worlds int, violation string) {
	e := &pruneExplorer{explorer: newExplorer(t, policy{}, 0, 0), way: way, puts: puts, deletes: deletes, steps: map[pruneStep]minted{}}
	return e.explore()
}

// TestPruneModelHolds: OURO_EXHAUSTIVE=1 adds the scope of RULES, 1,075,630 worlds.
func TestPruneModelHolds(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		scopes := [][2]uint8{{2, 2}}
		if os.Getenv("OURO_EXHAUSTIVE") == "1" && stopped {
			scopes = append(scopes, [2]uint8{3, 2})
		}
		for _, scope := range scopes {
			worlds, violation := explorePruning(t, pruning{stoppedClock: stopped}, scope[0], scope[1])
			if violation != "" {
				t.Errorf("%d puts, %d deletes, stopped clock %v: %s", scope[0], scope[1], stopped, violation)
			}
			t.Logf("%d puts, %d deletes, stopped clock %v: all %d worlds hold", scope[0], scope[1], stopped, worlds)
		}
	}
}

// TestPruneModelMutantsDie: without one of these clauses of R7 something breaks.
// That entries of held versions stay is what the codec insists on, and that the
// floor must travel is [TestH15].
func TestPruneModelMutantsDie(t *testing.T) {
	for name, way := range map[string]pruning{
		"own entry falls, life goes on": {keepLife: true},
		"removal does not date":         {keepDate: true},
		"times as low as the floor":     {atFloor: true, stoppedClock: true},
	} {
		t.Run(name, func(t *testing.T) {
			worlds, violation := explorePruning(t, way, 3, 2)
			if violation == "" {
				t.Fatalf("the mutant lives: all %d worlds hold", worlds)
			}
			t.Logf("found after %d worlds: %s", worlds, violation)
		})
	}
}
