package telemetry

import (
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
)

// Metrics counts what happens on one node. Its methods may be called from any
// goroutine.
type Metrics struct {
	log      *slog.Logger
	reg      registrar
	requests requests
	facts    facts
	stages   *stages
	links    links
	rejected map[ouro.Code]prometheus.Counter
	faults   prometheus.Counter
	redis    redis
	remote   remote
}

// New registers the metrics of a node, the Go runtime and the process with reg.
// Facts that matter to an operator go to log; all of them do at level debug.
func New(reg *prometheus.Registry, version string, log *slog.Logger) *Metrics {
	r := registrar{reg}
	m := &Metrics{
		log:      log,
		reg:      r,
		requests: newRequests(r),
		facts:    newFacts(r),
		stages:   newStages(r),
		links:    links{gauge: r.gauges("ouro_link_up", "Whether this node can send to the peer: 1 or 0.", "peer"), up: map[string]bool{}},
		rejected: map[ouro.Code]prometheus.Counter{},
		faults:   r.counter("ouro_request_faults_total", "Requests of clients that met a fault of this program; the log has what and where."),
		redis:    newRedis(r),
		remote:   newRemote(r),
	}
	rejected := r.counters("ouro_http_rejected_total", "HTTP requests refused before they reached the store, by code.", "code")
	for _, code := range codes {
		m.rejected[code] = rejected.WithLabelValues(string(code))
	}
	build := r.gauges("ouro_build_info", "Always 1; the labels say what is running.", "version", "go")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// WatchHints shows how many bytes a node keeps for others, and for how long the
// oldest of them, as bytes and oldest tell when they are asked, from any
// goroutine. Oldest returns the zero time where nothing is kept.
func (m *Metrics) WatchHints(bytes func() int64, oldest func() time.Time) {
	m.reg.gaugeFunc("ouro_hint_bytes", "Bytes kept here for nodes that cannot be reached.", func() float64 { return float64(bytes()) })
	m.reg.gaugeFunc("ouro_hint_oldest_seconds", "For how long the oldest record is kept here for another node; 0: none is.", func() float64 {
		if at := oldest(); !at.IsZero() {
			return max(time.Since(at).Seconds(), 0)
		}
		return 0
	})
}

// WatchDisk shows how much room a node's file system has, in bytes, -1 where
// that is not known, and whether writes are refused for it, as space tells when
// it is asked, from any goroutine.
func (m *Metrics) WatchDisk(space func() (free int64, full bool)) {
	m.reg.gaugeFunc("ouro_disk_free_bytes", "Bytes left on the file system of the data; -1: not known.", func() float64 {
		free, _ := space()
		return float64(free)
	})
	m.reg.gaugeFunc("ouro_disk_full", "1 where writes are refused because less than disk-reserve is free, else 0.", func() float64 {
		if _, full := space(); full {
			return 1
		}
		return 0
	})
}

// WatchRecovery shows how many partitions and single records of a node are not
// current, as recovering tells when it is asked, from any goroutine.
func (m *Metrics) WatchRecovery(recovering func() (partitions, records int)) {
	m.reg.gaugeFunc("ouro_recovering_partitions", "Partitions that may lack what was acknowledged: they count for no read until they were compared.", func() float64 {
		p, _ := recovering()
		return float64(p)
	})
	m.reg.gaugeFunc("ouro_recovering_records", "Records that can't be read and are looked for at other replicas.", func() float64 {
		_, r := recovering()
		return float64(r)
	})
}

// WatchChain shows whether another node goes by another chain of links than this one,
// as diverged tells when it is asked, from any goroutine.
func (m *Metrics) WatchChain(diverged func() bool) {
	m.reg.gaugeFunc("ouro_chain_diverged", "ALARM where it is 1: another node goes by another chain of links. The cluster was founded or restarted twice.", func() float64 {
		if diverged() {
			return 1
		}
		return 0
	})
}

// WatchReaping shows the epoch of a node and for how long the oldest tombstone
// waits, as these tell when they are asked, from any goroutine.
func (m *Metrics) WatchReaping(epoch func() uint64, age func() time.Duration) {
	m.reg.gaugeFunc("ouro_reap_epoch", "Epoch of this node, by which tombstones are reaped.", func() float64 { return float64(epoch()) })
	m.reg.gaugeFunc("ouro_reap_oldest_seconds", "For how long the oldest key in mind waits to be reaped; 0: none.", func() float64 { return age().Seconds() })
}

// WatchAgreement shows for how long some pair of replicas has not been compared to
// the end, as since tells when it is asked, from any goroutine; false: not known.
func (m *Metrics) WatchAgreement(since func() (time.Duration, bool)) {
	m.reg.gaugeFunc("ouro_since_agreed_seconds", "How long ago every partition had last been compared to the end with every other node that holds it; NaN: not known.", func() float64 {
		if age, known := since(); known {
			return age.Seconds()
		}
		return math.NaN()
	})
}

// WatchSent shows how many bytes were sent to other nodes, as sent tells when it is
// asked, from any goroutine.
func (m *Metrics) WatchSent(sent func() uint64) {
	m.reg.counterFunc("ouro_link_sent_bytes_total", "Bytes passed on for other nodes, over all links.", func() float64 { return float64(sent()) })
}

// WatchDamage shows in how many files of the engine damage was found, as count tells
// when it is asked, from any goroutine.
func (m *Metrics) WatchDamage(count func() int) {
	m.reg.gaugeFunc("ouro_damaged_files", "ALARM: files of the storage engine in which damage was found since the start.", func() float64 { return float64(count()) })
}

// WatchScrub shows how long ago everything stored had been read back, as age tells
// when it is asked, from any goroutine.
func (m *Metrics) WatchScrub(age func() time.Duration) {
	m.reg.gaugeFunc("ouro_scrub_age_seconds", "How long ago the last round began in which all that is stored was read back; since the start where there was none.", func() float64 { return age().Seconds() })
}

// Rejected counts a request that a front end refused by itself.
func (m *Metrics) Rejected(code ouro.Code) {
	if c, ok := m.rejected[code]; ok {
		c.Inc()
	}
}

// Observe counts the facts of one turn of a loop, and logs those that an
// operator has to know.
func (m *Metrics) Observe(batch []fact.Fact) {
	m.facts.observe(batch)
	m.logFacts(batch)
}

// Request counts one client request. The outcome is "done", the code of its
// error, or "abandoned" where its client did not wait.
func (m *Metrics) Request(verb, outcome string, took time.Duration) {
	m.requests.observe(verb, outcome, took)
}

// Turn counts one turn of a stage's loop: how many inputs had queued for it, and
// how long the first of them had waited.
func (m *Metrics) Turn(stage string, inputs int, waited time.Duration) {
	s := m.stages.get(stage)
	s.length.Set(float64(inputs))
	s.wait.Observe(waited.Seconds())
}

// Refused counts one input that a stage had no room for.
func (m *Metrics) Refused(stage string) { m.stages.get(stage).refused.Inc() }

// codes are the codes that a request can end with.
var codes = []ouro.Code{
	ouro.BadRequest, ouro.BadContext, ouro.NotFound, ouro.SiblingsFound, ouro.TooManySiblings, ouro.TooLarge,
	ouro.Overloaded, ouro.HotKey, ouro.QuorumUnavailable, ouro.TimedOut, ouro.DiskFull, ouro.Internal,
}
