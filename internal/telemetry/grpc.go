package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// remote counts gRPC clients.
type remote struct {
	conns    prometheus.Gauge
	dropped  map[string]prometheus.Counter
	rejected map[ouro.Code]prometheus.Counter
}

func newRemote(r registrar) remote {
	q := remote{conns: r.gauges("ouro_grpc_connections", "Connections of gRPC clients that are open.").WithLabelValues(), dropped: map[string]prometheus.Counter{}, rejected: map[ouro.Code]prometheus.Counter{}}
	dropped := r.counters("ouro_grpc_dropped_total", "Connections of gRPC clients that this node closed, by why: slow_reader or connections (too many).", "why")
	for _, why := range []string{"slow_reader", "connections"} {
		q.dropped[why] = dropped.WithLabelValues(why)
	}
	rejected := r.counters("ouro_grpc_rejected_total", "Requests of gRPC clients refused before they reached the store, by code.", "code")
	for _, code := range codes {
		q.rejected[code] = rejected.WithLabelValues(string(code))
	}
	return q
}

// GRPCConnections notes how many connections of gRPC clients are open.
func (m *Metrics) GRPCConnections(conns int) { m.remote.conns.Set(float64(conns)) }

// RejectedCall counts a request that the gRPC front end refused by itself.
func (m *Metrics) RejectedCall(code ouro.Code) {
	if c, ok := m.remote.rejected[code]; ok {
		c.Inc()
	}
}

// DroppedConnection counts a connection of a gRPC client that this node closed.
func (m *Metrics) DroppedConnection(why string) {
	if c, ok := m.remote.dropped[why]; ok {
		c.Inc()
	}
}
