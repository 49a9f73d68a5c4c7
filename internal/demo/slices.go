package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/paper"
	"github.com/ourodb/ouro/internal/sim"
)

// How the disk of B is slow, and how its clients ask.
const (
	slowFrom, slowTo = time.Minute, 4 * time.Minute
	slowEnd          = 8 * time.Minute
	slowPart         = 10 * time.Second
	slowReads        = 20 * time.Millisecond
	wellReads        = 200 * time.Microsecond
	slowKeys         = 400
	slowEvery        = 47 * time.Millisecond // between two gets; no multiple of any pace
)

// slowWorld is three nodes that do all that they do in the background as fast as is
// configured, or nothing, and a disk of B that takes its time.
func slowWorld(b paper.Background) sim.Config {
	works := b != paper.None
	cfg := sim.Config{Q: 16, Compare: works, Scrub: works, Admit: true}
	cfg.Node.Admit.Off = b == paper.Uncontrolled
	cfg.Node.Scrub.Within, cfg.Node.Scrub.Rate, cfg.Node.Scrub.Slice = time.Second, 16<<10, 256
	cfg.Runner.CacheBytes = -1
	cfg.Buckets.Default.Timeout = 10 * time.Second
	return cfg
}

// SlowDisk runs a node whose disk turns slow and well again.
func SlowDisk(ctx context.Context, b paper.Background) (*paper.SlowDisk, error) {
	w, err := sim.New(slowWorld(b))
	if err != nil {
		return nil, err
	}
	return slowDisk(ctx, w)
}

func slowDisk(ctx context.Context, w *sim.World) (*paper.SlowDisk, error) {
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "demo", Name: fmt.Sprint(i % slowKeys)} }
	for i := range slowKeys {
		if _, err := w.Put("A", key(i), ouro.Value{Data: []byte("v")}, ouro.W(3)).Wait(); err != nil {
			return nil, err
		}
	}
	asked := 0
	w.Lose(func(from, _ ring.NodeID, m *node.Message) bool {
		if m.Kind == node.KindSurvey && from == "B" {
			asked++
		}
		return false
	})
	w.SlowReads("B", wellReads)
	began, i := w.Now(), 0
	d := &paper.SlowDisk{From: slowFrom, To: slowTo, Reads: slowReads}
	for at := slowPart; at <= slowEnd; at += slowPart {
		var calls []*sim.Call
		for w.Now() < began+at {
			calls = append(calls, w.Get("B", key(i*7)))
			i++
			w.RunFor(slowEvery)
		}
		for _, c := range calls {
			if !c.Done() {
				w.RunUntil(c.Done)
			}
		}
		st := w.Admission("B")
		d.Parts = append(d.Parts, paper.SlowDiskPart{At: at, Slices: st.Pool, Most: st.Most, Read: st.P99, Gets: p99(calls), Surveyed: asked})
		asked = 0
		switch at {
		case slowFrom:
			w.SlowReads("B", slowReads-wellReads)
		case slowTo:
			w.SlowReads("B", wellReads-slowReads)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// yields shows that background work yields where a disk is slow, and comes back.
func yields(s *Scene) {
	s.say("B compares what it holds with A and C and reads it back, all the time. Gets are made at B, 21 a second.")
	s.say("From %v to %v every read of B's disk takes %v. First with the controller.", slowFrom, slowTo, slowReads)
	s.begin(slowWorld(paper.Controlled))
	with, err := slowDisk(context.Background(), s.World)
	if err != nil {
		s.expect("the load", "done", err)
		return
	}
	spans := with.Spans()
	well, slow, after := spans[0], spans[1], spans[2]
	s.expect("slices while the disk is well", "96 of 96", fmt.Sprintf("%d of %d", well[len(well)-1].Slices, well[0].Most))
	fewest, asks := well[0].Most, true
	for _, p := range slow {
		fewest, asks = min(fewest, p.Slices), asks && p.Surveyed > 0
	}
	s.expect("the fewest slices while it is slow: a floor for each kind", 6, fewest)
	s.expect("B goes on comparing meanwhile", true, asks)
	s.expect("slices at the end", "96 of 96", fmt.Sprintf("%d of %d", after[len(after)-1].Slices, well[0].Most))
	s.say("Then the same without it, and with nothing in the background.")
	var others [2]time.Duration
	for i, kind := range []paper.Background{paper.Uncontrolled, paper.None} {
		d, err := SlowDisk(context.Background(), kind)
		if err != nil {
			s.expect("the load", "done", err)
			return
		}
		others[i] = paper.Typical(d.Spans()[1])
	}
	a := paper.Typical(slow)
	s.hold("the p99 of gets at B while its disk is slow: with it, without, with nothing in the background", a < others[0]/2 && a < 5*others[1],
		fmt.Sprint(a.Round(time.Millisecond), ", ", others[0].Round(time.Millisecond), " and ", others[1].Round(time.Millisecond)))
}

// p99 is what 99 of 100 calls took at most.
func p99(calls []*sim.Call) time.Duration {
	var took []time.Duration
	for _, c := range calls {
		took = append(took, c.Took())
	}
	slices.Sort(took)
	return took[(len(took)*99+99)/100-1]
}
