package coord

import (
	"os"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/effort"
)

// cast is who is in a history: the primaries of a key, those further down the
// walk, how they look to the coordinator, and how long it is patient.
type cast struct {
	prim, n, self int
	old           int  // the first so many are in the list in force; 0: all primaries are
	new           set  // those in the list that the partition is on its way to, if it is
	moves         bool // the lists may change meanwhile
	down, doubt   set
	patience      time.Duration
	p95           time.Duration // of every one's answers
	hedge         bool          // another may be asked for its state
	more          bool          // those further down are known only once they are asked for
}

// primariesOnly is a cast of n primaries, of which the last few are down.
func primariesOnly(n, down, self int) cast {
	c := cast{prim: n, n: n, self: self}
	for i := n - down; i < n; i++ {
		if i != self {
			c.down.add(i)
		}
	}
	return c
}

func (c *cast) primaries() set { return 1<<c.prim - 1 }

// walks says that there is more than a list of primaries, whose order does not
// count.
func (c *cast) walks() bool { return c.n > c.prim || c.patience > 0 || c.doubt != 0 }

// list is the walk as the coordinator sees it at the start, or is told it later.
func (c *cast) list(w *world) []Replica {
	list := make([]Replica, c.n)
	for i := range list {
		list[i] = Replica{ID: nodeName(i), Up: i == c.self || !w.down.has(i), Doubt: c.doubt.has(i), Patience: c.patience, P95: c.p95}
	}
	return list
}

// walk notes what a machine knows of the walk.
func (b *books) walk(c *common) {
	b.chosen, b.doubt, b.more, b.patient = c.chosen, c.doubt, c.more, c.patient
	copy(b.owes[:], c.owes[:most])
}

// signWalk adds what tells a node from another by its place in the walk.
func (x *explorer) signWalk(g *sign, w *world, b *books, i int) {
	if !x.walks() {
		return
	}
	g[13], g[14] = byte(i+1)|b.owes[i]<<4, byte((w.now-w.since[i])/time.Second)
	g[15] = 0
	if w.doubt.has(i) {
		g[15] = 1
	}
}

// lose takes those for doubtful that were silent for too long by now.
func (x *explorer) lose(w *world, b *books) {
	for i := range x.n {
		for r := round(1); r < rounds && x.patience > 0; r++ {
			waits := w.asked[r][i] == open || w.asked[r][i] == half
			if waits && !x.sc.over(b, r) && !w.down.has(i) && w.since[i]+x.patience <= w.now {
				w.doubt.add(i)
			}
		}
	}
}

// called holds an ask against the walk: a stand-in works on a pending record, it
// owes what it stores to a primary that fails, and the healthy come before those
// in doubt.
func (x *explorer) called(w *world, a *Ask, i int) {
	o := &a.Op
	if o.Pending != (i >= x.prim) {
		x.failf("node %d is asked with pending=%v", i, o.Pending)
	}
	if i < x.prim {
		return
	}
	stores := o.Mint != nil || o.State != nil
	failing := w.down | w.doubt | w.refused
	switch {
	case !stores && o.Targets != nil:
		x.failf("node %d is told whom it owes what it does not store", i)
	case stores && i == x.self && len(o.Targets) != x.prim:
		x.failf("a coordinator that is no primary owes to %v", o.Targets)
	case stores && i != x.self && len(o.Targets) != 1:
		x.failf("node %d owes to %v", i, o.Targets)
	case stores && i != x.self && (int(o.Targets[0][0]-'a') >= x.prim || !failing.has(int(o.Targets[0][0]-'a')) && failing&x.primaries() != 0):
		x.failf("node %d owes to %v, which does not fail", i, o.Targets)
	case i != x.self && failing == 0:
		x.failf("node %d is asked and nobody fails", i)
	}
}

// staffed holds the world against the promise of the walk: as long as there is
// no answer, n healthy nodes have done it or are asked, or all there are.
func (x *explorer) staffed(w *world, s subject) {
	done, asked, all := x.sc.serves(w)
	if !all || s.Done() {
		return
	}
	everyone := set(1)<<x.n - 1
	healthy := everyone &^ (w.down | w.doubt | w.refused)
	if idle := healthy &^ (done | asked); (done|asked&healthy).len() < x.prim && idle != 0 {
		x.failf("%b have done it, %b are asked, and of the healthy %b are not", done, asked, idle)
	}
	rest := x.primaries() &^ (w.down | w.refused | done | asked)
	if strict := x.sc.strict(); rest != 0 && !x.met(done|asked&healthy, need{strict: strict[0]}, need{strict: strict[1]}) {
		x.failf("too few primaries are healthy, and %b are not asked", rest)
	}
}

// walkCasts are the ways in which the walk is looked at: who of it is down, in
// doubt or falls silent, with the coordinator a primary or not.
func walkCasts(prim, n int) []cast {
	const long, short = 40 * time.Second, 25 * time.Second
	all := []cast{
		{down: 1 << (prim - 1)},
		{down: 1 << (prim - 1), more: true},
		{patience: long},
		{patience: long, more: true},
		{doubt: 1 << (prim - 1), patience: long},
		{doubt: 1<<(prim-1) | 1<<prim, patience: long},
		{down: 1<<prim - 1, self: n - 1},
		{down: 1<<prim - 2, self: n - 1, patience: long},
	}
	if prim > 1 {
		all = append(all, cast{p95: short, patience: long, hedge: true}, cast{p95: short, patience: long})
	}
	if prim < 3 {
		all = append(all, cast{patience: short, more: true}, cast{patience: short, self: n - 1})
	}
	for i := range all {
		all[i].prim, all[i].n = prim, n
		all[i].down &^= 1 << all[i].self
	}
	return all
}

func TestPutWalkHistories(t *testing.T) { // paper, sections 4.5 and 4.6
	effort.Unraced(t)
	began, settings := time.Now(), 0
	var histories uint64
	eachWalk(func(c cast) {
		if c.p95 > 0 {
			return // it is for gets
		}
		all := []Numbers{{W: 1}, {W: c.prim}, {W: 1, PW: c.prim}, {W: 1, PW: 1, DW: c.prim}}
		for _, n := range all {
			n.N, n.R = c.prim, 1
			for _, retry := range []bool{false, true} {
				if retry && c.n > 3 && os.Getenv("OURO_EXHAUSTIVE") == "" {
					break // minutes
				}
				histories += putScenario{numbers: n, cast: c, retry: retry}.run(t)
				settings++
			}
		}
	})
	t.Logf("%d histories of the Put machine with stand-ins in %d settings, %v", histories, settings, time.Since(began).Round(time.Millisecond))
}

func TestGetWalkHistories(t *testing.T) { // paper, sections 4.5 and 4.6
	began, settings := time.Now(), 0
	l := newLattice()
	var histories uint64
	eachWalk(func(c cast) {
		for i, has := range [][most]int8{{hasX, absent, hasX, absent}, {absent, hasX, absent, hasY}} {
			if i > 0 && c.n > 3 && c.patience > 0 && os.Getenv("OURO_EXHAUSTIVE") == "" {
				break
			}
			for _, n := range []Numbers{{R: 1}, {R: c.prim}, {R: 1, PR: c.prim}} {
				n.N, n.W = c.prim, 1
				histories += getScenario{lattice: l, numbers: n, has: has, cast: c}.run(t)
				settings++
			}
		}
	})
	t.Logf("%d histories of the Get machine with stand-ins in %d settings, %v", histories, settings, time.Since(began).Round(time.Millisecond))
}

// eachWalk calls f with every cast that is explored.
func eachWalk(f func(cast)) {
	sizes := [][2]int{{1, 2}, {2, 3}}
	if !effort.Small() {
		sizes = append(sizes, [2]int{1, 3}, [2]int{2, 4})
	}
	if os.Getenv("OURO_EXHAUSTIVE") != "" {
		sizes = append(sizes, [2]int{3, 4}) // minutes
	}
	for _, size := range sizes {
		for _, c := range walkCasts(size[0], size[1]) {
			f(c)
		}
	}
}

// hedged: while the replica that was asked for its state is worth waiting for, no
// other is, unless it is late and another may be.
func (g *getScenario) hedged(w *world, a *Ask) {
	if g.p95 == 0 || w.replied || w.decided != 0 || round(a.Op.ID&(1<<AskBits-1)>>placeBits) != againRound {
		return
	}
	for i := range g.n {
		waits := w.full[i] && w.asked[firstRound][i] == open && !w.down.has(i) && !w.doubt.has(i)
		if waits && (!g.hedge || w.now < time.Second+g.p95) {
			g.t.Fatalf("%s: %s is asked for its state while %d is awaited, world %+v", g.name(), a.To, i, *w)
		}
	}
}

// asks: where enough have told of states, somebody is asked for each that is not in
// hand, and may still answer.
func (g *getScenario) asks(w *world) {
	var told, awaited set
	for i := range g.n {
		if w.knows[i] != 0 {
			told.add(i)
		}
		if w.full[i] && w.asked[firstRound][i] == open && !w.down.has(i) && !w.doubt.has(i) {
			awaited.add(i)
		}
	}
	if !g.enough(told) || awaited != 0 {
		return
	}
	for i := range g.n {
		if !told.has(i) || g.explained(w, i) || g.hidden(w, i) {
			continue
		}
		asked := false
		for j := range g.n {
			asked = asked || w.knows[j] == w.knows[i] && w.asked[againRound][j] == open
		}
		if !asked {
			g.t.Fatalf("%s: nobody is asked for the state that %d told of, world %+v", g.name(), i, *w)
		}
	}
}
