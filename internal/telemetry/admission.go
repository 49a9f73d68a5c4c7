package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// admission shows how much of a node its background work may use.
type admission struct {
	info   func() ouro.AdmissionInfo
	slices *prometheus.Desc
	most   *prometheus.Desc
	pool   *prometheus.Desc
	reads  *prometheus.Desc
	waits  *prometheus.Desc
	shrunk *prometheus.Desc
}

// WatchAdmission shows how much of a node its background work may use, as info tells
// when it is asked, from any goroutine.
func (m *Metrics) WatchAdmission(info func() ouro.AdmissionInfo) {
	kind := []string{"kind"}
	m.reg.reg.MustRegister(&admission{
		info:   info,
		slices: prometheus.NewDesc("ouro_background_slices", "Slices that a kind of background work has of the pool that all share.", kind, nil),
		most:   prometheus.NewDesc("ouro_background_slices_most", "Slices with which a kind of background work goes at its full pace.", kind, nil),
		pool:   prometheus.NewDesc("ouro_background_pool_slices", "Slices in the pool that all background work shares.", nil, nil),
		reads:  prometheus.NewDesc("ouro_foreground_read_p99_seconds", "What 99 of 100 reads of the engine for clients took at most in the last minute; 0: none, or too many failed.", nil, nil),
		waits:  prometheus.NewDesc("ouro_queue_wait_p99_seconds", "What 99 of 100 waits before the shards took at most in the last minute.", nil, nil),
		shrunk: prometheus.NewDesc("ouro_background_shrinks_total", "Times that the pool was halved because clients were served too slowly.", nil, nil),
	})
}

// Describe implements [prometheus.Collector].
func (a *admission) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{a.slices, a.most, a.pool, a.reads, a.waits, a.shrunk} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (a *admission) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	info := a.info()
	for _, k := range info.Kinds {
		gauge(a.slices, float64(k.Slices), k.Kind)
		gauge(a.most, float64(k.Most), k.Kind)
	}
	gauge(a.pool, float64(info.Slices))
	gauge(a.reads, info.ReadP99)
	gauge(a.waits, info.WaitP99)
	ch <- prometheus.MustNewConstMetric(a.shrunk, prometheus.CounterValue, float64(info.Shrunk))
}
