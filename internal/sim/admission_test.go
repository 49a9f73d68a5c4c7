package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/scrub"
	"github.com/ourodb/ouro/internal/effort"
)

// demand puts and gets at nodes A and C, so many times a second, until it is told to
// stop.
func (w *World) demand(keys int, every time.Duration) (stop func()) {
	done := false
	var next func(i int)
	next = func(i int) {
		if done {
			return
		}
		at := [...]ring.NodeID{"A", "C"}[i%2]
		if k := keyIn("b", fmt.Sprint(i*7%keys)); i%4 == 0 {
			w.Put(at, k, text(fmt.Sprint("value ", i)))
		} else {
			w.Get(at, k)
		}
		w.after(every, func() { next(i + 1) })
	}
	next(0)
	return func() { done = true }
}

// A disk turns slow: within seconds the node holds back all that it does in the
// background, and the others do not; it still compares what it holds and gets what it
// lacks. When the disk is well again it goes at full pace again (paper, section 6.5).
func TestSlowDiskHoldsBackTheBackground(t *testing.T) {
	effort.Unraced(t)
	const keys = 200
	c := Config{Q: 4, Compare: true, Admit: true}
	c.Runner.CacheBytes = -1
	c.Buckets.Default.Timeout = 5 * time.Second
	w := newWorld(t, c)
	for i := range keys {
		must(t, w.Put("A", keyIn("b", fmt.Sprint(i)), text(fmt.Sprint("value ", i))))
	}
	stop := w.demand(keys, 200*time.Millisecond)
	w.RunFor(2 * time.Minute)
	full := w.Admission("B")
	if full.Pool != full.Most || full.Over || full.Reads < 100 {
		t.Fatalf("B with a disk that is well: %+v", full)
	}

	asked := map[ring.NodeID]int{}
	w.Lose(func(from, _ ring.NodeID, m *node.Message) bool {
		if m.Kind == node.KindSurvey {
			asked[from]++
		}
		return false
	})
	w.RunFor(time.Minute)
	before := asked["B"]

	w.SlowReads("B", 60*time.Millisecond)
	w.RunFor(10 * time.Second)
	if s := w.Admission("B"); s.Pool != int(admit.Kinds) || !s.Over || s.P99 < 60*time.Millisecond {
		t.Errorf("B ten seconds after its disk turned slow: %+v", s)
	}
	if s := w.Admission("A"); s.Pool != s.Most {
		t.Errorf("A, whose disk is well: %+v", s)
	}
	lacks := keyIn("b", "never asked for again")
	must(t, w.Put("A", lacks, text("is here")))
	w.RunFor(10 * time.Second)
	w.Forget("B", lacks)
	clear(asked)
	w.RunFor(time.Minute)
	if n := asked["B"]; n == 0 || n > before/8 {
		t.Errorf("B put %d questions of comparisons in a minute, and %d before its disk was slow", n, before)
	}
	w.RunFor(time.Minute)
	if s, ok := w.State("B", lacks); !ok || len(s.Versions) != 1 {
		t.Errorf("B has not got what it lacked while its disk was slow: %v %v", s, ok)
	}
	if s := w.Admission("B"); s.Slices[admit.Repair] != 1 {
		t.Errorf("B two minutes later: %+v", s)
	}

	w.SlowReads("B", -60*time.Millisecond)
	w.RunFor(3 * time.Minute)
	if s := w.Admission("B"); s.Pool != s.Most || s.Over {
		t.Errorf("B three minutes after its disk was well again: %+v", s)
	}
	stop()
}

// A disk makes one read at a time, whatever the node wants of it: in a second there are no
// more than take a second, and what a client asks for waits for those before it.
func TestReadsTakeTheirTime(t *testing.T) {
	const keys, each = 100, 20 * time.Millisecond
	c := Config{Q: 4, Compare: true, Scrub: true, Admit: true}
	c.Runner.CacheBytes, c.Runner.Leaves = -1, 3
	c.Node.Admit.Off, c.Node.Repair.Every = true, 10*time.Millisecond
	c.Node.Scrub = scrub.Config{Within: time.Second, Slice: 256}
	w := newWorld(t, c)
	for i := range keys {
		must(t, w.Put("A", keyIn("b", fmt.Sprint(i)), text("v")))
	}
	w.SlowReads("B", each)
	b, longest := w.mustID("B"), time.Duration(0)
	w.RunFor(time.Second)
	before := b.disk.reads
	for i := range 20 {
		g := w.Get("B", keyIn("b", fmt.Sprint(i)))
		w.RunFor(500 * time.Millisecond)
		if longest = max(longest, g.Took()); !g.Done() {
			t.Error("a get is not answered within half a second")
		}
	}
	if n := b.disk.reads - before; n < 250 || n > 510 {
		t.Errorf("%d reads of %v in 10 s", n, each)
	}
	if longest < 2*each {
		t.Errorf("no get took longer than %v", longest)
	}
}
