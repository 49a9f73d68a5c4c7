package coord

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/typed"
)

// succeed answers with what the merged state shows, and a context for all of
// it. Nothing shown is an error of its own, with a context where a tombstone is
// there.
func (g *Get) succeed(now clock.Now, e *Effects, settled bool) {
	g.answered, g.replied = true, now.Mono
	g.deadline, g.patient = now.Mono+g.req.RepairWait, 0
	r := Reply{Siblings: g.shown(now.Wall), Quorum: g.quorum(g.usable)}
	r.Quorum.Unsettled = !settled
	if g.bytes != nil {
		r.Context = causal.Context{Claims: g.merged.Claims, Fastest: string(g.ids[g.fastest])}
		r.HasContext = true
	}
	if g.req.Whole {
		r.Record = g.bytes
	}
	if len(r.Siblings) == 0 {
		if g.usable&g.old == 0 {
			g.state(e, fact.NoPrimary, now, -1, g.usable.len(), g.verb) // R33
		}
		r.Err = ouro.Errorf(ouro.NotFound, ouro.NotDone, "nothing is stored under the key")
	}
	g.state(e, fact.Decided, now, -1, len(r.Siblings), g.verb)
	e.reply(r)
	g.await(now, e)
}

func (g *Get) shown(wall int64) []ouro.Sibling {
	if g.req.Types {
		return typed.Show(&g.merged, wall, nil)
	}
	return show(g.merged, g.req.LWW, wall)
}

// show returns the versions that a client sees: no deletes, none that has
// expired by the coordinator's clock (R36), and in an lww bucket none but the
// greatest (R23). What one request stored twice is shown once.
func show(s causal.State, lww bool, wall int64) []ouro.Sibling {
	if lww {
		latest, ok := s.Latest()
		if !ok || !latest.Shown(wall) {
			return nil
		}
		return []ouro.Sibling{sibling(&latest)}
	}
	var out []ouro.Sibling
	for i := range s.Versions {
		if !s.Versions[i].Shown(wall) || repeats(s.Versions[:i], &s.Versions[i], wall) {
			continue
		}
		if out == nil {
			out = make([]ouro.Sibling, 0, len(s.Versions)-i)
		}
		out = append(out, sibling(&s.Versions[i]))
	}
	return out
}

// repeats says whether a request that was stored twice is shown already by its
// other version. The context covers both, and the join keeps both (R31). Another
// value under the same request id is a client's mistake and stays in sight.
func repeats(shown []causal.Version, v *causal.Version, wall int64) bool {
	if v.Request == 0 {
		return false
	}
	for i := range shown {
		if shown[i].Request == v.Request && shown[i].Sum == v.Sum && shown[i].Shown(wall) {
			return true
		}
	}
	return false
}

func sibling(v *causal.Version) ouro.Sibling {
	s := ouro.Sibling{
		Value:    ouro.Value{Data: v.Value, ContentType: v.ContentType},
		Modified: time.UnixMilli(v.Stamp.Millis()).UTC(),
	}
	if v.Expiry != 0 {
		s.Expires = time.UnixMilli(v.Expiry).UTC()
	}
	return s
}
