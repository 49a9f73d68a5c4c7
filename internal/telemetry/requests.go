package telemetry

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// The outcomes of a request besides the codes of errors.
const (
	done      = "done"
	abandoned = "abandoned" // its client did not wait
	other     = "other"     // a code that this version does not know
)

// verbs are those of client requests.
var verbs = []string{"get", "put", "update", "delete"}

// canary is what nodes write and read to measure staleness.
const canary = "canary"

// local is that of a get of one copy, for a client that coordinates the read.
const local = "local"

// requests counts client requests. The count has every code; the histogram,
// whose every label costs a row for each bucket, only tells answers from
// failures. That nothing is stored is an answer.
type requests struct{ verbs map[string]*verbCounts }

type verbCounts struct {
	outcomes         map[string]prometheus.Counter
	answered, failed prometheus.Observer
}

func newRequests(r registrar) requests {
	count := r.counters("ouro_requests_total", "Client requests this node took, by verb and outcome: done, the code of an error, or abandoned by the client.", "verb", "outcome")
	took := r.histograms("ouro_request_duration_seconds", "How long client requests took; result is answered (not_found included) or failed.", latencies, "verb", "result")
	q := requests{map[string]*verbCounts{}}
	for _, verb := range append(slices.Clone(verbs), canary, local) {
		v := &verbCounts{
			outcomes: map[string]prometheus.Counter{},
			answered: took.WithLabelValues(verb, "answered"),
			failed:   took.WithLabelValues(verb, "failed"),
		}
		for _, outcome := range []string{done, abandoned, other} {
			v.outcomes[outcome] = count.WithLabelValues(verb, outcome)
		}
		for _, code := range codes {
			v.outcomes[string(code)] = count.WithLabelValues(verb, string(code))
		}
		q.verbs[verb] = v
	}
	return q
}

// Faulted counts a request of a client that met a fault of this program, and logs it.
func (m *Metrics) Faulted(what any, stack []byte) {
	m.faults.Inc()
	m.log.Error("a request met a fault of this program: please report it", "what", fmt.Sprint(what), "stack", string(stack))
}

func (q requests) observe(verb, outcome string, took time.Duration) {
	v, ok := q.verbs[verb]
	if !ok {
		return
	}
	c, ok := v.outcomes[outcome]
	if !ok {
		c = v.outcomes[other]
	}
	c.Inc()
	if outcome == done || outcome == string(ouro.NotFound) {
		v.answered.Observe(took.Seconds())
	} else {
		v.failed.Observe(took.Seconds())
	}
}
