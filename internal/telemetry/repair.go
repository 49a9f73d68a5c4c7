package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// agreements shows how far a node agrees with each other one.
type agreements struct {
	peers                         func() []ouro.RepairPeer
	paused                        func() time.Time
	age, never, marked, held, gap *prometheus.Desc
}

// WatchRepair shows how far a node agrees with each other, and whether an operator has
// paused that, as peers and paused tell when they are asked, from any goroutine.
func (m *Metrics) WatchRepair(peers func() []ouro.RepairPeer, paused func() time.Time) {
	peer := []string{"peer"}
	m.reg.reg.MustRegister(&agreements{
		peers: peers, paused: paused,
		age:    prometheus.NewDesc("ouro_repair_oldest_seconds", "Age of the oldest of the last complete comparisons of each partition with a node; left out while one was never made.", peer, nil),
		never:  prometheus.NewDesc("ouro_repair_never", "Partitions not yet compared to the end with a node since the start.", peer, nil),
		marked: prometheus.NewDesc("ouro_repair_marked", "Partitions to be compared with a node before their turn.", peer, nil),
		held:   prometheus.NewDesc("ouro_repair_partitions", "Partitions that are compared with a node.", peer, nil),
		gap:    prometheus.NewDesc("ouro_repair_paused", "1 while an operator has paused repair, else 0.", nil, nil),
	})
}

// Describe implements [prometheus.Collector].
func (a *agreements) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{a.age, a.never, a.marked, a.held, a.gap} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (a *agreements) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range a.peers() {
		if !p.Oldest.IsZero() {
			gauge(a.age, max(time.Since(p.Oldest).Seconds(), 0), p.Peer)
		}
		gauge(a.never, float64(p.Never), p.Peer)
		gauge(a.marked, float64(p.Marked), p.Peer)
		gauge(a.held, float64(p.Partitions), p.Peer)
	}
	paused := 0.0
	if !a.paused().IsZero() {
		paused = 1
	}
	gauge(a.gap, paused)
}
