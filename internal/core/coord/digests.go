package coord

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

// Most replicas answer a get with the digest of what they hold. Those with one
// digest hold one state, so that a get has in hand all that was told once it has a
// state for each of the digests.

// take notes a reply; false if it can't be counted, which is as good as none
// (R33). A newcomer need not know: it counts as a witness, where nothing hangs on
// what it holds (R14).
func (g *Get) take(i int, full bool, a *replica.Answer) bool {
	g.absent.remove(i)
	g.body.remove(i)
	switch {
	case a.Status == replica.Absent, a.Status == replica.DontKnow && g.newcomers().has(i):
		g.absent.add(i)
	case a.Status == replica.Have && (!full || g.decode(i, a)):
		g.sums[i] = a.Digest
	default:
		return false
	}
	g.counted.add(i)
	if g.fastest < 0 {
		g.fastest = i
	}
	return true
}

// decode takes the state that came with a reply.
func (g *Get) decode(i int, a *replica.Answer) bool {
	s, err := causal.DecodeState(a.State)
	if err != nil {
		return false
	}
	g.states[i], g.raw[i], g.stamps[i] = s, a.State, a.Stamp
	g.body.add(i)
	return true
}

// forget gives up on a reply: what the replica said before does not count
// either, and another may be asked in its stead.
func (g *Get) forget(i int) {
	g.doubt.add(i)
	g.counted.remove(i)
	g.absent.remove(i)
	g.body.remove(i)
}

// blank are the stand-ins that hold nothing. That says little: they do not count
// while a primary may soon say more.
func (g *Get) blank() set {
	if g.waiting[firstRound]&g.primaries()&^g.doubt == 0 {
		return 0
	}
	return g.absent &^ g.primaries()
}

// fetch asks, once enough replies can be counted, for the state behind every
// digest of which none is in hand. It reports whether one is still missing, and
// which replies tell of a state that nobody is left to ask for.
func (g *Get) fetch(now clock.Now, e *Effects) (missing bool, hidden set) {
	if !g.enough(g.counted) {
		return false, 0
	}
	for i := range g.n {
		if !g.counted.has(i) || g.absent.has(i) {
			continue
		}
		same := g.same(i)
		waiting := same & g.waiting[againRound]
		ask := same &^ (g.lost | waiting)
		switch {
		case same&g.body != 0:
		case waiting&^g.doubt != 0:
			missing = true
		case g.holds():
			missing, e.Hedge = true, e.Hedge || g.hedge
		case ask != 0:
			g.read(now, e, againRound, ask.first(), true)
			missing = true
		case waiting != 0:
			missing = true
		default:
			hidden.add(i)
		}
	}
	return missing, hidden
}

// same is the set of replicas that replied with the digest that i replied with.
func (g *Get) same(i int) set {
	var s set
	for j := range g.n {
		if g.counted.has(j) && !g.absent.has(j) && g.sums[j] == g.sums[i] {
			s.add(j)
		}
	}
	return s
}

// vouched are those whose states are shown: newcomers' only where others have told the
// same digest. What only newcomers hold goes when their move is aborted (RULES R14);
// the others are repaired with it.
func (g *Get) vouched() set {
	s := g.everyone() &^ g.newcomers()
	for i := range g.n {
		if !s.has(i) && g.counted.has(i) && g.same(i)&s != 0 {
			s.add(i)
		}
	}
	return s
}
