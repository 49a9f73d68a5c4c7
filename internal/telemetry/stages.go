package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// stages counts at each place where inputs queue. They are few and fixed, so
// they are looked up in a map that is replaced whole when one is new.
type stages struct {
	length  *prometheus.GaugeVec
	wait    *prometheus.HistogramVec
	refused *prometheus.CounterVec

	known atomic.Pointer[map[string]*stage]
	mu    sync.Mutex // held to add one
}

type stage struct {
	length  prometheus.Gauge
	wait    prometheus.Observer
	refused prometheus.Counter
}

func newStages(r registrar) *stages {
	s := &stages{
		length:  r.gauges("ouro_queue_length", "Inputs that had queued for a stage when it last took them.", "stage"),
		wait:    r.histograms("ouro_queue_wait_seconds", "How long the first input of each turn had queued for a stage.", latencies, "stage"),
		refused: r.counters("ouro_refused_total", "Inputs refused because a stage had no room for them.", "stage"),
	}
	s.known.Store(&map[string]*stage{})
	return s
}

func (s *stages) get(name string) *stage {
	if st := (*s.known.Load())[name]; st != nil {
		return st
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := maps.Clone(*s.known.Load())
	if known[name] == nil {
		known[name] = &stage{
			length:  s.length.WithLabelValues(name),
			wait:    s.wait.WithLabelValues(name),
			refused: s.refused.WithLabelValues(name),
		}
		s.known.Store(&known)
	}
	return known[name]
}
