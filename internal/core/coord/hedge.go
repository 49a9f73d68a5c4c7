package coord

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
)

// A get that has its digests and not the state behind them waits for the one
// replica that was asked for it; where that takes longer than it does in 95 of 100
// cases, another is asked too: the request is hedged.

// holds says that the replica that was asked for its state is worth waiting for:
// it is not silent, and how long it usually takes is known. Where that time is
// over, another is asked only if Hedge allows it, so that a cluster that is slow
// as a whole is not asked twice for everything.
func (g *Get) holds() bool {
	return g.hedgeAt != 0 && g.waiting[firstRound]&g.full&^g.doubt != 0
}

// Hedge allows to ask another replica for its state, in answer to Effects.Hedge,
// or does not.
func (g *Get) Hedge(now clock.Now, allowed bool, e *Effects) {
	g.hedge = false
	switch {
	case g.done || g.answered:
		return
	case !allowed:
		g.hedgeAt = 1<<63 - 1
		return
	}
	g.hedgeAt = 0
	g.state(e, fact.Hedged, now, g.full.first(), 0, g.verb)
	g.judge(now, e)
}

// Deadline returns when Tick is to be called.
func (g *Get) Deadline() time.Duration {
	at := g.common.Deadline()
	if g.hedgeAt != 0 && !g.hedge && !g.answered && g.hedgeAt < at && g.holds() {
		return g.hedgeAt
	}
	return at
}

// late looks whether the replica that was asked for its state is later than usual.
func (g *Get) late(now clock.Now, e *Effects) {
	if g.hedgeAt != 0 && now.Mono >= g.hedgeAt && g.holds() && !g.answered && !g.settle {
		g.hedge = true
		g.judge(now, e)
	}
}
