package reap_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/effort"
)

// Every history of one number within a scope, on the real code (RULES R8): two primaries
// A and B, one other member F that keeps for them what it is given to keep; increments
// at each of them, in the order of a script, and the ends of the processes they belong to;
// whole copies of records and what an increment did alone on their way; nodes that go
// from epoch to epoch; rounds of folding by whoever is the first primary, step by step;
// and, where the script says so, the disk of a node that is lost, or a ring in which B is
// the first, which each of the two hears of in its time.

// act is what a script says is next.
type act uint8

const (
	inc   act = iota // an increment at a node
	end              // the process of a node ends, and begins anew
	lose             // a node loses its disk. A has back what B holds; what F kept is gone
	turn             // from now on B is the first, once it has heard so
	given            // A and B are brought all there is
)

// event is one line of a script. Each increment is of another digit.
type event struct {
	act  act
	node uint8
}

// world is one state.
type world struct {
	record [2]uint16
	run    [3]uint8
	hint   seen // its record
	flying [2]seen
	epoch  [3]uint8
	link   [2]uint8 // the ring that A and B know: in 1 B is the first
	turned bool
	next   uint8 // in the script
	count  uint8 // of increments
	maybe  uint8 // those that were lost with a disk, or may be back: the number shows them or not
	round  [2]round
	folds  uint8
}

// foldScope bounds a search.
type foldScope struct {
	name   string
	begin  []event // a script of what has happened before
	ahead  uint8   // by how many epochs F was ahead then
	script []event
	copies int  // on their way at a time
	alone  bool // what an increment did may be sent alone
	folds  uint8
	small  bool // it has few states
}

func (w *world) at(x uint8) place {
	p := place{node: x, epoch: w.epoch[x], run: w.run[x]}
	if x == nodeF {
		p.record = w.hint.state
	} else {
		p.record = w.record[x]
	}
	return p
}

// normal tells a state by what is beyond its lowest epoch.
func (w world) normal() world {
	down := min(w.epoch[0], w.epoch[1], w.epoch[2]) - lowest
	for x := range w.epoch {
		w.epoch[x] -= down
	}
	for i := range w.flying {
		c := &w.flying[i]
		if c.state != 0 {
			c.stamp = max(c.stamp, ancient+down) - down
		}
	}
	if f := &w.flying; f[0].state < f[1].state || f[0].state == f[1].state && f[0].stamp < f[1].stamp {
		f[0], f[1] = f[1], f[0]
	}
	if w.hint.state == 0 {
		w.hint = seen{}
	} else {
		w.hint.stamp = max(w.hint.stamp, ancient+down) - down
	}
	for x := range w.round {
		r := &w.round[x]
		for y := range r.told {
			if t := &r.told[y]; t.state != 0 && t.stamp < ancient+down {
				*r = round{} // no answer is waited for that long
			} else if t.state != 0 {
				t.stamp -= down
			}
		}
		if r.phase >= growing {
			r.needs = max(r.needs, ancient-1+down) - down
		}
	}
	return w
}

// all is what is known to anybody who will tell it.
func (f *folds) all(w *world) uint32 {
	return f.total(f.both(f.both(f.state(w.record[0]), f.state(w.record[1])), f.state(w.hint.state)))
}

// check fails where an increment is counted twice, or lost.
func (f *folds) check(before, w *world) {
	total := f.all(w)
	for i := range uint8(10) {
		digit := total >> (3 * i) & 7
		switch {
		case i >= w.count && digit == 0, i < w.count && digit == 1, i < w.count && w.maybe>>i&1 == 1 && digit == 0:
		case digit == 0:
			f.t.Fatalf("increment %d is lost: %o in %+v, after %+v", i, total, *w, *before)
		default:
			f.t.Fatalf("increment %d counts %d times: %o in %+v, after %+v", i, digit, total, *w, *before)
		}
	}
}

func (w *world) successors(f *folds, s *foldScope, emit func(world)) {
	if int(w.next) < len(s.script) {
		w.script(f, s, s.script[w.next], emit)
	}
	w.copies(f, s, emit)
	w.handOver(f, emit)
	for x := range uint8(2) {
		w.hears(f, x, emit)
		w.rounds(f, s, x, emit)
	}
	for x := range uint8(3) {
		if f.enters(x, w.epoch, copied{state: uint8(min(w.hint.state, 1)), stamp: w.hint.stamp}) {
			n := *w
			n.epoch[x]++
			emit(n)
		}
	}
}

func (w *world) script(f *folds, s *foldScope, e event, emit func(world)) {
	n := *w
	n.next++
	switch e.act {
	case inc:
		if e.node == nodeF && f.read(w.at(nodeF)).alive == 0 {
			n.run[nodeF] = w.count + 1 // another life: what F kept before is gone
		}
		m := f.increments(n.at(e.node), w.hint.stamp, max(w.epoch[0], w.epoch[1], w.epoch[2]), 3*w.count)
		n.count++
		if e.node == nodeF {
			n.hint = seen{state: m.record, stamp: m.stamp}
		} else {
			n.record[e.node] = m.record
		}
		emit(n)
		if s.alone {
			n.send(s, m.alone, emit)
		}
	case end:
		n.run[e.node]++
		if e.node != nodeF {
			n.round[e.node] = round{}
		}
		emit(n)
	case lose:
		n.loses(f, e.node, w, emit)
	case turn:
		n.turned = true
		emit(n)
	case given:
		all := f.both(f.both(f.state(w.record[0]), f.state(w.record[1])), f.state(w.hint.state))
		for x := range uint8(2) {
			n.record[x] = f.takes(w.at(x), seen{state: all, stamp: lowest}).record
		}
		emit(n)
	}
}

// loses takes the disk of a node away. A's is lost only where nothing is on it alone.
func (n world) loses(f *folds, x uint8, w *world, emit func(world)) {
	n.run[x]++
	n.epoch[x] = max(w.epoch[0], w.epoch[1], w.epoch[2])
	if x == nodeF {
		n.hint = seen{}
		left := f.all(&n)
		for i := range w.count {
			if left>>(3*i)&7 == 0 {
				n.maybe |= 1 << i
			}
		}
		emit(n)
		return
	}
	n.record[x], n.round[x] = 0, round{}
	if f.all(&n) != f.all(w) {
		return
	}
	if c := f.read(w.at(1 - x)); c.state != 0 {
		n.record[x] = f.takes(n.at(x), seen{state: c.state, stamp: lowest + 2}).record
	}
	emit(n)
}

// send puts a copy on its way, if there is room.
func (w world) send(s *foldScope, c seen, emit func(world)) {
	for i := range s.copies {
		if w.flying[i].state == 0 {
			w.flying[i] = seen{state: c.state, stamp: c.stamp}
			emit(w)
			return
		}
	}
}

func (w *world) copies(f *folds, s *foldScope, emit func(world)) {
	for x := range uint8(2) {
		if w.record[x] != 0 {
			w.send(s, f.read(w.at(x)), emit)
		}
	}
	for i, c := range w.flying {
		if c.state == 0 {
			continue
		}
		n := *w
		n.flying[i] = seen{}
		emit(n)
		for x := range uint8(2) {
			if j := f.takes(w.at(x), c); j.ok { // and it may arrive again
				n := *w
				n.record[x] = j.record
				emit(n)
			}
		}
		if k := f.keeps(w.at(nodeF), w.hint.stamp, c); k.record != 0 {
			n := *w
			n.hint = seen{state: k.record, stamp: k.stamp}
			emit(n)
		}
	}
}

// handOver brings what F keeps to A and B, and lets it go once both hold it.
func (w *world) handOver(f *folds, emit func(world)) {
	if w.hint.state == 0 {
		return
	}
	c := seen{state: f.state(w.hint.state), stamp: w.hint.stamp}
	paid := true
	for x := range uint8(2) {
		j := f.takes(w.at(x), c)
		if !j.ok {
			f.t.Fatalf("a hint cannot be handed over to %s: %+v", ids[x], *w)
		}
		paid = paid && w.record[x] != 0 && f.both(f.state(w.record[x]), c.state) == f.state(w.record[x])
		n := *w
		n.record[x] = j.record
		emit(n)
	}
	if paid {
		n := *w
		n.hint = seen{}
		emit(n)
	}
}

// hears has A or B learn of the newer ring.
func (w *world) hears(f *folds, x uint8, emit func(world)) {
	if w.turned && w.link[x] == 0 {
		emit(w.adopts(f, x))
	}
}

func (w *world) adopts(f *folds, x uint8) world {
	n := *w
	n.link[x] = 1
	if r := w.round[x]; r.phase != idle && r.phase != folding && f.voids(x, r) {
		n.round[x] = round{}
	}
	return n
}

// rounds takes the next step of the round at x.
func (w *world) rounds(f *folds, s *foldScope, x uint8, emit func(world)) {
	r := w.round[x]
	n := *w
	switch {
	case r.phase == idle && (w.folds >= s.folds || w.record[x] == 0 || !f.begins(x, w.link[x])):
	case r.phase == idle:
		n.round[x] = round{phase: looking, link: w.link[x]}
		emit(n)
	case r.phase == looking || r.phase == asking:
		w.tells(f, x, emit)
	case r.phase == growing && w.epoch[x]-1 >= r.needs:
		n.round[x].phase, n.round[x].told = asking, [2]seen{}
		emit(n)
	case r.phase == folding:
		n.round[x] = round{}
		if n.record[x] = f.applied(w.at(x), r); n.record[x] != w.record[x] {
			n.folds++
			if f.total(f.state(n.record[x])) != f.total(f.state(w.record[x])) {
				f.t.Fatalf("folding changes what %s shows: %+v, after %+v", ids[x], n, *w)
			}
		}
		emit(n)
	}
}

// tells has a primary answer the round at x, by what it holds now. Who knows of a newer
// ring refuses, who knows of an older one learns of it first; what a node is to fold it
// folds before it answers.
func (w *world) tells(f *folds, x uint8, emit func(world)) {
	for y := range uint8(2) {
		from := *w
		if w.round[x].told[y].stamp != 0 || w.link[y] > w.link[x] || y != x && w.round[y].phase == folding {
			continue
		}
		if w.link[y] < w.link[x] {
			from = w.adopts(f, y)
		}
		n := from
		r := &n.round[x]
		told := f.read(from.at(y))
		if told.state == 0 {
			n.round[x] = round{}
			emit(n)
			continue
		}
		if r.told[y] = told; r.told[1-y].state == 0 {
			emit(n)
			continue
		}
		switch {
		case r.phase == looking:
			*r = f.looked(x, r.link, r.told)
		case f.settled(x, *r):
			r.phase, r.told = folding, [2]seen{}
		default:
			*r = round{}
		}
		emit(n)
	}
}

// searchFolds goes through every history within a scope. It returns how many states
// there are, in how many a number was folded, and twice.
func searchFolds(t *testing.T, s foldScope) (states int, folded [3]int) {
	f := newFolds(t)
	first := world{run: [3]uint8{1, 1, 1}, epoch: [3]uint8{lowest, lowest, lowest + s.ahead}}
	for _, e := range s.begin {
		first.script(f, &foldScope{}, e, func(n world) { first = n })
	}
	first.next = 0
	known := map[world]bool{first: true}
	frontier := []world{first}
	for len(frontier) > 0 {
		var next []world
		for i := range frontier {
			w := &frontier[i]
			folded[w.folds]++
			w.successors(f, &s, func(n world) {
				n = n.normal()
				if !known[n] {
					known[n] = true
					f.check(w, &n)
					next = append(next, n)
				}
			})
		}
		frontier = next
	}
	return len(known), folded
}

// TestFoldingHistories: no increment counts twice or is lost, whatever is folded
// meanwhile, by whom and in which order, and folding changes nothing that is shown.
func TestFoldingHistories(t *testing.T) {
	begin := []event{{inc, nodeA}, {end, nodeA}, {inc, nodeA}, {end, nodeA}}
	three := append(begin[:4:4], event{inc, nodeA}, event{end, nodeA})
	given := event{act: given}
	for _, s := range []foldScope{
		{name: "a folding is lost with a disk", begin: append(three[:6:6], given), script: []event{{lose, nodeA}}, copies: 1, folds: 2, small: true},
		{name: "another is first meanwhile", begin: append(three[:6:6], given), script: []event{{act: turn}, {end, nodeA}}, copies: 1, folds: 2},
		{name: "a hint has more of a share", begin: append(begin[:4:4], event{inc, nodeF}, given), script: []event{{inc, nodeF}}, copies: 1, folds: 1, small: true},
		{name: "an increment comes alone", begin: append(begin[:4:4], event{inc, nodeF}, given), script: []event{{inc, nodeF}, {lose, nodeF}}, copies: 1, ahead: 1, alone: true, folds: 1},
		{name: "a process goes on", begin: append(three[:6:6], event{inc, nodeB}, given), script: []event{{inc, nodeB}, {end, nodeB}}, copies: 1, alone: true, folds: 2},
	} {
		if effort.Small() && !s.small {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			states, folded := searchFolds(t, s)
			t.Logf("all %d states; folded once in %d, twice in %d", states, folded[1], folded[2])
			if folded[1] == 0 {
				t.Error("nothing was ever folded")
			}
		})
	}
}
