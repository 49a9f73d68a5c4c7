package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// links shows which peers can be sent to. One that is no peer any more is not
// shown: nobody is to be woken for its link.
type links struct {
	gauge *prometheus.GaugeVec

	mu    sync.Mutex
	up    map[string]bool // whoever had a link, or lost one
	peers map[string]bool // nil: not told yet, everybody counts
}

// set notes how the link to a peer is.
func (l *links) set(peer string, up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up[peer] = up
	l.show(peer)
}

// keep shows the links to these peers alone.
func (l *links) keep(peers []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.peers = map[string]bool{}
	for _, p := range peers {
		l.peers[p] = true
	}
	for p, up := range l.up {
		l.show(p)
		if !up && !l.peers[p] {
			delete(l.up, p)
		}
	}
}

func (l *links) show(peer string) {
	switch {
	case l.peers != nil && !l.peers[peer]:
		l.gauge.DeleteLabelValues(peer)
	case l.up[peer]:
		l.gauge.WithLabelValues(peer).Set(1)
	default:
		l.gauge.WithLabelValues(peer).Set(0)
	}
}

// Link notes that the link to a peer came up or went down.
func (m *Metrics) Link(peer string, up bool) { m.links.set(peer, up) }

// Peers tells who the peers are: the links to others are not shown any more.
func (m *Metrics) Peers(ids []string) { m.links.keep(ids) }
