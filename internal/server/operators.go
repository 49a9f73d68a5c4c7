package server

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/frontend/admin"
	"github.com/ourodb/ouro/internal/frontend/web"
)

// serveOperators serves the admin port. Of a node of a dev cluster that is the
// folder of the cluster, which operators may break.
func (n *node) serveOperators(keys web.Config, playground string) {
	cfg := admin.Config{
		Inspector: drainable{n.host, &n.stopping}, Operator: n.host, Repairer: n.host, Archiver: n.host, Metrics: n.reg, Latencies: n.metrics.Latencies, Level: n.level,
		Keys: web.New(keys, n.host), Hosts: adminHosts(n.cfg),
		Build: n.built,
	}
	if playground != "" {
		cfg.Faults = linkFaults{n.links, n.log}
		cfg.Dev = func(c dev.Command) (dev.Outcome, error) { return dev.Call(playground, c) }
	}
	n.operators = &http.Server{Handler: admin.New(cfg), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go n.serveHTTP(n.operators, web.Listen(web.Config{MaxConns: n.places.operators}, n.listeners.operators), "operators")
}

// adminHosts are the names that the admin port answers to: those that the settings
// give it, and the machine's own.
func adminHosts(cfg *config.Config) []string {
	names := append([]string{}, cfg.AdminHosts...)
	for _, addr := range []string{cfg.AdminListen, cfg.Listen, cfg.PeerAddr()} {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			names = append(names, host)
		}
	}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	return names
}

// drainable is not ready from the moment at which its node begins to stop, so
// that load balancers look elsewhere while it finishes what is under way.
type drainable struct {
	ouro.Inspector
	stopping *atomic.Bool
}

// Ready implements [ouro.Inspector].
func (d drainable) Ready() error {
	if d.stopping.Load() {
		return errors.New("the node is stopping")
	}
	return d.Inspector.Ready()
}
