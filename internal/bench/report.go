package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are recorded in microseconds with three digits, up to ten minutes.
const (
	highest = int64(10 * time.Minute / time.Microsecond)
	digits  = 3
)

// tally is what one worker has seen.
type tally struct {
	gets, puts verb
	several    int64 // gets that showed siblings
	most       int   // siblings that one get showed
}

func newTally() *tally { return &tally{gets: newVerb(), puts: newVerb()} }

func (t *tally) siblings(n int) {
	if n > 1 {
		t.several++
	}
	t.most = max(t.most, n)
}

// verb is what happened to operations of one kind.
type verb struct {
	took   *hdrhistogram.Histogram // of those that worked
	errors map[string]int64        // by code
}

func newVerb() verb {
	return verb{hdrhistogram.New(1, highest, digits), map[string]int64{}}
}

func (v *verb) note(took time.Duration, err error) {
	if err != nil {
		v.errors[codeOf(err)]++
		return
	}
	// The value is within the bounds, so recording it can't fail.
	_ = v.took.RecordValue(min(max(took.Microseconds(), 1), highest))
}

func (v *verb) add(o verb) {
	v.took.Merge(o.took)
	for code, n := range o.errors {
		v.errors[code] += n
	}
}

// Report is what a run found out. Times are in microseconds.
type Report struct {
	Config     Config   `json:"config"`
	Seconds    float64  `json:"seconds"`
	Ops        int64    `json:"ops"` // that worked
	Throughput float64  `json:"ops_per_second"`
	Gets       VerbStat `json:"gets"`
	Puts       VerbStat `json:"puts"`
	Siblings   Siblings `json:"siblings"`
	CPU        *CPU     `json:"cpu,omitempty"` // nil: not counted
}

// VerbStat is what operations of one kind came to.
type VerbStat struct {
	Ops    int64            `json:"ops"`
	Mean   float64          `json:"mean_us"`
	P50    int64            `json:"p50_us"`
	P90    int64            `json:"p90_us"`
	P99    int64            `json:"p99_us"`
	P999   int64            `json:"p999_us"`
	Max    int64            `json:"max_us"`
	Errors map[string]int64 `json:"errors"`
}

// Siblings says how often gets showed several versions.
type Siblings struct {
	Gets  int64   `json:"gets"`
	Share float64 `json:"share"` // of all gets
	Most  int     `json:"most"`  // in one get
}

// CPU is what the nodes' processes used, all together.
type CPU struct {
	Processes   int     `json:"processes"`
	UserPerOp   float64 `json:"user_us_per_op"`
	SystemPerOp float64 `json:"system_us_per_op"`
	TotalPerOp  float64 `json:"total_us_per_op"`
	Cores       float64 `json:"cores"` // busy on average
}

func newReport(cfg Config, tallies []*tally, took time.Duration, used cpu) *Report {
	sum := newTally()
	for _, t := range tallies {
		sum.gets.add(t.gets)
		sum.puts.add(t.puts)
		sum.several += t.several
		sum.most = max(sum.most, t.most)
	}
	r := &Report{Config: cfg, Seconds: took.Seconds(), Gets: sum.gets.stat(), Puts: sum.puts.stat()}
	r.Ops = r.Gets.Ops + r.Puts.Ops
	r.Throughput = float64(r.Ops) / r.Seconds
	r.Siblings = Siblings{Gets: sum.several, Most: sum.most}
	if r.Gets.Ops > 0 {
		r.Siblings.Share = float64(sum.several) / float64(r.Gets.Ops)
	}
	if len(cfg.PIDs) > 0 && r.Ops > 0 {
		perOp := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(r.Ops) }
		r.CPU = &CPU{len(cfg.PIDs), perOp(used.user), perOp(used.system), perOp(used.total()), used.total().Seconds() / r.Seconds}
	}
	return r
}

func (v *verb) stat() VerbStat {
	h := v.took
	s := VerbStat{Ops: h.TotalCount(), Errors: v.errors}
	if s.Ops > 0 {
		s.Mean, s.Max = h.Mean(), h.Max()
		s.P50, s.P90 = h.ValueAtPercentile(50), h.ValueAtPercentile(90)
		s.P99, s.P999 = h.ValueAtPercentile(99), h.ValueAtPercentile(99.9)
	}
	return s
}
