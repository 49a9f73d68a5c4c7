package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// hotKeys shows which keys are asked for most. Few are named at a time, and only while
// they are hot, so that keys make no lasting series of labels.
type hotKeys struct {
	info    func() ouro.HotKeysInfo
	rate    *prometheus.Desc
	refused *prometheus.Desc
	total   *prometheus.Desc
}

// WatchHotKeys shows which keys are asked for most, as info tells when it is asked, from
// any goroutine.
func (m *Metrics) WatchHotKeys(info func() ouro.HotKeysInfo) {
	key := []string{"key"}
	m.reg.reg.MustRegister(&hotKeys{
		info:    info,
		rate:    prometheus.NewDesc("ouro_hot_key_requests_per_second", "Requests a second for a key that stands out, at least, refused ones included.", key, nil),
		refused: prometheus.NewDesc("ouro_hot_key_refused_per_second", "Of these, refused a second, at least: the key has as many under way as one key may.", key, nil),
		total:   prometheus.NewDesc("ouro_hot_key_refused_total", "Requests refused as their key had as many under way as one key may.", nil, nil),
	})
}

// Describe implements [prometheus.Collector].
func (h *hotKeys) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{h.rate, h.refused, h.total} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (h *hotKeys) Collect(ch chan<- prometheus.Metric) {
	info := h.info()
	for _, k := range info.Keys {
		ch <- prometheus.MustNewConstMetric(h.rate, prometheus.GaugeValue, k.Rate, k.Key)
		ch <- prometheus.MustNewConstMetric(h.refused, prometheus.GaugeValue, k.Refused, k.Key)
	}
	ch <- prometheus.MustNewConstMetric(h.total, prometheus.CounterValue, float64(info.Refused))
}
