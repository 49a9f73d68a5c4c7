package causal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/effort"
)

// The model m1 of RULES, explored exhaustively on the code that runs in
// production: two replicas, two clients, one stale copy in flight, and a lawful
// forgetting or a rollback. Every interleaving of puts (blind or under what the
// client last saw), gets, joins, copies and forgettings is visited, breadth
// first. What a replica does about actors is a policy here; package replica
// holds the right one, and each wrong one is a mutant that must be found.

const (
	replicas = 2
	clients  = 2
	maxPuts  = 3
)

// policy is a way of minting. The zero policy is the rule: a fresh actor per
// life of a record, void after forgetting and after a restart.
type policy struct {
	foldReply     bool // a put's reply folds its dot into the vector
	foldContext   bool // the replica folds a context's exceptions into the vector
	dropGaps      bool // the replica drops exceptions of a context that leave a gap
	nodeActor     bool // one actor per node, counter = own entry + 1
	countContext  bool // with nodeActor: counter = max(own, context) + 1
	nodeCounter   bool // one actor and one counter per node, own entry raised to it
	restoredActor bool // the live actor comes back with a restored disk
}

// world is one state of the model. Records and contexts are numbered, so that
// a world is small and comparable.
type world struct {
	record   [replicas]int32
	actor    [replicas]int8 // live actor, -1: none
	copied   int32          // the copy that a rollback restores
	copiedBy int8           // whose record and actor it is; -1: none
	copyLive int8
	flying   int32 // a copy in flight; -1: none
	client   [clients]seen
	event    [maxPuts]event
	puts     uint8
	lapses   uint8
	actors   uint8
	counter  [replicas]uint8
}

// seen is what a client has: a context and, by the model's own bookkeeping, the
// set of puts that it honestly stands for.
type seen struct {
	context int32
	covers  uint8
}

// event is a put: its dot and the puts that it replaced.
type event struct {
	actor, n int8
	covers   uint8
}

// explorer numbers records and contexts and remembers what operations on them
// give: there are few of them in many worlds.
type explorer struct {
	t        *testing.T
	policy   policy
	maxPuts  uint8
	lapses   uint8
	records  []causal.State
	held     []uint8 // puts held by a record
	numbers  map[string]int32
	contexts []causal.Claims
	ctxs     map[string]int32
	joins    map[[2]int32]int32
	mints    map[mintKey]minted
}

type mintKey struct {
	record, context int32
	actor, base     int8
	put             uint8
}

type minted struct {
	record, reply int32
	n             int8
}

func newExplorer(t *testing.T, p policy, puts, lapses uint8) *explorer {
	e := &explorer{
		t: t, policy: p, maxPuts: puts, lapses: lapses,
		numbers: map[string]int32{}, ctxs: map[string]int32{}, joins: map[[2]int32]int32{}, mints: map[mintKey]minted{},
	}
	e.number(causal.State{})
	e.context(causal.Claims{})
	return e
}

func (e *explorer) number(s causal.State) int32 {
	b := s.Append(nil)
	if n, ok := e.numbers[string(b)]; ok {
		return n
	}
	decoded, err := causal.DecodeState(b)
	if err != nil {
		e.t.Fatalf("a state does not decode: %v: %+v", err, s)
	}
	n := int32(len(e.records))
	e.numbers[string(b)] = n
	e.records = append(e.records, decoded)
	var held uint8
	for _, v := range decoded.Versions {
		held |= 1 << v.Value[0]
	}
	e.held = append(e.held, held)
	return n
}

func (e *explorer) context(c causal.Claims) int32 {
	b := causal.State{Claims: c}.Append(nil)
	if n, ok := e.ctxs[string(b)]; ok {
		return n
	}
	n := int32(len(e.contexts))
	e.ctxs[string(b)] = n
	e.contexts = append(e.contexts, c)
	return n
}

func (e *explorer) join(x, y int32) int32 {
	key := [2]int32{x, y}
	if n, ok := e.joins[key]; ok {
		return n
	}
	s, _ := causal.JoinStates(e.records[x], e.records[y])
	n := e.number(s)
	e.joins[key] = n
	return n
}

func actorOf(a int8) causal.Actor { return causal.Actor{Run: 1, Life: uint64(a) + 1} }

// mint puts under a context at a record. Base, where it is not negative, is what
// a wrong policy raises the actor's entry to first.
func (e *explorer) mint(record, context int32, actor, base int8, put uint8) minted {
	key := mintKey{record, context, actor, base, put}
	if m, ok := e.mints[key]; ok {
		return m
	}
	s, ctx := e.records[record], e.contexts[context]
	if base > 0 {
		s.Claims = s.Union(causal.Claims{Vector: []causal.Entry{{Actor: actorOf(actor), N: uint64(base), Time: 1}}})
	}
	told := ctx
	if e.policy.foldContext {
		told = fold(ctx)
	}
	if e.policy.dropGaps {
		s = s.Remove(ctx, 0, causal.DefaultLimits())
		s.Claims, told = whole(s.Claims), whole(told)
	}
	v := causal.Version{Value: []byte{put}, Sum: causal.Sum{Lo: uint64(put) + 1}}
	next, report := s.Mint(told, v, actorOf(actor), 0, causal.DefaultLimits())
	next.Versions = slices.Clone(next.Versions)
	for i := range next.Versions {
		next.Versions[i].Stamp = 0 // says nothing here and would only multiply worlds
	}
	reply := ctx.With(report.Dot)
	if e.policy.foldReply {
		reply = fold(reply)
	}
	m := minted{e.number(next), e.context(untimed(reply)), int8(report.Dot.N)}
	e.mints[key] = m
	return m
}

// untimed drops the times of a context, as sealing does.
func untimed(c causal.Claims) causal.Claims {
	c.Vector = slices.Clone(c.Vector)
	for i := range c.Vector {
		c.Vector[i].Time = 0
	}
	return c
}

// whole forgets exceptions.
func whole(c causal.Claims) causal.Claims {
	return causal.Claims{Vector: slices.DeleteFunc(slices.Clone(c.Vector), func(e causal.Entry) bool { return e.N == 0 })}
}

// fold forgets that claims have gaps: the mistake of plain version vectors.
func fold(c causal.Claims) causal.Claims {
	for _, d := range c.Exceptions {
		c.Vector = causal.Claims{Vector: c.Vector}.Union(causal.Claims{Vector: []causal.Entry{{Actor: d.Actor, N: d.N, Time: 1}}}).Vector
	}
	c.Exceptions = nil
	return c
}

type emit func(next world, step func() string)

func (e *explorer) successors(w world, out emit) {
	if w.puts < e.maxPuts {
		e.puts(w, out)
	}
	for c := range clients {
		for x := range replicas {
			if e.held[w.record[x]] == 0 {
				continue
			}
			n := w
			n.client[c] = seen{e.context(untimed(e.records[w.record[x]].Claims)), e.standsFor(&w, x)}
			out(n, func() string { return fmt.Sprintf("client %d gets at %c", c, 'A'+x) })
		}
	}
	for x := range replicas {
		e.exchange(w, x, out)
		if w.lapses < e.lapses {
			e.forget(w, x, out)
		}
	}
}

// standsFor returns the puts that a record's versions are and replaced.
func (e *explorer) standsFor(w *world, x int) uint8 {
	held := e.held[w.record[x]]
	covers := held
	for i := range w.puts {
		if held>>i&1 == 1 {
			covers |= w.event[i].covers
		}
	}
	return covers
}

func (e *explorer) puts(w world, out emit) {
	for c := range clients {
		for x := range replicas {
			e.put(w, c, x, w.client[c], out)
			if w.client[c] != (seen{}) {
				e.put(w, c, x, seen{}, out)
			}
		}
	}
}

func (e *explorer) put(w world, c, x int, ctx seen, out emit) {
	n := w
	actor, base := int8(x), int8(-1)
	switch {
	case e.policy.nodeCounter:
		n.counter[x]++
		base = int8(n.counter[x]) - 1
	case e.policy.countContext:
		base = int8(max(e.records[w.record[x]].N(actorOf(actor)), greatest(e.contexts[ctx.context], actorOf(actor))))
	case !e.policy.nodeActor:
		if n.actor[x] < 0 {
			n.actor[x] = int8(n.actors)
			n.actors++
		}
		actor = n.actor[x]
	}
	m := e.mint(w.record[x], ctx.context, actor, base, w.puts)
	n.record[x] = m.record
	n.event[w.puts] = event{actor, m.n, ctx.covers}
	n.client[c] = seen{m.reply, ctx.covers | 1<<w.puts}
	n.puts++
	out(n, func() string {
		return fmt.Sprintf("client %d puts w%d at %c under %03b: dot (%d,%d)", c, w.puts, 'A'+x, ctx.covers, actor, m.n)
	})
}

// greatest returns the highest event of an actor among claims.
func greatest(c causal.Claims, a causal.Actor) uint64 {
	n := c.N(a)
	for _, d := range c.Exceptions {
		if d.Actor == a {
			n = max(n, d.N)
		}
	}
	return n
}

func (e *explorer) exchange(w world, x int, out emit) {
	n := w
	n.record[1-x] = e.join(w.record[1-x], w.record[x])
	out(n, func() string { return fmt.Sprintf("%c's state is joined at the other", 'A'+x) })
	if w.flying < 0 && e.held[w.record[x]] != 0 {
		n := w
		n.flying = w.record[x]
		out(n, func() string { return fmt.Sprintf("a copy of %c's state stays in flight", 'A'+x) })
	}
	if w.flying >= 0 {
		n := w
		n.record[x] = e.join(w.record[x], w.flying)
		out(n, func() string { return fmt.Sprintf("the copy in flight is joined at %c", 'A'+x) })
	}
}

// forget lets a replica forget its record, which it may do only when the other
// has all of it: a hint delivered, a reap, a partition dropped, a record lost.
// Or it comes back with an older copy of it.
func (e *explorer) forget(w world, x int, out emit) {
	if w.copiedBy < 0 {
		n := w
		n.copied, n.copiedBy, n.copyLive = w.record[x], int8(x), w.actor[x]
		out(n, func() string { return fmt.Sprintf("%c's record of now is what a rollback restores", 'A'+x) })
	}
	if e.join(w.record[1-x], w.record[x]) != w.record[1-x] || e.held[w.record[x]] == 0 {
		return
	}
	n := w
	n.lapses++
	n.record[x], n.actor[x] = 0, -1
	out(n, func() string { return fmt.Sprintf("%c forgets the key", 'A'+x) })
	if w.copiedBy == int8(x) {
		n := w
		n.lapses++
		n.record[x], n.actor[x] = w.copied, -1
		if e.policy.restoredActor {
			n.actor[x] = w.copyLive
		}
		out(n, func() string { return fmt.Sprintf("%c is rolled back to the copy", 'A'+x) })
	}
}

// broken says which promise a world breaks; "" is none.
func (e *explorer) broken(w *world) string {
	var covered uint8
	for i := range w.puts {
		covered |= w.event[i].covers
		for j := range i {
			if w.event[i].actor == w.event[j].actor && w.event[i].n == w.event[j].n {
				return fmt.Sprintf("one dot for w%d and w%d", j, i)
			}
		}
	}
	held := e.held[e.join(w.record[0], w.record[1])]
	for i := range w.puts {
		switch in, over := held>>i&1 == 1, covered>>i&1 == 1; {
		case !in && !over:
			return fmt.Sprintf("w%d is lost", i)
		case in && over:
			return fmt.Sprintf("w%d is back although it was replaced", i)
		}
	}
	return ""
}

// link is how a world was first reached.
type link struct {
	from int32
	nth  uint16
}

// explore visits every world and returns their number, or the steps to the
// first broken one.
func (e *explorer) explore() (worlds int, violation string) {
	start := world{copiedBy: -1, copyLive: -1, flying: -1, actor: [replicas]int8{-1, -1}}
	visited := map[world]struct{}{start: {}}
	queue, links := []world{start}, []link{{-1, 0}}
	for i := 0; i < len(queue) && violation == ""; i++ {
		nth := uint16(0)
		e.successors(queue[i], func(n world, _ func() string) {
			nth++
			if _, ok := visited[n]; ok || violation != "" {
				return
			}
			visited[n] = struct{}{}
			queue, links = append(queue, n), append(links, link{int32(i), nth})
			if why := e.broken(&n); why != "" {
				violation = why + ":" + e.trace(queue, links, len(queue)-1)
			}
		})
	}
	return len(queue), violation
}

// trace tells how a world was reached.
func (e *explorer) trace(queue []world, links []link, at int) string {
	var steps []string
	for ; links[at].from >= 0; at = int(links[at].from) {
		nth := uint16(0)
		e.successors(queue[links[at].from], func(_ world, step func() string) {
			if nth++; nth == links[at].nth {
				steps = append(steps, step())
			}
		})
	}
	slices.Reverse(steps)
	return "\n\t" + strings.Join(steps, "\n\t")
}

// TestModelHolds explores the rule as it stands. The last scope is that of
// RULES, 917,917 worlds; -short leaves it out.
func TestModelHolds(t *testing.T) {
	scopes := [][2]uint8{{3, 0}, {2, 1}}
	if !effort.Small() {
		scopes = append(scopes, [2]uint8{3, 1})
	}
	for _, scope := range scopes {
		worlds, violation := newExplorer(t, policy{}, scope[0], scope[1]).explore()
		if violation != "" {
			t.Errorf("%d puts, %d lapses: %s", scope[0], scope[1], violation)
		}
		t.Logf("%d puts, %d lapses: all %d worlds hold", scope[0], scope[1], worlds)
	}
}

// TestModelMutantsDie explores the ways of minting that RULES found wrong.
func TestModelMutantsDie(t *testing.T) {
	for _, m := range []struct {
		name         string
		policy       policy
		puts, lapses uint8
	}{
		{"reply folded into the vector", policy{foldReply: true}, 3, 0},
		{"replica folds the dot into its vector", policy{foldContext: true}, 3, 0},
		{"replica drops dots that leave a gap", policy{dropGaps: true}, 3, 0},
		{"counter = own entry + 1, actor of the node", policy{nodeActor: true}, 3, 1},
		{"counter = max(own, context) + 1", policy{nodeActor: true, countContext: true}, 3, 1},
		{"counter of the node, entry raised to it", policy{nodeActor: true, nodeCounter: true}, 3, 1},
		{"actor restored with the disk", policy{restoredActor: true}, 3, 1},
	} {
		t.Run(m.name, func(t *testing.T) {
			worlds, violation := newExplorer(t, m.policy, m.puts, m.lapses).explore()
			if violation == "" {
				t.Fatalf("the mutant lives: all %d worlds hold", worlds)
			}
			t.Logf("found after %d worlds: %s", worlds, violation)
		})
	}
}
