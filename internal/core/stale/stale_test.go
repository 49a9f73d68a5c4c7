package stale

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// near says whether a share of trials may be p: within four times its deviation.
func near(t *testing.T, got, p float64, trials int, what string, args ...any) {
	t.Helper()
	if math.Abs(got-p) > 4*math.Sqrt(p*(1-p)/float64(trials))+1e-12 {
		t.Errorf(what+": %.4f, want %.4f", append(args, got, p)...)
	}
}

// A write that reaches the replicas after times that have no memory is stale with a
// likelihood that can be written down: the replicas that answer first must all be of those
// that had not acknowledged, and none of these may have got it meanwhile.
func TestPredictionIsTheClosedForm(t *testing.T) {
	const mean = 10 * ms
	draw := func(r *rand.Rand, t Trial) {
		for i := range t {
			t[i] = Replica{Write: time.Duration(r.ExpFloat64() * float64(mean)), Answer: time.Duration(r.ExpFloat64() * float64(ms))}
		}
	}
	for n := 1; n <= 5; n++ {
		p := Predict(seeded(uint64(n)), n, Trials, draw)
		for r := 1; r <= n; r++ {
			for w := 1; w <= n; w++ {
				for _, after := range []time.Duration{0, 2 * ms, 10 * ms, 30 * ms} {
					want := Missed(n, r, w) * math.Exp(-float64(r)*float64(after)/float64(mean))
					near(t, p.Stale(r, w, after), want, Trials, "n=%d r=%d w=%d after %v", n, r, w, after)
				}
			}
		}
	}
}

// Every time of the model counts: each of these cases has one that decides.
func TestWhatDecides(t *testing.T) {
	for _, c := range []struct {
		name string
		t    Trial
		want [2][2]time.Duration // by r and w
	}{
		{"a write that takes long", Trial{{0, 1, 0, 9}, {10, 0, 0, 1}}, [2][2]time.Duration{{9, 0}, {0, 0}}},
		{"an acknowledgement that takes long", Trial{{0, 7, 0, 9}, {10, 0, 0, 1}}, [2][2]time.Duration{{3, 0}, {0, 0}}},
		{"a read that takes long", Trial{{0, 1, 0, 9}, {10, 0, 4, 1}}, [2][2]time.Duration{{5, 0}, {0, 0}}},
		{"the other answers first", Trial{{0, 1, 0, 1}, {10, 0, 0, 2}}, [2][2]time.Duration{{0, 0}, {0, 0}}},
		{"it is there when the read is", Trial{{0, 1, 0, 9}, {3, 0, 2, 1}}, [2][2]time.Duration{{0, 0}, {0, 0}}},
	} {
		var got [2][2]time.Duration
		c.t.late(func(r, w int, by time.Duration) { got[r-1][w-1] = by })
		if got != c.want {
			t.Errorf("%s: late by %v, want %v", c.name, got, c.want)
		}
	}
}

// anyTrials draws trials of any times, some of them equal.
func anyTrials(t *rapid.T) (n int, trials []Trial) {
	n = rapid.IntRange(1, MaxN).Draw(t, "n")
	span := rapid.Int64Range(1, 50).Draw(t, "span")
	took := rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64Range(0, span).Draw(t, "took")) })
	for range rapid.IntRange(1, 6).Draw(t, "trials") {
		one := make(Trial, n)
		for i := range one {
			one[i] = Replica{took.Draw(t, "W"), took.Draw(t, "A"), took.Draw(t, "R"), took.Draw(t, "S")}
		}
		trials = append(trials, one)
	}
	return n, trials
}

// Whatever the times are: overlapping quorums are never stale, and a read that asks more,
// comes later, or follows a write that waited for more is not staler.
func TestPredictionIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, trials := anyTrials(t)
		next := 0
		p := Predict(nil, n, len(trials), func(_ *rand.Rand, one Trial) { copy(one, trials[next]); next++ })
		for r := 1; r <= n; r++ {
			for w := 1; w <= n; w++ {
				for after := time.Duration(0); after < 60; after += 3 {
					s := p.Stale(r, w, after)
					if r+w > n && s > 0 {
						t.Fatalf("r=%d w=%d of %d: %v are stale", r, w, n, s)
					}
					if r < n && p.Stale(r+1, w, after) > s || w < n && p.Stale(r, w+1, after) > s || p.Stale(r, w, after+1) > s {
						t.Fatalf("r=%d w=%d of %d after %v: %v are stale, and more where fewer may be", r, w, n, after, s)
					}
				}
				for _, share := range []float64{.5, .99, 1} {
					if at := p.Visible(r, w, share); 1-p.Stale(r, w, at) < share || at > 0 && 1-p.Stale(r, w, at-1) >= share {
						t.Fatalf("r=%d w=%d of %d: %v are said to see it after %v", r, w, n, share, at)
					}
				}
			}
		}
	})
}

func TestMissed(t *testing.T) { // PBS, section 3.1
	for _, c := range []struct {
		n, r, w int
		want    float64
	}{{3, 1, 1, 2. / 3}, {3, 2, 1, 1. / 3}, {3, 1, 2, 1. / 3}, {3, 2, 2, 0}, {3, 3, 1, 0}, {5, 2, 2, 3. / 10}, {1, 1, 1, 0}} {
		if got := Missed(c.n, c.r, c.w); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("n=%d r=%d w=%d: %v, want %v", c.n, c.r, c.w, got, c.want)
		}
	}
	if got := Behind(2./3, 3); math.Abs(got-8./27) > 1e-12 {
		t.Errorf("three writes behind: %v", got)
	}
}

// A spread is drawn from as it was filled.
func TestSpreadDrawsWhatItHas(t *testing.T) {
	var s, more Spread
	s.Add(10, 20, 3)
	s.Add(0, 10, 1)
	more.Add(10, 20, 2)
	more.Add(40, 41, 4)
	s.Join(&more)
	s.Add(99, 100, 0)
	if s.Len() != 10 || s.Mean() != (5+5*15+4*40+2)/10 {
		t.Fatalf("%d of mean %v", s.Len(), s.Mean())
	}
	r, count := seeded(7), map[time.Duration]int{}
	for range Trials {
		d := s.Draw(r)
		if d >= 20 && d != 40 || d < 0 {
			t.Fatalf("drew %v", d)
		}
		count[d/10*10]++
	}
	for at, want := range map[time.Duration]float64{0: .1, 10: .5, 40: .4} {
		near(t, float64(count[at])/Trials, want, Trials, "from %d", at)
	}
	var none Spread
	if none.Draw(r) != 0 || none.Mean() != 0 {
		t.Error("something was drawn of nothing")
	}
}

func TestSpreadIsBounded(t *testing.T) {
	var s Spread
	for i := range time.Duration(MaxSteps + 10) {
		s.Add(i, i+1, 1)
	}
	if s.Len() != MaxSteps || len(s.steps) != MaxSteps {
		t.Errorf("%d steps, %d times", len(s.steps), s.Len())
	}
}

func exactly(reads, writes time.Duration) (t Times) {
	t.Reads.Add(reads, reads+1, 1)
	t.Writes.Add(writes, writes+1, 1)
	return t
}

// What a node predicts by, with times that do not vary: its own disk syncs in 2 ms, so
// that a write at w=1 is acknowledged then; the quick peer has it after 1 ms, the slow one
// after 20.
func TestNodePredictsByWhatItMeasured(t *testing.T) {
	m := Node{Own: exactly(0, 2*ms), Peers: []Times{exactly(2*ms, 4*ms), exactly(40*ms, 44*ms), {}}}
	if !m.Known() {
		t.Fatal("it is not known")
	}
	p := Predict(seeded(3), 3, Trials, m.Draw())
	// Half of the readers are at the slow peer, and see it 18 ms after.
	near(t, p.Stale(1, 1, 0), .5, Trials, "at once")
	near(t, p.Stale(1, 1, 17*ms), .5, Trials, "after 17 ms")
	if s := p.Stale(1, 1, 19*ms); s != 0 {
		t.Errorf("after 19 ms %v are stale", s)
	}
	// At w=2 the quick peer's acknowledgement is waited for, 2 ms longer.
	if got := p.Visible(1, 2, .99); got < 15*ms || got > 17*ms {
		t.Errorf("at w=2 all see it after %v", got)
	}
	if p.Stale(1, 3, 0) != 0 || p.Stale(2, 2, 0) != 0 {
		t.Error("overlapping quorums are stale")
	}
	for _, unknown := range []Node{{}, {Own: m.Own}, {Peers: m.Peers}, {Own: m.Own, Peers: []Times{{Reads: m.Own.Reads}}}} {
		if unknown.Known() {
			t.Errorf("%+v is taken for known", unknown)
		}
	}
	if one := Predict(seeded(3), 1, 10, m.Draw()); one.Stale(1, 1, 0) != 0 {
		t.Error("a single replica is stale")
	}
}

// Where ways always take as long and syncs do not, all of what varies is the sync's: the
// acknowledgement of a write takes as long as it was measured to.
func TestSyncsThatVary(t *testing.T) {
	slow := exactly(2*ms, 3*ms)
	slow.Writes.Add(103*ms, 103*ms+1, 1)
	m := Node{Own: exactly(0, 500*ms), Peers: []Times{slow, slow}}
	p := Predict(seeded(5), 3, Trials, m.Draw())
	// At w=2 both peers' acknowledgements are waited for, or this node's own: never stale.
	// At w=1 of the slow two one is waited for: after 1+2 or 1+102 ms, and the write was at
	// the other after 1 ms, before either.
	if s := p.Stale(1, 1, 0); s > 0 {
		t.Errorf("%v are stale, though all have the write before any has synced it", s)
	}
	drawn, all := m.Draw(), time.Duration(0)
	one, r := make(Trial, 3), seeded(6)
	for range Trials {
		drawn(r, one)
		all += one[2].Write + one[2].Ack
	}
	if mean := all / Trials; mean < 52*ms || mean > 54*ms {
		t.Errorf("writes take %v, where 53 ms were measured", mean)
	}
}

// What a prediction costs: all r and w of some n in one go.
func BenchmarkPredict(b *testing.B) {
	m := Node{Own: exactly(0, 2*ms)}
	for range 7 {
		var p Times
		for i := range time.Duration(40) {
			p.Reads.Add(i*ms, i*ms+ms, 10)
			p.Writes.Add(i*ms, i*ms+ms, 10)
		}
		m.Peers = append(m.Peers, p)
	}
	for _, n := range []int{3, 8} {
		b.Run(string(rune('0'+n)), func(b *testing.B) {
			for b.Loop() {
				Predict(seeded(1), n, Trials, m.Draw())
			}
		})
	}
}
