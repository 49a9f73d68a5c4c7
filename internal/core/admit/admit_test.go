package admit

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/clock"
)

var all = Busy{true, true, true, true, true, true}

// bench feeds a machine a sample a second.
type bench struct {
	*Admit
	now clock.Now
}

func newBench(cfg Config) *bench { return &bench{Admit: New(cfg)} }

// second lets a second pass in which n reads took so long each.
func (b *bench) second(n int, took time.Duration, busy Busy) {
	var s Sample
	for range n {
		s.Reads.Took(took)
	}
	b.take(&s, busy)
}

func (b *bench) take(s *Sample, busy Busy) {
	b.now.Mono += time.Second
	b.Take(b.now, s, busy)
}

// TestBounds: whatever is measured, no kind has less than its floor or more than its
// ceiling, the slices are those of the pool, and who has nothing to do takes nothing
// from who has.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Slices: rapid.IntRange(1, 20).Draw(t, "slices"), Floor: rapid.IntRange(1, 4).Draw(t, "floor")}
		b := newBench(cfg)
		cfg.Floor = min(cfg.Floor, cfg.Slices)
		for range rapid.IntRange(1, 200).Draw(t, "seconds") {
			var busy Busy
			for k := range busy {
				busy[k] = rapid.Bool().Draw(t, "busy")
			}
			var s Sample
			for range rapid.IntRange(0, 20).Draw(t, "reads") {
				s.Reads.Took(time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond)
			}
			b.now.Mono += time.Duration(rapid.IntRange(0, 3000).Draw(t, "later")) * time.Millisecond
			b.Take(b.now, &s, busy)
			st, sum := b.Status(), 0
			for k, n := range st.Slices {
				if sum += n; n < cfg.Floor || n > cfg.Slices {
					t.Fatalf("%v has %d slices of %d to %d", Kind(k), n, cfg.Floor, cfg.Slices)
				}
				for o, m := range st.Slices {
					if busy[k] && !busy[o] && n < cfg.Slices && m > cfg.Floor {
						t.Fatalf("%v is idle and has %d slices, %v has %d", Kind(o), m, Kind(k), n)
					}
					if busy[k] == busy[o] && n > m+1 {
						t.Fatalf("%v has %d slices, %v has %d", Kind(k), n, Kind(o), m)
					}
				}
			}
			if sum != st.Pool || st.Pool > st.Most {
				t.Fatalf("%d slices of a pool of %d, at most %d", sum, st.Pool, st.Most)
			}
		}
	})
}

// TestSlowAndWellAgain: a disk that is slow costs every kind all but its floor within
// seconds, and one that is well again gives all back once the window has passed.
func TestSlowAndWellAgain(t *testing.T) {
	b := newBench(Config{})
	for range 100 {
		b.second(100, time.Millisecond, all)
	}
	if st := b.Status(); st.Pool != st.Most || st.Over {
		t.Fatalf("%+v on a disk that is well", st)
	}
	for range 6 {
		b.second(100, 80*time.Millisecond, all)
	}
	if st := b.Status(); st.Slices != [Kinds]int{1, 1, 1, 1, 1, 1} || !st.Over || st.P99 < 80*time.Millisecond || st.P99 > 100*time.Millisecond {
		t.Fatalf("%+v on a disk that is slow", st)
	}
	for range 50 {
		b.second(100, time.Millisecond, all)
	}
	if st := b.Status(); st.Pool != int(Kinds) {
		t.Fatalf("%+v before the window has passed", st)
	}
	for range 120 {
		b.second(100, time.Millisecond, all)
	}
	if st := b.Status(); st.Pool != st.Most || st.Over {
		t.Fatalf("%+v two minutes after the disk was well again", st)
	}
}

// TestQuietGrows: where nothing is measured any more, what was is forgotten.
func TestQuietGrows(t *testing.T) {
	b := newBench(Config{})
	for range 10 {
		b.second(10, time.Second, all)
	}
	for range 200 {
		b.take(&Sample{}, all)
	}
	if st := b.Status(); st.Pool != st.Most || st.Reads != 0 {
		t.Fatalf("%+v", st)
	}
}

// TestOneBadSecondHalvesOnce: what is over is not made up for again and again.
func TestOneBadSecondHalvesOnce(t *testing.T) {
	b := newBench(Config{})
	b.second(100, time.Second, all)
	for range 40 {
		b.second(100, time.Millisecond, all)
	}
	if st := b.Status(); st.Pool != st.Most/2 || st.Shrunk != 1 {
		t.Fatalf("%+v", st)
	}
}

// TestIdleDoesNotHoldItUp: what kinds with nothing to do could have does not count:
// the one that works is cut at once.
func TestIdleDoesNotHoldItUp(t *testing.T) {
	b := newBench(Config{})
	busy := Busy{Repair: true}
	b.second(100, time.Millisecond, busy)
	b.second(100, time.Second, busy)
	if st := b.Status(); st.Slices[Repair] != 5 { // of 16 and the floors of five, half
		t.Fatalf("%+v", st)
	}
}

func TestWhatCounts(t *testing.T) {
	slow := func(n int) *Sample {
		var s Sample
		for range n {
			s.Reads.Took(time.Second)
		}
		return &s
	}
	fail, wait, share := &Sample{}, &Sample{}, slow(5)
	for range few {
		fail.Reads.Failed()
		wait.Waits.Took(time.Second)
	}
	for range 495 {
		share.Reads.Took(time.Millisecond)
	}
	just := &Sample{}
	for range 100 {
		just.Reads.Took(50 * time.Millisecond)
	}
	for name, c := range map[string]struct {
		s    *Sample
		over bool
	}{
		"nothing":           {&Sample{}, false},
		"two slow ones":     {slow(few - 1), false},
		"three slow ones":   {slow(few), true},
		"three failed":      {fail, true},
		"three waited long": {wait, true},
		"one in a hundred":  {share, false},
		"the threshold":     {just, false},
	} {
		b := newBench(Config{})
		b.take(c.s, all)
		if st := b.Status(); st.Over != c.over || (st.Pool < st.Most) != c.over {
			t.Errorf("%s: %+v", name, st)
		}
		off := newBench(Config{Off: true})
		off.take(c.s, all)
		if st := off.Status(); st.Pool != st.Most {
			t.Errorf("%s, switched off: %+v", name, st)
		}
	}
}

// TestWindow compares what is counted with a list of all there was, however the
// samples come.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type taken struct {
			at time.Duration
			n  int
		}
		var log []taken
		b := newBench(Config{})
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			b.now.Mono += time.Duration(rapid.IntRange(1, 5000).Draw(t, "later")) * time.Millisecond
			n := rapid.IntRange(0, 5).Draw(t, "reads")
			var s Sample
			for range n {
				s.Reads.Took(time.Millisecond)
			}
			b.Take(b.now, &s, all)
			log = append(log, taken{b.now.Mono, n})
			least, most := 0, 0
			for _, l := range log {
				if l.at > b.now.Mono-59*time.Second {
					least += l.n // a part ends up to a second late
				}
				if l.at > b.now.Mono-61*time.Second {
					most += l.n
				}
			}
			if got := int(b.Status().Reads); got < least || got > most {
				t.Fatalf("%d reads in the window, not %d to %d", got, least, most)
			}
		}
	})
}

// TestSettles: where background work beyond so many slices is what makes a disk slow,
// clients meet that in few of all seconds, and most of the slices there may be are
// used.
func TestSettles(t *testing.T) {
	for bears := 8; bears < 80; bears += 7 {
		b := newBench(Config{})
		bad, used := 0, 0
		const seconds = 3600
		for range seconds {
			took := time.Millisecond
			if b.Status().Pool > bears {
				took = time.Second
				bad++
			}
			used += b.Status().Pool
			b.second(100, took, all)
		}
		t.Logf("bears %d: %d of %d seconds are slow, %.1f slices on average", bears, bad, seconds, float64(used)/seconds)
		if bad > seconds/55 || bears >= 36 && bad > seconds/85 || used < seconds*bears/3 {
			t.Errorf("bears %d: %d of %d seconds are slow, %d slices on average", bears, bad, seconds, used/seconds)
		}
	}
}

func TestTimes(t *testing.T) {
	for us := time.Duration(0); us < 1<<20; us += 1 + us/50 {
		d := us * time.Microsecond
		if end := endOf(bucketOf(d)); end <= d || end > max(d*5/4, d+time.Microsecond) {
			t.Fatalf("%v is in the bucket that ends at %v", d, end)
		}
	}
	if bucketOf(time.Hour) != buckets-1 || bucketOf(-1) != 0 {
		t.Error(bucketOf(time.Hour), bucketOf(-1))
	}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.IntRange(1, 1000), 1, 500).Draw(t, "ms")
		failed := rapid.IntRange(0, 5).Draw(t, "failed")
		var times Times
		for _, ms := range list {
			times.Took(time.Duration(ms) * time.Millisecond)
		}
		for range failed {
			times.Failed()
			list = append(list, 1<<30)
		}
		slices.Sort(list)
		want := time.Duration(list[len(list)-1-len(list)/100]) * time.Millisecond
		got := times.p99()
		if want > time.Hour {
			want, got = 0, got*2
		}
		if got < want || got > want*5/4 {
			t.Fatalf("p99 %v, not %v", got, want)
		}
	})
}

// TestPace: a share of the slices is that share of the pace.
func TestPace(t *testing.T) {
	b := newBench(Config{})
	for range 3 {
		b.second(100, time.Second, all)
	}
	st := b.Status()
	if st.Slices[Repair] != 2 || b.Rate(Repair, 1600) != 200 || b.Every(Repair, time.Second) != 8*time.Second || b.Rate(Reap, 1) != 1 {
		t.Fatalf("%+v: %d, %v, %d", st, b.Rate(Repair, 1600), b.Every(Repair, time.Second), b.Rate(Reap, 1))
	}
}

func TestNames(t *testing.T) {
	var names []string
	for k := range Kinds + 1 {
		names = append(names, k.String())
	}
	if !slices.Equal(names, []string{"handoff", "transfer", "repair", "scrub", "reap", "archive", "none"}) {
		t.Error(names)
	}
}
