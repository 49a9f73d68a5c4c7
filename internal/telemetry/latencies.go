package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Latencies says how long the client requests took that this node had since it
// started. It is what ouro_request_duration_seconds shows, for who looks often.
type Latencies struct {
	// Bounds are the upper bounds of the buckets, in seconds; one more has no bound.
	Bounds []float64     `json:"bounds"`
	Verbs  []VerbLatency `json:"verbs"` // get, put, update, delete
}

// VerbLatency is about the requests of one verb: how many there were in each
// bucket and those before it.
type VerbLatency struct {
	Verb     string   `json:"verb"`
	Answered []uint64 `json:"answered"` // that nothing is stored is an answer
	Failed   []uint64 `json:"failed"`
}

// Latencies returns the latencies of client requests.
func (m *Metrics) Latencies() Latencies {
	l := Latencies{Bounds: latencies}
	for _, verb := range verbs {
		v := m.requests.verbs[verb]
		l.Verbs = append(l.Verbs, VerbLatency{Verb: verb, Answered: counts(v.answered), Failed: counts(v.failed)})
	}
	return l
}

// counts reads the buckets of a histogram, each with those before it.
func counts(o prometheus.Observer) []uint64 {
	var d dto.Metric
	if err := o.(prometheus.Metric).Write(&d); err != nil {
		return nil // it has a label of no meaning: the registry refused it before
	}
	var all []uint64
	for _, b := range d.Histogram.Bucket {
		all = append(all, b.GetCumulativeCount())
	}
	return append(all, d.Histogram.GetSampleCount())
}
