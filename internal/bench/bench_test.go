package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ourodb/ouro"
)

// fake stores siblings of each key; a context is a list of versions.
type fake struct {
	mu       sync.Mutex
	versions map[string][]string
	written  int
	most     int // siblings that a key ever had
	gets     map[string]int
	puts     int
	delay    func() time.Duration
	fail     error
}

func newFake() *fake { return &fake{versions: map[string][]string{}, gets: map[string]int{}} }

func (f *fake) wait() {
	if f.delay != nil {
		time.Sleep(f.delay())
	}
}

func (f *fake) Get(_ context.Context, key string) (Seen, error) {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets[key]++
	v := f.versions[key]
	if len(v) == 0 {
		return Seen{}, ouro.Errorf(ouro.NotFound, ouro.Done, "none")
	}
	return Seen{len(v), ouro.Context(strings.Join(v, ""))}, nil
}

func (f *fake) Put(_ context.Context, key string, value []byte, seen ouro.Context) (ouro.Context, error) {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	f.puts++
	f.written++
	v := fmt.Sprintf("%09d,", f.written)
	covered := strings.Split(string(seen), ",")
	f.versions[key] = slices.DeleteFunc(f.versions[key], func(old string) bool {
		return slices.Contains(covered, strings.TrimSuffix(old, ","))
	})
	f.versions[key] = append(f.versions[key], v)
	f.most = max(f.most, len(f.versions[key]))
	slices.Sort(covered)
	told := slices.DeleteFunc(slices.Compact(covered), func(c string) bool { return c == "" })
	told = told[max(0, len(told)-50):] // what was replaced long ago need not be named
	return ouro.Context(strings.Join(append(told, v), ",")), nil
}

func config() Config {
	return Config{
		Workers: 8, Duration: time.Minute, Ops: 4000, Reads: 0.5, Keys: 50, Dist: Zipfian,
		ValueSize: 10, Seed: 1, Load: true, OpTimeout: time.Second,
	}
}

func mustRun(t *testing.T, cfg Config, d Driver) *Report {
	t.Helper()
	r, err := Run(t.Context(), cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClosedLoopCountsAndLoads(t *testing.T) {
	f := newFake()
	r := mustRun(t, config(), f)
	if r.Ops != 4000 || r.Gets.Ops+r.Puts.Ops != r.Ops || r.Gets.Ops < 1500 || r.Gets.Ops > 2500 {
		t.Errorf("%d operations: %d gets and %d puts", r.Ops, r.Gets.Ops, r.Puts.Ops)
	}
	if len(f.versions) != 50 || int64(f.puts) != 50+r.Puts.Ops {
		t.Errorf("%d keys were loaded, %d puts were made", len(f.versions), f.puts)
	}
}

// However hot a key, a put's context covers all that puts before it have told,
// so siblings do not pile up, even where nobody ever reads.
func TestSiblingsStayAtWhatConcurrencyMakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		r := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		f.delay = func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return time.Duration(r.IntN(1000)) * time.Microsecond
		}
		cfg := config()
		cfg.Keys, cfg.Reads, cfg.Workers = 1, 0, 8
		mustRun(t, cfg, f)
		if f.most > 2*cfg.Workers {
			t.Errorf("8 workers made %d siblings in %d puts", f.most, f.puts)
		}
		cfg.Reads, cfg.Ops = 0.5, 1000
		if rep := mustRun(t, cfg, f); rep.Siblings.Gets == 0 || rep.Siblings.Most < 2 || rep.Siblings.Most > cfg.Workers {
			t.Errorf("siblings were not counted: %+v", rep.Siblings)
		}
	})
}

// A stall shows in every operation it delayed: an open loop measures from the
// moment an operation was due.
func TestOpenLoopDoesNotOmitWhatAStallDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var mu sync.Mutex
		calls := 0
		f.delay = func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == 100 {
				return time.Second
			}
			return time.Millisecond
		}
		cfg := config()
		cfg.Workers, cfg.Rate, cfg.Ops, cfg.Load, cfg.OpTimeout = 1, 100, 0, false, time.Minute
		cfg.Duration = 10 * time.Second
		r := mustRun(t, cfg, f)
		var late int64
		if late = r.Gets.P99 + r.Puts.P99; late < 800_000 {
			t.Errorf("one stall of a second in ten: p99 is only %d us", late)
		}
		if r.Ops < 990 || r.Ops > 1001 {
			t.Errorf("%d operations were made in 10 s at 100 a second", r.Ops)
		}
		cfg.Rate = 0
		calls = 0
		if r := mustRun(t, cfg, f); r.Gets.P99 > 2000 || r.Gets.Max+r.Puts.Max < 1_000_000 {
			t.Errorf("a closed loop shows the stall once: p99 %d us, max %d us", r.Gets.P99, r.Gets.Max+r.Puts.Max)
		}
	})
}

func TestErrorsAreCountedByCode(t *testing.T) {
	f := newFake()
	f.fail = ouro.Errorf(ouro.Overloaded, ouro.NotDone, "full")
	cfg := config()
	cfg.Load = false
	r := mustRun(t, cfg, f)
	if r.Puts.Ops != 0 || r.Puts.Errors["overloaded"] == 0 || r.Gets.Ops == 0 {
		t.Errorf("%+v", r.Puts)
	}
	f.fail = errors.New("broken pipe")
	if r := mustRun(t, cfg, f); r.Puts.Errors["connection"] == 0 {
		t.Errorf("%+v", r.Puts)
	}
	cfg.Load = true
	if _, err := Run(t.Context(), cfg, newFailing(f)); err == nil || !strings.Contains(err.Error(), "loading key-") {
		t.Errorf("a load that fails: %v", err)
	}
}

// newFailing makes a permanent failure of loading quick.
func newFailing(f *fake) Driver {
	f.fail = ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "no")
	return f
}

func TestInterruptedRunReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.delay = func() time.Duration { return time.Millisecond }
		cfg := config()
		cfg.Ops = 0
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		r, err := Run(ctx, cfg, f)
		if err != nil || r.Ops == 0 || r.Seconds > 3 {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestConfigBounds(t *testing.T) {
	for says, change := range map[string]func(*Config){
		"--workers":      func(c *Config) { c.Workers = 0 },
		"--duration":     func(c *Config) { c.Duration = 0 },
		"--ops":          func(c *Config) { c.Ops = -1 },
		"--rate":         func(c *Config) { c.Rate = math.NaN() },
		"--mix":          func(c *Config) { c.Reads = 1.5 },
		"--keys":         func(c *Config) { c.Keys = MaxKeys + 1 },
		"--distribution": func(c *Config) { c.Dist = "normal" },
		"--value-size":   func(c *Config) { c.ValueSize = -1 },
		"--warmup":       func(c *Config) { c.Warmup = -1 },
	} {
		cfg := config()
		change(&cfg)
		if _, err := Run(t.Context(), cfg, newFake()); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// The share of each rank is that of the distribution.
func TestZipf(t *testing.T) {
	const n, draws = 1000, 400_000
	z := newZipf(n)
	r := rand.New(rand.NewPCG(3, 4))
	counts := make([]int, n)
	for range draws {
		counts[z.rank(r.Float64())]++
	}
	for _, rank := range []int{0, 1, 9, 99, 999} {
		want := draws / math.Pow(float64(rank+1), theta) / z.zetan
		if got := float64(counts[rank]); rank < 2 && math.Abs(got-want) > 0.03*want || got > 1.6*want+30 || got < 0.6*want-30 {
			t.Errorf("rank %d was drawn %v times, want about %.0f", rank, got, want)
		}
	}
	for _, n := range []int{1, 2, 3, 10, 1000, 12345} {
		z := newZipf(n)
		hit := make([]bool, n)
		for rank := range n {
			hit[rank*z.step%n] = true
		}
		if slices.Contains(hit, false) {
			t.Errorf("n=%d: some keys are never drawn", n)
		}
		for _, u := range []float64{0, 0.5, math.Nextafter(1, 0)} {
			if rank := z.rank(u); rank < 0 || rank >= n {
				t.Errorf("n=%d: u=%v gives rank %d", n, u, rank)
			}
		}
	}
}

func TestCPU(t *testing.T) {
	got, err := parseStat([]byte("42 (a b) c) (d) S 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20 0 9"))
	if want := (cpu{1200 * time.Millisecond, 340 * time.Millisecond}); err != nil || got != want {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "42 (a", "42 (a) S 1", "42 (a) S 1 2 3 4 5 6 7 8 9 10 x y 0"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	if _, err := cpuOf([]int{os.Getpid()}); err != nil {
		t.Error(err)
	}
	if _, err := cpuOf([]int{1 << 30}); err == nil {
		t.Error("the CPU time of no process was read")
	}
}
