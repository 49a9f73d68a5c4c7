package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
)

const (
	// streamHang is the stream of choices about the node that hangs at the end.
	streamHang = 1000
	// hangRounds is how often every node is asked then, and hangTime how long each
	// request has: nobody has noticed yet when the first is made.
	hangRounds = 3
	hangTime   = 2 * time.Second
)

// hang lets one node hang at the end of a run, in one of the ways in which its link
// stays up, and holds the cluster to what is promised then: as long as the numbers
// can be met without it, every request at any other node succeeds (paper, sections
// 4.6 and 4.8.3).
func (w *World) hang() {
	r := stream(w.cfg.Seed, streamHang)
	m := pick(r, w.serving()...)
	how := pick(r, "stands still", "does not sync", "is not heard", "hears nothing")
	w.tracef("HANG: %s %s", m.id, how)
	switch how {
	case "stands still":
		w.pause(m)
	case "does not sync":
		m.disk.stalls++
	default:
		for _, l := range w.net.links {
			if l.from != l.to && (how == "is not heard" && l.from == m || how == "hears nothing" && l.to == m) {
				w.clog(l)
			}
		}
	}
	w.eyes.plain = true // values are not those of clients
	for round := range hangRounds {
		for _, at := range w.serving() {
			if at != m {
				w.askAll(at.id, round, how)
			}
		}
	}
}

// askAll puts and gets a key of each bucket through a node.
func (w *World) askAll(at ring.NodeID, round int, how string) {
	for _, name := range []string{"main", "other"} {
		b, others := w.cfg.Buckets.Of(name), len(w.serving())-1
		key := keyIn(name, fmt.Sprint("hang ", at, round))
		opts := []ouro.Option{ouro.Timeout(hangTime), ouro.RequestID(key.String())}
		if b.W <= others && b.DW <= others && b.PW < b.N {
			if _, err := w.Put(at, key, ouro.Value{Data: []byte("v")}, opts...).Wait(); err != nil && w.broken == nil && (b.W < b.N || !w.crowded()) {
				w.violatef(history.Unavailable, key.String(), "a put at %s, while one node %s: %v", at, how, err)
			}
		}
		if b.R <= others && b.PR < b.N {
			if _, err := w.Get(at, key, opts[0]).Wait(); err != nil && ouro.CodeOf(err) != ouro.NotFound && w.broken == nil {
				w.violatef(history.Unavailable, key.String(), "a get at %s, while one node %s: %v", at, how, err)
			}
		}
	}
}

// crowded says whether a node has used up its room for what it keeps for others,
// which a seed may draw as small as a dozen records: then it stands in for nobody,
// as package disk promises, and a put that needs one cannot do without the node that
// hangs.
func (w *World) crowded() bool {
	most := w.cfg.Runner.MaxPending
	return most > 0 && slices.ContainsFunc(w.serving(), func(m *machine) bool { return m.runner.PendingBytes() >= most })
}
