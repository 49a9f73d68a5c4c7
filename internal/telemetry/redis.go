package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
)

// redis counts Redis clients.
type redis struct {
	clients  prometheus.Gauge
	dropped  map[string]prometheus.Counter
	rejected map[ouro.Code]prometheus.Counter
}

func newRedis(r registrar) redis {
	q := redis{clients: r.gauges("ouro_resp_clients", "Redis clients that are connected.").WithLabelValues(), dropped: map[string]prometheus.Counter{}, rejected: map[ouro.Code]prometheus.Counter{}}
	dropped := r.counters("ouro_resp_dropped_total", "Connections of Redis clients that this node closed, by why: protocol, slow_reader, slow_frame, idle, memory, clients (too many) or killed (by CLIENT KILL).", "why")
	for _, why := range []string{"protocol", "slow_reader", "slow_frame", "idle", "memory", "clients", "killed"} {
		q.dropped[why] = dropped.WithLabelValues(why)
	}
	rejected := r.counters("ouro_resp_rejected_total", "Commands of Redis clients refused before they reached the store, by code.", "code")
	for _, code := range codes {
		q.rejected[code] = rejected.WithLabelValues(string(code))
	}
	return q
}

// RedisClients notes how many Redis clients are connected.
func (m *Metrics) RedisClients(clients int) { m.redis.clients.Set(float64(clients)) }

// RejectedCommand counts a command that the front end refused by itself.
func (m *Metrics) RejectedCommand(code ouro.Code) {
	if c, ok := m.redis.rejected[code]; ok {
		c.Inc()
	}
}

// DroppedClient counts a Redis client whose connection this node closed.
func (m *Metrics) DroppedClient(why string) {
	if c, ok := m.redis.dropped[why]; ok {
		c.Inc()
	}
}
