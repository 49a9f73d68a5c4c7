package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// staleness shows how often reads are stale, as predicted and as measured.
type staleness struct {
	told                                    func() ([]ouro.StalePair, *ouro.CanaryInfo)
	predicted, fresh, reads, stale, skipped *prometheus.Desc
}

// WatchStaleness shows how often reads are stale, as told tells when it is asked, from
// any goroutine: what is predicted for some pairs of r and w, and what the node's canary
// has measured; nil: it has none.
func (m *Metrics) WatchStaleness(told func() ([]ouro.StalePair, *ouro.CanaryInfo)) {
	pair := []string{"r", "w"}
	measured := append(pair[:2:2], "overlap")
	m.reg.reg.MustRegister(&staleness{
		told:      told,
		predicted: prometheus.NewDesc("ouro_stale_reads_predicted", "Share of reads elsewhere, right after a write is acknowledged, that are predicted not to show it.", pair, nil),
		fresh:     prometheus.NewDesc("ouro_visible_after_seconds", "After what time that share of reads elsewhere is predicted to show a write.", append(pair[:2:2], "share"), nil),
		reads:     prometheus.NewDesc("ouro_canary_reads_total", "Reads of canaries in which primaries alone took part.", measured, nil),
		stale:     prometheus.NewDesc("ouro_canary_stale_reads_total", "Of these, those that did not show the write; ALARM where r and w overlap.", measured, nil),
		skipped:   prometheus.NewDesc("ouro_canary_failed_total", "Writes and reads of canaries that failed.", nil, nil),
	})
}

// Describe implements [prometheus.Collector].
func (s *staleness) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{s.predicted, s.fresh, s.reads, s.stale, s.skipped} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (s *staleness) Collect(ch chan<- prometheus.Metric) {
	predicted, measured := s.told()
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	for _, p := range predicted {
		r, w := strconv.Itoa(p.R), strconv.Itoa(p.W)
		if len(p.Stale) > 0 {
			tell(s.predicted, prometheus.GaugeValue, p.Stale[0], r, w)
		}
		tell(s.fresh, prometheus.GaugeValue, p.Visible99, r, w, "0.99")
		tell(s.fresh, prometheus.GaugeValue, p.Visible999, r, w, "0.999")
	}
	if measured == nil {
		return
	}
	for i := range measured.Pairs {
		p := &measured.Pairs[i]
		overlap := "no"
		if p.R+p.W > measured.N {
			overlap = "yes"
		}
		reads, stale := p.Total()
		tell(s.reads, prometheus.CounterValue, float64(reads), strconv.Itoa(p.R), strconv.Itoa(p.W), overlap)
		tell(s.stale, prometheus.CounterValue, float64(stale), strconv.Itoa(p.R), strconv.Itoa(p.W), overlap)
	}
	tell(s.skipped, prometheus.CounterValue, float64(measured.Failed))
}
