package detector

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/stale"
)

const ms = time.Millisecond

// watched returns a detector with links to b and c, which answered within d.
func watched(d time.Duration) *Detector {
	w := New(0)
	for _, id := range []ring.NodeID{"c", "b"} {
		w.Link(id, true)
		for range 2 * lagFew {
			w.Answered(0, id, d)
		}
	}
	return w
}

func TestDetectorSuspects(t *testing.T) { // paper, section 4.8.3
	for _, c := range []struct {
		name  string
		usual time.Duration
		do    func(d *Detector)
		at    time.Duration
		want  bool
	}{
		{"nobody without traffic", ms, func(*Detector) {}, time.Hour, false},
		{"not after two asks", ms, func(d *Detector) { d.Asked(0, "b"); d.Asked(0, "b") }, time.Hour, false},
		{"not while patient", ms, func(d *Detector) { thrice(d) }, 50*ms - 1, false},
		{"after three asks", ms, func(d *Detector) { thrice(d) }, 50 * ms, true},
		{"the third counts", ms, func(d *Detector) { d.Asked(0, "b"); d.Asked(0, "b"); d.Asked(30*ms, "b") }, 79 * ms, false},
		{"a fourth does not", ms, func(d *Detector) { thrice(d); d.Asked(49*ms, "b") }, 50 * ms, true},
		{"not if one was answered", ms, func(d *Detector) { thrice(d); d.Answered(0, "b", ms); d.Asked(1, "b") }, time.Hour, false},
		{"the slow have longer", 30 * ms, func(d *Detector) { thrice(d) }, 119 * ms, false},
		{"four times their usual", 30 * ms, func(d *Detector) { thrice(d) }, 160 * ms, true},
		{"but not for ever", time.Second, func(d *Detector) { thrice(d) }, 500 * ms, true},
		{"a new link is a new start", ms, func(d *Detector) { thrice(d); d.Link("b", true) }, time.Hour, false},
		{"nobody where this node slept", ms, func(d *Detector) { thrice(d); d.Late() }, time.Hour, false},
		{"no stranger", ms, func(d *Detector) { d.Asked(0, "z"); d.Answered(0, "z", ms) }, time.Hour, false},
	} {
		d := watched(c.usual)
		c.do(d)
		if h := d.Health(c.at, "b"); h.Suspected != c.want || !h.Up || h.Usable() == c.want {
			t.Errorf("%s: %+v", c.name, h)
		}
		if h := d.Health(c.at, "c"); !h.Usable() {
			t.Errorf("%s: c is not usable", c.name)
		}
		if _, due := d.Deadline(); due != c.want {
			t.Errorf("%s: a probe is due: %v", c.name, due)
		}
	}
}

func thrice(d *Detector) {
	for range suspectAfter {
		d.Asked(0, "b")
	}
}

func TestDetectorLinks(t *testing.T) {
	d := watched(ms)
	thrice(d)
	d.Health(time.Second, "b")
	d.Link("b", false)
	if h := d.Health(time.Hour, "b"); h.Usable() || h.Up || h.Suspected {
		t.Fatalf("%+v", h)
	}
	if _, due := d.Deadline(); due {
		t.Fatal("a peer without a link is to be probed")
	}
	thrice(d)
	if h := d.Health(time.Hour, "b"); h.Suspected {
		t.Fatal("a peer without a link is suspected")
	}
	d.Link("b", true)
	if h := d.Health(2*time.Hour, "b"); !h.Usable() {
		t.Fatalf("%+v", h)
	}
	if h := d.Health(0, "z"); h != (Health{}) {
		t.Fatalf("a stranger: %+v", h)
	}
	d.Link("z", false)
	if d.peers["z"] != nil {
		t.Fatal("a stranger without a link is remembered")
	}
}

func TestDetectorProbes(t *testing.T) { // PAPER 8.15b: 1 s, back-off to 10 s
	d := watched(ms)
	thrice(d)
	d.Health(time.Second, "b")
	now := time.Second
	for _, wait := range []time.Duration{1, 2, 4, 8, 10, 10} {
		now += wait * time.Second
		if at, ok := d.Deadline(); !ok || at != now {
			t.Fatalf("due at %v, want %v", at, now)
		}
		if got := d.Probes(now-1, nil); got != nil {
			t.Fatalf("probes %v too early", got)
		}
		if got := d.Probes(now, nil); !slices.Equal(got, []ring.NodeID{"b"}) {
			t.Fatalf("probes %v", got)
		}
	}
	d.Answered(now, "b", 0)
	d.Answered(now, "b", 0)
	want := []News{{"b", true, time.Second}, {"b", false, now - time.Second}}
	if got := d.News(nil); !slices.Equal(got, want) || len(d.News(nil)) != 0 {
		t.Fatalf("it is said that %+v", got)
	}
	if !d.Health(now, "b").Usable() || len(d.Probes(now+time.Hour, nil)) != 0 {
		t.Fatal("b is back")
	}
}

func TestDetectorTries(t *testing.T) {
	d := watched(ms)
	thrice(d)
	d.Health(time.Second, "b")
	if d.Trial(2*time.Second-1, "b") || d.Trial(2*time.Second, "c") || d.Trial(2*time.Second, "z") {
		t.Fatal("tried too early, or with one that is trusted")
	}
	if !d.Trial(2*time.Second, "b") || d.Trial(4*time.Second-1, "b") || !d.Trial(4*time.Second, "b") {
		t.Fatal("not tried once after each wait")
	}
}

func TestDetectorIsMorePatientWhereToldSo(t *testing.T) {
	d := New(100 * ms)
	d.Link("b", true)
	thrice(d)
	if d.Health(150*ms-1, "b").Suspected || !d.Health(150*ms, "b").Suspected {
		t.Fatal("not after 150 ms")
	}
}

func TestDetectorRanksTheLateLast(t *testing.T) {
	d := watched(2 * ms)
	for range 40 {
		d.Answered(0, "b", 300*ms)
	}
	if h := d.Health(0, "b"); !h.Late || !h.Usable() {
		t.Fatalf("%+v", h)
	}
	if d.Health(0, "c").Late {
		t.Fatal("c is not late")
	}
	if d.Health(staleAfter+1, "b").Late {
		t.Fatal("b was not asked for long and is still late")
	}
	for range 40 {
		d.Answered(0, "c", 300*ms)
	}
	if d.Health(0, "b").Late {
		t.Fatal("all are as late as b")
	}
}

func TestDetectorForgetsWhoLeft(t *testing.T) {
	d := watched(ms)
	d.Keep([]ring.Node{{ID: "c"}})
	if len(d.order) != 2 {
		t.Fatal("a peer with a link is forgotten")
	}
	d.Link("b", false)
	d.Link("c", false)
	d.Keep([]ring.Node{{ID: "c"}})
	if got := d.Peers(0, nil); len(got) != 1 || got[0].ID != "c" || len(d.peers) != 1 {
		t.Fatalf("%+v", got)
	}
}

// TestLagAgreesWithSorting holds the percentile against the sorted answers.
func TestLagAgreesWithSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var l lag
		n := lagFew * (1 + r.IntN(lagWindow/lagFew-2))
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(r.ExpFloat64() * float64(3*ms))
			l.add(all[i])
		}
		slices.Sort(all)
		want := max(all[n-1-n/20], 4*time.Microsecond)
		if l.p95 < want || l.p95 > want+want/4+time.Microsecond {
			t.Fatalf("of %d: p95 is %v, want %v to a quarter", n, l.p95, want)
		}
	}
}

func TestLagForgets(t *testing.T) {
	var l lag
	for range 10 * lagWindow {
		l.add(400 * ms)
	}
	for range 10 * lagWindow {
		l.add(ms)
	}
	if l.p95 > 2*ms || l.mean > 2*ms || l.n >= lagWindow {
		t.Fatalf("p95 %v, mean %v, %d counted", l.p95, l.mean, l.n)
	}
	l.add(time.Hour) // beyond the last step
	if lagStep(0) != 0 || lagStep(time.Hour) != lagSteps-1 {
		t.Fatal("steps")
	}
}

// What is told of a peer's answers is what they took, and old ones fade.
func TestDetectorTellsHowLongAnswersTook(t *testing.T) {
	d := New(0)
	d.Link("b", true)
	for range 300 {
		d.Answered(0, "b", 10*ms)
	}
	d.Answered(0, "b", 0) // it is not known
	d.Answered(0, "b", time.Microsecond)
	var s stale.Spread
	d.Spread("b", &s)
	if s.Len() != 301 || s.Mean() < 8*ms || s.Mean() > 13*ms {
		t.Errorf("%d answers that took %v", s.Len(), s.Mean())
	}
	for range 3 * lagWindow {
		d.Answered(0, "b", ms)
	}
	var late stale.Spread
	d.Spread("b", &late)
	if late.Len() > lagWindow || late.Mean() < ms*3/4 || late.Mean() > 2*ms {
		t.Errorf("%d answers that took %v, long after the slow ones", late.Len(), late.Mean())
	}
	var none stale.Spread
	if d.Spread("c", &none); none.Len() != 0 {
		t.Error("a stranger has answered")
	}
}
