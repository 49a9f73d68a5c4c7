package telemetry

import (
	"bytes"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
)

// newTest returns metrics that log to the buffer from a level on.
func newTest(level slog.Level) (*Metrics, *prometheus.Registry, *bytes.Buffer) {
	reg := prometheus.NewRegistry()
	var b bytes.Buffer
	return New(reg, "v1", slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: level}))), reg, &b
}

// gather returns the metrics by name and labels: values of counters and gauges,
// counts of histograms.
func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			got[name(f, m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return got
}

func name(f *dto.MetricFamily, m *dto.Metric) string {
	var labels []string
	for _, l := range m.Label {
		labels = append(labels, l.GetValue())
	}
	if len(labels) == 0 {
		return f.GetName()
	}
	return f.GetName() + "{" + strings.Join(labels, ",") + "}"
}

func check(t *testing.T, reg *prometheus.Registry, want map[string]float64) {
	t.Helper()
	got := gather(t, reg)
	for _, n := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[n]; !ok || v != want[n] {
			t.Errorf("%s = %v (there: %t), want %v", n, v, ok, want[n])
		}
	}
}

func TestFactsAreCounted(t *testing.T) {
	m, reg, _ := newTest(slog.LevelInfo)
	m.Observe([]fact.Fact{
		{Kind: fact.Late},
		{Kind: fact.Silent},
		{Kind: fact.Late},
		{Kind: fact.Forwarded},
		{Kind: fact.Minted},
		{Kind: fact.Known},
		{Kind: fact.Differed, N: 2},
		{Kind: fact.Repaired},
		{Kind: fact.Repaired},
		{Kind: fact.RepairLeft},
		{Kind: fact.EpochBegun, N: 7},
		{Kind: fact.EpochBegun, N: 8},
		{Kind: fact.Pruned, N: 7},
		{Kind: fact.ExceptionDropped, N: 3},
		{Kind: fact.DotReused},
		{Kind: fact.Damaged},
		{Kind: fact.Dropped},
		{Kind: fact.Hinted, N: 2},
		{Kind: fact.HandedOver, N: 1},
		{Kind: fact.NotHandedOver},
		{Kind: fact.NotHandedOver},
		{Kind: fact.LetGo, N: 1},
		{Kind: fact.Reassigned, N: 1},
		{Kind: fact.Agreed, N: 4},
		{Kind: fact.Agreed, N: 1},
		{Kind: fact.NotAgreed, N: 2},
		{Kind: fact.Settled, Lasted: time.Millisecond},
		{Kind: fact.Decided, Note: "get", N: 2},
		{Kind: fact.Decided, Note: "put"},
		{Kind: fact.Asked},
		{Kind: 255},
	})
	m.Observe([]fact.Fact{{Kind: fact.Late}, {Kind: fact.Pruned, N: 1}})
	m.Observe(nil)
	check(t, reg, map[string]float64{
		"ouro_late_answers_total": 3, "ouro_missing_answers_total": 1, "ouro_forwards_total": 1, "ouro_half_hour_requests": 2, "ouro_versions_total": 1,
		"ouro_repeated_requests_total": 1, "ouro_differing_reads_total": 1, "ouro_read_repairs_total": 2, "ouro_pruned_entries_total": 8,
		"ouro_dropped_exceptions_total": 3, "ouro_dot_reused_total": 1, "ouro_damaged_records_total": 1, "ouro_dropped_messages_total": 1,
		"ouro_hints_total": 2, "ouro_handovers_total": 1, "ouro_failed_handovers_total": 2, "ouro_dropped_hints_total": 1, "ouro_reassigned_hints_total": 1,
		"ouro_comparisons_total": 2, "ouro_compared_repairs_total": 5, "ouro_failed_comparisons_total": 1,
		"ouro_read_repairs_left_total": 1, "ouro_reap_epochs_total": 2,
		"ouro_replication_lag_seconds": 1, "ouro_get_siblings": 1,
	})
}

func TestRequestsAreCounted(t *testing.T) {
	m, reg, log := newTest(slog.LevelInfo)
	m.Request("get", "done", time.Millisecond)
	m.Request("get", string(ouro.NotFound), time.Millisecond)
	m.Request("put", string(ouro.TimedOut), time.Second)
	m.Request("delete", "abandoned", time.Second)
	m.Request("delete", "news", time.Second)
	m.Request("news", "done", time.Second) // counted nowhere, but no harm
	m.Rejected(ouro.TooLarge)
	m.Rejected("news")
	m.Faulted("nil map", []byte("of here"))
	if !strings.Contains(log.String(), `"what":"nil map","stack":"of here"`) {
		t.Errorf("the log has %s", log)
	}
	check(t, reg, map[string]float64{
		"ouro_requests_total{done,get}": 1, "ouro_requests_total{not_found,get}": 1, "ouro_requests_total{timeout,put}": 1,
		"ouro_requests_total{abandoned,delete}": 1, "ouro_requests_total{other,delete}": 1, "ouro_requests_total{done,put}": 0,
		"ouro_request_duration_seconds{answered,get}": 2, "ouro_request_duration_seconds{failed,get}": 0,
		"ouro_request_duration_seconds{failed,put}": 1, "ouro_request_duration_seconds{failed,delete}": 2,
		"ouro_http_rejected_total{too_large}": 1, "ouro_request_faults_total": 1,
	})
}

// TestLinksOfFormerPeers: a node that has left is not shown as one that is cut off.
func TestLinksOfFormerPeers(t *testing.T) {
	m, reg, _ := newTest(slog.LevelInfo)
	m.Link("n2", true)
	m.Link("n3", false)
	m.Link("n4", true) // on its way in
	m.Peers([]string{"n2"})
	m.Link("n3", false)
	got := gather(t, reg)
	for _, n := range []string{"n3", "n4"} {
		if v, there := got["ouro_link_up{"+n+"}"]; there {
			t.Errorf("%s is no peer, and shown as %v", n, v)
		}
	}
	m.Peers([]string{"n2", "n4"})
	check(t, reg, map[string]float64{"ouro_link_up{n2}": 1, "ouro_link_up{n4}": 1})
}

// TestLatencies: each request is in its bucket and those after it.
func TestLatencies(t *testing.T) {
	m, _, _ := newTest(slog.LevelInfo)
	m.Request("put", "done", 20*time.Millisecond)
	m.Request("put", "done", 2*time.Minute)
	m.Request("put", string(ouro.TimedOut), time.Second)
	l := m.Latencies()
	if len(l.Verbs) != 4 || l.Verbs[1].Verb != "put" || len(l.Verbs[1].Answered) != len(l.Bounds)+1 {
		t.Fatalf("%+v", l)
	}
	for i, bound := range l.Bounds {
		want := uint64(0)
		if bound >= 0.02 {
			want = 1
		}
		if got := l.Verbs[1].Answered[i]; got != want {
			t.Errorf("up to %v s: %d, want %d", bound, got, want)
		}
	}
	if put := l.Verbs[1]; put.Answered[len(l.Bounds)] != 2 || put.Failed[len(l.Bounds)] != 1 || l.Verbs[0].Answered[len(l.Bounds)] != 0 {
		t.Errorf("%+v", l)
	}
}

func TestStagesAndLinks(t *testing.T) {
	m, reg, _ := newTest(slog.LevelInfo)
	m.Turn("shard", 5, time.Millisecond)
	m.Turn("shard", 3, time.Millisecond)
	m.Refused("inbox")
	m.Refused("inbox")
	m.Link("n2", true)
	m.Link("n3", true)
	m.Link("n3", false)
	check(t, reg, map[string]float64{
		"ouro_queue_length{shard}": 3, "ouro_queue_wait_seconds{shard}": 2, "ouro_refused_total{inbox}": 2,
		"ouro_link_up{n2}": 1, "ouro_link_up{n3}": 0,
	})
}

// TestDocumented holds docs/reference/metrics.md to the code, both ways.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^\\| `(ouro_[a-z0-9_]+)`").FindAllSubmatch(doc, -1) {
		documented[string(match[1])] = true
	}
	m, reg, _ := newTest(slog.LevelInfo)
	m.Turn("shard", 1, 0)
	m.Refused("shard")
	m.Link("n2", true)
	m.WatchDisk(func() (int64, bool) { return 7, true })
	m.WatchHints(func() int64 { return 7 }, func() time.Time { return time.Time{} })
	m.WatchRecovery(func() (int, int) { return 3, 1 })
	m.WatchChain(func() bool { return false })
	m.WatchReaping(func() uint64 { return 3 }, func() time.Duration { return time.Second })
	m.WatchDamage(func() int { return 0 })
	m.WatchSent(func() uint64 { return 0 })
	m.WatchScrub(func() time.Duration { return 0 })
	m.WatchAgreement(func() (time.Duration, bool) { return time.Second, true })
	m.WatchRepair(func() []ouro.RepairPeer {
		return []ouro.RepairPeer{{Peer: "n2", Partitions: 8, Oldest: time.Now()}}
	}, func() time.Time { return time.Time{} })
	m.WatchHotKeys(func() ouro.HotKeysInfo { return ouro.HotKeysInfo{Keys: []ouro.HotKeyInfo{{Key: "b/k"}}} })
	m.WatchStaleness(func() ([]ouro.StalePair, *ouro.CanaryInfo) {
		return []ouro.StalePair{{R: 1, W: 1, Stale: []float64{.5}}}, &ouro.CanaryInfo{N: 3, Pairs: []ouro.CanaryPair{{R: 1, W: 1}}}
	})
	m.WatchAdmission(func() ouro.AdmissionInfo { return ouro.AdmissionInfo{Kinds: []ouro.AdmissionKind{{Kind: "repair"}}} })
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if n := f.GetName(); strings.HasPrefix(n, "ouro_") {
			if !documented[n] {
				t.Errorf("metrics.md does not list %s", n)
			}
			if f.GetHelp() == "" {
				t.Errorf("%s has no help", n)
			}
			delete(documented, n)
		}
	}
	for n := range documented {
		t.Errorf("metrics.md lists %s, which is not there", n)
	}
}

func TestFactsAreLogged(t *testing.T) {
	batch := []fact.Fact{
		{Kind: fact.Asked, Peer: "n2"},
		{Kind: fact.Damaged, Note: "b/k"},
		{Kind: fact.DotReused, Note: "a/1:1"},
		{Kind: fact.Diverged, Peer: "n3", N: 7},
		{Kind: fact.Linked, N: 8, Note: "4 members, 2 moves begun"},
	}
	m, _, b := newTest(slog.LevelInfo)
	m.Observe(batch)
	if s := b.String(); strings.Count(s, "\n") != 4 || !strings.Contains(s, `"level":"ERROR","msg":"ALARM another placement has"`) || !strings.Contains(s, `"level":"INFO","msg":"placement adopted"`) || !strings.Contains(s, `"level":"ERROR","msg":"ALARM dot reused"`) || !strings.Contains(s, `"level":"WARN","msg":"record damaged"`) {
		t.Errorf("at info:\n%s", s)
	}
	m, _, b = newTest(slog.LevelDebug)
	m.Observe(batch)
	if s := b.String(); strings.Count(s, "\n") != 5 || !strings.Contains(s, `"msg":"asked"`) {
		t.Errorf("at debug:\n%s", s)
	}
	m, _, b = newTest(slog.LevelError)
	m.Observe(batch)
	if s := b.String(); strings.Count(s, "\n") != 2 {
		t.Errorf("at error:\n%s", s)
	}
}

// BenchmarkObserve is what a turn of a loop with the facts of four puts pays.
func BenchmarkObserve(b *testing.B) {
	m, _, _ := newTest(slog.LevelInfo)
	var batch []fact.Fact
	for range 4 {
		batch = append(batch, fact.Fact{Kind: fact.Started}, fact.Fact{Kind: fact.Minted}, fact.Fact{Kind: fact.Decided, Note: "put"}, fact.Fact{Kind: fact.Settled, Lasted: time.Millisecond})
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(batch)
		m.Turn("shard", 4, time.Microsecond)
		m.Request("put", "done", time.Millisecond)
	}
}

// What is predicted and measured of staleness has a row for each r and w, and says
// whether they overlap.
func TestStalenessIsShown(t *testing.T) {
	m, reg, _ := newTest(slog.LevelInfo)
	m.WatchStaleness(func() ([]ouro.StalePair, *ouro.CanaryInfo) {
		return []ouro.StalePair{{R: 1, W: 2, Stale: []float64{.25, 0}, Visible99: .5, Visible999: .75}}, &ouro.CanaryInfo{N: 3, Failed: 7, Pairs: []ouro.CanaryPair{
			{R: 1, W: 2, Reads: []uint64{3, 4}, Stale: []uint64{2, 1}}, {R: 2, W: 2, Reads: []uint64{5}, Stale: []uint64{0}},
		}}
	})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, row := range f.GetMetric() {
			name := f.GetName()
			for _, l := range row.GetLabel() {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			got[name] = row.GetGauge().GetValue() + row.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"ouro_stale_reads_predicted r=1 w=2": .25, "ouro_visible_after_seconds r=1 share=0.99 w=2": .5, "ouro_visible_after_seconds r=1 share=0.999 w=2": .75,
		"ouro_canary_reads_total overlap=no r=1 w=2": 7, "ouro_canary_stale_reads_total overlap=no r=1 w=2": 3,
		"ouro_canary_reads_total overlap=yes r=2 w=2": 5, "ouro_canary_stale_reads_total overlap=yes r=2 w=2": 0, "ouro_canary_failed_total": 7,
	} {
		if v, there := got[name]; !there || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, there, want)
		}
	}
}
